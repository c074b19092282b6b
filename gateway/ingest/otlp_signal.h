/*
 * otlp_signal: what sets exports of spans, of metrics and of log records apart: the names on the way
 * to the items (in protobuf the numbers are the same), and how an item is read. Pure.
 */
#pragma once

#include "common/json_read.h"
#include "common/slice.h"
#include "gateway/ingest/otlp_sink.h"

struct otlp_signal {
    const char *what;       /* for people: "a trace export" */
    const char *resources;  /* the lists of JSON: "resourceSpans" */
    const char *scopes;     /* "scopeSpans" */
    const char *old_scopes; /* as it was called before OTLP 0.15 */
    const char *items;      /* "spans" */
    const char *too_long;   /* for people: too much would become of them */

    /* Read an item, give it to the sink and hand on what that says. Whatever is wrong inside is the
     * item's fault. JSON that fails is left to the caller. */
    const char *(*read_json)(const struct otlp_sink *sink, struct json_reader *reader);
    const char *(*read_protobuf)(const struct otlp_sink *sink, struct slice message);
};

extern const struct otlp_signal otlp_signal_spans;
extern const struct otlp_signal otlp_signal_metrics;
extern const struct otlp_signal otlp_signal_logs;

/* otlp_items.c */
const char *otlp_span_read_json(const struct otlp_sink *sink, struct json_reader *reader);
const char *otlp_span_read_protobuf(const struct otlp_sink *sink, struct slice message);
const char *otlp_metric_read_json(const struct otlp_sink *sink, struct json_reader *reader);
const char *otlp_metric_read_protobuf(const struct otlp_sink *sink, struct slice message);
const char *otlp_log_read_json(const struct otlp_sink *sink, struct json_reader *reader);
const char *otlp_log_read_protobuf(const struct otlp_sink *sink, struct slice message);
