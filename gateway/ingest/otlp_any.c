#include "gateway/ingest/otlp_any.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_write.h"

enum { PARSED_DEPTH_MAX = 100, DOUBLE_TEXT_SIZE = 40 };

/* Up to here each whole number is a double of its own. */
#define WHOLE_DOUBLE_MAX 9007199254740992.0

/* The shortest text that reads back as the same double. */
static void print_double(double real, struct buf *out)
{
    char text[DOUBLE_TEXT_SIZE];
    if (!isfinite(real)) {
        buf_append_text(out, isnan(real) ? "\"NaN\"" : real > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        return;
    }
    if (real == trunc(real) && fabs(real) <= WHOLE_DOUBLE_MAX) {
        buf_printf(out, "%" PRId64, (int64_t)real);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, real);
        if (strtod(text, NULL) == real) {
            break;
        }
    }
    buf_append_text(out, text);
}

static void print_array(const struct any *any, struct buf *out)
{
    buf_append_char(out, '[');
    for (uint32_t i = 0; i < any->count; i++) {
        if (i > 0) {
            buf_append_char(out, ',');
        }
        any_print(&any->elements[i], out);
    }
    buf_append_char(out, ']');
}

/* No deeper than OTLP_DEPTH_MAX: the readers see to that. */
void any_print(const struct any *any, struct buf *out)
{
    switch (any->type) {
    case ANY_NULL:
        buf_append_text(out, "null");
        break;
    case ANY_STRING:
        json_write_string(out, any->text);
        break;
    case ANY_BOOL:
        buf_append_text(out, any->boolean ? "true" : "false");
        break;
    case ANY_INT:
        buf_printf(out, "%" PRId64, any->integer);
        break;
    case ANY_DOUBLE:
        print_double(any->real, out);
        break;
    case ANY_ARRAY:
        print_array(any, out);
        break;
    case ANY_MAP:
        attributes_print(&(struct attributes){.list = any->members, .count = any->count}, out);
        break;
    }
}

void any_print_parsed(const struct any *any, struct arena *arena, struct buf *out)
{
    struct slice json;
    if (any->type == ANY_STRING && text_is_json(any->text, JSON_ANY, arena, &json)) {
        buf_append_slice(out, json);
    } else {
        any_print(any, out);
    }
}

void attributes_print(const struct attributes *attributes, struct buf *out)
{
    buf_append_char(out, '{');
    for (uint32_t i = 0; i < attributes->count; i++) {
        if (i > 0) {
            buf_append_char(out, ',');
        }
        json_write_string(out, attributes->list[i].key);
        buf_append_char(out, ':');
        any_print(&attributes->list[i].value, out);
    }
    buf_append_char(out, '}');
}

struct slice any_text(const struct any *any, struct arena *arena)
{
    if (any->type == ANY_STRING) {
        return any->text;
    }
    if (any->type == ANY_NULL) {
        return (struct slice){NULL, 0};
    }
    struct buf text = BUF_EMPTY;
    any_print(any, &text);
    struct slice copy = arena_copy(arena, buf_slice(&text));
    buf_finish(&text);
    /* NaN and the like. */
    if (any->type == ANY_DOUBLE && copy.len > 2 && copy.data[0] == '"') {
        copy = (struct slice){copy.data + 1, copy.len - 2};
    }
    return copy;
}

bool text_is_json(struct slice text, enum json_type type, struct arena *arena, struct slice *out)
{
    struct json_reader reader;
    /* Most texts are prose and end here. */
    if (text.len == 0 || memchr(" \t\r\n{[\"-0123456789tfn", text.data[0], 22) == NULL) {
        return false;
    }
    json_reader_init(&reader, (char *)text.data, text.len, PARSED_DEPTH_MAX, arena);
    return (type == JSON_ANY || json_peek(&reader) == type) && json_skip(&reader, out) &&
           json_end(&reader, NULL) == ERR_OK;
}

/* Strings of JSON number text and nothing else. */
static bool number_text(const struct any *any, struct arena *arena, struct slice *out)
{
    return any->type == ANY_STRING && any->text.len > 0 &&
           text_is_json(any->text, JSON_NUMBER, arena, out);
}

/* Whole, not negative, and exact. */
static bool whole(double real, int64_t *out)
{
    if (!(real >= 0 && real <= WHOLE_DOUBLE_MAX) || real != trunc(real)) {
        return false;
    }
    *out = (int64_t)real;
    return true;
}

/* Digits, or a number like 12.0 or 1.2e1. */
static bool text_count(struct slice text, int64_t *out)
{
    double real;
    for (size_t i = 0; i < text.len; i++) {
        if (memchr("0123456789.eE+", text.data[i], 14) == NULL) {
            return false;
        }
    }
    return json_number_int64(text, out) || (json_number_double(text, &real) && whole(real, out));
}

bool any_count(const struct any *any, int64_t *out)
{
    switch (any->type) {
    case ANY_INT:
        *out = any->integer;
        return *out >= 0;
    case ANY_DOUBLE:
        return whole(any->real, out);
    case ANY_STRING:
        return text_count(any->text, out);
    default:
        return false;
    }
}

bool any_amount(const struct any *any, struct arena *arena, struct slice *out)
{
    if (any->type == ANY_INT || (any->type == ANY_DOUBLE && isfinite(any->real))) {
        *out = any_text(any, arena);
    } else if (!number_text(any, arena, out)) {
        return false;
    }
    return out->data[0] != '-';
}

bool any_bool(const struct any *any, bool *out)
{
    if (any->type == ANY_BOOL) {
        *out = any->boolean;
        return true;
    }
    *out = any->type == ANY_STRING && slice_is(any->text, "true");
    return *out || (any->type == ANY_STRING && slice_is(any->text, "false"));
}

bool any_is_empty(const struct any *any)
{
    switch (any->type) {
    case ANY_NULL:
        return true;
    case ANY_STRING:
        return any->text.len == 0;
    case ANY_ARRAY:
    case ANY_MAP:
        return any->count == 0;
    default:
        return false;
    }
}

const struct any *attributes_find(const struct attributes *attributes, const char *key)
{
    for (uint32_t i = attributes->count; i > 0; i--) {
        if (slice_is(attributes->list[i - 1].key, key)) {
            return &attributes->list[i - 1].value;
        }
    }
    return NULL;
}

bool json_member(struct slice json, const char *name, struct arena *arena, struct slice *out)
{
    struct json_reader reader;
    struct slice key;
    struct slice raw;
    bool found = false;
    json_reader_init(&reader, (char *)json.data, json.len, JSON_DEPTH_MAX, arena);
    if (!json_object_begin(&reader)) {
        return false;
    }
    while (json_object_next(&reader, &key)) {
        json_skip(&reader, &raw);
        if (slice_is(key, name)) {
            *out = raw;
            found = true;
        }
    }
    return found;
}
