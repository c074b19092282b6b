/*
 * otlp_wire: a cursor over the fields of one protobuf message
 * (https://protobuf.dev/programming-guides/encoding/). It never reads past the end that it was given
 * and allocates nothing. Groups, which proto3 does not have, count as broken. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct wire {
    const uint8_t *_at; /* borrowed */
    const uint8_t *_end;
    bool broken; /* set once, then there are no more fields */
};

struct wire_field {
    uint32_t number;
    enum wire_type type;
    uint64_t integer;   /* but for WIRE_BYTES */
    struct slice bytes; /* WIRE_BYTES: a string, bytes or a message */
};

struct wire wire_from(struct slice message);

/* False: the message ends here, or it is broken. */
bool wire_next(struct wire *wire, struct wire_field *field);

/* For packed numbers, which are no fields: false at the end, or the message is broken. */
bool wire_next_varint(struct wire *wire, uint64_t *out);
bool wire_next_fixed64(struct wire *wire, uint64_t *out);
