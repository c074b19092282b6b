/* A log record in OTLP/JSON -> struct otlp_log. */
#include <string.h>

#include "gateway/ingest/otlp_json_value.h"
#include "gateway/ingest/otlp_signal.h"

enum log_field {
    LOG_TRACE_ID,
    LOG_SPAN_ID,
    LOG_TIME,
    LOG_OBSERVED,
    LOG_SEVERITY,
    LOG_SEVERITY_TEXT,
    LOG_EVENT_NAME,
    LOG_BODY,
    LOG_ATTRIBUTES,
    LOG_DROPPED_ATTRIBUTES,
    LOG_FLAGS,
    LOG_FIELD_COUNT,
};

static const char *const log_fields[LOG_FIELD_COUNT] = {
    "traceId",      "spanId",    "timeUnixNano", "observedTimeUnixNano", "severityNumber",
    "severityText", "eventName", "body",         "attributes",           "droppedAttributesCount",
    "flags",
};

static enum log_field find_field(struct slice key)
{
    uint32_t field = 0;
    while (field < LOG_FIELD_COUNT && !slice_is(key, log_fields[field])) {
        field++;
    }
    return (enum log_field)field;
}

static void read_body(struct otlp_build *build, struct json_reader *reader, struct any *out)
{
    if (!json_null(reader)) {
        otlp_json_any(build, reader, out);
    }
}

static void read_log_field(struct otlp_build *build, struct json_reader *reader,
                           enum log_field field, struct otlp_log *out)
{
    switch (field) {
    case LOG_TRACE_ID:
        otlp_json_id(build, reader, OTLP_TRACE_ID_SIZE / 2, out->trace_id);
        break;
    case LOG_SPAN_ID:
        otlp_json_id(build, reader, OTLP_SPAN_ID_SIZE / 2, out->span_id);
        break;
    case LOG_TIME:
        otlp_json_time(build, reader, &out->time_ns);
        break;
    case LOG_OBSERVED:
        otlp_json_time(build, reader, &out->observed_ns);
        break;
    case LOG_SEVERITY:
        otlp_json_count(reader, &out->severity);
        break;
    case LOG_SEVERITY_TEXT:
        otlp_json_text(reader, &out->severity_text);
        break;
    case LOG_EVENT_NAME:
        otlp_json_text(reader, &out->event_name);
        break;
    case LOG_BODY:
        read_body(build, reader, &out->body);
        break;
    case LOG_ATTRIBUTES:
        otlp_json_attributes(build, reader, &out->attributes);
        break;
    case LOG_DROPPED_ATTRIBUTES:
        otlp_json_count(reader, &out->dropped_attributes);
        break;
    case LOG_FLAGS:
        otlp_json_count(reader, &out->flags);
        break;
    case LOG_FIELD_COUNT:
        json_skip(reader, NULL);
        break;
    }
}

static void read_log(struct arena *arena, struct json_reader *reader, struct otlp_log *out)
{
    struct otlp_build build = {arena, &out->fault, "", 0, 0};
    struct slice key;
    memset(out, 0, sizeof(*out));
    if (!json_object_begin(reader)) {
        json_skip(reader, NULL);
        otlp_build_fail(&build, "not an object");
        return;
    }
    while (json_object_next(reader, &key)) {
        enum log_field field = find_field(key);
        build.field = field < LOG_FIELD_COUNT ? log_fields[field] : "";
        read_log_field(&build, reader, field, out);
    }
}

const char *otlp_log_read_json(const struct otlp_sink *sink, struct json_reader *reader)
{
    struct otlp_log log;
    arena_reset(sink->item_arena);
    read_log(sink->item_arena, reader, &log);
    return json_failed(reader) ? NULL : sink->on_log(sink->context, &log);
}
