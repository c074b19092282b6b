#include "gateway/ingest/otlp_json_value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ID_BYTES_MAX = 16 };

static const char wrong_type[] = "not of the right type";

/* Passes null, or anything else as a fault. */
static void pass_other(struct otlp_build *build, struct json_reader *reader)
{
    if (!json_null(reader)) {
        json_skip(reader, NULL);
        otlp_build_fail(build, wrong_type);
    }
}

void otlp_json_text(struct json_reader *reader, struct slice *out)
{
    if (!json_null(reader) && !json_string(reader, out)) {
        json_skip(reader, out);
    }
}

/* ---- numbers ---- */

static bool digits_uint64(struct slice text, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = text.data[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value)) {
            return false;
        }
    }
    *out = value;
    return text.len > 0;
}

/* A number, or a string; the text in either case. */
static bool number_or_string(struct json_reader *reader, struct slice *out)
{
    return json_number(reader, out) || json_string(reader, out);
}

static uint64_t read_half(struct otlp_build *build, struct json_reader *reader)
{
    struct slice text;
    int64_t value = 0;
    if (!json_number(reader, &text)) {
        pass_other(build, reader);
    } else if (!json_number_int64(text, &value) || value < INT32_MIN || value > UINT32_MAX) {
        otlp_build_fail(build, wrong_type);
    }
    return (uint32_t)value;
}

/* As JavaScript's long library has it. */
static void read_halves(struct otlp_build *build, struct json_reader *reader, uint64_t *out)
{
    struct slice key;
    uint64_t low = 0;
    uint64_t high = 0;
    while (json_object_next(reader, &key)) {
        if (slice_is(key, "low")) {
            low = read_half(build, reader);
        } else if (slice_is(key, "high")) {
            high = read_half(build, reader);
        } else {
            json_skip(reader, NULL);
        }
    }
    *out = high << 32 | low;
}

void otlp_json_time(struct otlp_build *build, struct json_reader *reader, uint64_t *out)
{
    struct slice text;
    double real;
    if (json_object_begin(reader)) {
        read_halves(build, reader, out);
    } else if (!number_or_string(reader, &text)) {
        pass_other(build, reader);
    } else if (text.len == 0) {
        *out = 0;
    } else if (!digits_uint64(text, out)) {
        /* 1.7e18 */
        if (!json_number_double(text, &real) || !(real >= 0 && real < 18446744073709551616.0)) {
            otlp_build_fail(build, "not nanoseconds since 1970");
            return;
        }
        *out = (uint64_t)real;
    }
}

void otlp_json_count(struct json_reader *reader, uint32_t *out)
{
    struct slice text;
    uint64_t count;
    *out = 0;
    if (!number_or_string(reader, &text)) {
        json_skip(reader, NULL);
    } else if (digits_uint64(text, &count) && count <= UINT32_MAX) {
        *out = (uint32_t)count;
    }
}

void otlp_json_unsigned(struct otlp_build *build, struct json_reader *reader, uint64_t *out)
{
    struct slice text;
    double real;
    if (!number_or_string(reader, &text)) {
        pass_other(build, reader);
    } else if (!digits_uint64(text, out)) {
        /* 1e3 */
        if (!json_number_double(text, &real) || !(real >= 0 && real < 18446744073709551616.0) ||
            real != trunc(real)) {
            otlp_build_fail(build, "not a count");
            return;
        }
        *out = (uint64_t)real;
    }
}

void otlp_json_word(struct json_reader *reader, const char *const *words, uint32_t *out)
{
    struct slice text;
    uint64_t number = 0;
    *out = 0;
    if (!number_or_string(reader, &text)) {
        json_skip(reader, NULL);
        return;
    }
    bool is_number = digits_uint64(text, &number);
    for (uint32_t i = 0; words[i] != NULL; i++) {
        if (is_number ? i == number : slice_is(text, words[i])) {
            *out = i;
        }
    }
}

/* False: no number. */
static bool text_double(struct slice text, double *out)
{
    if (slice_is(text, "NaN")) {
        *out = NAN;
    } else if (slice_is(text, "Infinity") || slice_is(text, "-Infinity")) {
        *out = text.data[0] == '-' ? -INFINITY : INFINITY;
    } else {
        return json_number_double(text, out);
    }
    return true;
}

