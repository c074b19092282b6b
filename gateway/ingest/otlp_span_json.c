/* A span in OTLP/JSON -> struct otlp_span. */
#include <string.h>

#include "gateway/ingest/otlp_json_value.h"
#include "gateway/ingest/otlp_signal.h"

static void read_event(struct otlp_build *build, struct json_reader *reader, struct otlp_event *out)
{
    struct slice key;
    if (!json_object_begin(reader)) {
        json_skip(reader, NULL);
        otlp_build_fail(build, "not an array of objects");
        return;
    }
    while (json_object_next(reader, &key)) {
        if (slice_is(key, "name")) {
            otlp_json_text(reader, &out->name);
        } else if (slice_is(key, "timeUnixNano")) {
            otlp_json_time(build, reader, &out->time_ns);
        } else if (slice_is(key, "attributes")) {
            otlp_json_attributes(build, reader, &out->attributes);
        } else if (slice_is(key, "droppedAttributesCount")) {
            otlp_json_count(reader, &out->dropped_attributes);
        } else {
            json_skip(reader, NULL);
        }
    }
}

static void read_link(struct otlp_build *build, struct json_reader *reader, struct otlp_link *out)
{
    struct slice key;
    if (!json_object_begin(reader)) {
        json_skip(reader, NULL);
        otlp_build_fail(build, "not an array of objects");
        return;
    }
    while (json_object_next(reader, &key)) {
        if (slice_is(key, "traceId")) {
            otlp_json_id(build, reader, OTLP_TRACE_ID_SIZE / 2, out->trace_id);
        } else if (slice_is(key, "spanId")) {
            otlp_json_id(build, reader, OTLP_SPAN_ID_SIZE / 2, out->span_id);
        } else if (slice_is(key, "traceState")) {
            otlp_json_text(reader, &out->trace_state);
        } else if (slice_is(key, "flags")) {
            otlp_json_count(reader, &out->flags);
        } else if (slice_is(key, "attributes")) {
            otlp_json_attributes(build, reader, &out->attributes);
        } else if (slice_is(key, "droppedAttributesCount")) {
            otlp_json_count(reader, &out->dropped_attributes);
        } else {
            json_skip(reader, NULL);
        }
    }
}

/* False: null, or another type, which is a fault. */
static bool begin_list(struct otlp_build *build, struct json_reader *reader)
{
    if (json_array_begin(reader)) {
        return true;
    }
    if (!json_null(reader)) {
        json_skip(reader, NULL);
        otlp_build_fail(build, "not an array");
    }
    return false;
}

static void read_events(struct otlp_build *build, struct json_reader *reader, struct otlp_span *out)
{
    struct otlp_list list = {NULL, 0, 0};
    if (!begin_list(build, reader)) {
        return;
    }
    while (json_array_next(reader)) {
        if (otlp_build_count(build)) {
            read_event(build, reader,
                       otlp_list_add(&list, sizeof(struct otlp_event), build->arena));
        } else {
            json_skip(reader, NULL);
        }
    }
    out->events = list.items;
    out->event_count = list.count;
}

static void read_links(struct otlp_build *build, struct json_reader *reader, struct otlp_span *out)
{
    struct otlp_list list = {NULL, 0, 0};
    if (!begin_list(build, reader)) {
        return;
    }
    while (json_array_next(reader)) {
        if (otlp_build_count(build)) {
            read_link(build, reader, otlp_list_add(&list, sizeof(struct otlp_link), build->arena));
        } else {
            json_skip(reader, NULL);
        }
    }
    out->links = list.items;
    out->link_count = list.count;
}

/* 2, or the enumeration's name. */
static void read_status_code(struct otlp_build *build, struct json_reader *reader,
                             struct otlp_span *out)
{
    struct slice text;
    if (json_string(reader, &text) || json_number(reader, &text)) {
        bool error = slice_is(text, "2") || slice_is(text, "STATUS_CODE_ERROR");
        out->status_code = error ? OTLP_STATUS_ERROR : 0;
    } else if (!json_null(reader)) {
        json_skip(reader, NULL);
        otlp_build_fail(build, "not of the right type");
    }
}

/* A number, or the enumeration's name; what is neither is unspecified. */
static enum otlp_kind read_kind(struct json_reader *reader)
{
    static const char *const names[OTLP_KIND_COUNT] = {
        "SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
        "SPAN_KIND_CLIENT",      "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER",
    };
    struct slice text;
    uint32_t number;
    if (!json_string(reader, &text)) {
        otlp_json_count(reader, &number);
        return number < OTLP_KIND_COUNT ? (enum otlp_kind)number : OTLP_KIND_UNSPECIFIED;
    }
    for (uint32_t i = 0; i < OTLP_KIND_COUNT; i++) {
        if (slice_is(text, names[i])) {
            return (enum otlp_kind)i;
        }
    }
    return OTLP_KIND_UNSPECIFIED;
}

