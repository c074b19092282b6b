#include "gateway/ingest/otlp_protobuf.h"

#include <string.h>

#include "gateway/ingest/otlp_protobuf_fields.h"
#include "gateway/ingest/otlp_wire.h"

struct reading {
    const struct otlp_signal *signal;
    const struct otlp_sink *sink;
    struct error *error;
};

static enum err fail_type(const struct reading *reading)
{
    return error_set(reading->error, ERR_INVALID,
                     "invalid protobuf: a field has another type than it must have");
}

/* The last of a message's submessages of one number. ERR_INVALID: the message is broken. */
static enum err last_of(const struct reading *reading, struct slice message, uint32_t number,
                        struct slice *out)
{
    struct wire wire = wire_from(message);
    struct wire_field field;
    *out = (struct slice){NULL, 0};
    while (wire_next(&wire, &field)) {
        if (field.number == number) {
            if (field.type != WIRE_BYTES) {
                return fail_type(reading);
            }
            *out = field.bytes;
        }
    }
    return wire.broken ? error_set(reading->error, ERR_INVALID,
                                   "invalid protobuf: cut off, or not %s", reading->signal->what)
                       : ERR_OK;
}

typedef enum err (*read_message)(const struct reading *reading, struct slice message);

/* message is whole: last_of has been through it. */
static enum err each_of(const struct reading *reading, struct slice message, uint32_t number,
                        read_message read)
{
    struct wire wire = wire_from(message);
    struct wire_field field;
    enum err err = ERR_OK;
    while (err == ERR_OK && wire_next(&wire, &field)) {
        if (field.number != number) {
            continue;
        }
        if (field.type != WIRE_BYTES) {
            return fail_type(reading);
        }
        err = read(reading, field.bytes);
    }
    return err;
}

static enum err take_item(const struct reading *reading, struct slice message)
{
    const char *full = reading->signal->read_protobuf(reading->sink, message);
    return full == NULL ? ERR_OK : error_set(reading->error, ERR_TOO_LARGE, "%s", full);
}

/* The scope counts for all items beside it, wherever it stands. */
static enum err take_scope(const struct reading *reading, struct slice message)
{
    const struct otlp_sink *sink = reading->sink;
    struct otlp_scope scope;
    struct slice raw;
    enum err err = last_of(reading, message, 1, &raw);
    if (err != ERR_OK) {
        return err;
    }
    memset(&scope, 0, sizeof(scope));
    arena_reset(sink->scope_arena);
    struct otlp_build build = {sink->scope_arena, &scope.fault, "scope", 0, 0};
    otlp_protobuf_message(&build, raw, &otlp_scope_message, &scope);
    sink->on_scope(sink->context, &scope);
    return each_of(reading, message, 2, take_item);
}

static enum err take_resource(const struct reading *reading, struct slice message)
{
    const struct otlp_sink *sink = reading->sink;
    struct otlp_resource resource;
    struct slice raw;
    enum err err = last_of(reading, message, 1, &raw);
    if (err != ERR_OK) {
        return err;
    }
    memset(&resource, 0, sizeof(resource));
    arena_reset(sink->resource_arena);
    struct otlp_build build = {sink->resource_arena, &resource.fault, "resource.attributes", 0, 0};
    otlp_protobuf_message(&build, raw, &otlp_resource_message, &resource);
    sink->on_resource(sink->context, &resource);
    return each_of(reading, message, 2, take_scope);
}

enum err otlp_protobuf_read(const struct otlp_signal *signal, struct slice body,
                            const struct otlp_sink *sink, struct error *error)
{
    struct reading reading = {signal, sink, error};
    struct slice unused;
    enum err err = last_of(&reading, body, 1, &unused);
    return err != ERR_OK ? err : each_of(&reading, body, 1, take_resource);
}
