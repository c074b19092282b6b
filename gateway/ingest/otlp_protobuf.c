#include "gateway/ingest/otlp_protobuf.h"

#include <string.h>

#include "gateway/ingest/otlp_build.h"
#include "gateway/ingest/otlp_wire.h"

static const char broken[] = "broken protobuf";

/* A field of another wire type than its number says. */
static bool is_type(struct otlp_build *build, const struct wire_field *field, enum wire_type type)
{
    if (field->type == type) {
        return true;
    }
    otlp_build_fail(build, "not of the right type");
    return false;
}

static bool take_text(struct otlp_build *build, const struct wire_field *field, struct slice *out)
{
    if (!is_type(build, field, WIRE_BYTES)) {
        return false;
    }
    *out = otlp_build_text(build, field->bytes);
    return true;
}

static void check_whole(struct otlp_build *build, const struct wire *wire)
{
    if (wire->broken) {
        otlp_build_fail(build, broken);
    }
}

/* ---- values ---- */

static void read_any(struct otlp_build *build, struct slice message, uint32_t depth,
                     struct any *out);

static void read_attribute(struct otlp_build *build, struct slice message, uint32_t depth,
                           struct attribute *out)
{
    struct wire wire = wire_from(message);
    struct wire_field field;
    while (wire_next(&wire, &field)) {
        if (field.number == 1) {
            take_text(build, &field, &out->key);
        } else if (field.number == 2 && is_type(build, &field, WIRE_BYTES)) {
            read_any(build, field.bytes, depth, &out->value);
        }
    }
    check_whole(build, &wire);
}

/* ArrayValue and KeyValueList are both a repeated field 1. */
static void read_elements(struct otlp_build *build, struct slice message, uint32_t depth,
                          struct any *out)
{
    struct otlp_list list = {NULL, 0, 0};
    struct wire wire = wire_from(message);
    struct wire_field field;
    bool map = out->type == ANY_MAP;
    if (!otlp_build_depth(build, depth)) {
        return;
    }
    while (wire_next(&wire, &field)) {
        if (field.number != 1) {
            continue;
        }
        if (!is_type(build, &field, WIRE_BYTES) || !otlp_build_count(build)) {
            return;
        }
        if (map) {
            read_attribute(build, field.bytes, depth + 1,
                           otlp_list_add(&list, sizeof(struct attribute), build->arena));
        } else {
            read_any(build, field.bytes, depth + 1,
                     otlp_list_add(&list, sizeof(struct any), build->arena));
        }
    }
    check_whole(build, &wire);
    out->count = list.count;
    if (map) {
        out->members = list.items;
    } else {
        out->elements = list.items;
    }
}

static const enum wire_type any_wire_types[] = {
    [1] = WIRE_BYTES, [2] = WIRE_VARINT, [3] = WIRE_VARINT, [4] = WIRE_FIXED64,
    [5] = WIRE_BYTES, [6] = WIRE_BYTES,  [7] = WIRE_BYTES,
};

static void set_any(struct otlp_build *build, const struct wire_field *field, uint32_t depth,
                    struct any *out)
{
    memset(out, 0, sizeof(*out));
    switch (field->number) {
    case 1:
        out->type = ANY_STRING;
        out->text = otlp_build_text(build, field->bytes);
        break;
    case 2:
        out->type = ANY_BOOL;
        out->boolean = field->integer != 0;
        break;
    case 3:
        out->type = ANY_INT;
        out->integer = (int64_t)field->integer;
        break;
    case 4:
        out->type = ANY_DOUBLE;
        memcpy(&out->real, &field->integer, sizeof(out->real));
        break;
    case 5:
    case 6:
        out->type = field->number == 5 ? ANY_ARRAY : ANY_MAP;
        read_elements(build, field->bytes, depth, out);
        break;
    default:
        out->type = ANY_STRING;
        out->text = otlp_build_base64(build, field->bytes);
        break;
    }
}

/* A value is one of its fields; of several the last counts. */
static void read_any(struct otlp_build *build, struct slice message, uint32_t depth,
                     struct any *out)
{
    struct wire wire = wire_from(message);
    struct wire_field field;
    while (wire_next(&wire, &field)) {
        if (field.number <= 7 && is_type(build, &field, any_wire_types[field.number])) {
            set_any(build, &field, depth, out);
        }
    }
    check_whole(build, &wire);
}

static void add_attribute(struct otlp_build *build, const struct wire_field *field,
                          struct otlp_list *list)
{
    if (is_type(build, field, WIRE_BYTES) && otlp_build_count(build)) {
        read_attribute(build, field->bytes, 0,
                       otlp_list_add(list, sizeof(struct attribute), build->arena));
    }
}

static struct attributes attributes_of(const struct otlp_list *list)
{
    return (struct attributes){list->items, list->count};
}

/* ---- resource and scope ---- */

