#include "gateway/ingest/media.h"

#include <strings.h>

static bool is_word(struct slice text, const char *word)
{
    return text.len == strlen(word) &&
           (text.len == 0 || strncasecmp(text.data, word, text.len) == 0);
}

/* The type without its parameters. */
static struct slice type_of(struct slice content_type)
{
    const char *semicolon =
        content_type.len > 0 ? memchr(content_type.data, ';', content_type.len) : NULL;
    if (semicolon != NULL) {
        content_type.len = (size_t)(semicolon - content_type.data);
    }
    return slice_trim(content_type);
}

bool media_is_json(struct slice content_type)
{
    struct slice type = type_of(content_type);
    if (slice_trim(content_type).len == 0 || is_word(type, "application/json")) {
        return true;
    }
    size_t prefix = strlen("application/");
    size_t suffix = strlen("+json");
    return type.len > prefix + suffix && strncasecmp(type.data, "application/", prefix) == 0 &&
           strncasecmp(type.data + type.len - suffix, "+json", suffix) == 0;
}

bool media_is_protobuf(struct slice content_type)
{
    struct slice type = type_of(content_type);
    return is_word(type, "application/x-protobuf") || is_word(type, "application/protobuf");
}

bool media_coding(struct slice content_encoding, enum coding *coding)
{
    static const struct {
        const char *word;
        enum coding coding;
    } words[] = {
        {"", CODING_IDENTITY},   {"identity", CODING_IDENTITY}, {"gzip", CODING_GZIP},
        {"x-gzip", CODING_GZIP}, {"deflate", CODING_DEFLATE},
    };
    struct slice text = slice_trim(content_encoding);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (is_word(text, words[i].word)) {
            *coding = words[i].coding;
            return true;
        }
    }
    return false;
}
