/*
 * json_read: a pull reader over JSON text that validates exactly what it passes, once, and hands
 * values out as slices of the text itself. RFC 8259, held to what PostgreSQL's json and jsonb take
 * (tests/integration/test_json_differential.py). Not thread-safe; no state outside the struct.
 *
 * The text is the caller's and is written to in one case: an escape that no PostgreSQL text can
 * hold (\u0000, a lone surrogate) is replaced in place by the escape \ufffd, of the same length.
 *
 * Refused, with the byte offset in error: anything that is not JSON, invalid UTF-8 (overlong forms
 * and encoded surrogates included), raw control characters in strings, nesting beyond max_depth,
 * numbers of more than JSON_NUMBER_MAX characters or with an exponent beyond +-JSON_EXPONENT_MAX
 * (jsonb's numeric overflows), text after the value.
 *
 * Errors stick: once json_failed, every further call fails and returns its empty answer.
 *
 *     json_reader_init(&r, text, len, 128, arena);
 *     if (json_object_begin(&r)) {
 *         while (json_object_next(&r, &key)) {
 *             if (slice_is(key, "id")) json_string(&r, &id); else json_skip(&r, NULL);
 *         }
 *     }
 *     err = json_end(&r, &error);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/error.h"
#include "common/json_number.h"
#include "common/slice.h"

enum { JSON_DEPTH_MAX = 512 };

enum json_type {
    JSON_NONE, /* the reader failed, or there is no value here */
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_reader {
    char *_begin; /* the caller's text */
    char *_at;
    char *_end;
    struct arena *_arena; /* the caller's; unescaped strings go there */
    uint32_t _max_depth;
    uint32_t _depth;
    bool _fresh;        /* just after [ or {: no comma before the next one */
    const char *_wrong; /* static text of the first error; NULL while fine */
    size_t _wrong_at;   /* its byte offset */
    bool _lenient;
    const char *_unfit; /* static text of the first bound that was broken; NULL: none */
};

/* max_depth counts nested arrays and objects, at most JSON_DEPTH_MAX. */
void json_reader_init(struct json_reader *reader, char *text, size_t len, uint32_t max_depth,
                      struct arena *arena);

/*
 * From here on a value that is JSON and breaks a bound (nesting, the length of a number, its
 * exponent) does not fail the reader: it is passed as any other, so that a list of records can do
 * without the one that holds it. Takes an eighth of a byte for each bracket of such a value, twice
 * that at most, while it is passed.
 */
void json_be_lenient(struct json_reader *reader);

/* The bound (static text) that a value has broken which was handed out since the last call: it must
 * not be used then. NULL: none. A value that json_skip threw away may break them all; one that
 * json_object_begin or json_array_begin would not enter counts. */
const char *json_take_unfit(struct json_reader *reader);

bool json_failed(const struct json_reader *reader);

/* The type of the value that comes next, without passing it. Fails the reader when none does, as
 * the calls below do that ask for a type. */
enum json_type json_peek(struct json_reader *reader);

/* Enters the object that the text must be. ERR_INVALID: it is no JSON, or no object. */
MUST_CHECK enum err json_body_begin(struct json_reader *reader, struct error *error);

/* False when the value is not an object (array): then nothing is passed and nothing has failed, or
 * the reader has failed. */
bool json_object_begin(struct json_reader *reader);
bool json_array_begin(struct json_reader *reader);

/* True: the reader stands before the member's value, which the caller must pass; key is unescaped
 * (in the text or the arena). False: the object was closed and passed, or the reader failed. */
bool json_object_next(struct json_reader *reader, struct slice *key);
bool json_array_next(struct json_reader *reader);

/* These pass a value of their type. False: another type stands there (nothing passed), or failed.
 */
bool json_string(struct json_reader *reader,
                 struct slice *out); /* unescaped, valid UTF-8, no NUL */
bool json_number(struct json_reader *reader, struct slice *out); /* the text as sent */
bool json_bool(struct json_reader *reader, bool *out);
bool json_null(struct json_reader *reader);

/* Passes any value and validates it; raw (may be NULL) becomes its text without blanks around. */
bool json_skip(struct json_reader *reader, struct slice *raw);

/* Byte offset of the next value: for messages. */
size_t json_offset(struct json_reader *reader);

/* Marks the reader failed at its present place; text must be static. */
void json_fail(struct json_reader *reader, const char *text);

/* Call after the outermost value: ERR_INVALID when the reader failed or text is left over; the
 * error says what and at which byte, e.g. "invalid JSON at byte 17: expected ',' or '}'". */
MUST_CHECK enum err json_end(struct json_reader *reader, struct error *error);
