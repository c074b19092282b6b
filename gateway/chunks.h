/*
 * chunks: holds a chunked body to the letter of RFC 9112 section 7.1 while it passes. h2o's decoder
 * takes a lone line feed for a line's end and ignores what follows a chunk's size ("0x5" is 0), so
 * a proxy in front may see another end of the body than h2o does. Pure; one a request.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"

enum chunks_state {
    CHUNKS_SIZE, /* before or within the digits */
    CHUNKS_EXTENSION,
    CHUNKS_SIZE_LF,
    CHUNKS_DATA,
    CHUNKS_DATA_CR,
    CHUNKS_DATA_LF,
    CHUNKS_TRAILER, /* at the start of a line */
    CHUNKS_TRAILER_LINE,
    CHUNKS_TRAILER_LF,
    CHUNKS_END_LF,
    CHUNKS_DONE, /* what follows is no part of the body */
    CHUNKS_BAD,
};

/* Zeroed at first. */
struct chunks {
    enum chunks_state state;
    uint32_t digits;
    uint64_t left; /* bytes of the chunk */
};

/* The next bytes as they came. False, from then on, once they are malformed. */
bool chunks_feed(struct chunks *chunks, struct slice bytes);
