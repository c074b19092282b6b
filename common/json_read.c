#include "common/json_read.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "common/json_string.h"

static const char wrong_member_end[] = "expected ',' or '}'";
static const char wrong_element_end[] = "expected ',' or ']'";
static const char wrong_depth[] = "nested too deeply";

/* Returns NULL, which stands for "failed" wherever a place in the text is returned. */
static char *fail_at(struct json_reader *reader, const char *at, const char *text)
{
    if (reader->_wrong == NULL) {
        reader->_wrong = text;
        reader->_wrong_at = (size_t)(at - reader->_begin);
    }
    return NULL;
}

static inline char *pass_blanks(char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) {
        at++;
    }
    return at;
}

static inline bool stands_at(const char *at, const char *end, char c)
{
    return at < end && *at == c;
}

static inline bool is_digit_at(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

static char *pass_digits(char *at, const char *end)
{
    while (is_digit_at(at, end)) {
        at++;
    }
    return at;
}

/* From the digits of an exponent to behind them; NULL when it is beyond the bound. */
static char *pass_exponent(char *at, const char *end)
{
    int exponent = 0;
    for (; is_digit_at(at, end); at++) {
        exponent = exponent * 10 + (*at - '0');
        if (exponent > JSON_EXPONENT_MAX) {
            return NULL;
        }
    }
    return at;
}

static char *pass_number(struct json_reader *reader, char *at)
{
    char *begin = at;
    char *end = reader->_end;
    at += *at == '-';
    if (!is_digit_at(at, end)) {
        return fail_at(reader, at, "expected a digit");
    }
    at = *at == '0' ? at + 1 : pass_digits(at, end);
    if (stands_at(at, end, '.')) {
        at++;
        if (!is_digit_at(at, end)) {
            return fail_at(reader, at, "expected a digit");
        }
        at = pass_digits(at, end);
    }
    if (stands_at(at, end, 'e') || stands_at(at, end, 'E')) {
        at++;
        at += stands_at(at, end, '+') || stands_at(at, end, '-');
        if (!is_digit_at(at, end)) {
            return fail_at(reader, at, "expected a digit");
        }
        at = pass_exponent(at, end);
        if (at == NULL) {
            return fail_at(reader, begin, "exponent out of range");
        }
    }
    return at - begin <= JSON_NUMBER_MAX ? at : fail_at(reader, begin, "number too long");
}

static char *pass_word(struct json_reader *reader, char *at, const char *word, size_t len)
{
    if ((size_t)(reader->_end - at) < len || memcmp(at, word, len) != 0) {
        return fail_at(reader, at, "expected a value");
    }
    return at + len;
}

/* at stands on the opening quote. */
static char *pass_string(struct json_reader *reader, char *at, bool *escaped)
{
    const char *wrong;
    char *wrong_at;
    char *next = json_string_pass(at + 1, reader->_end, escaped, &wrong, &wrong_at);
    return next != NULL ? next : fail_at(reader, wrong_at, wrong);
}

/* From before a member's name to its value; name is as it stands in the text. */
static char *pass_name(struct json_reader *reader, char *at, struct slice *name, bool *escaped)
{
    at = pass_blanks(at, reader->_end);
    if (!stands_at(at, reader->_end, '"')) {
        return fail_at(reader, at, "expected a member name");
    }
    char *next = pass_string(reader, at, escaped);
    if (next == NULL) {
        return NULL;
    }
    *name = (struct slice){at + 1, (size_t)(next - at) - 2};
    at = pass_blanks(next, reader->_end);
    if (!stands_at(at, reader->_end, ':')) {
        return fail_at(reader, at, "expected ':'");
    }
    return pass_blanks(at + 1, reader->_end);
}

static char *pass_scalar(struct json_reader *reader, char *at)
{
    bool escaped;
    switch (*at) {
    case '"':
        return pass_string(reader, at, &escaped);
    case 't':
        return pass_word(reader, at, "true", 4);
    case 'f':
        return pass_word(reader, at, "false", 5);
    case 'n':
        return pass_word(reader, at, "null", 4);
    default:
        if (*at == '-' || is_digit_at(at, reader->_end)) {
            return pass_number(reader, at);
        }
        return fail_at(reader, at, "expected a value");
    }
}

/* What encloses a value that is being skipped: a bit a level, set for an object. */
struct nesting {
    uint64_t is_object[(JSON_DEPTH_MAX + 63) / 64];
    uint32_t base;  /* the reader's depth outside the value */
    uint32_t depth; /* the present one */
};

static bool in_object(const struct nesting *nesting)
{
    uint32_t level = nesting->depth - 1;
    return (nesting->is_object[level / 64] >> level % 64 & 1) != 0;
}

static void enter(struct nesting *nesting, bool object)
{
    uint32_t level = nesting->depth++;
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
    if (nesting->depth >= reader->_max_depth) {
        return fail_at(reader, at, wrong_depth);
    }
    at = pass_blanks(at + 1, reader->_end);
    if (stands_at(at, reader->_end, object ? '}' : ']')) {
        return at + 1;
    }
    enter(nesting, object);
    return object ? pass_name(reader, at, &name, &escaped) : at;
}

/* After a value: closes what closes here and goes to the next value, if there is one. */
static char *skip_close(struct json_reader *reader, char *at, struct nesting *nesting)
{
    struct slice name;
    bool escaped;
    while (nesting->depth > nesting->base) {
        bool object = in_object(nesting);
        at = pass_blanks(at, reader->_end);
        if (stands_at(at, reader->_end, ',')) {
            at = object ? pass_name(reader, at + 1, &name, &escaped)
                        : pass_blanks(at + 1, reader->_end);
            return at;
        }
        if (!stands_at(at, reader->_end, object ? '}' : ']')) {
            return fail_at(reader, at, object ? wrong_member_end : wrong_element_end);
        }
        nesting->depth--;
        at++;
    }
    return at;
}

/* at stands on the first character of a value of any type. */
static char *skip_value(struct json_reader *reader, char *at)
{
    struct nesting nesting; /* only the bits of open levels are ever read */
    nesting.base = reader->_depth;
    nesting.depth = reader->_depth;
    do {
        if (at == reader->_end) {
            return fail_at(reader, at, "expected a value");
        }
        if (*at == '{' || *at == '[') {
            uint32_t outside = nesting.depth;
            at = skip_open(reader, at, &nesting);
            if (at != NULL && nesting.depth > outside) {
                continue;
            }
        } else {
            at = pass_scalar(reader, at);
        }
        if (at != NULL) {
            at = skip_close(reader, at, &nesting);
        }
    } while (at != NULL && nesting.depth > nesting.base);
    return at;
}

void json_reader_init(struct json_reader *reader, char *text, size_t len, uint32_t max_depth,
                      struct arena *arena)
{
    static char nothing[1];
    assert(max_depth <= JSON_DEPTH_MAX);
    *reader = (struct json_reader){
        ._begin = len > 0 ? text : nothing, ._max_depth = max_depth, ._arena = arena};
    reader->_at = reader->_begin;
    reader->_end = reader->_begin + len;
}

bool json_failed(const struct json_reader *reader)
{
    return reader->_wrong != NULL;
}

void json_fail(struct json_reader *reader, const char *text)
{
    json_offset(reader);
    fail_at(reader, reader->_at, text);
}

size_t json_offset(struct json_reader *reader)
{
    reader->_at = pass_blanks(reader->_at, reader->_end);
    return (size_t)(reader->_at - reader->_begin);
}

enum json_type json_peek(struct json_reader *reader)
{
    if (json_failed(reader)) {
        return JSON_NONE;
    }
    reader->_at = pass_blanks(reader->_at, reader->_end);
    switch (reader->_at < reader->_end ? *reader->_at : '\0') {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
    case 'f':
        return JSON_BOOL;
    case 'n':
        return JSON_NULL;
    default:
        if (stands_at(reader->_at, reader->_end, '-') || is_digit_at(reader->_at, reader->_end)) {
            return JSON_NUMBER;
        }
        fail_at(reader, reader->_at, "expected a value");
        return JSON_NONE;
    }
}

static bool begin(struct json_reader *reader, enum json_type type)
{
    if (json_peek(reader) != type) {
        return false;
    }
    if (reader->_depth >= reader->_max_depth) {
        fail_at(reader, reader->_at, wrong_depth);
        return false;
    }
    reader->_depth++;
    reader->_at++;
    reader->_fresh = true;
    return true;
}

bool json_object_begin(struct json_reader *reader)
{
    return begin(reader, JSON_OBJECT);
}

bool json_array_begin(struct json_reader *reader)
{
    return begin(reader, JSON_ARRAY);
}

/* To the next member or element. False: closed and passed, or failed. */
static bool next(struct json_reader *reader, char close, const char *wrong)
{
    if (json_failed(reader)) {
        return false;
    }
    bool fresh = reader->_fresh;
    reader->_fresh = false;
    reader->_at = pass_blanks(reader->_at, reader->_end);
    if (stands_at(reader->_at, reader->_end, close)) {
        reader->_at++;
        reader->_depth--;
        return false;
    }
    if (fresh) {
        return true;
    }
    if (!stands_at(reader->_at, reader->_end, ',')) {
        fail_at(reader, reader->_at, wrong);
        return false;
    }
    reader->_at++;
    return true;
}

bool json_object_next(struct json_reader *reader, struct slice *key)
{
    bool escaped;
    *key = (struct slice){NULL, 0};
    if (!next(reader, '}', wrong_member_end)) {
        return false;
    }
    struct slice name;
    char *value = pass_name(reader, reader->_at, &name, &escaped);
    if (value == NULL) {
        return false;
    }
    *key = escaped ? json_string_unescape(name, reader->_arena) : name;
    reader->_at = value;
    return true;
}

bool json_array_next(struct json_reader *reader)
{
    return next(reader, ']', wrong_element_end);
}

/* Moves behind a value; false when it was not valid. */
static bool move(struct json_reader *reader, char *behind)
{
    if (behind == NULL) {
        return false;
    }
    reader->_at = behind;
    return true;
}

bool json_string(struct json_reader *reader, struct slice *out)
{
    *out = (struct slice){NULL, 0};
    if (json_peek(reader) != JSON_STRING) {
        return false;
    }
    bool escaped;
    char *quote = reader->_at;
    if (!move(reader, pass_string(reader, quote, &escaped))) {
        return false;
    }
    *out = (struct slice){quote + 1, (size_t)(reader->_at - quote) - 2};
    if (escaped) {
        *out = json_string_unescape(*out, reader->_arena);
    }
    return true;
}

bool json_number(struct json_reader *reader, struct slice *out)
{
    *out = (struct slice){NULL, 0};
    if (json_peek(reader) != JSON_NUMBER) {
        return false;
    }
    char *begin_at = reader->_at;
    if (!move(reader, pass_number(reader, begin_at))) {
        return false;
    }
    *out = (struct slice){begin_at, (size_t)(reader->_at - begin_at)};
    return true;
}

bool json_bool(struct json_reader *reader, bool *out)
{
    *out = false;
    if (json_peek(reader) != JSON_BOOL) {
        return false;
    }
    bool value = *reader->_at == 't';
    if (!move(reader, pass_scalar(reader, reader->_at))) {
        return false;
    }
    *out = value;
    return true;
}

bool json_null(struct json_reader *reader)
{
    return json_peek(reader) == JSON_NULL && move(reader, pass_scalar(reader, reader->_at));
}

bool json_skip(struct json_reader *reader, struct slice *raw)
{
    if (raw != NULL) {
        *raw = (struct slice){NULL, 0};
    }
    if (json_failed(reader)) {
        return false;
    }
    char *begin_at = pass_blanks(reader->_at, reader->_end);
    if (!move(reader, skip_value(reader, begin_at))) {
        return false;
    }
    if (raw != NULL) {
        *raw = (struct slice){begin_at, (size_t)(reader->_at - begin_at)};
    }
    return true;
}

enum err json_end(struct json_reader *reader, struct error *error)
{
    if (!json_failed(reader)) {
        json_offset(reader);
        if (reader->_depth > 0) {
            fail_at(reader, reader->_at, "the value does not end");
        } else if (reader->_at != reader->_end) {
            fail_at(reader, reader->_at, "text after the value");
        }
    }
    if (!json_failed(reader)) {
        return ERR_OK;
    }
    return error_set(error, ERR_INVALID, "invalid JSON at byte %zu: %s", reader->_wrong_at,
                     reader->_wrong);
}

bool json_number_int64(struct slice number, int64_t *out)
{
    bool negative = number.len > 0 && number.data[0] == '-';
    int64_t value = 0;
    if (number.len == (size_t)negative) {
        return false;
    }
    for (size_t i = negative; i < number.len; i++) {
        int digit = number.data[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value)) {
            return false;
        }
    }
    /* Counted downwards, where int64 reaches further. */
    if (!negative && value == INT64_MIN) {
        return false;
    }
    *out = negative ? value : -value;
    return true;
}

bool json_number_double(struct slice number, double *out)
{
    char text[JSON_NUMBER_MAX + 1];
    if (number.len == 0 || number.len > JSON_NUMBER_MAX) {
        return false;
    }
    memcpy(text, number.data, number.len);
    text[number.len] = '\0';
    char *end;
    double value = strtod(text, &end);
    if (end != text + number.len || !isfinite(value)) {
        return false;
    }
    *out = value;
    return true;
}

bool json_number_whole(struct slice number, int64_t *out)
{
    const double most = 9007199254740992.0;
    double value;
    if (json_number_int64(number, out)) {
        return true;
    }
    if (!json_number_double(number, &value) || value < -most || value > most ||
        (double)(int64_t)value != value) {
        return false;
    }
    *out = (int64_t)value;
    return true;
}
