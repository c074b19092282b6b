/*
 * db: asynchronous libpq on the loop; reads that wait for a connection. One thread: the loop's. The
 * only other threads are those of db_cancel.c.
 *
 *   LINK_CLOSED -> LINK_CONNECTING -> LINK_SETTING_UP -> LINK_IDLE <------------+
 *        ^                                                   |                  |
 *        |                                   LINK_PREPARING -+-> LINK_RUNNING --+
 *        |                                          |              |            |
 *        |                                          +-> LINK_DRAINING (query -> LINK_COOLING
 *        +--- any, when the connection is lost               was cancelled)   (PQcancel is
 *             or a deadline passes                                             still under way)
 *
 * A tick of 50 ms runs while anything waits and looks at the deadlines.
 */
#include "gateway/read/db.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/pg.h"
#include "gateway/read/db_cancel.h"
#include "gateway/read/db_url.h"

enum {
    TICK_MS = 50,
    CONNECT_TIMEOUT_MS = 5000,
    DRAIN_TIMEOUT_MS = 2000,  /* from the cancel request to the end of the statement */
    WATCHDOG_GRACE_MS = 2000, /* the server ends a statement itself; past this it hangs */
    BACKOFF_MIN_MS = 50,
    BACKOFF_MAX_MS = 1000,
};

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

struct link {
    struct db *db;
    enum link_state state;
    PGconn *pg;             /* NULL when closed */
    h2o_socket_t *watch;    /* over a dup of pg's fd; NULL when closed */
    struct db_query *query; /* when preparing or running */
    struct db_cancel *cancel;
    const char **prepared; /* the statement "s<i>" is prepared[i] */
    size_t prepared_count;
    size_t prepared_capacity;
    int64_t deadline_ms; /* of the state; monotonic */
    int64_t retry_at_ms; /* closed: not to be opened before */
    uint32_t backoff_ms;
};

struct db_query {
    struct db_query *next; /* in db's queue */
    struct db *db;
    struct link *link; /* NULL while waiting */
    const char *sql;
    int value_count;
    const char **values; /* one allocation with the texts */
    struct db_handlers handlers;
    void *waiter;
    int64_t wait_deadline_ms;
    bool is_paused;
    bool has_rows; /* the waiter has seen some: cannot be run again */
    bool was_retried;
    bool is_stale; /* the session is not what we think it is: run again on a fresh one */
    enum err err;  /* of the statement, so far */
    struct error error;
};

struct db {
    h2o_context_t *context;
    struct db_options options;
    struct db_url *url;
    char set_up[512]; /* SET ...; of a new session */
    struct link *links;
    struct db_query *queue; /* first come, first served */
    uint32_t queue_count;
    h2o_timeout_t tick;
    h2o_timeout_entry_t tick_entry;
    h2o_timeout_entry_t resume_entry;
    bool is_down; /* the last attempt to connect failed: logged once */
};

static void dispatch(struct db *db);
static void link_start(struct link *link);
static void on_connect_step(h2o_socket_t *watch, const char *err);
static void on_readable(h2o_socket_t *watch, const char *err);
static void on_writable(h2o_socket_t *watch, const char *err);
static void link_work(struct link *link);
static void on_tick(h2o_timeout_entry_t *entry);
static void on_resume(h2o_timeout_entry_t *entry);

/* --- queries ------------------------------------------------------------------------------- */

static void query_free(struct db_query *query)
{
    free(query->values);
    free(query);
}

static void queue_push(struct db *db, struct db_query *query, bool in_front)
{
    struct db_query **at = &db->queue;

    while (!in_front && *at != NULL) {
        at = &(*at)->next;
    }
    query->next = *at;
    *at = query;
    query->link = NULL;
    db->queue_count++;
}

static void queue_remove(struct db *db, struct db_query *query)
{
    struct db_query **at = &db->queue;

    while (*at != query) {
        at = &(*at)->next;
    }
    *at = query->next;
    db->queue_count--;
}