static void read_status(struct otlp_build *build, struct json_reader *reader, struct otlp_span *out)
{
    struct slice key;
    if (!json_object_begin(reader)) {
        if (!json_null(reader)) {
            json_skip(reader, NULL);
            otlp_build_fail(build, "not of the right type");
        }
        return;
    }
    while (json_object_next(reader, &key)) {
        if (slice_is(key, "code")) {
            read_status_code(build, reader, out);
        } else if (slice_is(key, "message")) {
            otlp_json_text(reader, &out->status_message);
        } else {
            json_skip(reader, NULL);
        }
    }
}

enum span_field {
    SPAN_TRACE_ID,
    SPAN_ID,
    SPAN_PARENT_ID,
    SPAN_TRACE_STATE,
    SPAN_FLAGS,
    SPAN_KIND,
    SPAN_NAME,
    SPAN_START,
    SPAN_END,
    SPAN_ATTRIBUTES,
    SPAN_EVENTS,
    SPAN_LINKS,
    SPAN_STATUS,
    SPAN_DROPPED_ATTRIBUTES,
    SPAN_DROPPED_EVENTS,
    SPAN_DROPPED_LINKS,
    SPAN_FIELD_COUNT,
};

static const char *const span_fields[SPAN_FIELD_COUNT] = {
    "traceId",
    "spanId",
    "parentSpanId",
    "traceState",
    "flags",
    "kind",
    "name",
    "startTimeUnixNano",
    "endTimeUnixNano",
    "attributes",
    "events",
    "links",
    "status",
    "droppedAttributesCount",
    "droppedEventsCount",
    "droppedLinksCount",
};

static enum span_field find_field(struct slice key)
{
    uint32_t field = 0;
    while (field < SPAN_FIELD_COUNT && !slice_is(key, span_fields[field])) {
        field++;
    }
    return (enum span_field)field;
}

static void read_span_field(struct otlp_build *build, struct json_reader *reader,
                            enum span_field field, struct otlp_span *out)
{
    switch (field) {
    case SPAN_TRACE_ID:
        otlp_json_id(build, reader, OTLP_TRACE_ID_SIZE / 2, out->trace_id);
        break;
    case SPAN_ID:
        otlp_json_id(build, reader, OTLP_SPAN_ID_SIZE / 2, out->span_id);
        break;
    case SPAN_PARENT_ID:
        otlp_json_id(build, reader, OTLP_SPAN_ID_SIZE / 2, out->parent_id);
        break;
    case SPAN_TRACE_STATE:
        otlp_json_text(reader, &out->trace_state);
        break;
    case SPAN_FLAGS:
        otlp_json_count(reader, &out->flags);
        break;
    case SPAN_KIND:
        out->kind = read_kind(reader);
        break;
    case SPAN_NAME:
        otlp_json_text(reader, &out->name);
        break;
    case SPAN_START:
        otlp_json_time(build, reader, &out->start_ns);
        break;
    case SPAN_END:
        otlp_json_time(build, reader, &out->end_ns);
        break;
    case SPAN_ATTRIBUTES:
        otlp_json_attributes(build, reader, &out->attributes);
        break;
    case SPAN_EVENTS:
        read_events(build, reader, out);
        break;
    case SPAN_LINKS:
        read_links(build, reader, out);
        break;
    case SPAN_STATUS:
        read_status(build, reader, out);
        break;
    case SPAN_DROPPED_ATTRIBUTES:
        otlp_json_count(reader, &out->dropped_attributes);
        break;
    case SPAN_DROPPED_EVENTS:
        otlp_json_count(reader, &out->dropped_events);
        break;
    case SPAN_DROPPED_LINKS:
        otlp_json_count(reader, &out->dropped_links);
        break;
    case SPAN_FIELD_COUNT:
        json_skip(reader, NULL);
        break;
    }
}

static void read_span(struct arena *arena, struct json_reader *reader, struct otlp_span *out)
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
        enum span_field field = find_field(key);
        build.field = field < SPAN_FIELD_COUNT ? span_fields[field] : "";
        read_span_field(&build, reader, field, out);
    }
}

const char *otlp_span_read_json(const struct otlp_sink *sink, struct json_reader *reader)
{
    struct otlp_span span;
    arena_reset(sink->item_arena);
    read_span(sink->item_arena, reader, &span);
    return json_failed(reader) ? NULL : sink->on_span(sink->context, &span);
}