static void read_resource(struct arena *arena, struct slice message, struct otlp_resource *out)
{
    struct otlp_build build = {arena, &out->fault, "resource.attributes", 0};
    struct otlp_list attributes = {NULL, 0, 0};
    struct wire wire = wire_from(message);
    struct wire_field field;
    while (wire_next(&wire, &field)) {
        if (field.number == 1) {
            add_attribute(&build, &field, &attributes);
        }
    }
    check_whole(&build, &wire);
    out->attributes = attributes_of(&attributes);
}

static void read_scope(struct arena *arena, struct slice message, struct otlp_scope *out)
{
    struct otlp_build build = {arena, &out->fault, "scope", 0};
    struct otlp_list attributes = {NULL, 0, 0};
    struct wire wire = wire_from(message);
    struct wire_field field;
    while (wire_next(&wire, &field)) {
        switch (field.number) {
        case 1:
            take_text(&build, &field, &out->name);
            break;
        case 2:
            take_text(&build, &field, &out->version);
            break;
        case 3:
            add_attribute(&build, &field, &attributes);
            break;
        default:
            break;
        }
    }
    check_whole(&build, &wire);
    out->attributes = attributes_of(&attributes);
}

/* ---- spans ---- */

static void read_event(struct otlp_build *build, struct slice message, struct otlp_event *out)
{
    struct otlp_list attributes = {NULL, 0, 0};
    struct wire wire = wire_from(message);
    struct wire_field field;
    while (wire_next(&wire, &field)) {
        if (field.number == 1 && is_type(build, &field, WIRE_FIXED64)) {
            out->time_ns = field.integer;
        } else if (field.number == 2) {
            take_text(build, &field, &out->name);
        } else if (field.number == 3) {
            add_attribute(build, &field, &attributes);
        }
    }
    check_whole(build, &wire);
    out->attributes = attributes_of(&attributes);
}

static void take_id(struct otlp_build *build, const struct wire_field *field, size_t size, char *id)
{
    if (is_type(build, field, WIRE_BYTES)) {
        otlp_build_id(build, field->bytes, size, id);
    }
}

static void read_link(struct otlp_build *build, struct slice message, struct otlp_link *out)
{
    struct otlp_list attributes = {NULL, 0, 0};
    struct wire wire = wire_from(message);
    struct wire_field field;
    while (wire_next(&wire, &field)) {
        if (field.number == 1) {
            take_id(build, &field, OTLP_TRACE_ID_SIZE / 2, out->trace_id);
        } else if (field.number == 2) {
            take_id(build, &field, OTLP_SPAN_ID_SIZE / 2, out->span_id);
        } else if (field.number == 4) {
            add_attribute(build, &field, &attributes);
        }
    }
    check_whole(build, &wire);
    out->attributes = attributes_of(&attributes);
}

static void read_status(struct otlp_build *build, struct slice message, struct otlp_span *out)
{
    struct wire wire = wire_from(message);
    struct wire_field field;
    while (wire_next(&wire, &field)) {
        if (field.number == 2) {
            take_text(build, &field, &out->status_message);
        } else if (field.number == 3 && is_type(build, &field, WIRE_VARINT)) {
            out->status_code = field.integer == OTLP_STATUS_ERROR ? OTLP_STATUS_ERROR : 0;
        }
    }
    check_whole(build, &wire);
}

/* The lists of a span while it is read. */
struct span_lists {
    struct otlp_list attributes;
    struct otlp_list events;
    struct otlp_list links;
};

static const struct {
    const char *name;
    enum wire_type type;
} span_fields[] = {
    [1] = {"traceId", WIRE_BYTES},
    [2] = {"spanId", WIRE_BYTES},
    [4] = {"parentSpanId", WIRE_BYTES},
    [5] = {"name", WIRE_BYTES},
    [7] = {"startTimeUnixNano", WIRE_FIXED64},
    [8] = {"endTimeUnixNano", WIRE_FIXED64},
    [9] = {"attributes", WIRE_BYTES},
    [11] = {"events", WIRE_BYTES},
    [13] = {"links", WIRE_BYTES},
    [15] = {"status", WIRE_BYTES},
};

static void read_span_field(struct otlp_build *build, const struct wire_field *field,
                            struct otlp_span *out, struct span_lists *lists)
{
    switch (field->number) {
    case 1:
        otlp_build_id(build, field->bytes, OTLP_TRACE_ID_SIZE / 2, out->trace_id);
        break;
    case 2:
        otlp_build_id(build, field->bytes, OTLP_SPAN_ID_SIZE / 2, out->span_id);
        break;
    case 4:
        otlp_build_id(build, field->bytes, OTLP_SPAN_ID_SIZE / 2, out->parent_id);
        break;
    case 5:
        out->name = otlp_build_text(build, field->bytes);
        break;
    case 7:
        out->start_ns = field->integer;
        break;
    case 8:
        out->end_ns = field->integer;
        break;
    case 9:
        add_attribute(build, field, &lists->attributes);
        break;
    case 11:
        if (otlp_build_count(build)) {
            read_event(build, field->bytes,
                       otlp_list_add(&lists->events, sizeof(struct otlp_event), build->arena));
        }
        break;
    case 13:
        if (otlp_build_count(build)) {
            read_link(build, field->bytes,
                      otlp_list_add(&lists->links, sizeof(struct otlp_link), build->arena));
        }
        break;
    default:
        read_status(build, field->bytes, out);
        break;
    }
}

