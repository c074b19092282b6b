/*
 * discard: the end of a connection whose client may still be sending. Closing it at once would make
 * the kernel reset it, and the client would lose the answer that says why (413). So the sending
 * side ends, and what still comes is read and thrown away for a while. On the loop.
 */
#pragma once

#include "gateway/server.h"

enum { DISCARD_MS = 10000, DISCARD_BYTES_MAX = 256 * 1024 * 1024, DISCARD_MAX = 100 };

/* fd is taken over. Past DISCARD_MAX connections of this worker it is just closed. */
void discard_start(struct worker *worker, int fd);

/* Closes all of the worker's. */
void discard_stop(struct worker *worker);
