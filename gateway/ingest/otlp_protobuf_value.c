#include "gateway/ingest/otlp_protobuf_value.h"

#include <string.h>

bool otlp_protobuf_is(struct otlp_build *build, const struct wire_field *field, enum wire_type type)
{
    if (field->type == type) {
        return true;
    }
    otlp_build_fail(build, "not of the right type");
    return false;
}

void otlp_protobuf_end(struct otlp_build *build, const struct wire *wire)
{
    if (wire->broken) {
        otlp_build_fail(build, "broken protobuf");
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
        if (field.number == 1 && otlp_protobuf_is(build, &field, WIRE_BYTES)) {
            out->key = otlp_build_text(build, field.bytes);
        } else if (field.number == 2 && otlp_protobuf_is(build, &field, WIRE_BYTES)) {
            read_any(build, field.bytes, depth, &out->value);
        }
    }
    otlp_protobuf_end(build, &wire);
}

static void add_attribute(struct otlp_build *build, struct slice message, uint32_t depth,
                          struct attributes *out)
{
    struct attribute attribute = {.value = {.type = ANY_NULL}};
    read_attribute(build, message, depth, &attribute);
    otlp_build_attribute(build, out, &attribute);
}

/* What ArrayValue and KeyValueList hold, so far. */
struct values {
    OTLP_LIST(struct any) elements;
    struct attributes members;
};

/* Both are a repeated field 1. */
static void read_values(struct otlp_build *build, struct slice message, uint32_t depth,
                        enum any_type type, struct values *out)
{
    struct wire wire = wire_from(message);
    struct wire_field field;
    while (wire_next(&wire, &field)) {
        if (field.number != 1) {
            continue;
        }
        if (!otlp_protobuf_is(build, &field, WIRE_BYTES) || !otlp_build_count(build)) {
            return;
        }
        if (type == ANY_MAP) {
            add_attribute(build, field.bytes, depth, &out->members);
        } else {
            struct any *any = otlp_list_add(&out->elements, sizeof(*any), build->arena);
            read_any(build, field.bytes, depth, any);
        }
    }
    otlp_protobuf_end(build, &wire);
}

/* Too deep inside others they stay the bytes that they are. */
static void read_elements(struct otlp_build *build, struct slice message, uint32_t depth,
                          enum any_type type, struct any *out)
{
    struct values values = {.members = {.count = 0}};
    if (depth == OTLP_DEPTH_MAX) {
        out->type = ANY_STRING;
        out->text = otlp_build_base64(build, message);
        return;
    }
    read_values(build, message, depth + 1, type, &values);
    out->type = type;
    if (type == ANY_MAP) {
        out->members = values.members.list;
        out->count = values.members.count;
    } else {
        out->elements = values.elements.list;
        out->count = values.elements.count;
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
        read_elements(build, field->bytes, depth, field->number == 5 ? ANY_ARRAY : ANY_MAP, out);
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
        if (field.number <= 7 && otlp_protobuf_is(build, &field, any_wire_types[field.number])) {
            set_any(build, &field, depth, out);
        }
    }
    otlp_protobuf_end(build, &wire);
}

void otlp_protobuf_any(struct otlp_build *build, struct slice message, struct any *out)
{
    if (otlp_build_count(build)) {
        read_any(build, message, 0, out);
    }
}

void otlp_protobuf_attribute(struct otlp_build *build, struct slice message, struct attributes *out)
{
    if (otlp_build_count(build)) {
        add_attribute(build, message, 0, out);
    }
}
