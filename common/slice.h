/*
 * slice: a borrowed pointer and a length. Whoever keeps one says from whom in the field's comment.
 * Bytes are not NUL-terminated and may hold any value. data may be NULL only when len is 0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *data;
    size_t len;
};

#define SLICE_LITERAL(text) ((struct slice){(text), sizeof(text) - 1})

static inline struct slice slice_from(const char *text)
{
    return (struct slice){text, text != NULL ? strlen(text) : 0};
}

static inline bool slice_equals(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool slice_is(struct slice a, const char *text)
{
    return slice_equals(a, slice_from(text));
}

static inline bool slice_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Without the blanks and tabs at both ends. */
static inline struct slice slice_trim(struct slice text)
{
    while (text.len > 0 && slice_is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && slice_is_blank(text.data[text.len - 1])) {
        text.len--;
    }
    return text;
}

/* Bytewise order, as COLLATE "C" sorts; <0, 0, >0. */
static inline int slice_compare(struct slice a, struct slice b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;
    if (order != 0) {
        return order;
    }
    return a.len < b.len ? -1 : a.len > b.len ? 1 : 0;
}
