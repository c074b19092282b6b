/*
 * pack: the little of msgpack (https://github.com/msgpack/msgpack/blob/master/spec.md) that
 * the wire uses. Packing is msgpack-c's packer into a buf. Unpacking is a cursor that borrows from
 * the frame and allocates nothing, where msgpack-c builds a tree and trusts the counts it is sent.
 * Inside proto only. Pure.
 */
#pragma once

#include <endian.h>
#include <msgpack.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"
#include "common/slice.h"

void packer_init(msgpack_packer *packer, struct buf *out);
void pack_text(msgpack_packer *packer, struct slice text);
void pack_bytes(msgpack_packer *packer, const void *bytes, size_t len);
void pack_nils(msgpack_packer *packer, size_t count);

struct unpacker {
    const uint8_t *at; /* borrowed from the frame; may be unaligned */
    const uint8_t *end;
};

static inline struct unpacker unpacker_from(struct slice frame)
{
    const uint8_t *at = (const uint8_t *)frame.data;
    return (struct unpacker){at, frame.len > 0 ? at + frame.len : at};
}

static inline bool unpack_is_done(const struct unpacker *unpacker)
{
    return unpacker->at == unpacker->end;
}

/* Passes a nil when one stands there. */
static inline bool unpack_nil(struct unpacker *unpacker)
{
    if (unpacker->at == unpacker->end || *unpacker->at != 0xc0) {
        return false;
    }
    unpacker->at++;
    return true;
}

/* The first byte of a value; 0xc1, which the format never uses, at the end of the frame. */
static inline uint8_t take_tag(struct unpacker *unpacker)
{
    return unpacker->at < unpacker->end ? *unpacker->at++ : 0xc1;
}

/* A big-endian number of 1, 2, 4 or 8 bytes. */
static inline bool take_number(struct unpacker *unpacker, size_t size, uint64_t *out)
{
    if ((size_t)(unpacker->end - unpacker->at) < size) {
        return false;
    }
    uint64_t number = 0;
    if (unpacker->end - unpacker->at >= 8) {
        /* One load of known size; what follows the number is shifted out. */
        memcpy(&number, unpacker->at, 8);
        number = be64toh(number) >> (64 - 8 * size);
    } else {
        for (size_t i = 0; i < size; i++) {
            number = number << 8 | unpacker->at[i];
        }
    }
    *out = number;
    unpacker->at += size;
    return true;
}

static inline bool take_slice(struct unpacker *unpacker, uint64_t len, struct slice *out)
{
    if ((uint64_t)(unpacker->end - unpacker->at) < len) {
        return false;
    }
    *out = (struct slice){(const char *)unpacker->at, (size_t)len};
    unpacker->at += len;
    return true;
}

/*
 * The rest pass a value of their type. False: another type, or the frame ends within it; then the
 * place is unspecified. Integers take any width that holds the value. They are inline because a
 * batch is thousands of them.
 */
static inline bool unpack_array(struct unpacker *unpacker, uint32_t *count)
{
    uint64_t number;
    uint8_t tag = take_tag(unpacker);
    if ((tag & 0xf0) == 0x90) {
        *count = tag & 0x0f;
        return true;
    }
    if ((tag != 0xdc && tag != 0xdd) || !take_number(unpacker, tag == 0xdc ? 2 : 4, &number)) {
        return false;
    }
    *count = (uint32_t)number;
    return true;
}

static inline bool unpack_integer(struct unpacker *unpacker, int64_t *out)
{
    uint64_t number;
    uint8_t tag = take_tag(unpacker);
    if (tag < 0x80 || tag >= 0xe0) {
        *out = (int8_t)tag;
        return true;
    }
    if (tag < 0xcc || tag > 0xd3 || !take_number(unpacker, (size_t)1 << (tag & 3), &number)) {
        return false;
    }
    switch (tag) {
    case 0xd0:
        *out = (int8_t)number;
        return true;
    case 0xd1:
        *out = (int16_t)number;
        return true;
    case 0xd2:
        *out = (int32_t)number;
        return true;
    case 0xd3:
        *out = (int64_t)number;
        return true;
    default:
        *out = (int64_t)number;
        return number <= INT64_MAX;
    }
}

static inline bool unpack_text(struct unpacker *unpacker, struct slice *out)
{
    uint64_t len;
    uint8_t tag = take_tag(unpacker);
    if ((tag & 0xe0) == 0xa0) {
        return take_slice(unpacker, tag & 0x1f, out);
    }
    return tag >= 0xd9 && tag <= 0xdb && take_number(unpacker, (size_t)1 << (tag - 0xd9), &len) &&
           take_slice(unpacker, len, out);
}

static inline bool unpack_bytes(struct unpacker *unpacker, struct slice *out)
{
    uint64_t len;
    uint8_t tag = take_tag(unpacker);
    return tag >= 0xc4 && tag <= 0xc6 && take_number(unpacker, (size_t)1 << (tag - 0xc4), &len) &&
           take_slice(unpacker, len, out);
}

static inline bool unpack_double(struct unpacker *unpacker, double *out)
{
    uint64_t bits;
    if (take_tag(unpacker) != 0xcb || !take_number(unpacker, 8, &bits)) {
        return false;
    }
    memcpy(out, &bits, sizeof(*out));
    return true;
}

static inline bool unpack_bool(struct unpacker *unpacker, bool *out)
{
    uint8_t tag = take_tag(unpacker);
    *out = tag == 0xc3;
    return tag == 0xc2 || tag == 0xc3;
}
