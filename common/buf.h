/*
 * buf: bytes that grow. Allocation dies rather than fails: every size put in is bounded by a limit
 * that was checked before. One owner, not thread-safe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"

struct buf {
    char *data; /* owned; NULL while capacity is 0 */
    size_t len;
    size_t capacity;
};

#define BUF_EMPTY ((struct buf){NULL, 0, 0})

void buf_finish(struct buf *buf);

/* Forgets the content and keeps the memory. */
void buf_reset(struct buf *buf);

/* Room for more bytes after len; returns where they go. len is not moved. */
char *buf_reserve(struct buf *buf, size_t more);

void buf_append(struct buf *buf, const void *data, size_t len);
void buf_append_slice(struct buf *buf, struct slice slice);
void buf_append_text(struct buf *buf, const char *text);
void buf_append_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Big-endian, as PostgreSQL's binary formats want them. */
void buf_append_be16(struct buf *buf, uint16_t value);
void buf_append_be32(struct buf *buf, uint32_t value);
void buf_append_be64(struct buf *buf, uint64_t value);
/* Overwrites four bytes at offset, which must lie within len: lengths known only afterwards. */
void buf_put_be32(struct buf *buf, size_t offset, uint32_t value);

/* Hands the bytes to the caller, who frees them with free(); the buf is empty afterwards. */
char *buf_take(struct buf *buf, size_t *len);

static inline struct slice buf_slice(const struct buf *buf)
{
    return (struct slice){buf->data, buf->len};
}