/* The last thing done with a query. The waiter may run and cancel others from its handler. */
static void query_finish(struct db_query *query, enum err err, const struct error *error)
{
    query->handlers.on_done(query->waiter, err, error);
    query_free(query);
}

static void query_fail(struct db_query *query, enum err err, const char *text)
{
    struct error error;

    error_set(&error, err, "%s", text);
    query_finish(query, err, &error);
}

/* --- links: opening and closing ------------------------------------------------------------ */

static void watch_close(struct link *link)
{
    if (link->watch != NULL) {
        h2o_socket_close(link->watch);
        link->watch = NULL;
    }
}

static bool watch_open(struct link *link)
{
    int fd = fcntl(PQsocket(link->pg), F_DUPFD_CLOEXEC, 0);

    if (fd < 0) {
        return false;
    }
    link->watch = h2o_evloop_socket_create(link->db->context->loop, fd, H2O_SOCKET_FLAG_DONT_READ);
    link->watch->data = link;
    return true;
}

/* The link's query is the caller's to settle. */
static void link_close(struct link *link)
{
    watch_close(link); /* before libpq closes the fd that it watches */
    PQfinish(link->pg);
    link->pg = NULL;
    link->query = NULL;
    link->prepared_count = 0;
    link->state = LINK_CLOSED;
    db_cancel_release(link->cancel);
    link->cancel = NULL;
}

/* An attempt to connect failed. */
static void link_give_up(struct link *link, const char *why)
{
    struct db *db = link->db;

    if (!db->is_down) {
        log_event(LOG_WARN, "database unreachable", "reason", why, NULL);
        db->is_down = true;
    }
    link_close(link);
    link->backoff_ms = link->backoff_ms == 0                   ? BACKOFF_MIN_MS
                       : link->backoff_ms > BACKOFF_MAX_MS / 2 ? BACKOFF_MAX_MS
                                                               : link->backoff_ms * 2;
    link->retry_at_ms = clock_monotonic_ms() + link->backoff_ms;
}

static void on_notice(void *context, const char *text)
{
    log_event(LOG_DEBUG, "database notice", "text", text, NULL);
}

static void link_open(struct link *link)
{
    link->pg = db_url_connect(link->db->url);
    if (link->pg == NULL || PQstatus(link->pg) == CONNECTION_BAD) {
        link_give_up(link, link->pg != NULL ? PQerrorMessage(link->pg) : "out of memory");
        return;
    }
    PQsetNoticeProcessor(link->pg, on_notice, NULL);
    if (!watch_open(link)) {
        link_give_up(link, "no file descriptor left");
        return;
    }
    link->state = LINK_CONNECTING;
    link->deadline_ms = clock_monotonic_ms() + CONNECT_TIMEOUT_MS;
    h2o_socket_notify_write(link->watch, on_connect_step); /* as PQconnectPoll wants it first */
}

static void link_set_up(struct link *link)
{
    if (PQsetnonblocking(link->pg, 1) != 0 || PQsendQuery(link->pg, link->db->set_up) == 0) {
        link_give_up(link, PQerrorMessage(link->pg));
        return;
    }
    link->state = LINK_SETTING_UP;
    link_start(link);
}

static void on_connect_step(h2o_socket_t *watch, const char *err)
{
    struct link *link = watch->data;
    PostgresPollingStatusType step = PQconnectPoll(link->pg);

    /* libpq may have moved on to another address, and so to another socket. */
    watch_close(link);
    if (step == PGRES_POLLING_FAILED) {
        link_give_up(link, PQerrorMessage(link->pg));
    } else if (!watch_open(link)) {
        link_give_up(link, "no file descriptor left");
    } else if (step == PGRES_POLLING_OK) {
        link_set_up(link);
    } else if (step == PGRES_POLLING_READING) {
        h2o_socket_read_start(link->watch, on_connect_step);
    } else {
        h2o_socket_notify_write(link->watch, on_connect_step);
    }
}

