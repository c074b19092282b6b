#include "gateway/chunks.h"

enum { SIZE_DIGITS_MAX = 15 };

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum chunks_state next_of_size(struct chunks *chunks, char c)
{
    int digit = hex_digit(c);
    if (digit >= 0 && chunks->digits < SIZE_DIGITS_MAX) {
        chunks->digits++;
        chunks->left = chunks->left << 4 | (uint64_t)digit;
        return CHUNKS_SIZE;
    }
    if (digit >= 0 || chunks->digits == 0) {
        return CHUNKS_BAD;
    }
    if (c == '\r') {
        return CHUNKS_SIZE_LF;
    }
    return c == ';' || c == ' ' || c == '\t' ? CHUNKS_EXTENSION : CHUNKS_BAD;
}

static enum chunks_state start_chunk(struct chunks *chunks)
{
    chunks->digits = 0;
    return chunks->left > 0 ? CHUNKS_DATA : CHUNKS_TRAILER;
}

/* Every state but CHUNKS_DATA, byte by byte. */
static enum chunks_state next(struct chunks *chunks, char c)
{
    switch (chunks->state) {
    case CHUNKS_SIZE:
        return next_of_size(chunks, c);
    case CHUNKS_EXTENSION:
        return c == '\r' ? CHUNKS_SIZE_LF : c == '\n' ? CHUNKS_BAD : CHUNKS_EXTENSION;
    case CHUNKS_SIZE_LF:
        return c == '\n' ? start_chunk(chunks) : CHUNKS_BAD;
    case CHUNKS_DATA_CR:
        return c == '\r' ? CHUNKS_DATA_LF : CHUNKS_BAD;
    case CHUNKS_DATA_LF:
        return c == '\n' ? CHUNKS_SIZE : CHUNKS_BAD;
    case CHUNKS_TRAILER:
        return c == '\r' ? CHUNKS_END_LF : c == '\n' ? CHUNKS_BAD : CHUNKS_TRAILER_LINE;
    case CHUNKS_TRAILER_LINE:
        return c == '\r' ? CHUNKS_TRAILER_LF : c == '\n' ? CHUNKS_BAD : CHUNKS_TRAILER_LINE;
    case CHUNKS_TRAILER_LF:
        return c == '\n' ? CHUNKS_TRAILER : CHUNKS_BAD;
    case CHUNKS_END_LF:
        return c == '\n' ? CHUNKS_DONE : CHUNKS_BAD;
    case CHUNKS_DATA:
    case CHUNKS_DONE:
    case CHUNKS_BAD:
        break;
    }
    return chunks->state;
}

bool chunks_feed(struct chunks *chunks, struct slice bytes)
{
    size_t at = 0;
    while (at < bytes.len && chunks->state < CHUNKS_DONE) {
        if (chunks->state == CHUNKS_DATA) {
            size_t some = bytes.len - at < chunks->left ? bytes.len - at : (size_t)chunks->left;
            at += some;
            chunks->left -= some;
            if (chunks->left == 0) {
                chunks->state = CHUNKS_DATA_CR;
            }
        } else {
            chunks->state = next(chunks, bytes.data[at++]);
        }
    }
    return chunks->state != CHUNKS_BAD;
}
