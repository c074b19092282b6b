#include "common/capture_mode.h"

#include <stddef.h>
#include <strings.h>

static const char *const words[] = {
    [CAPTURE_FULL] = "full",
    [CAPTURE_METADATA_ONLY] = "metadata_only",
    [CAPTURE_ERROR_ONLY] = "error_only",
    [CAPTURE_MASKED] = "masked",
};

bool capture_mode_parse(const char *word, enum capture_mode *mode)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(word, words[i]) == 0) {
            *mode = (enum capture_mode)i;
            return true;
        }
    }
    *mode = CAPTURE_MASKED;
    return strcasecmp(word, "pii_masked") == 0; /* the reference's word for it */
}

const char *capture_mode_word(enum capture_mode mode)
{
    return words[mode];
}
