/* A LogRecord in protobuf -> struct otlp_log. */
#include <string.h>

#include "gateway/ingest/otlp_protobuf_value.h"
#include "gateway/ingest/otlp_signal.h"

static const struct {
    const char *name;
    enum wire_type type;
} log_fields[] = {
    [1] = {"timeUnixNano", WIRE_FIXED64}, [2] = {"severityNumber", WIRE_VARINT},
    [3] = {"severityText", WIRE_BYTES},   [5] = {"body", WIRE_BYTES},
    [6] = {"attributes", WIRE_BYTES},     [7] = {"droppedAttributesCount", WIRE_VARINT},
    [8] = {"flags", WIRE_FIXED32},        [9] = {"traceId", WIRE_BYTES},
    [10] = {"spanId", WIRE_BYTES},        [11] = {"observedTimeUnixNano", WIRE_FIXED64},
    [12] = {"eventName", WIRE_BYTES},
};

/* The type has been looked at. */
static void read_log_field(struct otlp_build *build, const struct wire_field *field,
                           struct otlp_log *out, struct otlp_list *attributes)
{
    switch (field->number) {
    case 1:
        out->time_ns = field->integer;
        break;
    case 2:
        out->severity = (uint32_t)field->integer;
        break;
    case 3:
        out->severity_text = otlp_build_text(build, field->bytes);
        break;
    case 5:
        otlp_protobuf_any(build, field, &out->body);
        break;
    case 6:
        otlp_protobuf_attribute(build, field, attributes);
        break;
    case 7:
        out->dropped_attributes = (uint32_t)field->integer;
        break;
    case 8:
        out->flags = (uint32_t)field->integer;
        break;
    case 9:
        otlp_build_id(build, field->bytes, OTLP_TRACE_ID_SIZE / 2, out->trace_id);
        break;
    case 10:
        otlp_build_id(build, field->bytes, OTLP_SPAN_ID_SIZE / 2, out->span_id);
        break;
    case 11:
        out->observed_ns = field->integer;
        break;
    default:
        out->event_name = otlp_build_text(build, field->bytes);
        break;
    }
}

static void read_log(struct arena *arena, struct slice message, struct otlp_log *out)
{
    struct otlp_build build = {arena, &out->fault, NULL, 0, 0};
    struct otlp_list attributes = {NULL, 0, 0};
    struct wire wire = wire_from(message);
    struct wire_field field;
    memset(out, 0, sizeof(*out));
    while (wire_next(&wire, &field)) {
        bool known = field.number < sizeof(log_fields) / sizeof(log_fields[0]) &&
                     log_fields[field.number].name != NULL;
        if (!known) {
            continue;
        }
        build.field = log_fields[field.number].name;
        if (otlp_protobuf_is(&build, &field, log_fields[field.number].type)) {
            read_log_field(&build, &field, out, &attributes);
        }
    }
    build.field = "";
    otlp_protobuf_end(&build, &wire);
    out->attributes = otlp_list_attributes(&attributes);
}

const char *otlp_log_read_protobuf(const struct otlp_sink *sink, struct slice message)
{
    struct otlp_log log;
    arena_reset(sink->item_arena);
    read_log(sink->item_arena, message, &log);
    return sink->on_log(sink->context, &log);
}
