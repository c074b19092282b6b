/*
 * db_link: one connection of a struct db: connects, sets its session up, runs one query at a time.
 * Private to db. On the loop only.
 *
 *   LINK_CLOSED -> LINK_CONNECTING -> LINK_SETTING_UP -> LINK_IDLE <------------+
 *        ^                                                   |                  |
 *        |                                   LINK_PREPARING -+-> LINK_RUNNING --+
 *        |                                          |              |            |
 *        |                                          +-> LINK_DRAINING -> LINK_COOLING
 *        +--- any, when the connection is lost      (query cancelled)    (PQcancel still
 *             or the deadline of the state passes                         under way)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <h2o.h>
#include <libpq-fe.h>

#include "common/error.h"
#include "gateway/read/db.h"

struct db_cancel;
struct db_url;
struct link;

enum link_state {
    LINK_CLOSED,
    LINK_CONNECTING,
    LINK_SETTING_UP,
    LINK_IDLE,
    LINK_PREPARING,
    LINK_RUNNING,
    LINK_DRAINING,
    LINK_COOLING,
};

struct db_query {
    struct db_query *next; /* in db's queue */
    struct db *db;
    struct link *link; /* NULL while waiting for one */
    const char *sql;   /* static, or made */
    char *made;        /* text of this run alone, not to be prepared; or NULL */
    int value_count;
    const char **values; /* one allocation with the texts */
    struct db_handlers handlers;
    void *waiter;
    int64_t wait_deadline_ms;
    int64_t limit_ms; /* when it will have run as long as it may; set when it begins */
    bool is_paused;
    bool has_rows; /* the waiter has seen some: cannot be run again */
    bool was_retried;
    bool is_stale; /* the session is not what we think it is: run again on a fresh one */
    enum err err;  /* of the statement, so far */
    struct error error;
};

/* What a link tells db, from the loop or from within link_check; never from within link_run. */
struct link_events {
    void (*on_over)(struct db *db, struct db_query *query, enum err err, const struct error *error);
    /* The connection was lost before the query's first row, for the first time. */
    void (*on_again)(struct db *db, struct db_query *query);
    void (*on_change)(struct db *db); /* something happened: queries may wait for it */
    void (*on_reach)(struct db *db, bool is_reached, const char *why);
};

struct link {
    struct db *db;
    h2o_context_t *context;
    const struct db_url *url;         /* db's */
    const char *set_up;               /* db's: SET ...; for a new session */
    const struct link_events *events; /* static */
    enum link_state state;
    struct db_query *query; /* when preparing or running */

    int64_t _deadline_ms; /* of the state; monotonic */
    int64_t _retry_at_ms; /* closed: not to be opened before */
    uint32_t _backoff_ms;
    PGconn *_pg;          /* NULL when closed */
    h2o_socket_t *_watch; /* over a dup of _pg's fd; NULL when closed */
    struct db_cancel *_cancel;
    const char **_prepared; /* the statement "s<i>" is _prepared[i] */
    size_t _prepared_count;
    size_t _prepared_capacity;
    h2o_timeout_entry_t _soon; /* to look at what libpq has already */
};

/* The rest of link is set by db before. */
void link_init(struct link *link);
/* The query, if any, is the caller's to settle. */
void link_finish(struct link *link);

/* Closed, and long enough after the last failure. */
bool link_may_open(const struct link *link, int64_t now_ms);
void link_open(struct link *link);

/* An idle link. False: the connection proved dead, nothing was sent, the query stays the caller's.
 * The link drops the connection if the query is not over by the deadline. */
bool link_run(struct link *link, struct db_query *query, int64_t deadline_ms);

/* The query is forgotten, the server told to stop it. */
void link_cancel(struct link *link);
void link_pause(struct link *link);
void link_resume(struct link *link);

/* Acts on deadlines; to be called every few ticks while the link is neither closed nor idle. */
void link_check(struct link *link, int64_t now_ms);
