#include "common/buf.h"

#include <assert.h>
#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"

void buf_finish(struct buf *buf)
{
    free(buf->data);
    *buf = BUF_EMPTY;
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
}

char *buf_reserve(struct buf *buf, size_t more)
{
    if (buf->capacity - buf->len < more) {
        size_t capacity = buf->capacity < 256 ? 256 : buf->capacity;
        while (capacity - buf->len < more) {
            capacity += capacity / 2;
        }
        buf->data = memory_resize(buf->data, capacity);
        buf->capacity = capacity;
    }
    return buf->data + buf->len;
}

void buf_append(struct buf *buf, const void *data, size_t len)
{
    if (len > 0) {
        memcpy(buf_reserve(buf, len), data, len);
        buf->len += len;
    }
}

void buf_append_slice(struct buf *buf, struct slice slice)
{
    buf_append(buf, slice.data, slice.len);
}

void buf_append_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_append_char(struct buf *buf, char c)
{
    buf_append(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    assert(format != NULL); /* without it gcc's UBSan build warns of a null format */
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(length >= 0);
    char *at = buf_reserve(buf, (size_t)length + 1);
    va_start(args, format);
    vsnprintf(at, (size_t)length + 1, format, args);
    va_end(args);
    buf->len += (size_t)length;
}

void buf_append_be16(struct buf *buf, uint16_t value)
{
    value = htobe16(value);
    buf_append(buf, &value, sizeof(value));
}

void buf_append_be32(struct buf *buf, uint32_t value)
{
    value = htobe32(value);
    buf_append(buf, &value, sizeof(value));
}

void buf_append_be64(struct buf *buf, uint64_t value)
{
    value = htobe64(value);
    buf_append(buf, &value, sizeof(value));
}

void buf_put_be32(struct buf *buf, size_t offset, uint32_t value)
{
    assert(offset + sizeof(value) <= buf->len);
    value = htobe32(value);
    memcpy(buf->data + offset, &value, sizeof(value));
}

char *buf_take(struct buf *buf, size_t *len)
{
    char *data = buf->data;
    *len = buf->len;
    *buf = BUF_EMPTY;
    return data;
}