static void read_span(struct arena *arena, struct slice message, struct otlp_span *out)
{
    struct otlp_build build = {arena, &out->fault, NULL, 0};
    struct span_lists lists = {{NULL, 0, 0}, {NULL, 0, 0}, {NULL, 0, 0}};
    struct wire wire = wire_from(message);
    struct wire_field field;
    memset(out, 0, sizeof(*out));
    while (wire_next(&wire, &field)) {
        bool known = field.number < sizeof(span_fields) / sizeof(span_fields[0]) &&
                     span_fields[field.number].name != NULL;
        if (!known) {
            continue;
        }
        build.field = span_fields[field.number].name;
        if (is_type(&build, &field, span_fields[field.number].type)) {
            read_span_field(&build, &field, out, &lists);
        }
    }
    build.field = "";
    check_whole(&build, &wire);
    out->attributes = attributes_of(&lists.attributes);
    out->events = lists.events.items;
    out->event_count = lists.events.count;
    out->links = lists.links.items;
    out->link_count = lists.links.count;
}

/* ---- the message ---- */

static enum err fail(struct error *error, const char *what)
{
    return error_set(error, ERR_INVALID, "invalid protobuf: %s", what);
}

/* Calls of a message's one kind of submessage. ERR_INVALID: the message is broken. */
static enum err last_of(struct slice message, uint32_t number, struct slice *out,
                        struct error *error)
{
    struct wire wire = wire_from(message);
    struct wire_field field;
    *out = (struct slice){NULL, 0};
    while (wire_next(&wire, &field)) {
        if (field.number == number) {
            if (field.type != WIRE_BYTES) {
                return fail(error, "a field has another type than it must have");
            }
            *out = field.bytes;
        }
    }
    return wire.broken ? fail(error, "cut off, or not a trace export") : ERR_OK;
}

typedef enum err (*read_message)(struct slice message, const struct otlp_sink *sink,
                                 struct error *error);

/* message is whole: last_of has been through it. */
static enum err each_of(struct slice message, uint32_t number, read_message read,
                        const struct otlp_sink *sink, struct error *error)
{
    struct wire wire = wire_from(message);
    struct wire_field field;
    enum err err = ERR_OK;
    while (err == ERR_OK && wire_next(&wire, &field)) {
        if (field.number != number) {
            continue;
        }
        if (field.type != WIRE_BYTES) {
            return fail(error, "a field has another type than it must have");
        }
        err = read(field.bytes, sink, error);
    }
    return err;
}

static enum err take_span(struct slice message, const struct otlp_sink *sink, struct error *error)
{
    struct otlp_span span;
    arena_reset(sink->span_arena);
    read_span(sink->span_arena, message, &span);
    const char *full = sink->on_span(sink->context, &span);
    return full == NULL ? ERR_OK : error_set(error, ERR_TOO_LARGE, "%s", full);
}

/* The scope counts for all spans beside it, wherever it stands. */
static enum err take_scope_spans(struct slice message, const struct otlp_sink *sink,
                                 struct error *error)
{
    struct otlp_scope scope;
    struct slice raw;
    enum err err = last_of(message, 1, &raw, error);
    if (err != ERR_OK) {
        return err;
    }
    memset(&scope, 0, sizeof(scope));
    arena_reset(sink->scope_arena);
    read_scope(sink->scope_arena, raw, &scope);
    sink->on_scope(sink->context, &scope);
    return each_of(message, 2, take_span, sink, error);
}

static enum err take_resource_spans(struct slice message, const struct otlp_sink *sink,
                                    struct error *error)
{
    struct otlp_resource resource;
    struct slice raw;
    enum err err = last_of(message, 1, &raw, error);
    if (err != ERR_OK) {
        return err;
    }
    memset(&resource, 0, sizeof(resource));
    arena_reset(sink->resource_arena);
    read_resource(sink->resource_arena, raw, &resource);
    sink->on_resource(sink->context, &resource);
    return each_of(message, 2, take_scope_spans, sink, error);
}

enum err otlp_protobuf_read(struct slice body, const struct otlp_sink *sink, struct error *error)
{
    struct slice unused;
    enum err err = last_of(body, 1, &unused, error);
    return err != ERR_OK ? err : each_of(body, 1, take_resource_spans, sink, error);
}
