#include "gateway/ingest/otlp_fields.h"

#define FIELD(record, member, json_name, field_form)                                               \
    {                                                                                              \
        .name = {(json_name), sizeof(json_name) - 1}, .form = (field_form),                        \
        .offset = offsetof(struct record, member)                                                  \
    }
#define WORD_OF(record, member, json_name, list)                                                   \
    {                                                                                              \
        .name = {(json_name), sizeof(json_name) - 1}, .form = OTLP_WORD,                           \
        .offset = offsetof(struct record, member), .words = (list)                                 \
    }
#define INNER(record, member, json_name, field_form, of)                                           \
    {                                                                                              \
        .name = {(json_name), sizeof(json_name) - 1}, .form = (field_form),                        \
        .offset = offsetof(struct record, member), .message = &(of)                                \
    }
#define MESSAGE(record, table)                                                                     \
    {                                                                                              \
        (table), sizeof(table) / sizeof((table)[0]), sizeof(struct record)                         \
    }

/* ---- resource and scope ---- */

static const struct otlp_field resource_fields[] = {
    [1] = FIELD(otlp_resource, attributes, "attributes", OTLP_ATTRIBUTES),
};
const struct otlp_message otlp_resource_message = MESSAGE(otlp_resource, resource_fields);

static const struct otlp_field scope_fields[] = {
    [1] = FIELD(otlp_scope, name, "name", OTLP_TEXT),
    [2] = FIELD(otlp_scope, version, "version", OTLP_TEXT),
    [3] = FIELD(otlp_scope, attributes, "attributes", OTLP_ATTRIBUTES),
};
const struct otlp_message otlp_scope_message = MESSAGE(otlp_scope, scope_fields);

/* ---- spans ---- */

static const struct otlp_field event_fields[] = {
    [1] = FIELD(otlp_event, time_ns, "timeUnixNano", OTLP_TIME),
    [2] = FIELD(otlp_event, name, "name", OTLP_TEXT),
    [3] = FIELD(otlp_event, attributes, "attributes", OTLP_ATTRIBUTES),
    [4] = FIELD(otlp_event, dropped_attributes, "droppedAttributesCount", OTLP_COUNT),
};
static const struct otlp_message event_message = MESSAGE(otlp_event, event_fields);

static const struct otlp_field link_fields[] = {
    [1] = FIELD(otlp_link, trace_id, "traceId", OTLP_TRACE_ID),
    [2] = FIELD(otlp_link, span_id, "spanId", OTLP_SPAN_ID),
    [3] = FIELD(otlp_link, trace_state, "traceState", OTLP_TEXT),
    [4] = FIELD(otlp_link, attributes, "attributes", OTLP_ATTRIBUTES),
    [5] = FIELD(otlp_link, dropped_attributes, "droppedAttributesCount", OTLP_COUNT),
    [6] = FIELD(otlp_link, flags, "flags", OTLP_FLAGS),
};
static const struct otlp_message link_message = MESSAGE(otlp_link, link_fields);

static const char *const status_words[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                           "STATUS_CODE_ERROR", NULL};
static const struct otlp_field status_fields[] = {
    [2] = FIELD(otlp_status, message, "message", OTLP_TEXT),
    [3] = WORD_OF(otlp_status, code, "code", status_words),
};
static const struct otlp_message status_message = MESSAGE(otlp_status, status_fields);

static const char *const kind_words[] = {"SPAN_KIND_UNSPECIFIED",
                                         "SPAN_KIND_INTERNAL",
                                         "SPAN_KIND_SERVER",
                                         "SPAN_KIND_CLIENT",
                                         "SPAN_KIND_PRODUCER",
                                         "SPAN_KIND_CONSUMER",
                                         NULL};