void otlp_json_double(struct otlp_build *build, struct json_reader *reader, double *out)
{
    struct slice text;
    if (!number_or_string(reader, &text)) {
        pass_other(build, reader);
    } else if (!text_double(text, out)) {
        otlp_build_fail(build, "not a double");
    }
}

void otlp_json_int32(struct otlp_build *build, struct json_reader *reader, int32_t *out)
{
    double real = 0;
    otlp_json_double(build, reader, &real);
    if (!(real >= INT32_MIN && real <= INT32_MAX)) {
        otlp_build_fail(build, "not a 32-bit integer");
    } else {
        *out = (int32_t)real;
    }
}

/* ---- ids ---- */

static void read_id_bytes(struct otlp_build *build, struct json_reader *reader, size_t size,
                          char *id)
{
    char bytes[ID_BYTES_MAX + 1];
    size_t len = 0;
    while (json_array_next(reader)) {
        struct slice text;
        int64_t byte;
        if (!json_number(reader, &text)) {
            json_skip(reader, NULL);
            otlp_build_fail(build, wrong_type);
        } else if (!json_number_int64(text, &byte) || byte < 0 || byte > 255) {
            otlp_build_fail(build, "not an array of bytes");
        } else if (len < sizeof(bytes)) {
            bytes[len++] = (char)byte;
        }
    }
    otlp_build_id(build, (struct slice){bytes, len}, size, id);
}

void otlp_json_id(struct otlp_build *build, struct json_reader *reader, size_t size, char *id)
{
    struct slice text;
    struct slice key;
    if (json_string(reader, &text)) {
        otlp_build_hex_id(build, text, size, id);
    } else if (json_array_begin(reader)) {
        read_id_bytes(build, reader, size, id);
    } else if (json_object_begin(reader)) {
        /* {"type":"Buffer","data":[...]}: a Buffer of Node.js */
        while (json_object_next(reader, &key)) {
            if (slice_is(key, "data") && json_array_begin(reader)) {
                read_id_bytes(build, reader, size, id);
            } else {
                json_skip(reader, NULL);
            }
        }
    } else {
        pass_other(build, reader);
    }
}

/* ---- attributes ---- */

/* What has another type than it says is kept as text. */
static void keep_other(struct json_reader *reader, struct any *out)
{
    if (!json_null(reader)) {
        *out = (struct any){.type = ANY_STRING};
        otlp_json_text(reader, &out->text);
    }
}

static void read_any(struct otlp_build *build, struct json_reader *reader, uint32_t depth,
                     struct any *out);

/* What is no pair goes by its place in the list. */
static void read_no_pair(struct otlp_build *build, struct json_reader *reader, uint32_t place,
                         struct attribute *out)
{
    char key[16];
    keep_other(reader, &out->value);
    if (out->value.type != ANY_NULL) {
        snprintf(key, sizeof(key), "[%" PRIu32 "]", place);
        out->key = arena_copy(build->arena, slice_from(key));
    }
}

static void read_attribute(struct otlp_build *build, struct json_reader *reader, uint32_t depth,
                           uint32_t place, struct attribute *out)
{
    struct slice key;
    if (!json_object_begin(reader)) {
        read_no_pair(build, reader, place, out);
        return;
    }
    while (json_object_next(reader, &key)) {
        if (slice_is(key, "key")) {
            otlp_json_text(reader, &out->key);
        } else if (slice_is(key, "value")) {
            read_any(build, reader, depth, &out->value);
        } else {
            json_skip(reader, NULL);
        }
    }
}

/* The reader stands in the array. */
static void read_pairs(struct otlp_build *build, struct json_reader *reader, uint32_t depth,
                       struct attributes *out)
{
    for (uint32_t place = 0; json_array_next(reader); place++) {
        struct attribute attribute = {.value = {.type = ANY_NULL}};
        if (otlp_build_count(build)) {
            read_attribute(build, reader, depth, place, &attribute);
            otlp_build_attribute(build, out, &attribute);
        } else {
            json_skip(reader, NULL);
        }
    }
}

/* What "values" of arrayValue and kvlistValue holds, so far. */
struct values {
    OTLP_LIST(struct any) elements;
    struct attributes members;
};

