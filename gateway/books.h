/*
 * books: the gateway's own numbers, kept by all its threads, and their text for /metrics. The books of
 * the records balance: once nothing waits any more, what was received of a kind is the sum of its
 * outcomes. Any thread.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/error.h"
#include "common/metrics.h"
#include "gateway/senders.h"
#include "proto/row.h"

struct gateway; /* gateway/server.h */
struct route;   /* gateway/routes.h */

/* Where a record that could be told apart in a request has ended. */
enum books_outcome {
    BOOKS_REFUSED,       /* by the gateway: it was never sent */
    BOOKS_STORED,        /* its receipt says so */
    BOOKS_DUPLICATE,     /* stored before: by a delivery whose receipt was lost, or under its key */
    BOOKS_DEAD_LETTERED, /* refused by the database */
    BOOKS_REJECTED,      /* 429: the byte budget was used up */
    BOOKS_ABANDONED,     /* no receipt in time: stored or not, nobody knows */
    BOOKS_OUTCOME_COUNT
};

enum books_query {
    BOOKS_QUERY_DONE,
    BOOKS_QUERY_TIMEOUT,
    BOOKS_QUERY_UNAVAILABLE,
    BOOKS_QUERY_FAILED,
    BOOKS_QUERY_CANCELLED, /* its client left */
    BOOKS_QUERY_BUSY,      /* too many were waiting */
    BOOKS_QUERY_COUNT
};

/* One project's. */
struct books_project {
    metric_number received[ROW_KIND_COUNT];
    metric_number settled[ROW_KIND_COUNT][BOOKS_OUTCOME_COUNT];
};

enum { BOOKS_STATUS_COUNT = 6 }; /* status / 100; 0: the client left before the answer */

struct books_route {
    struct metric_histogram time[BOOKS_STATUS_COUNT];
};

/* Projects that have a line of their own in /metrics; the others share one, whose project is "". */
enum { BOOKS_PROJECTS_MAX = 256, BOOKS_SLOTS = 2 * BOOKS_PROJECTS_MAX };

/* Fields without an underscore are added to by whoever knows. */
struct books {
    metric_number redelivered;  /* batches */
    metric_number logs_ignored; /* log records of OTLP that belong to no span */
    struct metric_histogram receipt_time;
    metric_number queries[BOOKS_QUERY_COUNT];
    metric_number connects;
    metric_number failed_connects;
    struct senders senders;

    struct books_project _projects[BOOKS_PROJECTS_MAX + 1]; /* in order of appearance */
    const char *_project_names[BOOKS_PROJECTS_MAX];
    const char *_project_labels[BOOKS_PROJECTS_MAX];
    _Atomic(uint32_t)
        _slots[BOOKS_SLOTS]; /* by name: 0, or the place of a project + 1; only filled */
    _Atomic(uint32_t) _project_count;
    pthread_mutex_t _lock; /* of adding one */
    const struct route *_routes;
    uint32_t _route_count;
    struct books_route *_by_route; /* of the table, and one for what has no route */
    struct metric *_route_rows;    /* one for each route and status, in this order */
    struct arena _arena;           /* of their labels */
};

/* table: of gateway/routes.h; it must outlive the books. project: has its lines from the beginning. */
struct books *books_create(const struct route *table, const char *project);
/* NULL is fine. */
void books_destroy(struct books *books);

/* Counts are of records, by kind. */
void books_receive(struct books *books, const char *project, const uint32_t counts[ROW_KIND_COUNT]);
void books_settle(struct books *books, const char *project, enum books_outcome outcome,
                  const uint32_t counts[ROW_KIND_COUNT]);

/* A request is over. route: of the table, or NULL. status 0: nobody was answered. */
void books_request(struct books *books, const struct route *route, int status, int64_t duration_us);

/* A query of read/db.c is over. */
void books_query(struct books *books, enum err err);

/* Appends everything, with what the gateway holds just now. A scrape_print; context: the struct
 * gateway. */
void books_print(void *context, struct buf *out);