static const struct otlp_field span_fields[] = {
    [1] = FIELD(otlp_span, trace_id, "traceId", OTLP_TRACE_ID),
    [2] = FIELD(otlp_span, span_id, "spanId", OTLP_SPAN_ID),
    [3] = FIELD(otlp_span, trace_state, "traceState", OTLP_TEXT),
    [4] = FIELD(otlp_span, parent_id, "parentSpanId", OTLP_SPAN_ID),
    [5] = FIELD(otlp_span, name, "name", OTLP_TEXT),
    [6] = WORD_OF(otlp_span, kind, "kind", kind_words),
    [7] = FIELD(otlp_span, start_ns, "startTimeUnixNano", OTLP_TIME),
    [8] = FIELD(otlp_span, end_ns, "endTimeUnixNano", OTLP_TIME),
    [9] = FIELD(otlp_span, attributes, "attributes", OTLP_ATTRIBUTES),
    [10] = FIELD(otlp_span, dropped_attributes, "droppedAttributesCount", OTLP_COUNT),
    [11] = INNER(otlp_span, events, "events", OTLP_MESSAGES, event_message),
    [12] = FIELD(otlp_span, dropped_events, "droppedEventsCount", OTLP_COUNT),
    [13] = INNER(otlp_span, links, "links", OTLP_MESSAGES, link_message),
    [14] = FIELD(otlp_span, dropped_links, "droppedLinksCount", OTLP_COUNT),
    [15] = INNER(otlp_span, status, "status", OTLP_MESSAGE, status_message),
    [16] = FIELD(otlp_span, flags, "flags", OTLP_FLAGS),
};
const struct otlp_message otlp_span_message = MESSAGE(otlp_span, span_fields);

/* ---- log records ---- */

static const struct otlp_field log_fields[] = {
    [1] = FIELD(otlp_log, time_ns, "timeUnixNano", OTLP_TIME),
    [2] = FIELD(otlp_log, severity, "severityNumber", OTLP_COUNT),
    [3] = FIELD(otlp_log, severity_text, "severityText", OTLP_TEXT),
    [5] = FIELD(otlp_log, body, "body", OTLP_ANY),
    [6] = FIELD(otlp_log, attributes, "attributes", OTLP_ATTRIBUTES),
    [7] = FIELD(otlp_log, dropped_attributes, "droppedAttributesCount", OTLP_COUNT),
    [8] = FIELD(otlp_log, flags, "flags", OTLP_FLAGS),
    [9] = FIELD(otlp_log, trace_id, "traceId", OTLP_TRACE_ID),
    [10] = FIELD(otlp_log, span_id, "spanId", OTLP_SPAN_ID),
    [11] = FIELD(otlp_log, observed_ns, "observedTimeUnixNano", OTLP_TIME),
    [12] = FIELD(otlp_log, event_name, "eventName", OTLP_TEXT),
};
const struct otlp_message otlp_log_message = MESSAGE(otlp_log, log_fields);

/* ---- metrics ---- */

static const struct otlp_field metric_fields[] = {
    [1] = FIELD(otlp_raw_metric, metric.name, "name", OTLP_TEXT),
    [3] = FIELD(otlp_raw_metric, metric.unit, "unit", OTLP_TEXT),
    [5] = FIELD(otlp_raw_metric, data[OTLP_METRIC_GAUGE], "gauge", OTLP_RAW),
    [7] = FIELD(otlp_raw_metric, data[OTLP_METRIC_SUM], "sum", OTLP_RAW),
    [9] = FIELD(otlp_raw_metric, data[OTLP_METRIC_HISTOGRAM], "histogram", OTLP_RAW),
    [10] = FIELD(otlp_raw_metric, data[OTLP_METRIC_EXPONENTIAL], "exponentialHistogram", OTLP_RAW),
    [11] = FIELD(otlp_raw_metric, data[OTLP_METRIC_SUMMARY], "summary", OTLP_RAW),
};
const struct otlp_message otlp_metric_message = MESSAGE(otlp_raw_metric, metric_fields);

static const char *const temporality_words[] = {"AGGREGATION_TEMPORALITY_UNSPECIFIED",
                                                "AGGREGATION_TEMPORALITY_DELTA",
                                                "AGGREGATION_TEMPORALITY_CUMULATIVE", NULL};
static const struct otlp_field data_fields[] = {
    [1] = FIELD(otlp_raw_data, points, "dataPoints", OTLP_RAW),
    [2] = WORD_OF(otlp_raw_data, temporality, "aggregationTemporality", temporality_words),
    [3] = FIELD(otlp_raw_data, monotonic, "isMonotonic", OTLP_BOOL),
};
const struct otlp_message otlp_data_message = MESSAGE(otlp_raw_data, data_fields);

/* ---- data points ---- */

#define POINT(member, json_name, field_form) FIELD(otlp_point, member, json_name, field_form)

