/*
 * db_link: one connection: connecting, session, one query at a time. On the loop only; the only
 * other threads are those of db_cancel.c. Callbacks stand in the order they run.
 */
#include "gateway/read/db_link.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/pg.h"
#include "gateway/read/db_cancel.h"
#include "gateway/read/db_url.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    DRAIN_TIMEOUT_MS = 2000, /* from the cancel request to the end of the statement */
    BACKOFF_MIN_MS = 50,
    BACKOFF_MAX_MS = 1000,
};

static void on_connect_step(h2o_socket_t *watch, const char *err);
static void on_writable(h2o_socket_t *watch, const char *err);
static void on_readable(h2o_socket_t *watch, const char *err);
static void on_soon(h2o_timeout_entry_t *entry);

/* --- opening and closing ------------------------------------------------------------------- */

void link_init(struct link *link)
{
    link->state = LINK_CLOSED;
    link->_soon.cb = on_soon;
}

static void watch_close(struct link *link)
{
    if (link->_watch != NULL) {
        h2o_socket_close(link->_watch);
        link->_watch = NULL;
    }
}

static bool watch_open(struct link *link)
{
    int fd = fcntl(PQsocket(link->_pg), F_DUPFD_CLOEXEC, 0);

    if (fd < 0) {
        return false;
    }
    link->_watch = h2o_evloop_socket_create(link->context->loop, fd, H2O_SOCKET_FLAG_DONT_READ);
    link->_watch->data = link;
    return true;
}

static void link_close(struct link *link)
{
    watch_close(link); /* before libpq closes the fd that it watches */
    PQfinish(link->_pg);
    link->_pg = NULL;
    link->query = NULL;
    link->_prepared_count = 0;
    link->state = LINK_CLOSED;
    db_cancel_release(link->_cancel);
    link->_cancel = NULL;
    h2o_timeout_unlink(&link->_soon);
}

void link_finish(struct link *link)
{
    link_close(link);
    free(link->_prepared);
    link->_prepared = NULL;
}

/* An attempt to connect failed. */
static void link_give_up(struct link *link, const char *why)
{
    link->events->on_reach(link->db, false, why);
    link_close(link);
    link->_backoff_ms = link->_backoff_ms == 0                   ? BACKOFF_MIN_MS
                        : link->_backoff_ms > BACKOFF_MAX_MS / 2 ? BACKOFF_MAX_MS
                                                                 : link->_backoff_ms * 2;
    link->_retry_at_ms = clock_monotonic_ms() + link->_backoff_ms;
}

bool link_may_open(const struct link *link, int64_t now_ms)
{
    return link->state == LINK_CLOSED && link->_retry_at_ms <= now_ms;
}

static void on_notice(void *context, const char *text)
{
    log_event(LOG_DEBUG, "database notice", "text", text, NULL);
}

void link_open(struct link *link)
{
    link->_pg = db_url_connect(link->url);
    if (link->_pg == NULL || PQstatus(link->_pg) == CONNECTION_BAD) {
        link_give_up(link, link->_pg != NULL ? PQerrorMessage(link->_pg) : "out of memory");
        return;
    }
    PQsetNoticeProcessor(link->_pg, on_notice, NULL);
    if (!watch_open(link)) {
        link_give_up(link, "no file descriptor left");
        return;
    }
    link->state = LINK_CONNECTING;
    link->_deadline_ms = clock_monotonic_ms() + CONNECT_TIMEOUT_MS;
    h2o_socket_notify_write(link->_watch, on_connect_step); /* as PQconnectPoll wants it first */
}

/* Sends what libpq holds and listens for the answer. */
static void link_listen(struct link *link)
{
    if (PQflush(link->_pg) > 0 && !h2o_socket_is_writing(link->_watch)) {
        h2o_socket_notify_write(link->_watch, on_writable);
    }
    if (link->query == NULL || !link->query->is_paused) {
        h2o_socket_read_start(link->_watch, on_readable);
    }
}

static void link_set_up(struct link *link)
{
    if (PQsetnonblocking(link->_pg, 1) != 0 || PQsendQuery(link->_pg, link->set_up) == 0) {
        link_give_up(link, PQerrorMessage(link->_pg));
        return;
    }
    link->state = LINK_SETTING_UP;
    link_listen(link);
}

