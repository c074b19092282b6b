/*
 * inflate: compressed request bodies. The inflated size is bounded while inflating, so that a small
 * body cannot ask for much memory. Pure; any thread.
 */
#pragma once

#include <stddef.h>

#include "common/buf.h"
#include "common/error.h"
#include "common/slice.h"

enum coding {
    CODING_IDENTITY,
    CODING_GZIP,    /* RFC 1952, any number of members */
    CODING_DEFLATE, /* zlib (RFC 1950), or bare deflate (RFC 1951) as some clients send it */
};

/*
 * Appends the body's content, at most max bytes, to out. coding is not CODING_IDENTITY. ERR_INVALID:
 * corrupt, cut off, or followed by other bytes; ERR_TOO_LARGE: more than max bytes. out may hold a
 * part of the content then.
 */
MUST_CHECK enum err inflate_body(enum coding coding, struct slice body, size_t max, struct buf *out,
                                 struct error *error);
