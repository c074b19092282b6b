#include "gateway/ingest/otlp_wire.h"

enum { VARINT_BYTES_MAX = 10 };

struct wire wire_from(struct slice message)
{
    const uint8_t *at = (const uint8_t *)message.data;
    return (struct wire){at, message.len > 0 ? at + message.len : at, false};
}

static bool take_varint(struct wire *wire, uint64_t *out)
{
    uint64_t value = 0;
    for (int i = 0; i < VARINT_BYTES_MAX && wire->_at < wire->_end; i++) {
        uint8_t byte = *wire->_at++;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

static bool take_fixed(struct wire *wire, size_t size, uint64_t *out)
{
    if ((size_t)(wire->_end - wire->_at) < size) {
        return false;
    }
    *out = 0;
    for (size_t i = 0; i < size; i++) {
        *out |= (uint64_t)wire->_at[i] << (8 * i);
    }
    wire->_at += size;
    return true;
}

static bool take_bytes(struct wire *wire, struct slice *out)
{
    uint64_t len;
    if (!take_varint(wire, &len) || (uint64_t)(wire->_end - wire->_at) < len) {
        return false;
    }
    *out = (struct slice){(const char *)wire->_at, (size_t)len};
    wire->_at += len;
    return true;
}

static bool take_value(struct wire *wire, struct wire_field *field)
{
    switch (field->type) {
    case WIRE_VARINT:
        return take_varint(wire, &field->integer);
    case WIRE_FIXED64:
        return take_fixed(wire, 8, &field->integer);
    case WIRE_BYTES:
        return take_bytes(wire, &field->bytes);
    case WIRE_FIXED32:
        return take_fixed(wire, 4, &field->integer);
    }
    return false;
}

bool wire_next(struct wire *wire, struct wire_field *field)
{
    uint64_t tag;
    if (wire->broken || wire->_at == wire->_end) {
        return false;
    }
    if (!take_varint(wire, &tag) || tag > UINT32_MAX || tag >> 3 == 0) {
        wire->broken = true;
        return false;
    }
    field->number = (uint32_t)(tag >> 3);
    field->type = (enum wire_type)(tag & 7);
    wire->broken = !take_value(wire, field);
    return !wire->broken;
}

bool wire_next_varint(struct wire *wire, uint64_t *out)
{
    if (wire->broken || wire->_at == wire->_end) {
        return false;
    }
    wire->broken = !take_varint(wire, out);
    return !wire->broken;
}

bool wire_next_fixed64(struct wire *wire, uint64_t *out)
{
    if (wire->broken || wire->_at == wire->_end) {
        return false;
    }
    wire->broken = !take_fixed(wire, 8, out);
    return !wire->broken;
}
