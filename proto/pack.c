#include "proto/pack.h"

/* Called for each few bytes: buf_append only where the buf has to grow. */
static int write_piece(void *data, const char *piece, size_t len)
{
    struct buf *out = data;
    if (out->capacity - out->len < len) {
        buf_append(out, piece, len);
        return 0;
    }
    if (len > 0) {
        memcpy(out->data + out->len, piece, len);
        out->len += len;
    }
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

void pack_nils(msgpack_packer *packer, size_t count)
{
    static const char nils[] = "\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0";
    for (size_t some; count > 0; count -= some) {
        some = count < sizeof(nils) - 1 ? count : sizeof(nils) - 1;
        write_piece(packer->data, nils, some);
    }
}
