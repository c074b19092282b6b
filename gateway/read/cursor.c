/*
 * cursor: where a page ended. Pure.
 */
#include "gateway/read/cursor.h"

#include <stdbool.h>
#include <string.h>

#include "common/rfc3339.h"
#include "common/utf8.h"

/* Both alphabets; -1: none. */
static int sextet(char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '-' || c == '+' ? 62
           : c == '_' || c == '/' ? 63
                                  : -1;
}

/* With a NUL behind it. False: not base64. */
static bool decode(const char *text, struct arena *arena, struct slice *out)
{
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == '=') {
        len--;
    }
    char *bytes = arena_alloc(arena, len / 4 * 3 + 3);
    size_t count = 0;
    uint32_t bits = 0;

    for (size_t i = 0; i < len; i++) {
        int value = sextet(text[i]);
        if (value < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 != 0) {
            bytes[count++] = (char)(bits >> (2 * (3 - i % 4)) & 0xff);
        }
    }
    bytes[count] = '\0';
    *out = (struct slice){bytes, count};
    return len % 4 != 1;
}

/* Decimal digits up to the first carriage return. */
static bool read_time(const char **at, int64_t *us)
{
    bool is_negative = **at == '-';
    const char *digit = *at + is_negative;
    int64_t value = 0;

    if (*digit == '\r') {
        return false;
    }
    for (; *digit != '\r'; digit++) {
        if (*digit < '0' || *digit > '9' || value > RFC3339_MAX_US) {
            return false;
        }
        value = value * 10 + (*digit - '0');
    }
    *us = is_negative ? -value : value;
    *at = digit;
    return *us >= RFC3339_MIN_US && *us <= RFC3339_MAX_US;
}

static bool read_parts(struct slice parts, struct arena *arena, int64_t *us, const char **ids,
                       size_t count)
{
    const char *at = parts.data;

    if (memchr(at, '\0', parts.len) != NULL || utf8_valid_prefix(parts) != parts.len ||
        !read_time(&at, us)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (*at != '\r') {
            return false;
        }
        at++;
        size_t len = strcspn(at, "\r");
        ids[i] = arena_text(arena, (struct slice){at, len});
        at += len;
    }
    return *at == '\0';
}

enum err cursor_read(const char *text, struct arena *arena, int64_t *time_us, const char **ids,
                     size_t count, struct error *error)
{
    struct slice parts;

    if (!decode(text, arena, &parts) || !read_parts(parts, arena, time_us, ids, count)) {
        return error_set(error, ERR_INVALID, "cursor: not one that this server gave");
    }
    return ERR_OK;
}