static void on_connect_step(h2o_socket_t *watch, const char *err)
{
    struct link *link = watch->data;
    PostgresPollingStatusType step = PQconnectPoll(link->_pg);

    /* libpq may have moved on to another address, and so to another socket. */
    watch_close(link);
    if (step == PGRES_POLLING_FAILED) {
        link_give_up(link, PQerrorMessage(link->_pg));
    } else if (!watch_open(link)) {
        link_give_up(link, "no file descriptor left");
    } else if (step == PGRES_POLLING_OK) {
        link_set_up(link);
    } else if (step == PGRES_POLLING_READING) {
        h2o_socket_read_start(link->_watch, on_connect_step);
    } else {
        h2o_socket_notify_write(link->_watch, on_connect_step);
    }
}

/* --- a query goes out ---------------------------------------------------------------------- */

static bool link_send(struct link *link, struct db_query *query)
{
    char name[32];
    size_t i = 0;

    if (query->made != NULL) {
        link->state = LINK_RUNNING;
        return PQsendQueryParams(link->_pg, query->sql, query->value_count, NULL, query->values,
                                 NULL, NULL, 0) != 0 &&
               PQsetSingleRowMode(link->_pg) != 0;
    }
    while (i < link->_prepared_count && link->_prepared[i] != query->sql) {
        i++;
    }
    snprintf(name, sizeof name, "s%zu", i);
    if (i == link->_prepared_count) {
        link->state = LINK_PREPARING;
        return PQsendPrepare(link->_pg, name, query->sql, 0, NULL) != 0;
    }
    link->state = LINK_RUNNING;
    return PQsendQueryPrepared(link->_pg, name, query->value_count, query->values, NULL, NULL, 0) !=
               0 &&
           PQsetSingleRowMode(link->_pg) != 0;
}

static void log_lost(const struct link *link)
{
    const char *why = PQerrorMessage(link->_pg);

    log_event(LOG_INFO, "database connection lost", "reason",
              log_text("%.*s", (int)strcspn(why, "\n"), why), NULL);
}

bool link_run(struct link *link, struct db_query *query, int64_t deadline_ms)
{
    if (!link_send(link, query)) {
        log_lost(link);
        link_close(link);
        return false;
    }
    link->_deadline_ms = deadline_ms;
    query->link = link;
    link->query = query;
    link_listen(link);
    return true;
}

static void on_writable(h2o_socket_t *watch, const char *err)
{
    link_listen(watch->data); /* that the connection broke shows when it is read */
}

/* --- its answer comes in ------------------------------------------------------------------- */

/* The connection, or what we think of its session, is gone, with or without a query. */
static void link_lose(struct link *link)
{
    struct db_query *query = link->query;

    log_lost(link);
    link_close(link);
    if (query == NULL) {
        return;
    }
    query->link = NULL;
    if (!query->has_rows && !query->was_retried) {
        query->was_retried = true;
        query->is_stale = false;
        query->err = ERR_OK;
        link->events->on_again(link->db, query);
        return;
    }
    struct error error;
    error_set(&error, ERR_UNAVAILABLE, "the database connection was lost");
    link->events->on_over(link->db, query, ERR_UNAVAILABLE, &error);
}

static void link_idle(struct link *link)
{
    link->state = LINK_IDLE;
    link->query = NULL;
}

static void query_note_error(struct link *link, struct db_query *query, const PGresult *result)
{
    /* Statement unknown, known already, or planned for another table; server going down; the one that gave way in a
     * deadlock, or on a standby to what came from the primary. */
    static const char *const stale[] = {"26000", "42P05", "0A000", "57P01",
                                        "57P02", "57P03", "40P01", "40001"};
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (query->err != ERR_OK) {
        return;
    }
    query->err = pg_error(link->_pg, result, &query->error);
    if (query->err == ERR_CONFLICT) {
        query->err = ERR_UNAVAILABLE;
    } else if (query->err != ERR_TIMEOUT && query->err != ERR_UNAVAILABLE) {
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
        link_give_up(link, PQresultErrorMessage(result));
    } else if (query == NULL) {
        return; /* a SET, or rows that nobody wants any more */
    } else if (status == PGRES_SINGLE_TUPLE) {
        query->has_rows = true;
        query->handlers.on_row(query->waiter, result); /* may cancel or pause the query */
    } else if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        query_note_error(link, query, result);
    }
}

static void remember_prepared(struct link *link, const char *sql)
{
    if (link->_prepared_count == link->_prepared_capacity) {
        link->_prepared_capacity =
            link->_prepared_capacity == 0 ? 16 : link->_prepared_capacity * 2;
        link->_prepared =
            memory_resize(link->_prepared, link->_prepared_capacity * sizeof *link->_prepared);
    }
    link->_prepared[link->_prepared_count++] = sql;
}

