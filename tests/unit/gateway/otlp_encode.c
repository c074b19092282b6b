/* Exports of OTLP in JSON -> the same in protobuf, for tests of the decoders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/ingest/otlp_json.h"
#include "otlp_cases.h"

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

static void put_fixed32(struct buf *out, uint32_t number, uint32_t value)
{
    put_varint(out, number << 3 | 5);
    for (int i = 0; i < 4; i++) {
        buf_append_char(out, (char)(value >> (8 * i)));
    }
}

static void put_count(struct buf *out, uint32_t number, uint64_t value)
{
    put_varint(out, number << 3);
    put_varint(out, value);
}

static void put_double(struct buf *out, uint32_t number, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    put_fixed64(out, number, bits);
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
        put_attributes(&inner, 1, &(struct attributes){.list = any->members, .count = any->count});
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
    put_count(&message, 4, event->dropped_attributes);
    put_message(out, 11, &message);
}

static void put_link(struct buf *out, const struct otlp_link *link)
{
    struct buf message = BUF_EMPTY;
    put_id(&message, 1, link->trace_id);
    put_id(&message, 2, link->span_id);
    put_bytes(&message, 3, link->trace_state);
    put_attributes(&message, 4, &link->attributes);
    put_count(&message, 5, link->dropped_attributes);
    put_fixed32(&message, 6, link->flags);
    put_message(out, 13, &message);
}

/* Resource and scope come last, to see that their place does not matter; so does what a metric says
 * beside its points. */
