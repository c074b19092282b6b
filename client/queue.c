/*
 * queue: what callers do (add, flush, close) stands first, the thread's life after it, in the order it
 * goes: wait until a lane is due, make its batch, try, settle.
 */
#include "client/queue.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/lane.h"
#include "client/retry.h"
#include "client/system.h"

struct xtrace_queue {
    const struct xtrace_options *options; /* the client's */
    pthread_mutex_t mutex;                /* guards what follows */
    pthread_cond_t work;                  /* for the thread: more to do, sooner than it thinks */
    pthread_cond_t settled;               /* for flush: a batch is done */
    bool has_thread;
    bool is_closing; /* nothing is taken any more; the thread ends when it is through */
    bool is_closed;  /* the thread is gone */
    pthread_t thread;
    struct xtrace_connection *connection; /* the thread's; close may abort it */
    struct xtrace_record_lane lanes[XTRACE_LANE_COUNT];
    enum xtrace_lane next_lane; /* so that neither starves the other */
    int64_t close_at_ms;
    struct xtrace_stats stats;
    uint64_t lost_told; /* records: what flush has answered for */
};

/* A batch that was lost, to be told of once the mutex is free. */
struct loss {
    enum xtrace_status reason;
    uint64_t records;
};

static void *run(void *closure);

enum xtrace_status xtrace_queue_create(struct xtrace_queue **out,
                                       const struct xtrace_options *options)
{
    struct xtrace_queue *queue = calloc(1, sizeof(*queue));
    *out = queue;
    if (queue == NULL) {
        return XTRACE_NO_MEMORY;
    }
    queue->options = options;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_cond_init(&queue->work, &monotonic);
    pthread_cond_init(&queue->settled, &monotonic);
    pthread_condattr_destroy(&monotonic);
    for (enum xtrace_lane kind = 0; kind < XTRACE_LANE_COUNT; kind++) {
        xtrace_lane_init(&queue->lanes[kind], kind);
    }
    return XTRACE_OK;
}

void xtrace_queue_destroy(struct xtrace_queue *queue)
{
    if (queue == NULL) {
        return;
    }
    for (enum xtrace_lane kind = 0; kind < XTRACE_LANE_COUNT; kind++) {
        xtrace_lane_finish(&queue->lanes[kind]);
    }
    xtrace_connection_destroy(queue->connection);
    pthread_cond_destroy(&queue->settled);
    pthread_cond_destroy(&queue->work);
    pthread_mutex_destroy(&queue->mutex);
    free(queue);
}