static const struct otlp_field number_fields[] = {
    [3] = POINT(time_ns, "timeUnixNano", OTLP_TIME),
    [4] = POINT(value, "asDouble", OTLP_MAYBE_DOUBLE),
    [6] = POINT(value, "asInt", OTLP_MAYBE_INT),
    [7] = POINT(attributes, "attributes", OTLP_ATTRIBUTES),
    [8] = POINT(flags, "flags", OTLP_COUNT),
};
static const struct otlp_message number_message = MESSAGE(otlp_point, number_fields);

static const struct otlp_field histogram_fields[] = {
    [3] = POINT(time_ns, "timeUnixNano", OTLP_TIME),
    [4] = POINT(count, "count", OTLP_UNSIGNED),
    [5] = POINT(sum, "sum", OTLP_MAYBE_DOUBLE),
    [6] = POINT(bucket_counts, "bucketCounts", OTLP_FIXED_COUNTS),
    [7] = POINT(bounds, "explicitBounds", OTLP_DOUBLES),
    [9] = POINT(attributes, "attributes", OTLP_ATTRIBUTES),
    [10] = POINT(flags, "flags", OTLP_COUNT),
    [11] = POINT(min, "min", OTLP_MAYBE_DOUBLE),
    [12] = POINT(max, "max", OTLP_MAYBE_DOUBLE),
};
static const struct otlp_message histogram_message = MESSAGE(otlp_point, histogram_fields);

static const struct otlp_field buckets_fields[] = {
    [1] = FIELD(otlp_buckets, offset, "offset", OTLP_SIGNED),
    [2] = FIELD(otlp_buckets, counts, "bucketCounts", OTLP_COUNTS),
};
static const struct otlp_message buckets_message = MESSAGE(otlp_buckets, buckets_fields);

static const struct otlp_field exponential_fields[] = {
    [1] = POINT(attributes, "attributes", OTLP_ATTRIBUTES),
    [3] = POINT(time_ns, "timeUnixNano", OTLP_TIME),
    [4] = POINT(count, "count", OTLP_UNSIGNED),
    [5] = POINT(sum, "sum", OTLP_MAYBE_DOUBLE),
    [6] = POINT(scale, "scale", OTLP_SIGNED),
    [7] = POINT(zero_count, "zeroCount", OTLP_UNSIGNED),
    [8] = INNER(otlp_point, positive, "positive", OTLP_MESSAGE, buckets_message),
    [9] = INNER(otlp_point, negative, "negative", OTLP_MESSAGE, buckets_message),
    [10] = POINT(flags, "flags", OTLP_COUNT),
    [12] = POINT(min, "min", OTLP_MAYBE_DOUBLE),
    [13] = POINT(max, "max", OTLP_MAYBE_DOUBLE),
    [14] = POINT(zero_threshold, "zeroThreshold", OTLP_DOUBLE),
};
static const struct otlp_message exponential_message = MESSAGE(otlp_point, exponential_fields);

static const struct otlp_field quantile_fields[] = {
    [1] = FIELD(otlp_quantile, quantile, "quantile", OTLP_DOUBLE),
    [2] = FIELD(otlp_quantile, value, "value", OTLP_DOUBLE),
};
static const struct otlp_message quantile_message = MESSAGE(otlp_quantile, quantile_fields);

static const struct otlp_field summary_fields[] = {
    [3] = POINT(time_ns, "timeUnixNano", OTLP_TIME),
    [4] = POINT(count, "count", OTLP_UNSIGNED),
    [5] = POINT(sum, "sum", OTLP_MAYBE_DOUBLE),
    [6] = INNER(otlp_point, quantiles, "quantileValues", OTLP_MESSAGES, quantile_message),
    [7] = POINT(attributes, "attributes", OTLP_ATTRIBUTES),
    [8] = POINT(flags, "flags", OTLP_COUNT),
};
static const struct otlp_message summary_message = MESSAGE(otlp_point, summary_fields);

const struct otlp_message *const otlp_point_messages[OTLP_METRIC_TYPE_COUNT] = {
    [OTLP_METRIC_GAUGE] = &number_message,        [OTLP_METRIC_SUM] = &number_message,
    [OTLP_METRIC_HISTOGRAM] = &histogram_message, [OTLP_METRIC_EXPONENTIAL] = &exponential_message,
    [OTLP_METRIC_SUMMARY] = &summary_message,
};