static void link_end_query(struct link *link)
{
    struct db_query *query = link->query;

    if (query->is_stale && !query->has_rows && !query->was_retried) {
        link_lose(link);
    } else if (link->state == LINK_PREPARING && query->err == ERR_OK) {
        remember_prepared(link, query->sql);
        if (!link_run(link, query, link->_deadline_ms)) {
            query->link = NULL;
            link->events->on_again(link->db, query);
        }
    } else {
        link_idle(link);
        link->events->on_over(link->db, query, query->err, &query->error);
    }
}

/* What was under way is over, and libpq has no more of it: decides what comes next. */
static void link_end(struct link *link)
{
    if (PQstatus(link->_pg) == CONNECTION_BAD) {
        if (link->state == LINK_SETTING_UP) {
            link_give_up(link, PQerrorMessage(link->_pg));
        } else {
            link_lose(link);
        }
    } else if (link->state == LINK_SETTING_UP) {
        link->_backoff_ms = 0;
        link->events->on_reach(link->db, true, NULL);
        link_idle(link);
    } else if (link->state == LINK_DRAINING) {
        link->state = LINK_COOLING; /* until link_check */
    } else {
        assert(link->query != NULL);
        link_end_query(link);
    }
}

static bool is_busy(const struct link *link)
{
    return link->state == LINK_SETTING_UP || link->state == LINK_PREPARING ||
           link->state == LINK_RUNNING || link->state == LINK_DRAINING;
}

static bool has_result(const struct link *link)
{
    bool is_paused = link->query != NULL && link->query->is_paused;

    return !is_paused && (PQisBusy(link->_pg) == 0 || PQstatus(link->_pg) == CONNECTION_BAD);
}

/* Works off what has arrived. */
static void link_work(struct link *link)
{
    PGconn *pg = link->_pg;

    if (!is_busy(link) && PQstatus(pg) == CONNECTION_BAD) {
        link_lose(link);
    }
    while (link->_pg == pg && is_busy(link) && has_result(link)) {
        PGresult *result = PQgetResult(pg);
        if (result == NULL) {
            link_end(link);
            continue;
        }
        link_take(link, result);
        PQclear(result);
    }
    link->events->on_change(link->db);
}

static void on_readable(h2o_socket_t *watch, const char *err)
{
    struct link *link = watch->data;

    (void)PQconsumeInput(link->_pg); /* the connection's state tells when it failed */
    link_work(link);
}

/* --- stopping ------------------------------------------------------------------------------ */

/* Rows that libpq has already: no event of the socket will tell of them. */
static void work_soon(struct link *link)
{
    if (!h2o_timeout_is_linked(&link->_soon)) {
        h2o_timeout_link(link->context->loop, &link->context->zero_timeout, &link->_soon);
    }
}

static void on_soon(h2o_timeout_entry_t *entry)
{
    struct link *link = H2O_STRUCT_FROM_MEMBER(struct link, _soon, entry);

    if (is_busy(link)) {
        link_work(link);
    }
}

void link_cancel(struct link *link)
{
    link->query = NULL;
    link->state = LINK_DRAINING;
    link->_cancel = db_cancel_start(link->_pg);
    /* Without a cancel, the next check drops the connection. */
    link->_deadline_ms =
        link->_cancel != NULL ? clock_monotonic_ms() + DRAIN_TIMEOUT_MS : INT64_MIN;
    link_listen(link);
    work_soon(link);
}

void link_pause(struct link *link)
{
    h2o_socket_read_stop(link->_watch);
}

void link_resume(struct link *link)
{
    h2o_socket_read_start(link->_watch, on_readable);
    work_soon(link);
}

void link_check(struct link *link, int64_t now_ms)
{
    struct db_query *query = link->query;
    struct error error;

    if (link->state == LINK_COOLING && db_cancel_is_done(link->_cancel)) {
        db_cancel_release(link->_cancel);
        link->_cancel = NULL;
        link_idle(link);
    }
    if (link->state == LINK_CLOSED || link->state == LINK_IDLE || now_ms < link->_deadline_ms) {
        return;
    }
    if (link->state == LINK_CONNECTING || link->state == LINK_SETTING_UP) {
        link_give_up(link, "no answer in time");
        return;
    }
    log_event(LOG_WARN, "database connection dropped", "reason", "no answer in time", NULL);
    link_close(link);
    if (query != NULL) {
        error_set(&error, ERR_UNAVAILABLE, "the database did not answer in time");
        link->events->on_over(link->db, query, ERR_UNAVAILABLE, &error);
    }
}