/* With the mutex. Signals stay with the application's own threads. */
static bool start_thread(struct xtrace_queue *queue)
{
    if (queue->connection == NULL) {
        queue->connection = xtrace_connection_create(queue->options);
    }
    if (queue->connection == NULL) {
        return false;
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    queue->has_thread = pthread_create(&queue->thread, NULL, run, queue) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return queue->has_thread;
}

/* With the mutex. */
static enum xtrace_status add_locked(struct xtrace_queue *queue, enum xtrace_lane kind,
                                     struct xtrace_record *record)
{
    size_t charge = xtrace_record_charge(record->len);
    if (queue->is_closing) {
        return XTRACE_CLOSED;
    }
    if (queue->stats.queued_bytes + charge > queue->options->queue_bytes) {
        queue->stats.overflowed++;
        return XTRACE_QUEUE_FULL;
    }
    if (!queue->has_thread && !start_thread(queue)) {
        return XTRACE_NO_MEMORY;
    }
    struct xtrace_record_lane *lane = &queue->lanes[kind];
    bool was_full = xtrace_lane_is_full(lane, queue->options);
    xtrace_lane_append(lane, record);
    queue->stats.accepted++;
    queue->stats.queued++;
    queue->stats.queued_bytes += charge;
    /* Only what changes when the thread must wake: it looks again by itself after each batch. */
    if (lane->waiting == 1 || (!was_full && xtrace_lane_is_full(lane, queue->options))) {
        pthread_cond_signal(&queue->work);
    }
    return XTRACE_OK;
}

enum xtrace_status xtrace_queue_add(struct xtrace_queue *queue, enum xtrace_lane kind,
                                    bool is_trace, const char *json, size_t len)
{
    struct xtrace_record *record = malloc(sizeof(*record) + len);
    if (record == NULL) {
        return XTRACE_NO_MEMORY;
    }
    record->enqueued_ms = xtrace_monotonic_ms();
    record->is_trace = is_trace;
    record->len = len;
    memcpy(record->json, json, len);
    pthread_mutex_lock(&queue->mutex);
    enum xtrace_status status = add_locked(queue, kind, record);
    pthread_mutex_unlock(&queue->mutex);
    if (status != XTRACE_OK) {
        free(record);
    }
    return status;
}

static uint64_t lost(const struct xtrace_stats *stats)
{
    return stats->refused + stats->given_up + stats->left_over;
}

static struct timespec as_timespec(int64_t ms)
{
    return (struct timespec){(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
}

/* With the mutex. */
static bool is_settled(const struct xtrace_queue *queue, const uint64_t *until)
{
    return queue->lanes[XTRACE_LANE_RECORDS].settled >= until[XTRACE_LANE_RECORDS] &&
           queue->lanes[XTRACE_LANE_METRICS].settled >= until[XTRACE_LANE_METRICS];
}

enum xtrace_status xtrace_queue_flush(struct xtrace_queue *queue, uint32_t timeout_ms)
{
    struct timespec deadline = as_timespec(xtrace_monotonic_ms() + timeout_ms);
    uint64_t until[XTRACE_LANE_COUNT];
    pthread_mutex_lock(&queue->mutex);
    if (queue->is_closing) {
        pthread_mutex_unlock(&queue->mutex);
        return XTRACE_CLOSED;
    }
    uint64_t lost_told = queue->lost_told;
    for (enum xtrace_lane kind = 0; kind < XTRACE_LANE_COUNT; kind++) {
        until[kind] = queue->lanes[kind].taken;
        queue->lanes[kind].flush_to = until[kind];
    }
    pthread_cond_signal(&queue->work);
    int rc = 0;
    while (!is_settled(queue, until) && rc == 0) {
        rc = pthread_cond_timedwait(&queue->settled, &queue->mutex, &deadline);
    }
    enum xtrace_status status = XTRACE_TIMEOUT;
    if (is_settled(queue, until)) {
        queue->lost_told = lost(&queue->stats);
        status = queue->lost_told > lost_told ? XTRACE_DROPPED : XTRACE_OK;
    }
    pthread_mutex_unlock(&queue->mutex);
    return status;
}

enum xtrace_status xtrace_queue_close(struct xtrace_queue *queue, uint32_t timeout_ms)
{
    pthread_mutex_lock(&queue->mutex);
    bool is_first = !queue->is_closing;
    if (is_first) {
        queue->is_closing = true;
        queue->close_at_ms = xtrace_monotonic_ms() + timeout_ms;
        for (enum xtrace_lane kind = 0; kind < XTRACE_LANE_COUNT; kind++) {
            queue->lanes[kind].flush_to = queue->lanes[kind].taken;
        }
        if (queue->has_thread) {
            xtrace_connection_abort_at(queue->connection, queue->close_at_ms);
        }
        pthread_cond_signal(&queue->work);
    }
    bool is_joiner = is_first && queue->has_thread;
    pthread_mutex_unlock(&queue->mutex);

    if (is_joiner) {
        pthread_join(queue->thread, NULL);
    }
    pthread_mutex_lock(&queue->mutex);
    if (is_first) {
        queue->is_closed = true;
        pthread_cond_broadcast(&queue->settled);
    }
    while (!queue->is_closed) {
        pthread_cond_wait(&queue->settled, &queue->mutex);
    }
    enum xtrace_status status =
        is_first && lost(&queue->stats) > queue->lost_told ? XTRACE_DROPPED : XTRACE_OK;
    pthread_mutex_unlock(&queue->mutex);
    return status;
}

void xtrace_queue_stats(struct xtrace_queue *queue, struct xtrace_stats *stats)
{
    pthread_mutex_lock(&queue->mutex);
    *stats = queue->stats;
    pthread_mutex_unlock(&queue->mutex);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* With the mutex. The lane to work on now, or NULL and until when there is nothing to do. */
static struct xtrace_record_lane *due_lane(struct xtrace_queue *queue, int64_t now_ms,
                                           int64_t *until_ms)
{
    *until_ms = INT64_MAX;
    for (int i = 0; i < XTRACE_LANE_COUNT; i++) {
        enum xtrace_lane kind = (queue->next_lane + (enum xtrace_lane)i) % XTRACE_LANE_COUNT;
        int64_t due_ms = xtrace_lane_due_ms(&queue->lanes[kind], queue->options);
        if (due_ms <= now_ms) {
            queue->next_lane = (kind + 1) % XTRACE_LANE_COUNT;
            return &queue->lanes[kind];
        }
        *until_ms = due_ms < *until_ms ? due_ms : *until_ms;
    }
    return NULL;
}

/* With the mutex. NULL: time to end. */
static struct xtrace_record_lane *wait_for_work(struct xtrace_queue *queue)
{
    for (;;) {
        int64_t now_ms = xtrace_monotonic_ms();
        int64_t until_ms;
        if (queue->is_closing && (queue->stats.queued == 0 || now_ms >= queue->close_at_ms)) {
            return NULL;
        }
        struct xtrace_record_lane *lane = due_lane(queue, now_ms, &until_ms);
        if (lane != NULL) {
            return lane;
        }
        if (queue->is_closing && queue->close_at_ms < until_ms) {
            until_ms = queue->close_at_ms;
        }
        if (until_ms == INT64_MAX) {
            pthread_cond_wait(&queue->work, &queue->mutex);
        } else {
            struct timespec until = as_timespec(until_ms);
            pthread_cond_timedwait(&queue->work, &queue->mutex, &until);
        }
    }
}

/* With the mutex, which is free while the body is written. False: no memory, for now. */
static bool make_batch(struct xtrace_queue *queue, struct xtrace_record_lane *lane)
{
    if (lane->batch.body.len > 0) {
        return true;
    }
    uint64_t count = xtrace_lane_plan(lane, queue->options);
    const struct xtrace_record *first = lane->first;
    struct xtrace_text body = XTRACE_TEXT_EMPTY;
    pthread_mutex_unlock(&queue->mutex);
    bool ok = xtrace_lane_build(lane->kind, first, count, &body);
    pthread_mutex_lock(&queue->mutex);
    if (!ok) {
        lane->not_before_ms = xtrace_monotonic_ms() + queue->options->base_ms;
        return false;
    }
    xtrace_lane_detach(lane, count, &body);
    lane->batch.first_attempt_ms = xtrace_monotonic_ms();
    return true;
}

/* Without the mutex: a batch that is there belongs to this thread. */
static void try_batch(struct xtrace_queue *queue, struct xtrace_record_lane *lane,
                      struct xtrace_response *response)
{
    bool is_metrics = lane->kind == XTRACE_LANE_METRICS;
    struct xtrace_request request = {
        .target = is_metrics ? "/v1/metrics/batch" : "/v1/l/batch",
        .body = lane->batch.body.data,
        .body_len = lane->batch.body.len,
        .idempotency_key = is_metrics ? lane->batch.idempotency_key : NULL,
    };
    xtrace_connection_try(queue->connection, &request, queue->options->attempt_ms, response);
}

/* With the mutex. */
static void settle(struct xtrace_queue *queue, struct xtrace_record_lane *lane)
{
    queue->stats.queued -= lane->batch.records;
    queue->stats.queued_bytes -= xtrace_lane_settle(lane);
    pthread_cond_broadcast(&queue->settled);
}

/* With the mutex: the server's last word on a batch. */
static struct loss settle_answered(struct xtrace_queue *queue, struct xtrace_record_lane *lane,
                                   const struct xtrace_response *response)
{
    uint64_t records = lane->batch.records;
    uint64_t stored = response->status == XTRACE_OK ? records : response->stored;
    stored = stored < records ? stored : records;
    queue->stats.batches++;
    queue->stats.sent += stored;
    queue->stats.refused += records - stored;
    settle(queue, lane);
    return (struct loss){response->status, records - stored};
}

/* With the mutex: after an attempt that may be made again. */
static struct loss put_off(struct xtrace_queue *queue, struct xtrace_record_lane *lane,
                           const struct xtrace_response *response)
{
    const struct xtrace_options *options = queue->options;
    struct xtrace_retry retry = {options->base_ms, options->max_ms};
    struct xtrace_batch *batch = &lane->batch;
    int64_t now_ms = xtrace_monotonic_ms();
    batch->attempts++;
    lane->not_before_ms =
        now_ms + (int64_t)xtrace_retry_wait_ms(retry, batch->attempts, response->retry_after_ms,
                                               xtrace_random_u32());
    if (now_ms - batch->first_attempt_ms < options->give_up_ms) {
        queue->stats.retries++;
        return (struct loss){XTRACE_OK, 0};
    }
    struct loss loss = {response->status, batch->records};
    queue->stats.given_up += batch->records;
    settle(queue, lane);
    return loss;
}

/* With the mutex. */
static struct loss settle_attempt(struct xtrace_queue *queue, struct xtrace_record_lane *lane,
                                  const struct xtrace_response *response)
{
    if (response->status == XTRACE_CLOSED) {
        return (struct loss){XTRACE_OK, 0}; /* wait_for_work sees why */
    }
    /* Lack of memory passes. */
    bool again = response->is_retryable || response->status == XTRACE_NO_MEMORY;
    return again ? put_off(queue, lane, response) : settle_answered(queue, lane, response);
}

/* Without the mutex. */
static void tell(const struct xtrace_queue *queue, struct loss loss, const char *message)
{
    if (loss.records > 0 && queue->options->on_lost != NULL) {
        queue->options->on_lost(queue->options->on_lost_closure, loss.reason, loss.records,
                                message);
    }
}

/* With the mutex: what close left no time for. */
static uint64_t drop_rest(struct xtrace_queue *queue)
{
    uint64_t records = queue->stats.queued;
    queue->stats.left_over += records;
    queue->stats.queued = 0;
    queue->stats.queued_bytes = 0;
    for (enum xtrace_lane kind = 0; kind < XTRACE_LANE_COUNT; kind++) {
        struct xtrace_record_lane *lane = &queue->lanes[kind];
        lane->settled = lane->taken;
        xtrace_lane_finish(lane);
    }
    pthread_cond_broadcast(&queue->settled);
    return records;
}

static void *run(void *closure)
{
    struct xtrace_queue *queue = closure;
    struct xtrace_response response = {.max_body = queue->options->answer_bytes};
    pthread_mutex_lock(&queue->mutex);
    struct xtrace_record_lane *lane;
    while ((lane = wait_for_work(queue)) != NULL) {
        if (!make_batch(queue, lane)) {
            continue;
        }
        pthread_mutex_unlock(&queue->mutex);
        try_batch(queue, lane, &response);
        pthread_mutex_lock(&queue->mutex);
        struct loss loss = settle_attempt(queue, lane, &response);
        pthread_mutex_unlock(&queue->mutex);
        tell(queue, loss, xtrace_response_message(&response));
        pthread_mutex_lock(&queue->mutex);
    }
    struct loss rest = {XTRACE_CLOSED, drop_rest(queue)};
    pthread_mutex_unlock(&queue->mutex);
    tell(queue, rest, "shut down before they were sent");
    xtrace_response_reset(&response);
    return NULL;
}