/* --- links: running ------------------------------------------------------------------------ */

/* Sends what libpq holds and listens for the answer. */
static void link_start(struct link *link)
{
    if (PQflush(link->pg) > 0 && !h2o_socket_is_writing(link->watch)) {
        h2o_socket_notify_write(link->watch, on_writable);
    }
    if (link->query == NULL || !link->query->is_paused) {
        h2o_socket_read_start(link->watch, on_readable);
    }
}

static void on_writable(h2o_socket_t *watch, const char *err)
{
    struct link *link = watch->data;

    link_start(link); /* a broken connection shows when it is read */
}

static void on_readable(h2o_socket_t *watch, const char *err)
{
    struct link *link = watch->data;

    if (PQconsumeInput(link->pg) == 0) {
        PQflush(link->pg);
    }
    link_work(link);
}

/* The connection is gone, with or without a query on it. */
static void link_lost(struct link *link)
{
    struct db *db = link->db;
    struct db_query *query = link->query;

    log_event(LOG_INFO, "database connection lost", "reason", PQerrorMessage(link->pg), NULL);
    link_close(link);
    if (query == NULL) {
        return;
    }
    if (!query->has_rows && !query->was_retried) {
        query->was_retried = true;
        query->err = ERR_OK;
        query->is_stale = false;
        queue_push(db, query, true);
        return;
    }
    query_fail(query, ERR_UNAVAILABLE, "the database connection was lost");
}

/* False: nothing could be sent, the query is still the caller's. */
static bool link_send(struct link *link, struct db_query *query)
{
    char name[32];
    size_t i = 0;

    while (i < link->prepared_count && link->prepared[i] != query->sql) {
        i++;
    }
    snprintf(name, sizeof name, "s%zu", i);
    if (i == link->prepared_count) {
        link->state = LINK_PREPARING;
        return PQsendPrepare(link->pg, name, query->sql, 0, NULL) != 0;
    }
    link->state = LINK_RUNNING;
    return PQsendQueryPrepared(link->pg, name, query->value_count, query->values, NULL, NULL, 0) !=
               0 &&
           PQsetSingleRowMode(link->pg) != 0;
}

static bool link_run(struct link *link, struct db_query *query)
{
    if (!link_send(link, query)) {
        log_event(LOG_INFO, "database connection lost", "reason", PQerrorMessage(link->pg), NULL);
        link_close(link);
        return false;
    }
    query->link = link;
    link->query = query;
    link_start(link);
    return true;
}

static void link_idle(struct link *link)
{
    link->state = LINK_IDLE;
    link->query = NULL;
}

static void remember_prepared(struct link *link, const char *sql)
{
    if (link->prepared_count == link->prepared_capacity) {
        link->prepared_capacity = link->prepared_capacity == 0 ? 16 : link->prepared_capacity * 2;
        link->prepared =
            memory_resize(link->prepared, link->prepared_capacity * sizeof *link->prepared);
    }
    link->prepared[link->prepared_count++] = sql;
}

static void query_note_error(struct link *link, struct db_query *query, const PGresult *result)
{
    /* Statement unknown, known already, or planned for another table; server going down. */
    static const char *const stale[] = {"26000", "42P05", "0A000", "57P01", "57P02", "57P03"};
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (query->err != ERR_OK) {
        return;
    }
    query->err = pg_error(link->pg, result, &query->error);
    if (query->err != ERR_TIMEOUT && query->err != ERR_UNAVAILABLE) {
        query->err = ERR_INTERNAL;
    }
    for (size_t i = 0; state != NULL && i < sizeof stale / sizeof *stale; i++) {
        query->is_stale |= strcmp(state, stale[i]) == 0;
    }
}

