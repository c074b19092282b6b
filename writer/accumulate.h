/*
 * accumulate: the batches in hand, in groups. One group is committed while the next one fills up.
 * A batch id that is in hand already is not taken twice: the delivery waits for the same receipt.
 * Everything of a group lives until group_reset. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/error.h"
#include "proto/batch.h"
#include "proto/receipt.h"
#include "writer/receive.h"

enum parcel_state {
    PARCEL_WAITING,
    PARCEL_SUSPECT,   /* waits until the others have gone (writer/settle.h) */
    PARCEL_STORED,    /* committed by us */
    PARCEL_DUPLICATE, /* its id was committed before */
    PARCEL_GIVEN_UP,  /* no receipt: the gateway sends it again or gives up itself */
};

struct parcel_repeat {
    uint32_t gateway;
    struct parcel_repeat *next;
};

/* A batch in hand: its frames, its rows, and what is to be said about it. */
struct parcel {
    struct batch_header header; /* borrows from message */
    struct message message;
    struct row *rows; /* group's arena; slices borrow from message */
    enum parcel_state state;
    bool is_acked;
    int failures;                    /* in a transaction of its own */
    struct receipt_refusal *refused; /* group's arena */
    uint32_t refused_count;
    struct parcel_repeat *repeats; /* further deliveries that want the receipt */
};

struct group {
    struct arena arena;
    struct parcel **parcels;
    uint32_t count;
    uint32_t capacity;
    uint64_t rows;
    uint64_t bytes;
    int64_t began_us; /* the line's: when its first batch came; monotonic */
    uint32_t *_index; /* batch id -> place + 1; open addressing */
    uint32_t _index_size;
};

struct group_limits {
    uint64_t max_rows;
    uint64_t max_bytes;
};

void group_init(struct group *group);
void group_finish(struct group *group);

/* Lets go of all parcels, whatever their state. */
void group_reset(struct group *group);

bool group_is_full(const struct group *group, const struct group_limits *limits);

/* NULL when the id is not in this group. */
struct parcel *group_find(const struct group *group, const uint8_t id[ID_SIZE]);

/*
 * Takes the message over in either case. A batch whose id is in group or in other (may be NULL) only
 * adds a repeat there. ERR_INVALID: it cannot be read and is dropped.
 */
MUST_CHECK enum err group_add(struct group *group, struct group *other, struct message *message,
                              struct error *error);
