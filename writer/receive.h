/*
 * receive: the ZeroMQ side. For every gateway one PULL (batches) and one PUSH (receipts), both
 * connected; the gateways may come and go. Not thread-safe.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include <zmq.h>

#include "common/error.h"
#include "common/slice.h"
#include "proto/queue.h"

struct receive;

/* One message as it came; both frames belong to whoever holds the struct. */
struct message {
    zmq_msg_t header;
    zmq_msg_t body;
    uint32_t gateway; /* receipts go back there */
};

MUST_CHECK enum err receive_open(struct receive **out, const struct queue_endpoints *gateways,
                                 uint32_t gateway_count, struct error *error);

/* Receipts on their way have a second to leave. NULL is fine. */
void receive_close(struct receive *receive);

uint32_t receive_gateway_count(const struct receive *receive);

/* The next message that is there already, the gateways taking turns. False: none. Messages that are
 * not of two frames are dropped (and logged). */
bool receive_take(struct receive *receive, struct message *message);
void message_finish(struct message *message);

/* False when the gateway is not connected or does not read: the frame is dropped. */
bool receive_send(struct receive *receive, uint32_t gateway, struct slice frame);

/* Waits until one of fds has its events (sets revents), a batch is there (only if batches), or
 * timeout_ms have passed. At most 4 fds; fd -1 is left out. */
void receive_wait(struct receive *receive, struct pollfd *fds, uint32_t fd_count, bool batches,
                  int timeout_ms);
