#include "gateway/ingest/otlp_json.h"

#include <string.h>

#include "gateway/ingest/otlp_build.h"
#include "gateway/ingest/otlp_json_value.h"

struct reading {
    const struct otlp_sink *sink;
    struct arena *scratch;
    struct error *error;
    uint32_t max_depth;
    enum err err; /* of what is not JSON's fault; once set, reading ends */
};

static void fail(struct reading *reading, enum err err, const char *text)
{
    if (reading->err == ERR_OK) {
        reading->err = error_set(reading->error, err, "%s", text);
    }
}

static bool is_over(const struct reading *reading, const struct json_reader *reader)
{
    return reading->err != ERR_OK || json_failed(reader);
}

/* ---- resource and scope ---- */

static void read_resource(struct reading *reading, struct json_reader *reader,
                          struct otlp_resource *out)
{
    struct otlp_build build = {reading->sink->resource_arena, &out->fault, "resource.attributes",
                               0};
    struct slice key;
    if (!json_object_begin(reader)) {
        if (!json_null(reader)) {
            json_skip(reader, NULL);
            otlp_build_fail(&build, "not of the right type");
        }
        return;
    }
    while (json_object_next(reader, &key)) {
        if (slice_is(key, "attributes")) {
            otlp_json_attributes(&build, reader, &out->attributes);
        } else {
            json_skip(reader, NULL);
        }
    }
}

static void read_scope(struct reading *reading, struct json_reader *reader, struct otlp_scope *out)
{
    struct otlp_build build = {reading->sink->scope_arena, &out->fault, "scope", 0};
    struct slice key;
    if (!json_object_begin(reader)) {
        if (!json_null(reader)) {
            json_skip(reader, NULL);
            otlp_build_fail(&build, "not of the right type");
        }
        return;
    }
    while (json_object_next(reader, &key)) {
        if (slice_is(key, "name")) {
            otlp_json_text(&build, reader, &out->name);
        } else if (slice_is(key, "version")) {
            otlp_json_text(&build, reader, &out->version);
        } else if (slice_is(key, "attributes")) {
            otlp_json_attributes(&build, reader, &out->attributes);
        } else {
            json_skip(reader, NULL);
        }
    }
}

/* ---- spans ---- */

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
            otlp_json_text(build, reader, &out->name);
        } else if (slice_is(key, "timeUnixNano")) {
            otlp_json_time(build, reader, &out->time_ns);
        } else if (slice_is(key, "attributes")) {
            otlp_json_attributes(build, reader, &out->attributes);
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
        } else if (slice_is(key, "attributes")) {
            otlp_json_attributes(build, reader, &out->attributes);
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
            otlp_json_text(build, reader, &out->status_message);
        } else {
            json_skip(reader, NULL);
        }
    }
}

enum span_field {
    SPAN_TRACE_ID,
    SPAN_ID,
    SPAN_PARENT_ID,
    SPAN_NAME,
    SPAN_START,
    SPAN_END,
    SPAN_ATTRIBUTES,
    SPAN_EVENTS,
    SPAN_LINKS,
    SPAN_STATUS,
    SPAN_FIELD_COUNT,
};

static const char *const span_fields[SPAN_FIELD_COUNT] = {
    "traceId",         "spanId",     "parentSpanId", "name",  "startTimeUnixNano",
    "endTimeUnixNano", "attributes", "events",       "links", "status",
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
    case SPAN_NAME:
        otlp_json_text(build, reader, &out->name);
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
    case SPAN_FIELD_COUNT:
        json_skip(reader, NULL);
        break;
    }
}

