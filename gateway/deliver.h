/*
 * deliver: hands packed batches to the writers and hears back when they are durable. The one module
 * that knows the queue. A thread of its own owns the ZeroMQ sockets; each loop has a port, and
 * completions run on the loop of the port that sent.
 *
 * Every batch is kept, with its id, until its receipt: ZeroMQ's own queues lose what a killed
 * writer had. No receipt within ack_timeout_ms (doubling up to 4 s): sent again under the same id.
 * No receipt at the deadline: the waiter hears ERR_UNAVAILABLE and the batch is forgotten (its
 * outcome is unknown; the client's retry is harmless because rows merge by key).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/id.h"
#include "proto/receipt.h"

struct books; /* gateway/books.h */
struct deliver;
struct deliver_port;

struct deliver_options {
    const char *queue;       /* base endpoint: "ipc://PATH" or "tcp://HOST:PORT" (proto/queue.h) */
    uint32_t ack_timeout_ms; /* first redelivery */
    uint32_t deadline_ms;    /* for the waiter, from deliver_send */
    size_t max_in_flight_bytes; /* kept and not yet acknowledged, over all ports */
    struct books *books;
};

/* What a batch in flight counts beside its own bytes: its request, connection and table rows. */
enum { DELIVER_OVERHEAD_BYTES = 8 * 1024 };

/* One batch ready to go. Both frames are malloc'ed and belong to whoever owns the struct's content.
 */
struct delivery {
    uint8_t id[ID_SIZE];
    char *header;
    size_t header_len;
    char *body;
    size_t body_len;
};

/*
 * Runs on the port's loop, exactly once for each accepted send and never before deliver_send
 * returns. ERR_OK means committed in PostgreSQL, but for the rows that receipt names as refused.
 * receipt is NULL unless ERR_OK, and valid only during the call.
 */
typedef void (*deliver_done)(void *waiter, enum err err, const struct receipt *receipt);

/* Binds the endpoints (makes the folder of an ipc path, mode 0700) and starts the thread. */
MUST_CHECK enum err deliver_open(struct deliver **out, const struct deliver_options *options,
                                 struct error *error);

/* All ports must be closed. NULL is fine. */
void deliver_close(struct deliver *deliver);

struct st_h2o_context_t;

/* On the loop thread. */
struct deliver_port *deliver_port_open(struct deliver *deliver, struct st_h2o_context_t *context);

/* On the loop thread. Waiters still in flight hear ERR_UNAVAILABLE first. NULL is fine. */
void deliver_port_close(struct deliver_port *port);

/*
 * On ERR_OK the frames belong to deliver and done will run. ERR_BUSY (the byte budget is used up):
 * they are still the caller's and done will not run. done must not be NULL.
 */
MUST_CHECK enum err deliver_send(struct deliver_port *port, const struct delivery *delivery,
                                 deliver_done done, void *waiter);

/* True when a writer with a reachable database was heard of within max_age_ms. Any thread. */
bool deliver_has_writer(struct deliver *deliver, uint32_t max_age_ms);

/* Bytes kept at present, over all ports, with the overhead. Any thread. */
size_t deliver_in_flight_bytes(struct deliver *deliver);
/* Batches kept at present, over all ports; zero means that nothing is owed to anyone. Any thread.
 */
size_t deliver_in_flight_count(struct deliver *deliver);
/* How long the oldest of them has waited for its receipt; 0 when there is none. Any thread. */
int64_t deliver_oldest_age_ms(struct deliver *deliver);
