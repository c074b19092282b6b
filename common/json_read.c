#include "common/json_read.h"

#include <assert.h>

#include "common/json_scan.h"

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

void json_be_lenient(struct json_reader *reader)
{
    reader->_lenient = true;
}

const char *json_take_unfit(struct json_reader *reader)
{
    const char *text = reader->_unfit;
    reader->_unfit = NULL;
    return text;
}

bool json_failed(const struct json_reader *reader)
{
    return reader->_wrong != NULL;
}

void json_fail(struct json_reader *reader, const char *text)
{
    json_offset(reader);
    json_scan_fail(reader, reader->_at, text);
}

size_t json_offset(struct json_reader *reader)
{
    reader->_at = json_scan_blanks(reader->_at, reader->_end);
    return (size_t)(reader->_at - reader->_begin);
}

enum json_type json_peek(struct json_reader *reader)
{
    if (json_failed(reader)) {
        return JSON_NONE;
    }
    reader->_at = json_scan_blanks(reader->_at, reader->_end);
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
        if (json_scan_is(reader->_at, reader->_end, '-') ||
            json_scan_is_digit(reader->_at, reader->_end)) {
            return JSON_NUMBER;
        }
        json_scan_fail(reader, reader->_at, "expected a value");
        return JSON_NONE;
    }
}

static bool begin(struct json_reader *reader, enum json_type type)
{
    if (json_peek(reader) != type) {
        return false;
    }
    if (reader->_depth >= reader->_max_depth) {
        json_scan_beyond(reader, reader->_at, reader->_at, json_wrong_depth);
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
    reader->_at = json_scan_blanks(reader->_at, reader->_end);
    if (json_scan_is(reader->_at, reader->_end, close)) {
        reader->_at++;
        reader->_depth--;
        return false;
    }
    if (fresh) {
        return true;
    }
    if (!json_scan_is(reader->_at, reader->_end, ',')) {
        json_scan_fail(reader, reader->_at, wrong);
        return false;
    }
    reader->_at++;
    return true;
}

bool json_object_next(struct json_reader *reader, struct slice *key)
{
    bool escaped;
    *key = (struct slice){NULL, 0};
    if (!next(reader, '}', json_wrong_member_end)) {
        return false;
    }
    struct slice name;
    char *value = json_scan_name(reader, reader->_at, &name, &escaped);
    if (value == NULL) {
        return false;
    }
    *key = escaped ? json_string_unescape(name, reader->_arena) : name;
    reader->_at = value;
    return true;
}

bool json_array_next(struct json_reader *reader)
{
    return next(reader, ']', json_wrong_element_end);
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
    if (!move(reader, json_scan_string(reader, quote, &escaped))) {
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
    if (!move(reader, json_scan_number(reader, begin_at))) {
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
    if (!move(reader, json_scan_scalar(reader, reader->_at))) {
        return false;
    }
    *out = value;
    return true;
}

bool json_null(struct json_reader *reader)
{
    return json_peek(reader) == JSON_NULL && move(reader, json_scan_scalar(reader, reader->_at));
}

bool json_skip(struct json_reader *reader, struct slice *raw)
{
    if (raw != NULL) {
        *raw = (struct slice){NULL, 0};
    }
    if (json_failed(reader)) {
        return false;
    }
    const char *unfit = reader->_unfit;
    char *begin_at = json_scan_blanks(reader->_at, reader->_end);
    if (!move(reader, json_scan_value(reader, begin_at))) {
        return false;
    }
    if (raw != NULL) {
        *raw = (struct slice){begin_at, (size_t)(reader->_at - begin_at)};
    } else {
        reader->_unfit = unfit;
    }
    return true;
}

enum err json_body_begin(struct json_reader *reader, struct error *error)
{
    if (json_object_begin(reader)) {
        return ERR_OK;
    }
    json_skip(reader, NULL);
    enum err err = json_end(reader, error);
    return err != ERR_OK ? err : error_set(error, ERR_INVALID, "the body is not an object");
}

enum err json_end(struct json_reader *reader, struct error *error)
{
    if (!json_failed(reader)) {
        json_offset(reader);
        if (reader->_depth > 0) {
            json_scan_fail(reader, reader->_at, "the value does not end");
        } else if (reader->_at != reader->_end) {
            json_scan_fail(reader, reader->_at, "text after the value");
        }
    }
    if (!json_failed(reader)) {
        return ERR_OK;
    }
    return error_set(error, ERR_INVALID, "invalid JSON at byte %zu: %s", reader->_wrong_at,
                     reader->_wrong);
}
