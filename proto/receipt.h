/*
 * receipt: what a writer sends back to the gateway that pushed a batch, and how it says that it
 * lives. One frame of msgpack:
 *
 *   receipt  [wire version, "receipt", batch id, outcome, [[row index, reason], ...]]
 *   hello    [wire version, "hello", writer id (16 bytes), database reachable]
 *
 * A receipt is sent only after COMMIT. Rows in refused can never be stored (they lie in
 * dead_letters with the reason); all others are durable. Pure; not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/error.h"
#include "common/id.h"
#include "common/slice.h"

enum receipt_type { RECEIPT_BATCH, RECEIPT_HELLO };

enum receipt_outcome {
    RECEIPT_STORED,    /* committed just now */
    RECEIPT_DUPLICATE, /* this batch id was committed before */
};

struct receipt_refusal {
    uint32_t row;        /* index in the batch */
    struct slice reason; /* borrowed; for people, without payload */
};

struct receipt {
    enum receipt_type type;
    uint8_t id[ID_SIZE]; /* batch id; of a hello: the writer's id, new for each start */
    enum receipt_outcome outcome;
    const struct receipt_refusal *refused; /* borrowed */
    uint32_t refused_count;
    bool database_reachable; /* hello */
};

void receipt_pack(struct buf *out, const struct receipt *receipt);

/* Slices borrow from frame, the array from the arena. */
MUST_CHECK enum err receipt_unpack(struct slice frame, struct arena *arena, struct receipt *receipt,
                                   struct error *error);
