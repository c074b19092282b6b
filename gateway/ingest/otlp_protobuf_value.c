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

void otlp_protobuf_text(struct otlp_build *build, const struct wire_field *field, struct slice *out)
{
    if (otlp_protobuf_is(build, field, WIRE_BYTES)) {
        *out = otlp_build_text(build, field->bytes);
    }
}

void otlp_protobuf_end(struct otlp_build *build, const struct wire *wire)
{
    if (wire->broken) {
        otlp_build_fail(build, "broken protobuf");
    }
}

void otlp_protobuf_number(struct otlp_build *build, const struct wire_field *field,
                          enum wire_type type, uint64_t *out)
{
    if (otlp_protobuf_is(build, field, type)) {
        *out = field->integer;
    }
}

void otlp_protobuf_count(struct otlp_build *build, const struct wire_field *field, uint32_t *out)
{
    if (otlp_protobuf_is(build, field, WIRE_VARINT)) {
        *out = (uint32_t)field->integer;
    }
}

void otlp_protobuf_double(struct otlp_build *build, const struct wire_field *field, double *out)
{
    if (otlp_protobuf_is(build, field, WIRE_FIXED64)) {
        memcpy(out, &field->integer, sizeof(*out));
    }
}

void otlp_protobuf_id(struct otlp_build *build, const struct wire_field *field, size_t size,
                      char *id)
{
    if (otlp_protobuf_is(build, field, WIRE_BYTES)) {
        otlp_build_id(build, field->bytes, size, id);
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
            otlp_protobuf_text(build, &field, &out->key);
        } else if (field.number == 2 && otlp_protobuf_is(build, &field, WIRE_BYTES)) {
            read_any(build, field.bytes, depth, &out->value);
        }
    }
    otlp_protobuf_end(build, &wire);
}

static void add_attribute(struct otlp_build *build, struct slice message, uint32_t depth,
                          struct otlp_list *list)
{
    read_attribute(build, message, depth,
                   otlp_list_add(list, sizeof(struct attribute), build->arena));
    otlp_build_drop_empty(list);
}

/* ArrayValue and KeyValueList are both a repeated field 1. Too deep inside others they stay the bytes
 * that they are. */
static void read_elements(struct otlp_build *build, struct slice message, uint32_t depth,
                          struct any *out)
{
    struct otlp_list list = {NULL, 0, 0};
    struct wire wire = wire_from(message);
    struct wire_field field;
    bool map = out->type == ANY_MAP;
    if (depth == OTLP_DEPTH_MAX) {
        *out = (struct any){.type = ANY_STRING, .text = otlp_build_base64(build, message)};
        return;
    }
    while (wire_next(&wire, &field)) {
        if (field.number != 1) {
            continue;
        }
        if (!otlp_protobuf_is(build, &field, WIRE_BYTES) || !otlp_build_count(build)) {
            return;
        }
        if (map) {
            add_attribute(build, field.bytes, depth + 1, &list);
        } else {
            read_any(build, field.bytes, depth + 1,
                     otlp_list_add(&list, sizeof(struct any), build->arena));
        }
    }
    otlp_protobuf_end(build, &wire);
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
        if (field.number <= 7 && otlp_protobuf_is(build, &field, any_wire_types[field.number])) {
            set_any(build, &field, depth, out);
        }
    }
    otlp_protobuf_end(build, &wire);
}

void otlp_protobuf_any(struct otlp_build *build, const struct wire_field *field, struct any *out)
{
    if (otlp_protobuf_is(build, field, WIRE_BYTES) && otlp_build_count(build)) {
        read_any(build, field->bytes, 0, out);
    }
}

void otlp_protobuf_attribute(struct otlp_build *build, const struct wire_field *field,
                             struct otlp_list *list)
{
    if (otlp_protobuf_is(build, field, WIRE_BYTES) && otlp_build_count(build)) {
        add_attribute(build, field->bytes, 0, list);
    }
}