struct encoding {
    struct buf *out;
    struct buf resource;
    struct buf scope;
    struct otlp_metric metric;
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

static void put_item(struct encoding *encoding, struct buf *message)
{
    struct buf scopes = BUF_EMPTY;
    struct buf resources = BUF_EMPTY;
    put_message(&scopes, 2, message);
    put_bytes(&scopes, 1, buf_slice(&encoding->scope));
    put_message(&resources, 2, &scopes);
    put_bytes(&resources, 1, buf_slice(&encoding->resource));
    put_message(encoding->out, 1, &resources);
}

static const char *on_span(void *context, struct otlp_span *span)
{
    struct buf message = BUF_EMPTY;
    struct buf status = BUF_EMPTY;
    put_id(&message, 1, span->trace_id);
    put_id(&message, 2, span->span_id);
    put_bytes(&message, 3, span->trace_state);
    put_id(&message, 4, span->parent_id);
    put_bytes(&message, 5, span->name);
    put_count(&message, 6, span->kind);
    put_fixed64(&message, 7, span->start_ns);
    put_fixed64(&message, 8, span->end_ns);
    put_attributes(&message, 9, &span->attributes);
    put_count(&message, 10, span->dropped_attributes);
    for (uint32_t i = 0; i < span->events.count; i++) {
        put_event(&message, &span->events.list[i]);
    }
    put_count(&message, 12, span->dropped_events);
    for (uint32_t i = 0; i < span->links.count; i++) {
        put_link(&message, &span->links.list[i]);
    }
    put_count(&message, 14, span->dropped_links);
    put_bytes(&status, 2, span->status.message);
    put_count(&status, 3, span->status.code);
    put_message(&message, 15, &status);
    put_fixed32(&message, 16, span->flags);
    put_item(context, &message);
    return NULL;
}

/* ---- metrics ---- */

static void on_metric(void *context, const struct otlp_metric *metric)
{
    struct encoding *encoding = context;
    encoding->metric = *metric;
}

static void put_number_point(struct buf *out, const struct otlp_point *point)
{
    put_fixed64(out, 3, point->time_ns);
    if (point->value.sent) {
        put_double(out, 4, point->value.value);
    }
    put_attributes(out, 7, &point->attributes);
    put_count(out, 8, point->flags);
}

/* Sum, min and max of those that may have them. */
static void put_totals(struct buf *out, const struct otlp_point *point, uint32_t min, uint32_t max)
{
    put_fixed64(out, 3, point->time_ns);
    put_fixed64(out, 4, point->count);
    if (point->sum.sent) {
        put_double(out, 5, point->sum.value);
    }
    if (point->min.sent) {
        put_double(out, min, point->min.value);
    }
    if (point->max.sent) {
        put_double(out, max, point->max.value);
    }
}

/* Counts one by one, bounds packed: both are legal. */
static void put_histogram_point(struct buf *out, const struct otlp_point *point)
{
    struct buf bounds = BUF_EMPTY;
    put_totals(out, point, 11, 12);
    for (uint32_t i = 0; i < point->bucket_counts.count; i++) {
        put_fixed64(out, 6, point->bucket_counts.list[i]);
    }
    buf_append(&bounds, point->bounds.list, point->bounds.count * sizeof(double));
    put_message(out, 7, &bounds);
    put_attributes(out, 9, &point->attributes);
    put_count(out, 10, point->flags);
}

static uint64_t signed_bits(int32_t value)
{
    return (uint32_t)value << 1 ^ (value < 0 ? UINT32_MAX : 0);
}

static void put_buckets(struct buf *out, uint32_t number, const struct otlp_buckets *buckets)
{
    struct buf message = BUF_EMPTY;
    struct buf counts = BUF_EMPTY;
    put_count(&message, 1, signed_bits(buckets->offset));
    for (uint32_t i = 0; i < buckets->counts.count; i++) {
        put_varint(&counts, buckets->counts.list[i]);
    }
    put_message(&message, 2, &counts);
    put_message(out, number, &message);
}

static void put_exponential_point(struct buf *out, const struct otlp_point *point)
{
    put_attributes(out, 1, &point->attributes);
    put_totals(out, point, 12, 13);
    put_count(out, 6, signed_bits(point->scale));
    put_fixed64(out, 7, point->zero_count);
    put_buckets(out, 8, &point->positive);
    put_buckets(out, 9, &point->negative);
    put_count(out, 10, point->flags);
    put_double(out, 14, point->zero_threshold);
}

static void put_summary_point(struct buf *out, const struct otlp_point *point)
{
    put_totals(out, point, 0, 0);
    for (uint32_t i = 0; i < point->quantiles.count; i++) {
        struct buf quantile = BUF_EMPTY;
        put_double(&quantile, 1, point->quantiles.list[i].quantile);
        put_double(&quantile, 2, point->quantiles.list[i].value);
        put_message(out, 6, &quantile);
    }
    put_attributes(out, 7, &point->attributes);
    put_count(out, 8, point->flags);
}

static const char *on_point(void *context, struct otlp_point *point)
{
    static const struct {
        uint32_t number;
        void (*put)(struct buf *out, const struct otlp_point *point);
    } types[OTLP_METRIC_TYPE_COUNT] = {
        [OTLP_METRIC_GAUGE] = {5, put_number_point},
        [OTLP_METRIC_SUM] = {7, put_number_point},
        [OTLP_METRIC_HISTOGRAM] = {9, put_histogram_point},
        [OTLP_METRIC_EXPONENTIAL] = {10, put_exponential_point},
        [OTLP_METRIC_SUMMARY] = {11, put_summary_point},
    };
    struct encoding *encoding = context;
    const struct otlp_metric *metric = &encoding->metric;
    struct buf message = BUF_EMPTY;
    struct buf data = BUF_EMPTY;
    struct buf inner = BUF_EMPTY;
    types[metric->type].put(&inner, point);
    put_message(&data, 1, &inner);
    put_count(&data, 2, metric->temporality);
    put_count(&data, 3, metric->monotonic);
    put_message(&message, types[metric->type].number, &data);
    put_bytes(&message, 1, metric->name);
    put_bytes(&message, 3, metric->unit);
    put_item(encoding, &message);
    return NULL;
}

/* ---- log records ---- */

static const char *on_log(void *context, struct otlp_log *log)
{
    struct buf message = BUF_EMPTY;
    struct buf body = BUF_EMPTY;
    put_fixed64(&message, 1, log->time_ns);
    put_count(&message, 2, log->severity);
    put_bytes(&message, 3, log->severity_text);
    put_any(&body, &log->body);
    put_message(&message, 5, &body);
    put_attributes(&message, 6, &log->attributes);
    put_count(&message, 7, log->dropped_attributes);
    put_fixed32(&message, 8, log->flags);
    put_id(&message, 9, log->trace_id);
    put_id(&message, 10, log->span_id);
    put_fixed64(&message, 11, log->observed_ns);
    put_bytes(&message, 12, log->event_name);
    put_item(context, &message);
    return NULL;
}

void otlp_encode(const struct otlp_signal *signal, struct buf *out, const char *text, size_t len)
{
    struct arena arenas[5] = {ARENA_EMPTY, ARENA_EMPTY, ARENA_EMPTY, ARENA_EMPTY, ARENA_EMPTY};
    struct encoding encoding = {.out = out};
    struct otlp_sink sink = {
        .context = &encoding,
        .on_resource = on_resource,
        .on_scope = on_scope,
        .on_span = on_span,
        .on_metric = on_metric,
        .on_point = on_point,
        .on_log = on_log,
        .resource_arena = &arenas[0],
        .scope_arena = &arenas[1],
        .metric_arena = &arenas[2],
        .item_arena = &arenas[3],
    };
    struct error error;
    char *copy = memory_alloc(len);
    memcpy(copy, text, len);
    if (otlp_json_read(signal, copy, len, OTLP_CASES_DEPTH_MAX, &arenas[4], &sink, &error) !=
        ERR_OK) {
        fail_msg("%s: %s", error.text, text);
    }
    free(copy);
    buf_finish(&encoding.resource);
    buf_finish(&encoding.scope);
    for (int i = 0; i < 5; i++) {
        arena_finish(&arenas[i]);
    }
}
