#include "proto/pack.h"

#include <endian.h>
#include <string.h>

static int write_piece(void *data, const char *piece, size_t len)
{
    buf_append(data, piece, len);
    return 0;
}

void packer_init(msgpack_packer *packer, struct buf *out)
{
    msgpack_packer_init(packer, out, write_piece);
}

void pack_text(msgpack_packer *packer, struct slice text)
{
    msgpack_pack_str(packer, text.len);
    msgpack_pack_str_body(packer, text.data, text.len);
}

void pack_bytes(msgpack_packer *packer, const void *bytes, size_t len)
{
    msgpack_pack_bin(packer, len);
    msgpack_pack_bin_body(packer, bytes, len);
}

/* The first byte of a value; 0xc1, which the format never uses, at the end of the frame. */
static uint8_t take_tag(struct unpacker *unpacker)
{
    return unpacker->at < unpacker->end ? *unpacker->at++ : 0xc1;
}

/* A big-endian number of 1, 2, 4 or 8 bytes. */
static bool take_number(struct unpacker *unpacker, size_t size, uint64_t *out)
{
    if ((size_t)(unpacker->end - unpacker->at) < size) {
        return false;
    }
    uint64_t number = 0;
    memcpy((char *)&number + sizeof(number) - size, unpacker->at, size);
    *out = be64toh(number);
    unpacker->at += size;
    return true;
}

static bool take_slice(struct unpacker *unpacker, uint64_t len, struct slice *out)
{
    if ((uint64_t)(unpacker->end - unpacker->at) < len) {
        return false;
    }
    *out = (struct slice){(const char *)unpacker->at, (size_t)len};
    unpacker->at += len;
    return true;
}

bool unpack_array(struct unpacker *unpacker, uint32_t *count)
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

bool unpack_integer(struct unpacker *unpacker, int64_t *out)
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

bool unpack_text(struct unpacker *unpacker, struct slice *out)
{
    uint64_t len;
    uint8_t tag = take_tag(unpacker);
    if ((tag & 0xe0) == 0xa0) {
        return take_slice(unpacker, tag & 0x1f, out);
    }
    return tag >= 0xd9 && tag <= 0xdb && take_number(unpacker, (size_t)1 << (tag - 0xd9), &len) &&
           take_slice(unpacker, len, out);
}

bool unpack_bytes(struct unpacker *unpacker, struct slice *out)
{
    uint64_t len;
    uint8_t tag = take_tag(unpacker);
    return tag >= 0xc4 && tag <= 0xc6 && take_number(unpacker, (size_t)1 << (tag - 0xc4), &len) &&
           take_slice(unpacker, len, out);
}

bool unpack_double(struct unpacker *unpacker, double *out)
{
    uint64_t bits;
    if (take_tag(unpacker) != 0xcb || !take_number(unpacker, 8, &bits)) {
        return false;
    }
    memcpy(out, &bits, sizeof(*out));
    return true;
}

bool unpack_bool(struct unpacker *unpacker, bool *out)
{
    uint8_t tag = take_tag(unpacker);
    *out = tag == 0xc3;
    return tag == 0xc2 || tag == 0xc3;
}
