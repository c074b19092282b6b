/*
 * wire: the gateway's two ZeroMQ sockets, PUSH for batches and PULL for receipts. Belongs to
 * deliver's thread once open (opening may happen before on another); not thread-safe, except for
 * the reference count of bodies.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "common/slice.h"

struct wire;

/*
 * A batch's body, shared by its owner and by every message of it that ZeroMQ still holds. Bodies
 * may have many megabytes and be sent several times, so messages refer to them (zmq_msg_init_data)
 * instead of copying. ZeroMQ lets go of them on its own thread: hence the atomic count, and
 * bytes_held counts what is really in memory, abandoned messages included.
 */
struct wire_body {
    char *data; /* malloc'ed, owned */
    size_t len;
    size_t cost;               /* what the batch was counted as */
    atomic_size_t *bytes_held; /* cost is taken off when the last reference goes */
    atomic_uint _references;
};

/* Takes data over; the caller holds the first reference and has added cost to bytes_held. */
struct wire_body *wire_body_create(char *data, size_t len, size_t cost, atomic_size_t *bytes_held);
void wire_body_release(struct wire_body *body);

/*
 * Binds both endpoints of queue (proto/queue.h). Makes the folder of an ipc path (mode 0700). While
 * another gateway still has them it tries again for up to patience_ms, then ERR_UNAVAILABLE.
 */
MUST_CHECK enum err wire_open(struct wire **out, const char *queue, int patience_ms,
                              struct error *error);
/* Returns when ZeroMQ has let go of all bodies. NULL is fine. */
void wire_close(struct wire *wire);

/* False: no writer can take it now (or the one that took its first frame went away): try again when
 * wire_wait says so. */
bool wire_send(struct wire *wire, struct slice header, struct wire_body *body);

/* One frame, good until the next call. False: nothing there. */
bool wire_receive(struct wire *wire, struct slice *frame);

/* Waits for a receipt, for wake_fd, for a writer that can take a batch (when want_send) or for
 * timeout_ms (-1: without end). */
void wire_wait(struct wire *wire, int wake_fd, bool want_send, long timeout_ms);
