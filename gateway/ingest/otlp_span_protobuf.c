/* A Span in protobuf -> struct otlp_span. */
#include <string.h>

#include "gateway/ingest/otlp_protobuf_value.h"
#include "gateway/ingest/otlp_signal.h"

static void read_event(struct otlp_build *build, struct slice message, struct otlp_event *out)
{
    struct otlp_list attributes = {NULL, 0, 0};
    struct wire wire = wire_from(message);
    struct wire_field field;
    while (wire_next(&wire, &field)) {
        switch (field.number) {
        case 1:
            otlp_protobuf_number(build, &field, WIRE_FIXED64, &out->time_ns);
            break;
        case 2:
            otlp_protobuf_text(build, &field, &out->name);
            break;
        case 3:
            otlp_protobuf_attribute(build, &field, &attributes);
            break;
        case 4:
            otlp_protobuf_count(build, &field, &out->dropped_attributes);
            break;
        default:
            break;
        }
    }
    otlp_protobuf_end(build, &wire);
    out->attributes = otlp_list_attributes(&attributes);
}

static void read_flags(struct otlp_build *build, const struct wire_field *field, uint32_t *out)
{
    if (otlp_protobuf_is(build, field, WIRE_FIXED32)) {
        *out = (uint32_t)field->integer;
    }
}

static void read_link(struct otlp_build *build, struct slice message, struct otlp_link *out)
{
    struct otlp_list attributes = {NULL, 0, 0};
    struct wire wire = wire_from(message);
    struct wire_field field;
    while (wire_next(&wire, &field)) {
        switch (field.number) {
        case 1:
            otlp_protobuf_id(build, &field, OTLP_TRACE_ID_SIZE / 2, out->trace_id);
            break;
        case 2:
            otlp_protobuf_id(build, &field, OTLP_SPAN_ID_SIZE / 2, out->span_id);
            break;
        case 3:
            otlp_protobuf_text(build, &field, &out->trace_state);
            break;
        case 4:
            otlp_protobuf_attribute(build, &field, &attributes);
            break;
        case 5:
            otlp_protobuf_count(build, &field, &out->dropped_attributes);
            break;
        case 6:
            read_flags(build, &field, &out->flags);
            break;
        default:
            break;
        }
    }
    otlp_protobuf_end(build, &wire);
    out->attributes = otlp_list_attributes(&attributes);
}

static void read_status(struct otlp_build *build, struct slice message, struct otlp_span *out)
{
    struct wire wire = wire_from(message);
    struct wire_field field;
    while (wire_next(&wire, &field)) {
        if (field.number == 2) {
            otlp_protobuf_text(build, &field, &out->status_message);
        } else if (field.number == 3 && otlp_protobuf_is(build, &field, WIRE_VARINT)) {
            out->status_code = field.integer == OTLP_STATUS_ERROR ? OTLP_STATUS_ERROR : 0;
        }
    }
    otlp_protobuf_end(build, &wire);
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
    [3] = {"traceState", WIRE_BYTES},
    [4] = {"parentSpanId", WIRE_BYTES},
    [5] = {"name", WIRE_BYTES},
    [6] = {"kind", WIRE_VARINT},
    [7] = {"startTimeUnixNano", WIRE_FIXED64},
    [8] = {"endTimeUnixNano", WIRE_FIXED64},
    [9] = {"attributes", WIRE_BYTES},
    [10] = {"droppedAttributesCount", WIRE_VARINT},
    [11] = {"events", WIRE_BYTES},
    [12] = {"droppedEventsCount", WIRE_VARINT},
    [13] = {"links", WIRE_BYTES},
    [14] = {"droppedLinksCount", WIRE_VARINT},
    [15] = {"status", WIRE_BYTES},
    [16] = {"flags", WIRE_FIXED32},
};

static void read_lists(struct otlp_build *build, const struct wire_field *field,
                       struct span_lists *lists)
{
    if (field->number == 9) {
        otlp_protobuf_attribute(build, field, &lists->attributes);
    } else if (!otlp_build_count(build)) {
        return;
    } else if (field->number == 11) {
        read_event(build, field->bytes,
                   otlp_list_add(&lists->events, sizeof(struct otlp_event), build->arena));
    } else {
        read_link(build, field->bytes,
                  otlp_list_add(&lists->links, sizeof(struct otlp_link), build->arena));
    }
}

/* The type has been looked at. */
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
    case 3:
        out->trace_state = otlp_build_text(build, field->bytes);
        break;
    case 4:
        otlp_build_id(build, field->bytes, OTLP_SPAN_ID_SIZE / 2, out->parent_id);
        break;
    case 5:
        out->name = otlp_build_text(build, field->bytes);
        break;
    case 6:
        out->kind = field->integer < OTLP_KIND_COUNT ? (enum otlp_kind)field->integer
                                                     : OTLP_KIND_UNSPECIFIED;
        break;
    case 7:
        out->start_ns = field->integer;
        break;
    case 8:
        out->end_ns = field->integer;
        break;
    case 10:
        out->dropped_attributes = (uint32_t)field->integer;
        break;
    case 12:
        out->dropped_events = (uint32_t)field->integer;
        break;
    case 14:
        out->dropped_links = (uint32_t)field->integer;
        break;
    case 15:
        read_status(build, field->bytes, out);
        break;
    case 16:
        out->flags = (uint32_t)field->integer;
        break;
    default:
        read_lists(build, field, lists);
        break;
    }
}

static void read_span(struct arena *arena, struct slice message, struct otlp_span *out)
{
    struct otlp_build build = {arena, &out->fault, NULL, 0, 0};
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
        if (otlp_protobuf_is(&build, &field, span_fields[field.number].type)) {
            read_span_field(&build, &field, out, &lists);
        }
    }
    build.field = "";
    otlp_protobuf_end(&build, &wire);
    out->attributes = otlp_list_attributes(&lists.attributes);
    out->events = lists.events.items;
    out->event_count = lists.events.count;
    out->links = lists.links.items;
    out->link_count = lists.links.count;
}

const char *otlp_span_read_protobuf(const struct otlp_sink *sink, struct slice message)
{
    struct otlp_span span;
    arena_reset(sink->item_arena);
    read_span(sink->item_arena, message, &span);
    return sink->on_span(sink->context, &span);
}