static void read_values(struct otlp_build *build, struct json_reader *reader, uint32_t depth,
                        enum any_type type, struct values *out)
{
    if (type == ANY_MAP) {
        read_pairs(build, reader, depth, &out->members);
        return;
    }
    while (json_array_next(reader)) {
        if (otlp_build_count(build)) {
            struct any *any = otlp_list_add(&out->elements, sizeof(*any), build->arena);
            read_any(build, reader, depth, any);
        } else {
            json_skip(reader, NULL);
        }
    }
}

/* {"values":[...]} of arrayValue and kvlistValue */
static void read_elements(struct otlp_build *build, struct json_reader *reader, uint32_t depth,
                          enum any_type type, struct any *out)
{
    struct values values = {.members = {.count = 0}};
    struct slice key;
    if (depth == OTLP_DEPTH_MAX || !json_object_begin(reader)) {
        keep_other(reader, out);
        return;
    }
    out->type = type;
    while (json_object_next(reader, &key)) {
        if (!slice_is(key, "values")) {
            json_skip(reader, NULL);
        } else if (json_array_begin(reader)) {
            read_values(build, reader, depth + 1, type, &values);
        } else {
            keep_other(reader, out);
        }
    }
    if (out->type == ANY_MAP) {
        out->members = values.members.list;
        out->count = values.members.count;
    } else if (out->type == ANY_ARRAY) {
        out->elements = values.elements.list;
        out->count = values.elements.count;
    }
}

static void read_int(struct json_reader *reader, struct any *out)
{
    double real;
    if (!number_or_string(reader, &out->text)) {
        keep_other(reader, out);
        return;
    }
    struct slice text = out->text;
    if (json_number_int64(text, &out->integer)) {
        out->type = ANY_INT;
    } else if (json_number_double(text, &real) && real == trunc(real) && fabs(real) < 9e18) {
        out->type = ANY_INT; /* 1e3 */
        out->integer = (int64_t)real;
    } else {
        *out = (struct any){.type = ANY_STRING, .text = text};
    }
}

static void read_double(struct json_reader *reader, struct any *out)
{
    struct slice text;
    if (!number_or_string(reader, &text)) {
        keep_other(reader, out);
    } else if (text_double(text, &out->real)) {
        out->type = ANY_DOUBLE;
    } else {
        *out = (struct any){.type = ANY_STRING, .text = text};
    }
}

static void read_bool(struct json_reader *reader, struct any *out)
{
    if (json_bool(reader, &out->boolean)) {
        out->type = ANY_BOOL;
    } else {
        keep_other(reader, out);
    }
}

/* A kind that nobody knows yet is kept where no other is. */
static void read_unknown_kind(struct json_reader *reader, struct any *out)
{
    if (out->type == ANY_NULL) {
        keep_other(reader, out);
    } else {
        json_skip(reader, NULL);
    }
}

static void read_kind(struct otlp_build *build, struct json_reader *reader, struct slice kind,
                      uint32_t depth, struct any *out)
{
    struct any any = {.type = ANY_NULL};
    if (json_null(reader)) {
        return;
    }
    if (slice_is(kind, "stringValue") || slice_is(kind, "bytesValue")) {
        keep_other(reader, &any);
    } else if (slice_is(kind, "intValue")) {
        read_int(reader, &any);
    } else if (slice_is(kind, "doubleValue")) {
        read_double(reader, &any);
    } else if (slice_is(kind, "boolValue")) {
        read_bool(reader, &any);
    } else if (slice_is(kind, "arrayValue") || slice_is(kind, "kvlistValue")) {
        read_elements(build, reader, depth, kind.data[0] == 'a' ? ANY_ARRAY : ANY_MAP, &any);
    } else {
        read_unknown_kind(reader, out);
        return;
    }
    *out = any;
}

static void read_any(struct otlp_build *build, struct json_reader *reader, uint32_t depth,
                     struct any *out)
{
    struct slice kind;
    if (!json_object_begin(reader)) {
        keep_other(reader, out);
        return;
    }
    while (json_object_next(reader, &kind)) {
        read_kind(build, reader, kind, depth, out);
    }
}

void otlp_json_any(struct otlp_build *build, struct json_reader *reader, struct any *out)
{
    *out = (struct any){.type = ANY_NULL};
    read_any(build, reader, 0, out);
}

void otlp_json_attributes(struct otlp_build *build, struct json_reader *reader,
                          struct attributes *out)
{
    if (json_array_begin(reader)) {
        read_pairs(build, reader, 0, out);
    } else {
        pass_other(build, reader);
    }
}
