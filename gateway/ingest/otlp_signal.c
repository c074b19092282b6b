#include "gateway/ingest/otlp_signal.h"

const struct otlp_signal otlp_signal_spans = {
    .what = "a trace export",
    .resources = "resourceSpans",
    .scopes = "scopeSpans",
    .old_scopes = "instrumentationLibrarySpans",
    .items = "spans",
    .too_long = "the spans with their resource are too long for one request, send fewer at once",
    .read_json = otlp_span_read_json,
    .read_protobuf = otlp_span_read_protobuf,
};

const struct otlp_signal otlp_signal_metrics = {
    .what = "a metrics export",
    .resources = "resourceMetrics",
    .scopes = "scopeMetrics",
    .old_scopes = "instrumentationLibraryMetrics",
    .items = "metrics",
    .too_long = "the points with their labels are too long for one request, send fewer at once",
    .read_json = otlp_metric_read_json,
    .read_protobuf = otlp_metric_read_protobuf,
};

const struct otlp_signal otlp_signal_logs = {
    .what = "a logs export",
    .resources = "resourceLogs",
    .scopes = "scopeLogs",
    .old_scopes = "instrumentationLibraryLogs",
    .items = "logRecords",
    .too_long = "the records with their resource are too long for one request, send fewer at once",
    .read_json = otlp_log_read_json,
    .read_protobuf = otlp_log_read_protobuf,
};
