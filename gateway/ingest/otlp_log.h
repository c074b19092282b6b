/*
 * otlp_log: a log record as both readers leave it and decode_otlp_logs takes it, after
 * opentelemetry-proto's logs.proto 1.x. Pure data; texts as in otlp_span.h.
 */
#pragma once

#include "gateway/ingest/otlp_span.h"

struct otlp_log {
    char trace_id[OTLP_TRACE_ID_SIZE + 1]; /* lower-case hex digits; "" when absent */
    char span_id[OTLP_SPAN_ID_SIZE + 1];
    uint64_t time_ns; /* since 1970; 0: unset */
    uint64_t observed_ns;
    uint32_t severity;
    struct slice severity_text;
    struct slice event_name;
    struct any body;
    struct attributes attributes;
    uint32_t dropped_attributes; /* by the SDK */
    uint32_t flags;
    struct otlp_fault fault; /* the first one */
};