static void link_take(struct link *link, const PGresult *result)
{
    struct db_query *query = link->query;
    ExecStatusType status = PQresultStatus(result);

    if (link->state == LINK_SETTING_UP && status != PGRES_COMMAND_OK) {
        log_event(LOG_ERROR, "database session refused", "reason", PQresultErrorMessage(result),
                  NULL);
        link->deadline_ms = 0;
    } else if (query == NULL) {
        return; /* cancelled; nobody wants it */
    } else if (status == PGRES_SINGLE_TUPLE) {
        query->has_rows = true;
        query->handlers.on_row(query->waiter, result); /* may cancel or pause the query */
    } else if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        query_note_error(link, query, result);
    }
}

/* The statement is over and libpq has no more of it. */
static void link_end_query(struct link *link)
{
    struct db_query *query = link->query;

    if (query->is_stale && !query->has_rows && !query->was_retried) {
        link_lost(link);
    } else if (link->state == LINK_PREPARING && query->err == ERR_OK) {
        remember_prepared(link, query->sql);
        if (!link_run(link, query)) {
            queue_push(link->db, query, true);
        }
    } else {
        link_idle(link);
        query_finish(query, query->err, &query->error);
    }
}

/* A command of the link's is over: the one function that decides what comes next. */
static void link_end(struct link *link)
{
    if (PQstatus(link->pg) == CONNECTION_BAD) {
        if (link->state == LINK_SETTING_UP) {
            link_give_up(link, PQerrorMessage(link->pg));
        } else {
            link_lost(link);
        }
        return;
    }
    switch (link->state) {
    case LINK_SETTING_UP:
        if (link->deadline_ms == 0) {
            link_give_up(link, "the session could not be set up");
            break;
        }
        link->backoff_ms = 0;
        if (link->db->is_down) {
            link->db->is_down = false;
            log_event(LOG_INFO, "database reachable", NULL);
        }
        link_idle(link);
        break;
    case LINK_PREPARING:
    case LINK_RUNNING:
        link_end_query(link);
        break;
    case LINK_DRAINING:
        link->state = LINK_COOLING;
        break;
    case LINK_CLOSED:
    case LINK_CONNECTING:
    case LINK_IDLE:
    case LINK_COOLING:
        break;
    }
}

static bool link_is_busy(const struct link *link)
{
    return link->state == LINK_SETTING_UP || link->state == LINK_PREPARING ||
           link->state == LINK_RUNNING || link->state == LINK_DRAINING;
}

/* Works off what has arrived. */
static void link_work(struct link *link)
{
    struct db *db = link->db;
    PGconn *pg = link->pg;

    if (!link_is_busy(link) && PQstatus(pg) == CONNECTION_BAD) {
        link_lost(link);
    }
    while (link->pg == pg && link_is_busy(link)) {
        if (link->query != NULL && link->query->is_paused) {
            break;
        }
        if (PQisBusy(pg) && PQstatus(pg) != CONNECTION_BAD) {
            break;
        }
        PGresult *result = PQgetResult(pg);
        if (result == NULL) {
            link_end(link);
            continue;
        }
        link_take(link, result);
        PQclear(result);
    }
    dispatch(db);
}

/* --- who runs next ------------------------------------------------------------------------- */

static struct link *find_link(struct db *db, enum link_state state)
{
    int64_t now = clock_monotonic_ms();

    for (uint32_t i = 0; i < db->options.connections; i++) {
        struct link *link = &db->links[i];
        if (link->state == state && (state != LINK_CLOSED || link->retry_at_ms <= now)) {
            return link;
        }
    }
    return NULL;
}

static uint32_t count_coming(const struct db *db)
{
    uint32_t coming = 0;

    for (uint32_t i = 0; i < db->options.connections; i++) {
        coming += db->links[i].state == LINK_CONNECTING || db->links[i].state == LINK_SETTING_UP;
    }
    return coming;
}

static bool needs_tick(const struct db *db)
{
    for (uint32_t i = 0; i < db->options.connections; i++) {
        if (db->links[i].state != LINK_CLOSED && db->links[i].state != LINK_IDLE) {
            return true;
        }
    }
    return db->queue != NULL;
}

