/*
 * batch: what the gateway pushes to a writer. One ZeroMQ message of two frames, both msgpack:
 *
 *   header  [wire version, batch id (16 bytes), project, received_us, row count, key]
 *   body    one array a row: [kind, version, column values in table order, nil = absent]
 *
 * key is nil, or the SHA-256 of the request's Idempotency-Key: of all batches of a project with the same
 * key only one is stored. The body ends after row count rows. See proto/README.md for what a receipt promises. Pure, no
 * sockets; not thread-safe.
 */
#pragma once

#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/error.h"
#include "common/id.h"
#include "common/slice.h"
#include "proto/row.h"

enum { WIRE_VERSION = 2, BATCH_ROWS_MAX = 1000000, BATCH_KEY_SIZE = 32 };

struct batch_header {
    uint8_t id[ID_SIZE];
    struct slice project; /* borrowed */
    int64_t received_us;  /* the gateway's wall clock when the request was complete */
    uint32_t row_count;
    struct slice key; /* borrowed; BATCH_KEY_SIZE bytes, or none */
};

void batch_pack_header(struct buf *out, const struct batch_header *header);

/* Appends one row to a body. */
void batch_pack_row(struct buf *out, const struct row *row);

/* header->project and key borrow from frame. ERR_INVALID: not a header of this wire version. */
MUST_CHECK enum err batch_unpack_header(struct slice frame, struct batch_header *header,
                                        struct error *error);

/*
 * Unpacks exactly row_count rows of the body into an array from the arena; the rows' slices borrow
 * from body. ERR_INVALID (anything malformed, key columns absent, wrong types, left-over bytes)
 * yields nothing.
 */
MUST_CHECK enum err batch_unpack_rows(struct slice body, uint32_t row_count, struct arena *arena,
                                      struct row **rows, struct error *error);
