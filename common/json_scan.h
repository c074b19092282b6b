/*
 * json_scan: the half of json_read that moves over JSON text and validates what it passes, on the
 * reader's struct. Not for others.
 *
 * Each function takes the place where something stands and returns the place behind it; NULL when
 * the reader has failed there, once with what the first failure is.
 */
#pragma once

#include "common/json_read.h"
#include "common/json_string.h"

extern const char json_wrong_member_end[];
extern const char json_wrong_element_end[];
extern const char json_wrong_depth[];

/* Returns NULL. */
char *json_scan_fail(struct json_reader *reader, const char *at, const char *text);

/* What stands at at is well formed and beyond a bound: fails, or returns behind when the reader is
 * lenient. */
char *json_scan_beyond(struct json_reader *reader, const char *at, char *behind, const char *text);

static inline char *json_scan_blanks(char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) {
        at++;
    }
    return at;
}

static inline bool json_scan_is(const char *at, const char *end, char c)
{
    return at < end && *at == c;
}

static inline bool json_scan_is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

/* at stands on a digit or a minus. */
char *json_scan_number(struct json_reader *reader, char *at);

/* at stands on the opening quote. */
static inline char *json_scan_string(struct json_reader *reader, char *at, bool *escaped)
{
    const char *wrong;
    char *wrong_at;
    char *next = json_string_pass(at + 1, reader->_end, escaped, &wrong, &wrong_at);
    return next != NULL ? next : json_scan_fail(reader, wrong_at, wrong);
}

/* From before a member's name to its value; name is as it stands in the text. */
static inline char *json_scan_name(struct json_reader *reader, char *at, struct slice *name,
                                   bool *escaped)
{
    at = json_scan_blanks(at, reader->_end);
    if (!json_scan_is(at, reader->_end, '"')) {
        return json_scan_fail(reader, at, "expected a member name");
    }
    char *next = json_scan_string(reader, at, escaped);
    if (next == NULL) {
        return NULL;
    }
    *name = (struct slice){at + 1, (size_t)(next - at) - 2};
    at = json_scan_blanks(next, reader->_end);
    if (!json_scan_is(at, reader->_end, ':')) {
        return json_scan_fail(reader, at, "expected ':'");
    }
    return json_scan_blanks(at + 1, reader->_end);
}

/* at stands on the first character of what is no object or array. */
char *json_scan_scalar(struct json_reader *reader, char *at);

/* at stands on the first character of a value of any type. */
char *json_scan_value(struct json_reader *reader, char *at);
