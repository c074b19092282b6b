/*
 * lane: records in the order they came, and the batch that is made of the first of them. No locks: the
 * queue's mutex guards all of it; only lane_build runs without, see there.
 */
#pragma once

#include "client/connection.h"
#include "client/options.h"
#include "client/queue.h"

struct xtrace_record {
    struct xtrace_record *next; /* the lane's list owns it */
    int64_t enqueued_ms;
    bool is_trace;
    size_t len;
    char json[];
};

/* On its way: kept with one body and one key through all attempts. */
struct xtrace_batch {
    struct xtrace_text body; /* len 0: no batch */
    char idempotency_key[XTRACE_ID_SIZE];
    uint64_t records;
    size_t charged; /* of the queue's bytes */
    uint32_t attempts;
    int64_t first_attempt_ms;
};

struct xtrace_record_lane {
    enum xtrace_lane kind;
    struct xtrace_record *first;
    struct xtrace_record **end; /* where the next one is linked */
    uint64_t waiting;           /* records in the list */
    size_t bytes;               /* of their JSON */
    uint64_t traces;
    uint64_t taken;        /* records ever, and */
    uint64_t settled;      /* those sent or lost, in that order: flush compares the two */
    uint64_t flush_to;     /* records up to this one do not wait for their age */
    int64_t not_before_ms; /* after a failed attempt */
    struct xtrace_batch batch;
};

void xtrace_lane_init(struct xtrace_record_lane *lane, enum xtrace_lane kind);

/* Frees what is left. */
void xtrace_lane_finish(struct xtrace_record_lane *lane);

/* What a record costs of the queue's bytes. */
size_t xtrace_record_charge(size_t len);

void xtrace_lane_append(struct xtrace_record_lane *lane, struct xtrace_record *record);

bool xtrace_lane_is_full(const struct xtrace_record_lane *lane,
                         const struct xtrace_options *options);

/* When the lane wants its next attempt; INT64_MAX: nothing is waiting. */
int64_t xtrace_lane_due_ms(const struct xtrace_record_lane *lane,
                           const struct xtrace_options *options);

/* How many of the first records make the next batch. */
uint64_t xtrace_lane_plan(const struct xtrace_record_lane *lane,
                          const struct xtrace_options *options);

/*
 * Writes the body of the first count records, count > 0. Without the mutex: the records belong to the
 * thread that sends until lane_detach, and others only link new ones behind the last. False: no
 * memory, nothing has changed.
 */
bool xtrace_lane_build(enum xtrace_lane kind, const struct xtrace_record *first, uint64_t count,
                       struct xtrace_text *body);

/* The first count records have become the batch of that body: takes the body, frees them. */
void xtrace_lane_detach(struct xtrace_record_lane *lane, uint64_t count, struct xtrace_text *body);

/* The batch is sent or lost; returns the bytes to give back. */
size_t xtrace_lane_settle(struct xtrace_record_lane *lane);