static void read_span(struct arena *arena, struct json_reader *reader, struct otlp_span *out)
{
    struct otlp_build build = {arena, &out->fault, "", 0};
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

static void read_spans(struct reading *reading, struct json_reader *reader)
{
    const struct otlp_sink *sink = reading->sink;
    if (!json_array_begin(reader)) {
        if (!json_null(reader)) {
            fail(reading, ERR_INVALID, "spans: not an array");
        }
        return;
    }
    while (!is_over(reading, reader) && json_array_next(reader)) {
        struct otlp_span span;
        arena_reset(sink->span_arena);
        read_span(sink->span_arena, reader, &span);
        const char *full = json_failed(reader) ? NULL : sink->on_span(sink->context, &span);
        if (full != NULL) {
            fail(reading, ERR_TOO_LARGE, full);
        }
    }
}

/* ---- the way to the spans ---- */

/* One of the two levels around spans: what its members are called and do. */
struct level {
    const char *wrong;                 /* of a list that is none */
    const char *about, *inner;         /* members: what counts for all, and the list inside */
    const char *old_about, *old_inner; /* as they were called before OTLP 0.15; NULL: no other */
    void (*read_about)(struct reading *reading, struct json_reader *reader);
    void (*read_inner)(struct reading *reading, struct json_reader *reader);
};

static void take_resource(struct reading *reading, struct json_reader *reader)
{
    struct otlp_resource resource;
    memset(&resource, 0, sizeof(resource));
    arena_reset(reading->sink->resource_arena);
    if (reader != NULL) {
        read_resource(reading, reader, &resource);
    }
    reading->sink->on_resource(reading->sink->context, &resource);
}

static void take_scope(struct reading *reading, struct json_reader *reader)
{
    struct otlp_scope scope;
    memset(&scope, 0, sizeof(scope));
    arena_reset(reading->sink->scope_arena);
    if (reader != NULL) {
        read_scope(reading, reader, &scope);
    }
    reading->sink->on_scope(reading->sink->context, &scope);
}

static void read_scope_list(struct reading *reading, struct json_reader *reader);

static const struct level scope_level = {
    "scopeSpans: not an array",
    "scope",
    "spans",
    "instrumentationLibrary",
    NULL,
    take_scope,
    read_spans,
};

static const struct level resource_level = {
    "resourceSpans: not an array", "resource",    "scopeSpans",    NULL,
    "instrumentationLibrarySpans", take_resource, read_scope_list,
};

static bool is_name(struct slice key, const char *name, const char *old)
{
    return slice_is(key, name) || (old != NULL && slice_is(key, old));
}

/* The list that came before what counts for it: it has been skipped, so it is valid. */
static void read_late(struct reading *reading, const struct level *level, struct slice raw)
{
    struct json_reader late;
    json_reader_init(&late, (char *)raw.data, raw.len, reading->max_depth, reading->scratch);
    level->read_inner(reading, &late);
}

static void read_level(struct reading *reading, struct json_reader *reader,
                       const struct level *level)
{
    struct slice key;
    struct slice raw = {NULL, 0};
    bool about = false;
    if (!json_object_begin(reader)) {
        fail(reading, ERR_INVALID, "resourceSpans and scopeSpans must be arrays of objects");
        return;
    }
    while (!is_over(reading, reader) && json_object_next(reader, &key)) {
        if (is_name(key, level->about, level->old_about)) {
            level->read_about(reading, reader);
            about = true;
        } else if (!is_name(key, level->inner, level->old_inner)) {
            json_skip(reader, NULL);
        } else if (about) {
            level->read_inner(reading, reader);
        } else {
            json_skip(reader, &raw);
        }
    }
    if (raw.len > 0 && !is_over(reading, reader)) {
        if (!about) {
            level->read_about(reading, NULL);
        }
        read_late(reading, level, raw);
    }
}

static void read_levels(struct reading *reading, struct json_reader *reader,
                        const struct level *level)
{
    if (!json_array_begin(reader)) {
        if (!json_null(reader)) {
            fail(reading, ERR_INVALID, level->wrong);
        }
        return;
    }
    while (!is_over(reading, reader) && json_array_next(reader)) {
        read_level(reading, reader, level);
    }
}

static void read_scope_list(struct reading *reading, struct json_reader *reader)
{
    read_levels(reading, reader, &scope_level);
}

static void read_body(struct reading *reading, struct json_reader *reader)
{
    struct slice key;
    bool found = false;
    bool other = false;
    while (!is_over(reading, reader) && json_object_next(reader, &key)) {
        if (slice_is(key, "resourceSpans")) {
            found = true;
            read_levels(reading, reader, &resource_level);
        } else {
            other = true;
            json_skip(reader, NULL);
        }
    }
    /* Logs, metrics or something else would be lost in silence. */
    if (other && !found && !json_failed(reader)) {
        fail(reading, ERR_INVALID, "not a trace export: there is no resourceSpans");
    }
}

enum err otlp_json_read(char *body, size_t len, uint32_t max_depth, struct arena *scratch,
                        const struct otlp_sink *sink, struct error *error)
{
    struct json_reader reader;
    struct reading reading = {sink, scratch, error, max_depth, ERR_OK};
    json_reader_init(&reader, body, len, max_depth, scratch);
    if (json_object_begin(&reader)) {
        read_body(&reading, &reader);
        if (reading.err != ERR_OK && !json_failed(&reader)) {
            return reading.err;
        }
        return json_end(&reader, error);
    }
    json_skip(&reader, NULL);
    enum err err = json_end(&reader, error);
    return err != ERR_OK ? err : error_set(error, ERR_INVALID, "the body is not an object");
}
