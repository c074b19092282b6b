/* Spans, log records, metrics with their data points, in either encoding -> the sink. */
#include <string.h>

#include "gateway/ingest/otlp_json_fields.h"
#include "gateway/ingest/otlp_protobuf_fields.h"
#include "gateway/ingest/otlp_signal.h"
#include "gateway/ingest/otlp_wire.h"

const char *otlp_span_read_json(const struct otlp_sink *sink, struct json_reader *reader)
{
    struct otlp_span span;
    arena_reset(sink->item_arena);
    otlp_json_item(sink->item_arena, reader, &otlp_span_message, &span, &span.fault);
    return json_failed(reader) ? NULL : sink->on_span(sink->context, &span);
}

const char *otlp_span_read_protobuf(const struct otlp_sink *sink, struct slice message)
{
    struct otlp_span span;
    arena_reset(sink->item_arena);
    otlp_protobuf_item(sink->item_arena, message, &otlp_span_message, &span, &span.fault);
    return sink->on_span(sink->context, &span);
}

const char *otlp_log_read_json(const struct otlp_sink *sink, struct json_reader *reader)
{
    struct otlp_log log;
    arena_reset(sink->item_arena);
    otlp_json_item(sink->item_arena, reader, &otlp_log_message, &log, &log.fault);
    return json_failed(reader) ? NULL : sink->on_log(sink->context, &log);
}

const char *otlp_log_read_protobuf(const struct otlp_sink *sink, struct slice message)
{
    struct otlp_log log;
    arena_reset(sink->item_arena);
    otlp_protobuf_item(sink->item_arena, message, &otlp_log_message, &log, &log.fault);
    return sink->on_log(sink->context, &log);
}

/* ---- metrics ---- */

/* Of several data, which no metric has, one counts. */
static struct slice take_data(struct otlp_raw_metric *raw)
{
    for (int type = OTLP_METRIC_TYPE_COUNT - 1; type > OTLP_METRIC_NONE; type--) {
        if (raw->data[type].data != NULL) {
            raw->metric.type = (enum otlp_metric_type)type;
            return raw->data[type];
        }
    }
    otlp_fault_set(&raw->metric.fault, "metric", "without data of a known type");
    return (struct slice){NULL, 0};
}

static void take_what_data_say(struct otlp_metric *metric, const struct otlp_raw_data *data)
{
    metric->temporality = data->temporality;
    metric->monotonic = data->monotonic;
}

/* Gives the metric on. False: it is broken. Nobody can tell how many points it has: it counts as one. */
static bool give_metric(const struct otlp_sink *sink, const struct otlp_metric *metric,
                        const char **full)
{
    struct otlp_point point;
    sink->on_metric(sink->context, metric);
    if (metric->fault.reason == NULL) {
        return true;
    }
    memset(&point, 0, sizeof(point));
    *full = sink->on_point(sink->context, &point);
    return false;
}

static struct otlp_build build_of(const struct otlp_sink *sink, struct otlp_metric *metric)
{
    return (struct otlp_build){sink->metric_arena, &metric->fault, "metric", 0, 0};
}

/* Data and points were skipped, and are valid therefore, until the rest of their object was known. */
static void read_later(struct json_reader *reader, struct slice raw, struct arena *arena)
{
    json_reader_init(reader, (char *)raw.data, raw.len, JSON_DEPTH_MAX, arena);
    json_be_lenient(reader);
}

static void read_object(struct otlp_build *build, struct json_reader *reader,
                        const struct otlp_message *message, void *record)
{
    if (json_peek(reader) == JSON_OBJECT) {
        otlp_json_message(build, reader, message, record);
    } else {
        json_skip(reader, NULL);
        otlp_build_fail(build, "not an object");
    }
}

static void read_json_data(const struct otlp_sink *sink, struct otlp_raw_metric *raw,
                           struct slice *points)
{
    struct otlp_raw_data data;
    struct json_reader reader;
    struct slice object = take_data(raw);
    memset(&data, 0, sizeof(data));
    if (object.len > 0) {
        struct otlp_build build = build_of(sink, &raw->metric);
        read_later(&reader, object, sink->metric_arena);
        read_object(&build, &reader, &otlp_data_message, &data);
    }
    if (data.points.len > 0 && data.points.data[0] != '[') {
        otlp_fault_set(&raw->metric.fault, "metric", "dataPoints is not an array");
    }
    take_what_data_say(&raw->metric, &data);
    *points = data.points;
}

const char *otlp_metric_read_json(const struct otlp_sink *sink, struct json_reader *reader)
{
    struct otlp_raw_metric raw;
    struct otlp_point point;
    struct json_reader later;
    struct slice points;
    const char *full = NULL;
    struct otlp_build build = build_of(sink, &raw.metric);
    arena_reset(sink->metric_arena);
    memset(&raw, 0, sizeof(raw));
    read_object(&build, reader, &otlp_metric_message, &raw);
    if (json_failed(reader)) {
        return NULL;
    }
    read_json_data(sink, &raw, &points);
    if (!give_metric(sink, &raw.metric, &full) || points.len == 0) {
        return full;
    }
    read_later(&later, points, sink->metric_arena);
    if (!json_array_begin(&later)) {
        return NULL;
    }
    while (full == NULL && json_array_next(&later)) {
        arena_reset(sink->item_arena);
        otlp_json_item(sink->item_arena, &later, otlp_point_messages[raw.metric.type], &point,
                       &point.fault);
        full = sink->on_point(sink->context, &point);
    }
    return full;
}

static void read_protobuf_data(const struct otlp_sink *sink, struct otlp_raw_metric *raw,
                               struct slice message)
{
    struct otlp_build build = build_of(sink, &raw->metric);
    struct otlp_raw_data data;
    memset(&data, 0, sizeof(data));
    otlp_protobuf_message(&build, message, &otlp_data_message, &data);
    take_what_data_say(&raw->metric, &data);
}

const char *otlp_metric_read_protobuf(const struct otlp_sink *sink, struct slice message)
{
    struct otlp_raw_metric raw;
    struct otlp_point point;
    struct wire_field field;
    const char *full = NULL;
    struct otlp_build build = build_of(sink, &raw.metric);
    arena_reset(sink->metric_arena);
    memset(&raw, 0, sizeof(raw));
    otlp_protobuf_message(&build, message, &otlp_metric_message, &raw);
    struct slice data = take_data(&raw);
    read_protobuf_data(sink, &raw, data);
    if (!give_metric(sink, &raw.metric, &full)) {
        return full;
    }
    struct wire wire = wire_from(data);
    while (full == NULL && wire_next(&wire, &field)) {
        if (field.number == 1) {
            arena_reset(sink->item_arena);
            otlp_protobuf_item(sink->item_arena, field.bytes, otlp_point_messages[raw.metric.type],
                               &point, &point.fault);
            full = sink->on_point(sink->context, &point);
        }
    }
    return full;
}
