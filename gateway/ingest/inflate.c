#include "gateway/ingest/inflate.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define ZLIB_CONST
#include <zlib.h>

enum { WINDOW_BITS = 15, GZIP_ONLY = 16 /* added to the window bits: zlib.h, inflateInit2 */ };
enum { ROOM_MIN = 16 * 1024, ROOM_MAX = 1024 * 1024 };

static int window_bits(enum coding coding, struct slice body)
{
    if (coding == CODING_GZIP) {
        return WINDOW_BITS + GZIP_ONLY;
    }
    /* RFC 1950: the method is 8, and the first two bytes are a multiple of 31. */
    const uint8_t *bytes = (const uint8_t *)body.data;
    bool zlib = body.len >= 2 && (bytes[0] & 0x0f) == 8 && (bytes[0] * 256 + bytes[1]) % 31 == 0;
    return zlib ? WINDOW_BITS : -WINDOW_BITS;
}

static void feed(z_stream *stream, struct slice *left)
{
    if (stream->avail_in == 0 && left->len > 0) {
        uInt piece = left->len < UINT_MAX ? (uInt)left->len : UINT_MAX;
        stream->next_in = (const Bytef *)left->data;
        stream->avail_in = piece;
        left->data += piece;
        left->len -= piece;
    }
}

static size_t room_for(const struct buf *out, size_t used, size_t max)
{
    size_t room = out->len - used; /* as much again as there is */
    room = room < ROOM_MIN ? ROOM_MIN : room > ROOM_MAX ? ROOM_MAX : room;
    size_t left = max - (out->len - used);
    return room < left ? room : left + 1; /* one more shows that it is too much */
}

static enum err inflate_all(z_stream *stream, struct slice left, bool members, size_t max,
                            struct buf *out, struct error *error)
{
    size_t used = out->len;
    for (;;) {
        feed(stream, &left);
        size_t room = room_for(out, used, max);
        stream->next_out = (Bytef *)buf_reserve(out, room);
        stream->avail_out = (uInt)room;
        int result = inflate(stream, Z_NO_FLUSH);
        out->len += room - stream->avail_out;
        if (out->len - used > max) {
            return error_set(error, ERR_TOO_LARGE, "request body inflates to more than %zu bytes",
                             max);
        }
        bool more = stream->avail_in > 0 || left.len > 0;
        if (result == Z_STREAM_END) {
            if (!more) {
                return ERR_OK;
            }
            if (!members) {
                return error_set(error, ERR_INVALID, "bytes after the compressed body");
            }
            result = inflateReset(stream);
        }
        if (result == Z_BUF_ERROR || (result == Z_OK && !more && stream->avail_out > 0)) {
            return error_set(error, ERR_INVALID, "compressed body is cut off");
        }
        if (result != Z_OK) {
            return error_set(error, ERR_INVALID, "compressed body is corrupt");
        }
    }
}

enum err inflate_body(enum coding coding, struct slice body, size_t max, struct buf *out,
                      struct error *error)
{
    z_stream stream = {0};
    if (inflateInit2(&stream, window_bits(coding, body)) != Z_OK) {
        return error_set(error, ERR_INTERNAL, "zlib does not start");
    }
    enum err err = inflate_all(&stream, body, coding == CODING_GZIP, max, out, error);
    inflateEnd(&stream);
    return err;
}
