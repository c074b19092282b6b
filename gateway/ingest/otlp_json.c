#include "gateway/ingest/otlp_json.h"

#include <string.h>

#include "gateway/ingest/otlp_json_fields.h"

struct reading;

/* One of the two levels around items: what its members are called and do. */
struct level {
    const char *list;                  /* the list of it */
    const char *about, *inner;         /* members: what counts for all, and the list inside */
    const char *old_about, *old_inner; /* as they were called before OTLP 0.15; NULL: no other */
    void (*read_about)(struct reading *reading, struct json_reader *reader);
    void (*read_inner)(struct reading *reading, struct json_reader *reader);
};

struct reading {
    const struct otlp_signal *signal;
    struct level resource_level;
    struct level scope_level;
    const struct otlp_sink *sink;
    struct arena *scratch;
    struct error *error;
    uint32_t max_depth;
    enum err err; /* of what is not JSON's fault; once set, reading ends */
};

static void fail_list(struct reading *reading, const char *list)
{
    if (reading->err == ERR_OK) {
        reading->err = error_set(reading->error, ERR_INVALID, "%s: not an array", list);
    }
}

static bool is_over(const struct reading *reading, const struct json_reader *reader)
{
    return reading->err != ERR_OK || json_failed(reader);
}

/* ---- items ---- */

static void read_items(struct reading *reading, struct json_reader *reader)
{
    if (!json_array_begin(reader)) {
        if (!json_null(reader)) {
            fail_list(reading, reading->signal->items);
        }
        return;
    }
    while (!is_over(reading, reader) && json_array_next(reader)) {
        const char *full = reading->signal->read_json(reading->sink, reader);
        if (full != NULL && !json_failed(reader)) {
            reading->err = error_set(reading->error, ERR_TOO_LARGE, "%s", full);
        }
    }
}

/* ---- the way to the items ---- */

/* A resource or scope; its faults go by one name. */
static void read_about(struct arena *arena, struct json_reader *reader,
                       const struct otlp_message *message, void *record, struct otlp_fault *fault,
                       const char *name)
{
    struct otlp_build build = {arena, fault, name, 0, 0};
    otlp_json_message(&build, reader, message, record);
}

static void take_resource(struct reading *reading, struct json_reader *reader)
{
    struct otlp_resource resource;
    memset(&resource, 0, sizeof(resource));
    arena_reset(reading->sink->resource_arena);
    if (reader != NULL) {
        read_about(reading->sink->resource_arena, reader, &otlp_resource_message, &resource,
                   &resource.fault, "resource.attributes");
    }
    reading->sink->on_resource(reading->sink->context, &resource);
}

static void take_scope(struct reading *reading, struct json_reader *reader)
{
    struct otlp_scope scope;
    memset(&scope, 0, sizeof(scope));
    arena_reset(reading->sink->scope_arena);
    if (reader != NULL) {
        read_about(reading->sink->scope_arena, reader, &otlp_scope_message, &scope, &scope.fault,
                   "scope");
    }
    reading->sink->on_scope(reading->sink->context, &scope);
}

static bool is_name(struct slice key, const char *name, const char *old)
{
    return slice_is(key, name) || (old != NULL && slice_is(key, old));
}

/* The list that came before what counts for it: it has been skipped, so it is valid. */
static void read_late(struct reading *reading, const struct level *level, struct slice raw)
{
    struct json_reader late;
    json_reader_init(&late, (char *)raw.data, raw.len, reading->max_depth, reading->scratch);
    json_be_lenient(&late);
    level->read_inner(reading, &late);
}

static void fail_elements(struct reading *reading)
{
    if (reading->err == ERR_OK) {
        reading->err = error_set(reading->error, ERR_INVALID, "%s and %s must be arrays of objects",
                                 reading->signal->resources, reading->signal->scopes);
    }
}

static void read_level(struct reading *reading, struct json_reader *reader,
                       const struct level *level)
{
    struct slice key;
    struct slice raw = {NULL, 0};
    bool about = false;
    if (!json_object_begin(reader)) {
        fail_elements(reading);
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
            fail_list(reading, level->list);
        }
        return;
    }
    while (!is_over(reading, reader) && json_array_next(reader)) {
        read_level(reading, reader, level);
    }
}

static void read_scopes(struct reading *reading, struct json_reader *reader)
{
    read_levels(reading, reader, &reading->scope_level);
}

static void read_body(struct reading *reading, struct json_reader *reader)
{
    struct slice key;
    bool found = false;
    bool other = false;
    while (!is_over(reading, reader) && json_object_next(reader, &key)) {
        if (slice_is(key, reading->signal->resources)) {
            found = true;
            read_levels(reading, reader, &reading->resource_level);
        } else {
            other = true;
            json_skip(reader, NULL);
        }
    }
    /* Another signal would be lost in silence. */
    if (other && !found && !json_failed(reader) && reading->err == ERR_OK) {
        reading->err = error_set(reading->error, ERR_INVALID, "not %s: there is no %s",
                                 reading->signal->what, reading->signal->resources);
    }
}

enum err otlp_json_read(const struct otlp_signal *signal, char *body, size_t len,
                        uint32_t max_depth, struct arena *scratch, const struct otlp_sink *sink,
                        struct error *error)
{
    struct json_reader reader;
    struct reading reading = {
        .signal = signal,
        .resource_level = {signal->resources, "resource", signal->scopes, NULL, signal->old_scopes,
                           take_resource, read_scopes},
        .scope_level = {signal->scopes, "scope", signal->items, "instrumentationLibrary", NULL,
                        take_scope, read_items},
        .sink = sink,
        .scratch = scratch,
        .error = error,
        .max_depth = max_depth,
    };
    json_reader_init(&reader, body, len, max_depth, scratch);
    json_be_lenient(&reader);
    enum err err = json_body_begin(&reader, error);
    if (err != ERR_OK) {
        return err;
    }
    read_body(&reading, &reader);
    return reading.err != ERR_OK && !json_failed(&reader) ? reading.err : json_end(&reader, error);
}
