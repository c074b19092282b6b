#include "tests/support/framed.h"

#include <endian.h>
#include <stdlib.h>

bool framed_read(FILE *in, struct buf *piece)
{
    uint32_t len;
    buf_reset(piece);
    if (fread(&len, sizeof(len), 1, in) != 1) {
        return false;
    }
    len = be32toh(len);
    if (len > 0 && fread(buf_reserve(piece, len), 1, len, in) != len) {
        fputs("a piece is cut short\n", stderr);
        exit(1);
    }
    piece->len = len;
    return true;
}

void framed_write(FILE *out, struct slice piece)
{
    uint32_t len = htobe32((uint32_t)piece.len);
    fwrite(&len, sizeof(len), 1, out);
    if (piece.len > 0) {
        fwrite(piece.data, 1, piece.len, out);
    }
}