/* Gives waiting queries to idle links, and opens as many links as there are queries left. */
static void dispatch(struct db *db)
{
    struct link *link;

    while (db->queue != NULL && (link = find_link(db, LINK_IDLE)) != NULL) {
        struct db_query *query = db->queue;
        queue_remove(db, query);
        link->deadline_ms =
            clock_monotonic_ms() + db->options.statement_timeout_ms + WATCHDOG_GRACE_MS;
        if (!link_run(link, query)) {
            queue_push(db, query, true);
        }
    }
    while (db->queue_count > count_coming(db) && (link = find_link(db, LINK_CLOSED)) != NULL) {
        link_open(link);
    }
    if (needs_tick(db) && !h2o_timeout_is_linked(&db->tick_entry)) {
        h2o_timeout_link(db->context->loop, &db->tick, &db->tick_entry);
    }
}

/* --- deadlines ----------------------------------------------------------------------------- */

static void link_check(struct link *link, int64_t now)
{
    struct db_query *query = link->query;

    if (link->state == LINK_COOLING && db_cancel_is_done(link->cancel)) {
        db_cancel_release(link->cancel);
        link->cancel = NULL;
        link_idle(link);
    }
    if (link->state == LINK_CLOSED || link->state == LINK_IDLE || now < link->deadline_ms) {
        return;
    }
    if (link->state == LINK_CONNECTING || link->state == LINK_SETTING_UP) {
        link_give_up(link, "no answer in time");
        return;
    }
    log_event(LOG_WARN, "database connection dropped", "reason",
              "the server does not answer in time", NULL);
    link_close(link);
    if (query != NULL) {
        query_fail(query, ERR_TIMEOUT, "the database did not answer in time");
    }
}

static struct db_query *find_expired(const struct db *db, int64_t now)
{
    struct db_query *query = db->queue;

    while (query != NULL && now < query->wait_deadline_ms) {
        query = query->next;
    }
    return query;
}

static void on_tick(h2o_timeout_entry_t *entry)
{
    struct db *db = H2O_STRUCT_FROM_MEMBER(struct db, tick_entry, entry);
    int64_t now = clock_monotonic_ms();
    struct db_query *query;

    for (uint32_t i = 0; i < db->options.connections; i++) {
        link_check(&db->links[i], now);
    }
    while ((query = find_expired(db, now)) != NULL) {
        queue_remove(db, query);
        query_fail(query, ERR_UNAVAILABLE,
                   db->is_down ? "the database cannot be reached" : "the database is too busy");
    }
    dispatch(db);
}

/* --- the door ------------------------------------------------------------------------------ */

struct db *db_open(h2o_context_t *context, const struct db_options *options)
{
    struct db *db = memory_zalloc(sizeof *db);

    db->context = context;
    db->options = *options;
    db->url = db_url_create(options->url);
    /* By SET, not as start-up options, which poolers refuse. Filters are optional ($2 IS NULL OR
     * ...): only a plan made for the values at hand uses the right index. */
    snprintf(db->set_up, sizeof db->set_up,
             "SET statement_timeout = %u; SET default_transaction_read_only = on; "
             "SET timezone = 'UTC'; SET jit = off; SET plan_cache_mode = force_custom_plan; "
             "SET extra_float_digits = 1",
             options->statement_timeout_ms);
    db->links = memory_zalloc(options->connections * sizeof *db->links);
    for (uint32_t i = 0; i < options->connections; i++) {
        db->links[i].db = db;
    }
    h2o_timeout_init(context->loop, &db->tick, TICK_MS);
    db->tick_entry.cb = on_tick;
    db->resume_entry.cb = on_resume;
    return db;
}

