#include "writer/array.h"

#include <endian.h>
#include <string.h>

enum { HEADER_SIZE = 20, DATE_EPOCH_DAYS = 10957 /* 2000-01-01 */ };

void array_begin(struct buf *out, uint32_t element_oid, uint32_t count)
{
    buf_append_be32(out, count > 0 ? 1 : 0); /* dimensions */
    buf_append_be32(out, 0);                 /* no NULLs */
    buf_append_be32(out, element_oid);
    if (count > 0) {
        buf_append_be32(out, count);
        buf_append_be32(out, 1); /* lower bound */
    }
}

void array_add_slice(struct buf *out, struct slice value)
{
    buf_append_be32(out, (uint32_t)value.len);
    buf_append_slice(out, value);
}

void array_add_int64(struct buf *out, int64_t value)
{
    buf_append_be32(out, 8);
    buf_append_be64(out, (uint64_t)value);
}

void array_add_bool(struct buf *out, bool value)
{
    buf_append_be32(out, 1);
    buf_append_char(out, value ? 1 : 0);
}

void array_add_date(struct buf *out, int32_t day)
{
    buf_append_be32(out, 4);
    buf_append_be32(out, (uint32_t)(day - DATE_EPOCH_DAYS));
}

static uint32_t read_be32(const char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return be32toh(value);
}

bool array_read_int64(struct slice bytes, int64_t *out, uint32_t max, uint32_t *count)
{
    *count = 0;
    if (bytes.len < 12) {
        return false;
    }
    if (read_be32(bytes.data) == 0) {
        return true;
    }
    if (bytes.len < HEADER_SIZE || read_be32(bytes.data) != 1 || read_be32(bytes.data + 4) != 0) {
        return false;
    }
    uint32_t elements = read_be32(bytes.data + 12);
    if (elements > max || bytes.len != HEADER_SIZE + (size_t)elements * 12) {
        return false;
    }
    const char *at = bytes.data + HEADER_SIZE;
    for (uint32_t i = 0; i < elements; i++, at += 12) {
        uint64_t value;
        memcpy(&value, at + 4, sizeof(value));
        out[i] = (int64_t)be64toh(value);
    }
    *count = elements;
    return true;
}
