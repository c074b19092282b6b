/*
 * json: looks into JSON text without changing it. Values are slices of the text itself, so numbers
 * keep every digit and payloads their spelling; no JSON library of the distribution does that. Each
 * value is validated as it is passed (RFC 8259, UTF-8, depth); nothing is allocated but by
 * xtrace_json_string. Pure, thread-safe.
 *
 *     struct xtrace_json_walk walk;
 *     if (xtrace_json_enter(&walk, value, '{')) {
 *         while (xtrace_json_next(&walk, &key, &member)) { ... }
 *     }
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum {
    XTRACE_JSON_PAYLOAD_DEPTH = 128, /* what the server takes by default */
    XTRACE_JSON_DEPTH = 512          /* what is read of an answer */
};

/* Borrowed bytes; data NULL: no value. */
struct xtrace_slice {
    const char *data;
    size_t len;
};

static inline bool xtrace_slice_is(struct xtrace_slice slice, const char *word)
{
    return slice.len == strlen(word) && memcmp(slice.data, word, slice.len) == 0;
}

/* True when text is exactly one JSON value, blanks around it allowed. */
bool xtrace_json_is_valid(const char *text, size_t len, int max_depth);

/* The one value of text without its blanks; no value when text is not valid. */
struct xtrace_slice xtrace_json_parse(const char *text, size_t len);

struct xtrace_json_walk {
    const char *_at;
    const char *_end;
    char _open;
    bool _fresh;
};

/* open is '{' or '['. False when value is none such. */
bool xtrace_json_enter(struct xtrace_json_walk *walk, struct xtrace_slice value, char open);

/* The next member or element; key has no quotes and is not unescaped, and is no value in an array.
 * False at the end and at anything that is not JSON. key may be NULL. */
bool xtrace_json_next(struct xtrace_json_walk *walk, struct xtrace_slice *key,
                      struct xtrace_slice *value);

/* The member of that (plain ASCII) name; no value when object is none or lacks it. */
struct xtrace_slice xtrace_json_find(struct xtrace_slice object, const char *name);

/* What a JSON string says, as UTF-8: the caller's (free). Lone surrogates and U+0000 become U+FFFD.
 * NULL when value is no string, or memory is gone. */
char *xtrace_json_string(struct xtrace_slice value);
