#include "otlp_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/json_read.h"
#include "common/json_write.h"
#include "gateway/ingest/decode_otlp.h"
#include "gateway/ingest/otlp_json.h"
#include "proto/batch.h"

enum { DEPTH_MAX = 128, RECORDS_MAX = 50 };

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
    json_reader_init(&reader, copy, strlen(copy), DEPTH_MAX, &arena);
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

/* ---- spans -> protobuf ---- */

static void put_varint(struct buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        buf_append_char(out, (char)((value & 0x7f) | 0x80));
    }
    buf_append_char(out, (char)value);
}

static void put_bytes(struct buf *out, uint32_t number, struct slice bytes)
{
    put_varint(out, number << 3 | 2);
    put_varint(out, bytes.len);
    buf_append_slice(out, bytes);
}

static void put_fixed64(struct buf *out, uint32_t number, uint64_t value)
{
    put_varint(out, number << 3 | 1);
    for (int i = 0; i < 8; i++) {
        buf_append_char(out, (char)(value >> (8 * i)));
    }
}

static void put_message(struct buf *out, uint32_t number, struct buf *message)
{
    put_bytes(out, number, buf_slice(message));
    buf_finish(message);
}

static void put_attributes(struct buf *out, uint32_t number, const struct attributes *attributes);

static void put_any(struct buf *out, const struct any *any)
{
    struct buf inner = BUF_EMPTY;
    uint64_t bits;
    switch (any->type) {
    case ANY_NULL:
        break;
    case ANY_STRING:
        put_bytes(out, 1, any->text);
        break;
    case ANY_BOOL:
        put_varint(out, 2 << 3);
        put_varint(out, any->boolean);
        break;
    case ANY_INT:
        put_varint(out, 3 << 3);
        put_varint(out, (uint64_t)any->integer);
        break;
    case ANY_DOUBLE:
        memcpy(&bits, &any->real, sizeof(bits));
        put_fixed64(out, 4, bits);
        break;
    case ANY_ARRAY:
        for (uint32_t i = 0; i < any->count; i++) {
            struct buf element = BUF_EMPTY;
            put_any(&element, &any->elements[i]);
            put_message(&inner, 1, &element);
        }
        put_message(out, 5, &inner);
        break;
    case ANY_MAP:
        put_attributes(&inner, 1, &(struct attributes){any->members, any->count});
        put_message(out, 6, &inner);
        break;
    }
}

static void put_attributes(struct buf *out, uint32_t number, const struct attributes *attributes)
{
    for (uint32_t i = 0; i < attributes->count; i++) {
        struct buf pair = BUF_EMPTY;
        struct buf value = BUF_EMPTY;
        put_bytes(&pair, 1, attributes->list[i].key);
        put_any(&value, &attributes->list[i].value);
        put_message(&pair, 2, &value);
        put_message(out, number, &pair);
    }
}

static void put_id(struct buf *out, uint32_t number, const char *hex)
{
    char bytes[16];
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes[i] = (char)strtol(digits, NULL, 16);
    }
    if (size > 0) {
        put_bytes(out, number, (struct slice){bytes, size});
    }
}

static void put_event(struct buf *out, const struct otlp_event *event)
{
    struct buf message = BUF_EMPTY;
    put_fixed64(&message, 1, event->time_ns);
    put_bytes(&message, 2, event->name);
    put_attributes(&message, 3, &event->attributes);
    put_message(out, 11, &message);
}

static void put_link(struct buf *out, const struct otlp_link *link)
{
    struct buf message = BUF_EMPTY;
    put_id(&message, 1, link->trace_id);
    put_id(&message, 2, link->span_id);
    put_attributes(&message, 4, &link->attributes);
    put_message(out, 13, &message);
}

/* Resource and scope come last, to see that their place does not matter. */
struct encoding {
    struct buf *out;
    struct buf resource;
    struct buf scope;
};

static void on_resource(void *context, const struct otlp_resource *resource)
{
    struct encoding *encoding = context;
    buf_reset(&encoding->resource);
    put_attributes(&encoding->resource, 1, &resource->attributes);
}

static void on_scope(void *context, const struct otlp_scope *scope)
{
    struct encoding *encoding = context;
    buf_reset(&encoding->scope);
    put_bytes(&encoding->scope, 1, scope->name);
    put_bytes(&encoding->scope, 2, scope->version);
    put_attributes(&encoding->scope, 3, &scope->attributes);
}

static const char *on_span(void *context, struct otlp_span *span)
{
    struct encoding *encoding = context;
    struct buf message = BUF_EMPTY;
    struct buf status = BUF_EMPTY;
    struct buf scope_spans = BUF_EMPTY;
    struct buf resource_spans = BUF_EMPTY;
    put_id(&message, 1, span->trace_id);
    put_id(&message, 2, span->span_id);
    put_id(&message, 4, span->parent_id);
    put_bytes(&message, 5, span->name);
    put_fixed64(&message, 7, span->start_ns);
    put_fixed64(&message, 8, span->end_ns);
    put_attributes(&message, 9, &span->attributes);
    for (uint32_t i = 0; i < span->event_count; i++) {
        put_event(&message, &span->events[i]);
    }
    for (uint32_t i = 0; i < span->link_count; i++) {
        put_link(&message, &span->links[i]);
    }
    put_bytes(&status, 2, span->status_message);
    put_varint(&status, 3 << 3);
    put_varint(&status, (uint64_t)span->status_code);
    put_message(&message, 15, &status);
    put_message(&scope_spans, 2, &message);
    put_bytes(&scope_spans, 1, buf_slice(&encoding->scope));
    put_message(&resource_spans, 2, &scope_spans);
    put_bytes(&resource_spans, 1, buf_slice(&encoding->resource));
    put_message(encoding->out, 1, &resource_spans);
    return NULL;
}

void otlp_encode(struct buf *out, const char *text, size_t len)
{
    struct arena arenas[4] = {ARENA_EMPTY, ARENA_EMPTY, ARENA_EMPTY, ARENA_EMPTY};
    struct encoding encoding = {out, BUF_EMPTY, BUF_EMPTY};
    struct otlp_sink sink = {&encoding,  on_resource, on_scope,  on_span,
                             &arenas[0], &arenas[1],  &arenas[2]};
    struct error error;
    char *copy = memory_alloc(len);
    memcpy(copy, text, len);
    if (otlp_json_read(copy, len, DEPTH_MAX, &arenas[3], &sink, &error) != ERR_OK) {
        fail_msg("%s: %s", error.text, text);
    }
    free(copy);
    buf_finish(&encoding.resource);
    buf_finish(&encoding.scope);
    for (int i = 0; i < 4; i++) {
        arena_finish(&arenas[i]);
    }
}

/* ---- decoding ---- */

static void open(struct decoded *decoded, decoder decode, const char *body, size_t len)
{
    struct arena scratch = ARENA_EMPTY;
    *decoded = (struct decoded){.arena = ARENA_EMPTY};
    decoded->text = memory_alloc(len);
    memcpy(decoded->text, body, len);
    struct decode_input input = {
        .body = decoded->text,
        .len = len,
        .received_us = DECODED_RECEIVED_US,
        .max_depth = DEPTH_MAX,
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
    open(decoded, decode_otlp_json, text, len);
}

void otlp_open_protobuf(struct decoded *decoded, const char *bytes, size_t len)
{
    open(decoded, decode_otlp_protobuf, bytes, len);
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

static bool same_rows(const struct decoded *a, const struct decoded *b)
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
    otlp_encode(&bytes, text.data, text.len);
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
    if (!same_rows(&json, &protobuf)) {
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
