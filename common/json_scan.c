#include "common/json_scan.h"

#include <stdlib.h>

const char json_wrong_member_end[] = "expected ',' or '}'";
const char json_wrong_element_end[] = "expected ',' or ']'";
const char json_wrong_depth[] = "nested too deeply";

char *json_scan_fail(struct json_reader *reader, const char *at, const char *text)
{
    if (reader->_wrong == NULL) {
        reader->_wrong = text;
        reader->_wrong_at = (size_t)(at - reader->_begin);
    }
    return NULL;
}

char *json_scan_beyond(struct json_reader *reader, const char *at, char *behind, const char *text)
{
    if (!reader->_lenient) {
        return json_scan_fail(reader, at, text);
    }
    if (reader->_unfit == NULL) {
        reader->_unfit = text;
    }
    return behind;
}

/* ---- scalars ---- */

static char *pass_digits(char *at, const char *end)
{
    while (json_scan_is_digit(at, end)) {
        at++;
    }
    return at;
}

static char *pass_exponent(char *at, const char *end, bool *beyond)
{
    int exponent = 0;
    for (; json_scan_is_digit(at, end); at++) {
        if (exponent <= JSON_EXPONENT_MAX) {
            exponent = exponent * 10 + (*at - '0');
        }
    }
    *beyond = exponent > JSON_EXPONENT_MAX;
    return at;
}

/* From behind an e to behind its digits. */
static char *pass_power(struct json_reader *reader, char *at, bool *beyond)
{
    at += json_scan_is(at, reader->_end, '+') || json_scan_is(at, reader->_end, '-');
    if (!json_scan_is_digit(at, reader->_end)) {
        return json_scan_fail(reader, at, "expected a digit");
    }
    return pass_exponent(at, reader->_end, beyond);
}

char *json_scan_number(struct json_reader *reader, char *at)
{
    char *begin = at;
    char *end = reader->_end;
    bool beyond = false;
    at += *at == '-';
    if (!json_scan_is_digit(at, end)) {
        return json_scan_fail(reader, at, "expected a digit");
    }
    at = *at == '0' ? at + 1 : pass_digits(at, end);
    if (json_scan_is(at, end, '.')) {
        at++;
        if (!json_scan_is_digit(at, end)) {
            return json_scan_fail(reader, at, "expected a digit");
        }
        at = pass_digits(at, end);
    }
    if (json_scan_is(at, end, 'e') || json_scan_is(at, end, 'E')) {
        at = pass_power(reader, at + 1, &beyond);
        if (at == NULL) {
            return NULL;
        }
    }
    if (beyond) {
        return json_scan_beyond(reader, begin, at, "exponent out of range");
    }
    return at - begin <= JSON_NUMBER_MAX ? at
                                         : json_scan_beyond(reader, begin, at, "number too long");
}

static char *pass_word(struct json_reader *reader, char *at, const char *word, size_t len)
{
    if ((size_t)(reader->_end - at) < len || memcmp(at, word, len) != 0) {
        return json_scan_fail(reader, at, "expected a value");
    }
    return at + len;
}

char *json_scan_scalar(struct json_reader *reader, char *at)
{
    bool escaped;
    switch (*at) {
    case '"':
        return json_scan_string(reader, at, &escaped);
    case 't':
        return pass_word(reader, at, "true", 4);
    case 'f':
        return pass_word(reader, at, "false", 5);
    case 'n':
        return pass_word(reader, at, "null", 4);
    default:
        if (*at == '-' || json_scan_is_digit(at, reader->_end)) {
            return json_scan_number(reader, at);
        }
        return json_scan_fail(reader, at, "expected a value");
    }
}

/* ---- values of any type ---- */

enum { WORD_BITS = 64 };

/* What encloses a value that is being passed: a bit a level, set for an object. */
struct nesting {
    uint64_t few[(JSON_DEPTH_MAX + WORD_BITS - 1) / WORD_BITS];
    uint64_t *more;      /* instead of them, where a lenient reader goes deeper; to be freed */
    uint64_t *is_object; /* the one or the other */
    uint32_t room;       /* levels */
    uint32_t base;       /* the reader's depth outside the value */
    uint32_t depth;      /* the present one */
};

static void nesting_init(struct nesting *nesting, uint32_t depth)
{
    nesting->more = NULL;
    nesting->is_object = nesting->few; /* only the bits of open levels are ever read */
    nesting->room = JSON_DEPTH_MAX;
    nesting->base = depth;
    nesting->depth = depth;
}

/* An eighth of a byte for each bracket of the text, at most twice that. */
static void nesting_grow(struct nesting *nesting)
{
    size_t size = nesting->room / 8;
    bool first = nesting->more == NULL;
    nesting->more = memory_resize(nesting->more, 2 * size);
    if (first) {
        memcpy(nesting->more, nesting->few, size);
    }
    nesting->is_object = nesting->more;
    nesting->room *= 2;
}

static bool in_object(const struct nesting *nesting)
{
    uint32_t level = nesting->depth - 1;
    return (nesting->is_object[level / 64] >> level % 64 & 1) != 0;
}

static void enter(struct nesting *nesting, bool object)
{
    uint32_t level = nesting->depth++;
    if (level == nesting->room) {
        nesting_grow(nesting);
    }
    uint64_t bit = UINT64_C(1) << level % 64;
    if (object) {
        nesting->is_object[level / 64] |= bit;
    } else {
        nesting->is_object[level / 64] &= ~bit;
    }
}

/* at stands on { or [. Goes to the first value inside, or behind the closing bracket of an empty
 * one. */
static char *skip_open(struct json_reader *reader, char *at, struct nesting *nesting)
{
    struct slice name;
    bool escaped;
    bool object = *at == '{';
    if (nesting->depth >= reader->_max_depth &&
        json_scan_beyond(reader, at, at, json_wrong_depth) == NULL) {
        return NULL;
    }
    at = json_scan_blanks(at + 1, reader->_end);
    if (json_scan_is(at, reader->_end, object ? '}' : ']')) {
        return at + 1;
    }
    enter(nesting, object);
    return object ? json_scan_name(reader, at, &name, &escaped) : at;
}

/* After a value: closes what closes here and goes to the next value, if there is one. */
static char *skip_close(struct json_reader *reader, char *at, struct nesting *nesting)
{
    struct slice name;
    bool escaped;
    while (nesting->depth > nesting->base) {
        bool object = in_object(nesting);
        at = json_scan_blanks(at, reader->_end);
        if (json_scan_is(at, reader->_end, ',')) {
            at = object ? json_scan_name(reader, at + 1, &name, &escaped)
                        : json_scan_blanks(at + 1, reader->_end);
            return at;
        }
        if (!json_scan_is(at, reader->_end, object ? '}' : ']')) {
            return json_scan_fail(reader, at,
                                  object ? json_wrong_member_end : json_wrong_element_end);
        }
        nesting->depth--;
        at++;
    }
    return at;
}

char *json_scan_value(struct json_reader *reader, char *at)
{
    struct nesting nesting;
    nesting_init(&nesting, reader->_depth);
    do {
        if (at == reader->_end) {
            at = json_scan_fail(reader, at, "expected a value");
        } else if (*at == '{' || *at == '[') {
            uint32_t outside = nesting.depth;
            at = skip_open(reader, at, &nesting);
            if (at != NULL && nesting.depth > outside) {
                continue;
            }
        } else {
            at = json_scan_scalar(reader, at);
        }
        if (at != NULL) {
            at = skip_close(reader, at, &nesting);
        }
    } while (at != NULL && nesting.depth > nesting.base);
    free(nesting.more);
    return at;
}
