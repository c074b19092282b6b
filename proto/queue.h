/*
 * queue: the two endpoints behind one setting. A gateway binds both, writers connect to both:
 * batches (PUSH -> PULL) and receipts (PULL <- PUSH). Pure.
 *
 *   ipc://PATH        -> ipc://PATH.batches, ipc://PATH.receipts
 *   tcp://HOST:PORT   -> tcp://HOST:PORT, tcp://HOST:PORT+1
 */
#pragma once

#include "common/error.h"

enum { QUEUE_ENDPOINT_SIZE = 300 };

struct queue_endpoints {
    char batches[QUEUE_ENDPOINT_SIZE];
    char receipts[QUEUE_ENDPOINT_SIZE];
};

/* ERR_INVALID: neither form, an ipc path too long for a socket (107 bytes with its ending), a bad
 * port, or tcp to a host that is not loopback (it is neither encrypted nor authenticated). */
MUST_CHECK enum err queue_parse(const char *base, struct queue_endpoints *out, struct error *error);
