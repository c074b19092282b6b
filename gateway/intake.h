/*
 * intake: bounds what connections buffer. h2o 2.2.5 reads every request whole before it tells
 * anyone, so clients that send much at once, or slowly, would fill memory before any gate is asked.
 * This stands between a connection and h2o's reading: what all input buffers hold counts against a
 * budget that batches in flight share, and beyond it connections are not read until there is room,
 * so that their senders wait (TCP). A request that fits one read is never held up, and a reserve is
 * theirs alone: with the budget full of batches in flight, most requests still get their 429.
 *
 * Paused connections go on in the order they came. When nothing else will make room, one connection
 * of all loops, the leader, is read whatever the budget: half-read requests alone could use it up
 * for good. Heads that h2o would refuse in plain text are refused here. A request that was held back for longer than the patience is turned away with an answer;
 * h2o's time limit for a request, which closes without one, holds for paused ones too.
 *
 * One intake a loop, on its thread; the gauge is shared.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <h2o.h>

#include "common/error.h"

struct intake;

/* Shared by the intakes of all loops; zeroed at first. */
struct intake_gauge {
    atomic_size_t bytes; /* in input buffers */
    atomic_size_t connections;
    atomic_bool has_leader;
};

struct intake_limits {
    size_t budget;
    size_t reserve;
    size_t (*others)(void *context); /* bytes held elsewhere that count against the budget */
    int64_t patience_ms;
    /* Answers a client whose request was not read whole: ERR_UNAVAILABLE or, a head that is
     * malformed (gateway/head.h), ERR_INVALID. Takes fd, a duplicate, over. h2o's side of the
     * connection is closed right afterwards. */
    void (*turn_away)(void *context, int fd, enum err err, const struct error *error);
    void *context;
};

struct intake *intake_open(struct intake_gauge *gauge, const struct intake_limits *limits);
/* After the last connection is closed. NULL is fine. */
void intake_close(struct intake *intake);

/* For a socket that h2o_accept has just got; for its lifetime. */
void intake_watch(struct intake *intake, h2o_socket_t *socket);

/* The body has been used: its memory goes back to the system (h2o holds on to the buffer until the
 * answer is sent) and it counts no more. body lies in the socket's input buffer. */
void intake_drop_body(h2o_socket_t *socket, char *body, size_t len);

/* False when the request that was read last has a chunked body that is not well formed (see
 * gateway/chunks.h), whatever h2o made of it. A request that came in one read with the one before
 * it is not looked at. */
bool intake_is_well_chunked(const h2o_socket_t *socket);

/* From now on there is no limit, so that all connections can come to their end. */
void intake_release(struct intake *intake);

/* After each turn of the loop, with any clock that never goes back. Returns true while connections
 * are paused: then the next turn should not wait long. */
bool intake_turn(struct intake *intake, int64_t now_ms);
