#include "gateway/ingest/otlp_protobuf_fields.h"

#include <string.h>

#include "gateway/ingest/otlp_protobuf_value.h"

static const enum wire_type wire_types[OTLP_FORM_COUNT] = {
    [OTLP_TEXT] = WIRE_BYTES,
    [OTLP_RAW] = WIRE_BYTES,
    [OTLP_TRACE_ID] = WIRE_BYTES,
    [OTLP_SPAN_ID] = WIRE_BYTES,
    [OTLP_TIME] = WIRE_FIXED64,
    [OTLP_COUNT] = WIRE_VARINT,
    [OTLP_FLAGS] = WIRE_FIXED32,
    [OTLP_WORD] = WIRE_VARINT,
    [OTLP_BOOL] = WIRE_VARINT,
    [OTLP_ATTRIBUTES] = WIRE_BYTES,
    [OTLP_ANY] = WIRE_BYTES,
    [OTLP_UNSIGNED] = WIRE_FIXED64,
    [OTLP_SIGNED] = WIRE_VARINT,
    [OTLP_DOUBLE] = WIRE_FIXED64,
    [OTLP_MAYBE_DOUBLE] = WIRE_FIXED64,
    [OTLP_MAYBE_INT] = WIRE_FIXED64,
    [OTLP_FIXED_COUNTS] = WIRE_FIXED64,
    [OTLP_COUNTS] = WIRE_VARINT,
    [OTLP_DOUBLES] = WIRE_FIXED64,
    [OTLP_MESSAGE] = WIRE_BYTES,
    [OTLP_MESSAGES] = WIRE_BYTES,
};

/* ---- numbers ---- */

static double double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* sint32: the sign is the lowest bit. */
static int32_t signed_of(uint64_t integer)
{
    uint32_t bits = (uint32_t)integer;
    return (int32_t)(bits >> 1 ^ (0 - (bits & 1)));
}

static uint32_t word_of(const struct otlp_field *field, uint64_t number)
{
    uint32_t count = 0;
    while (field->words[count] != NULL) {
        count++;
    }
    return number < count ? (uint32_t)number : 0;
}

/* Both are eight bytes, and their bits are the value. */
static void add_number(struct otlp_build *build, void *list, uint64_t bits)
{
    _Static_assert(sizeof(double) == sizeof(uint64_t), "lists of either are filled here");
    if (otlp_build_count(build)) {
        memcpy(otlp_list_add(list, sizeof(bits), build->arena), &bits, sizeof(bits));
    }
}

/* Numbers that repeat, packed or not. */
static void read_numbers(struct otlp_build *build, const struct wire_field *sent,
                         enum wire_type type, void *list)
{
    if (sent->type == type) {
        add_number(build, list, sent->integer);
        return;
    }
    struct wire wire = wire_from(sent->bytes);
    uint64_t number;
    while (build->fault->reason == NULL &&
           (type == WIRE_VARINT ? wire_next_varint(&wire, &number)
                                : wire_next_fixed64(&wire, &number))) {
        add_number(build, list, number);
    }
    otlp_protobuf_end(build, &wire);
}

/* ---- messages ---- */

static void add_message(struct otlp_build *build, struct slice bytes,
                        const struct otlp_message *message, void *list)
{
    if (otlp_build_count(build)) {
        otlp_protobuf_message(build, bytes, message,
                              otlp_list_add(list, message->size, build->arena));
    }
}

static bool is_repeated_number(enum otlp_form form)
{
    return form == OTLP_FIXED_COUNTS || form == OTLP_COUNTS || form == OTLP_DOUBLES;
}

/* What has bytes on the wire. */
static void read_bytes(struct otlp_build *build, struct slice bytes, const struct otlp_field *field,
                       void *out)
{
    switch (field->form) {
    case OTLP_TEXT:
        *(struct slice *)out = otlp_build_text(build, bytes);
        break;
    case OTLP_RAW:
        *(struct slice *)out = bytes;
        break;
    case OTLP_TRACE_ID:
        otlp_build_id(build, bytes, OTLP_TRACE_ID_SIZE / 2, out);
        break;
    case OTLP_SPAN_ID:
        otlp_build_id(build, bytes, OTLP_SPAN_ID_SIZE / 2, out);
        break;
    case OTLP_ATTRIBUTES:
        otlp_protobuf_attribute(build, bytes, out);
        break;
    case OTLP_ANY:
        otlp_protobuf_any(build, bytes, out);
        break;
    case OTLP_MESSAGE:
        otlp_protobuf_message(build, bytes, field->message, out);
        break;
    default:
        add_message(build, bytes, field->message, out);
        break;
    }
}

/* What is a number on the wire. */
static void read_number(uint64_t number, const struct otlp_field *field, void *out)
{
    switch (field->form) {
    case OTLP_COUNT:
    case OTLP_FLAGS:
        *(uint32_t *)out = (uint32_t)number;
        break;
    case OTLP_WORD:
        *(uint32_t *)out = word_of(field, number);
        break;
    case OTLP_BOOL:
        *(bool *)out = number != 0;
        break;
    case OTLP_SIGNED:
        *(int32_t *)out = signed_of(number);
        break;
    case OTLP_DOUBLE:
        *(double *)out = double_of(number);
        break;
    case OTLP_MAYBE_DOUBLE:
        *(struct otlp_number *)out = (struct otlp_number){true, double_of(number)};
        break;
    case OTLP_MAYBE_INT:
        *(struct otlp_number *)out = (struct otlp_number){true, (double)(int64_t)number};
        break;
    default:
        *(uint64_t *)out = number;
        break;
    }
}

static void read_field(struct otlp_build *build, const struct wire_field *sent,
                       const struct otlp_field *field, void *out)
{
    enum wire_type type = wire_types[field->form];
    if (is_repeated_number(field->form) && (sent->type == type || sent->type == WIRE_BYTES)) {
        read_numbers(build, sent, type, out);
    } else if (!otlp_protobuf_is(build, sent, type)) {
        return;
    } else if (type == WIRE_BYTES) {
        read_bytes(build, sent->bytes, field, out);
    } else {
        read_number(sent->integer, field, out);
    }
}

void otlp_protobuf_message(struct otlp_build *build, struct slice bytes,
                           const struct otlp_message *message, void *record)
{
    const char *outer = build->field;
    struct wire wire = wire_from(bytes);
    struct wire_field sent;
    while (wire_next(&wire, &sent)) {
        const struct otlp_field *field =
            sent.number < message->count ? &message->fields[sent.number] : NULL;
        if (field != NULL && field->name.data != NULL) {
            build->field = outer != NULL ? outer : field->name.data;
            read_field(build, &sent, field, (char *)record + field->offset);
        }
    }
    build->field = outer;
    otlp_protobuf_end(build, &wire);
}

void otlp_protobuf_item(struct arena *arena, struct slice bytes, const struct otlp_message *message,
                        void *record, struct otlp_fault *fault)
{
    struct otlp_build build = {arena, fault, NULL, 0, 0};
    memset(record, 0, message->size);
    otlp_protobuf_message(&build, bytes, message, record);
}
