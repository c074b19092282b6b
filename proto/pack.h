/*
 * pack: the little of msgpack (https://github.com/msgpack/msgpack/blob/master/spec.md) that
 * the wire uses. Packing is msgpack-c's packer into a buf. Unpacking is a cursor that borrows from
 * the frame and allocates nothing, where msgpack-c builds a tree and trusts the counts it is sent.
 * Inside proto only. Pure.
 */
#pragma once

#include <msgpack.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/slice.h"

void packer_init(msgpack_packer *packer, struct buf *out);
void pack_text(msgpack_packer *packer, struct slice text);
void pack_bytes(msgpack_packer *packer, const void *bytes, size_t len);

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

/* These pass a value of their type. False: another type, or the frame ends within it; then the
 * place is unspecified. Integers take any width that holds the value. */
bool unpack_array(struct unpacker *unpacker, uint32_t *count);
bool unpack_integer(struct unpacker *unpacker, int64_t *out);
bool unpack_text(struct unpacker *unpacker, struct slice *out);
bool unpack_bytes(struct unpacker *unpacker, struct slice *out);
bool unpack_double(struct unpacker *unpacker, double *out);
bool unpack_bool(struct unpacker *unpacker, bool *out);

/* Passes a nil when one stands there. */
static inline bool unpack_nil(struct unpacker *unpacker)
{
    if (unpacker->at == unpacker->end || *unpacker->at != 0xc0) {
        return false;
    }
    unpacker->at++;
    return true;
}
