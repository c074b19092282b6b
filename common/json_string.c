#include "common/json_string.h"

#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "common/utf8.h"

enum { UNIT_ESCAPE_SIZE = 6 /* \uXXXX */ };

/* A hex digit's value plus one; 0 for other characters. */
static const uint8_t hex_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* What follows a backslash and what it stands for. */
static const char short_escapes[256] = {
    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

/* The first byte that is a quote, a backslash, a control character or not ASCII; or end. */
static char *find_special(char *at, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i blank = _mm_set1_epi8(' ');
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* Signed: bytes from 0x80 on are less than a blank as well. */
        __m128i special = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
            _mm_cmplt_epi8(bytes, blank));
        int mask = _mm_movemask_epi8(special);
        if (mask != 0) {
            return at + __builtin_ctz((unsigned)mask);
        }
    }
#endif
    while (at < end && *at != '"' && *at != '\\' && (signed char)*at >= ' ') {
        at++;
    }
    return at;
}

/* The code unit of \uXXXX at at, which starts with the backslash; -1 when it is none. */
static int32_t read_unit(const char *at, const char *end)
{
    if (end - at < UNIT_ESCAPE_SIZE || at[0] != '\\' || at[1] != 'u') {
        return -1;
    }
    int32_t unit = 0;
    for (int i = 2; i < UNIT_ESCAPE_SIZE; i++) {
        int digit = hex_values[(unsigned char)at[i]] - 1;
        if (digit < 0) {
            return -1;
        }
        unit = unit << 4 | digit;
    }
    return unit;
}

static bool is_high_surrogate(int32_t unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(int32_t unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* Passes one escape; NULL when it is malformed. */
static char *pass_escape(char *at, const char *end)
{
    if (end - at < 2) {
        return NULL;
    }
    if (at[1] != 'u') {
        return short_escapes[(unsigned char)at[1]] != '\0' ? at + 2 : NULL;
    }
    int32_t unit = read_unit(at, end);
    if (unit < 0) {
        return NULL;
    }
    char *next = at + UNIT_ESCAPE_SIZE;
    if (is_high_surrogate(unit) && is_low_surrogate(read_unit(next, end))) {
        return next + UNIT_ESCAPE_SIZE;
    }
    if (unit == 0 || is_high_surrogate(unit) || is_low_surrogate(unit)) {
        memcpy(at, "\\ufffd", UNIT_ESCAPE_SIZE);
    }
    return next;
}

static char *fail(char *at, const char *text, const char **wrong, char **wrong_at)
{
    *wrong = text;
    *wrong_at = at;
    return NULL;
}

char *json_string_pass(char *at, char *end, bool *escaped, const char **wrong, char **wrong_at)
{
    *escaped = false;
    for (;;) {
        at = find_special(at, end);
        if (at == end) {
            return fail(at, "the string does not end", wrong, wrong_at);
        }
        if (*at == '"') {
            return at + 1;
        }
        if (*at == '\\') {
            char *next = pass_escape(at, end);
            if (next == NULL) {
                return fail(at, "invalid escape", wrong, wrong_at);
            }
            *escaped = true;
            at = next;
            continue;
        }
        if ((unsigned char)*at < 0x20) {
            return fail(at, "control character in a string", wrong, wrong_at);
        }
        do { /* text that is not ASCII comes in runs */
            size_t len = utf8_char(at, end);
            if (len == 0) {
                return fail(at, "invalid UTF-8", wrong, wrong_at);
            }
            at += len;
        } while (at < end && (unsigned char)*at >= 0x80);
    }
}

static char *put_utf8(char *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *to++ = (char)(0xe0 | code >> 12);
        } else {
            *to++ = (char)(0xf0 | code >> 18);
            *to++ = (char)(0x80 | (code >> 12 & 0x3f));
        }
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
    }
    *to++ = (char)(0x80 | (code & 0x3f));
    return to;
}

struct slice json_string_unescape(struct slice inside, struct arena *arena)
{
    /* No escape is shorter than what it stands for. */
    char *begin = arena_alloc(arena, inside.len);
    char *to = begin;
    const char *at = inside.data;
    const char *end = at + inside.len;
    while (at < end) {
        const char *backslash = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((backslash != NULL ? backslash : end) - at);
        memcpy(to, at, plain);
        to += plain;
        at += plain;
        if (at == end) {
            break;
        }
        if (at[1] != 'u') {
            *to++ = short_escapes[(unsigned char)at[1]];
            at += 2;
            continue;
        }
        uint32_t code = (uint32_t)read_unit(at, end);
        at += UNIT_ESCAPE_SIZE;
        if (is_high_surrogate((int32_t)code)) {
            uint32_t low = (uint32_t)read_unit(at, end);
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            at += UNIT_ESCAPE_SIZE;
        }
        to = put_utf8(to, code);
    }
    return (struct slice){begin, (size_t)(to - begin)};
}