void db_close(struct db *db)
{
    if (db == NULL) {
        return;
    }
    for (uint32_t i = 0; i < db->options.connections; i++) {
        struct db_query *query = db->links[i].query;
        link_close(&db->links[i]);
        free(db->links[i].prepared);
        db->links[i].retry_at_ms = INT64_MAX;
        if (query != NULL) {
            query_fail(query, ERR_UNAVAILABLE, "shutting down");
        }
    }
    while (db->queue != NULL) {
        struct db_query *query = db->queue;
        queue_remove(db, query);
        query_fail(query, ERR_UNAVAILABLE, "shutting down");
    }
    h2o_timeout_unlink(&db->tick_entry);
    h2o_timeout_unlink(&db->resume_entry);
    h2o_timeout_dispose(db->context->loop, &db->tick);
    db_url_destroy(db->url);
    free(db->links);
    free(db);
}

/* The pointers and behind them the texts. */
static const char **copy_values(int count, const char *const *values)
{
    size_t size = (size_t)count * sizeof *values;

    for (int i = 0; i < count; i++) {
        size += values[i] != NULL ? strlen(values[i]) + 1 : 0;
    }
    const char **copy = memory_alloc(size + 1);
    char *text = (char *)(copy + count);
    for (int i = 0; i < count; i++) {
        copy[i] = values[i] != NULL ? text : NULL;
        text = values[i] != NULL ? stpcpy(text, values[i]) + 1 : text;
    }
    return copy;
}

enum err db_run(struct db *db, const char *sql, int parameter_count, const char *const *parameters,
                const struct db_handlers *handlers, void *waiter, struct db_query **out,
                struct error *error)
{
    if (db->queue_count >= db->options.queue_max && find_link(db, LINK_IDLE) == NULL) {
        return error_set(error, ERR_BUSY, "too many reads are waiting for the database");
    }
    struct db_query *query = memory_zalloc(sizeof *query);
    query->db = db;
    query->sql = sql;
    query->value_count = parameter_count;
    query->values = copy_values(parameter_count, parameters);
    query->handlers = *handlers;
    query->waiter = waiter;
    query->wait_deadline_ms = clock_monotonic_ms() + db->options.wait_timeout_ms;
    queue_push(db, query, false);
    dispatch(db);
    *out = query;
    return ERR_OK;
}

void db_cancel(struct db_query *query)
{
    struct link *link = query->link;

    if (link == NULL) {
        queue_remove(query->db, query);
    } else {
        link->query = NULL;
        link->state = LINK_DRAINING;
        link->deadline_ms = clock_monotonic_ms() + DRAIN_TIMEOUT_MS;
        link->cancel = db_cancel_start(link->pg);
        if (link->cancel == NULL) {
            link->deadline_ms = 0; /* the next tick drops the connection */
        }
        link_start(link); /* it may have been paused */
        if (!h2o_timeout_is_linked(&query->db->resume_entry)) {
            h2o_timeout_link(query->db->context->loop, &query->db->context->zero_timeout,
                             &query->db->resume_entry);
        }
    }
    query_free(query);
}

void db_pause(struct db_query *query)
{
    query->is_paused = true;
    if (query->link != NULL) {
        h2o_socket_read_stop(query->link->watch);
    }
}

void db_resume(struct db_query *query)
{
    if (!query->is_paused) {
        return;
    }
    query->is_paused = false;
    if (query->link != NULL) {
        h2o_socket_read_start(query->link->watch, on_readable);
        if (!h2o_timeout_is_linked(&query->db->resume_entry)) {
            h2o_timeout_link(query->db->context->loop, &query->db->context->zero_timeout,
                             &query->db->resume_entry);
        }
    }
}

/* Rows that libpq had already when their query was paused; no event of the socket tells of them. */
static void on_resume(h2o_timeout_entry_t *entry)
{
    struct db *db = H2O_STRUCT_FROM_MEMBER(struct db, resume_entry, entry);

    for (uint32_t i = 0; i < db->options.connections; i++) {
        if (link_is_busy(&db->links[i])) {
            link_work(&db->links[i]);
        }
    }
}
