/*
 * flights: the batches that were handed over and have no receipt yet, and when each is due. Pure:
 * no sockets, time is an argument (milliseconds of any clock that never goes back). Belongs to
 * deliver's thread; not thread-safe.
 *
 *   add -> pending --sent--> waiting for a receipt --requeue--> pending (before all others) ...
 *   remove from either
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <h2o.h>

#include "common/id.h"

struct flights;

/* Embedded in what the owner keeps of a batch. */
struct flight {
    uint8_t id[ID_SIZE];
    int64_t deadline_ms;
    uint32_t attempts; /* times sent */

    int64_t _sent_ms;
    h2o_linklist_t _by_deadline;
    h2o_linklist_t _queue; /* pending, or those sent equally often */
};

enum { FLIGHTS_RESEND_MAX_MS = 4000 };

/* The first receipt is waited for resend_ms, each further one twice as long up to
 * FLIGHTS_RESEND_MAX_MS (or resend_ms when that is more). */
struct flights *flights_create(uint32_t resend_ms);
/* Flights still inside are forgotten, not freed. NULL is fine. */
void flights_destroy(struct flights *flights);

/* The caller fills id and deadline_ms; deadlines must come in ascending order (all flights get the
 * same time, so they do). */
void flights_add(struct flights *flights, struct flight *flight);
void flights_remove(struct flights *flights, struct flight *flight);
/* NULL when there is none of that id. */
struct flight *flights_find(struct flights *flights, const uint8_t id[ID_SIZE]);
size_t flights_count(const struct flights *flights);

/* The one to send next, oldest first; NULL when nothing is pending. */
struct flight *flights_pending(struct flights *flights);
void flights_mark_sent(struct flights *flights, struct flight *flight, int64_t now_ms);

/* Those whose receipt is overdue become pending again, before all others. Returns how many. */
size_t flights_requeue_due(struct flights *flights, int64_t now_ms);
/* The same for all that were sent at or before sent_ms. */
size_t flights_requeue_sent_before(struct flights *flights, int64_t sent_ms);

/* One whose deadline is over, which the caller removes; NULL when there is none. */
struct flight *flights_expired(struct flights *flights, int64_t now_ms);

/* When the next deadline or resend is due; INT64_MAX: never. */
int64_t flights_wake_at(const struct flights *flights);

/* The one that was added first; NULL when there is none. */
struct flight *flights_oldest(struct flights *flights);
