#include "otlp_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/json_read.h"
#include "common/json_write.h"
#include "gateway/ingest/decode_otlp.h"
#include "proto/batch.h"

enum { RECORDS_MAX = 50 };

/* ---- a plain JSON object -> attributes of OTLP/JSON ---- */

static void print_attributes(struct buf *out, struct json_reader *reader);

static void print_elements(struct buf *out, struct json_reader *reader);

static void print_any(struct buf *out, struct json_reader *reader)
{
    struct slice raw;
    enum json_type type = json_peek(reader);
    if (json_object_begin(reader)) {
        buf_append_text(out, "{\"kvlistValue\":{\"values\":");
        print_attributes(out, reader);
        buf_append_text(out, "}}");
        return;
    }
    if (json_array_begin(reader)) {
        buf_append_text(out, "{\"arrayValue\":{\"values\":");
        print_elements(out, reader);
        buf_append_text(out, "}}");
        return;
    }
    json_skip(reader, &raw);
    bool whole = type == JSON_NUMBER && memchr(raw.data, '.', raw.len) == NULL;
    buf_printf(out, type == JSON_NULL ? "{}" : "{\"%s\":%.*s}",
               type == JSON_STRING ? "stringValue"
               : type == JSON_BOOL ? "boolValue"
               : whole             ? "intValue"
                                   : "doubleValue",
               (int)raw.len, raw.data);
}

static void print_elements(struct buf *out, struct json_reader *reader)
{
    bool any = false;
    buf_append_char(out, '[');
    for (; json_array_next(reader); any = true) {
        buf_append_text(out, any ? "," : "");
        print_any(out, reader);
    }
    buf_append_char(out, ']');
}

static void print_attributes(struct buf *out, struct json_reader *reader)
{
    struct slice key;
    bool any = false;
    buf_append_char(out, '[');
    for (; json_object_next(reader, &key); any = true) {
        buf_append_text(out, any ? ",{\"key\":" : "{\"key\":");
        json_write_string(out, key);
        buf_append_text(out, ",\"value\":");
        print_any(out, reader);
        buf_append_char(out, '}');
    }
    buf_append_char(out, ']');
}

static void print_object(struct buf *out, const char *object)
{
    struct arena arena = ARENA_EMPTY;
    struct json_reader reader;
    char *copy = arena_text(&arena, slice_from(object != NULL ? object : "{}"));
    json_reader_init(&reader, copy, strlen(copy), OTLP_CASES_DEPTH_MAX, &arena);
    assert_true(json_object_begin(&reader));
    print_attributes(out, &reader);
    if (json_end(&reader, NULL) != ERR_OK) {
        fail_msg("not an object: %s", object);
    }
    arena_finish(&arena);
}

void otlp_print(struct buf *out, const struct otlp_case *c)
{
    buf_append_text(out, "{\"resourceSpans\":[{\"resource\":{\"attributes\":");
    print_object(out, c->resource);
    buf_append_text(out, "},\"scopeSpans\":[{\"scope\":{\"name\":");
    json_write_string(out, slice_from(c->scope != NULL ? c->scope : ""));
    buf_append_text(out, "},\"spans\":[{\"traceId\":\"" OTLP_TRACE "\",\"spanId\":\"" OTLP_SPAN
                         "\",\"startTimeUnixNano\":\"1767225600000000000\","
                         "\"endTimeUnixNano\":\"1767225601000000000\",");
    buf_append_text(out, c->more != NULL ? c->more : "\"name\":\"span\",");
    buf_append_text(out, "\"attributes\":");
    print_object(out, c->attributes);
    buf_append_text(out, "}]}]}]}");
    buf_append_char(out, '\0');
    out->len--;
}

/* ---- decoding ---- */

void otlp_open_by(struct decoded *decoded, decoder decode, const char *body, size_t len)
{
    struct arena scratch = ARENA_EMPTY;
    *decoded = (struct decoded){.arena = ARENA_EMPTY};
    decoded->text = memory_alloc(len);
    if (len > 0) {
        memcpy(decoded->text, body, len);
    }
    struct decode_input input = {
        .body = decoded->text,
        .len = len,
        .received_us = DECODED_RECEIVED_US,
        .max_depth = OTLP_CASES_DEPTH_MAX,
        .max_records = RECORDS_MAX,
        .scratch = &scratch,
    };
    collect_init(&decoded->collect, 4);
    decoded->err = decode(&input, &decoded->collect, &decoded->error);
    arena_finish(&scratch);
    memset(decoded->text, 'x', len);
    if (decoded->err == ERR_OK) {
        struct error error;
        if (batch_unpack_rows(buf_slice(&decoded->collect.rows), decoded->collect.row_count,
                              &decoded->arena, &decoded->rows, &error) != ERR_OK) {
            fail_msg("does not unpack: %s", error.text);
        }
    }
}

void otlp_open_json(struct decoded *decoded, const char *text, size_t len)
{
    otlp_open_by(decoded, decode_otlp_json, text, len);
}

void otlp_open_protobuf(struct decoded *decoded, const char *bytes, size_t len)
{
    otlp_open_by(decoded, decode_otlp_protobuf, bytes, len);
}

const struct row *otlp_row(const struct decoded *decoded, enum otlp_place place, uint32_t column)
{
    for (uint32_t i = 0; decoded->err == ERR_OK && i < decoded->collect.row_count; i++) {
        const struct row *row = &decoded->rows[i];
        enum otlp_place is = row->kind == ROW_OBSERVATION ? IN_OBSERVATION
                             : row->version > 0           ? IN_TRACE
                                                          : IN_TRACE_DERIVED;
        if (is == place && row_has(row, column)) {
            return row;
        }
    }
    return NULL;
}

bool otlp_same_rows(const struct decoded *a, const struct decoded *b)
{
    return slice_equals(buf_slice(&a->collect.rows), buf_slice(&b->collect.rows)) &&
           a->collect.refused_count == b->collect.refused_count;
}

void otlp_check(const struct otlp_case *c)
{
    struct buf text = BUF_EMPTY;
    struct buf bytes = BUF_EMPTY;
    struct decoded json;
    struct decoded protobuf;
    otlp_print(&text, c);
    otlp_encode(&otlp_signal_spans, &bytes, text.data, text.len);
    otlp_open_json(&json, text.data, text.len);
    otlp_open_protobuf(&protobuf, bytes.data, bytes.len);

    const struct row *row = otlp_row(&json, c->place, c->column);
    const char *value = row != NULL ? decoded_value(&json, row, c->column) : NULL;
    const char *refusal = decoded_refusal(&json, 0);
    if (json.err != ERR_OK || refusal != NULL || (value == NULL) != (c->expected == NULL) ||
        (value != NULL && strcmp(value, c->expected) != 0)) {
        fail_msg("%s\nexpected %s\nhave     %s %s %s", text.data, c->expected ? c->expected : "-",
                 value ? value : "-", refusal ? refusal : "", json.error.text);
    }
    if (!otlp_same_rows(&json, &protobuf)) {
        fail_msg("protobuf gives other rows: %s", text.data);
    }
    decoded_close(&json);
    decoded_close(&protobuf);
    buf_finish(&text);
    buf_finish(&bytes);
}

void otlp_check_all(const struct otlp_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        otlp_check(&cases[i]);
    }
}
