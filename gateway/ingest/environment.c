#include "gateway/ingest/environment.h"

#include <stdbool.h>
#include <strings.h>

static bool is_separator(char c)
{
    return c == '-' || c == '_';
}

static struct slice strip(struct slice text)
{
    size_t prefix = strlen("langfuse");
    while (text.len >= prefix && strncasecmp(text.data, "langfuse", prefix) == 0) {
        text = (struct slice){text.data + prefix, text.len - prefix};
        while (text.len > 0 && is_separator(text.data[0])) {
            text = (struct slice){text.data + 1, text.len - 1};
        }
    }
    return text;
}

struct slice environment_normalise(struct slice text, char buffer[ENVIRONMENT_MAX])
{
    text = strip(text);
    size_t len = text.len < ENVIRONMENT_MAX ? text.len : ENVIRONMENT_MAX;
    for (size_t i = 0; i < len; i++) {
        char c = text.data[i];
        c = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
        bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || is_separator(c);
        if (!good) {
            return SLICE_LITERAL("default");
        }
        buffer[i] = c;
    }
    return len > 0 ? (struct slice){buffer, len} : SLICE_LITERAL("default");
}
