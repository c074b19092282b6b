/*
 * senders: which SDKs write here: requests by what their headers x-langfuse-sdk-name, -version and
 * -integration say, for /metrics. The first SENDERS_MAX have a line each; those that come after them,
 * and what is not spelled like a name, share one, so no client makes lines without end. Any thread.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/metrics.h"
#include "common/slice.h"

enum { SENDERS_MAX = 64 };

struct sender {
    const char *labels;
    metric_number requests;
};

struct senders {
    struct sender _all[SENDERS_MAX]; /* in order of appearance */
    struct sender _others;
    _Atomic(uint32_t) _count;
    pthread_mutex_t _lock; /* of adding one */
    struct arena _arena;   /* of their labels */
};

void senders_init(struct senders *senders);
void senders_finish(struct senders *senders);

/* A request; name is empty where the client does not say it: then nothing is counted. */
void senders_note(struct senders *senders, struct slice name, struct slice version,
                  struct slice integration);

void senders_print(const struct senders *senders, struct buf *out);
