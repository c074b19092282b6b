#include "writer/session.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/pg.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    GRACE_MS = 5000, /* for the server to keep its own statement_timeout */
    LOCK_TIMEOUT_MAX_MS = 5000,
    COPY_CHUNK = 256 * 1024,
    WAIT_SLICE_MS = 1000,
    PLANS_KEPT_MS = 250,
};

void session_init(struct session *session, const struct session_options *options)
{
    *session = (struct session){.options = *options};
}

void session_finish(struct session *session)
{
    session_close(session);
}

void session_close(struct session *session)
{
    PQfinish(session->connection);
    session->connection = NULL;
    session->_prepared_count = 0;
    session->_plans_from_ms = 0;
}

bool session_is_open(const struct session *session)
{
    return session->connection != NULL && PQstatus(session->connection) == CONNECTION_OK;
}

void session_look(struct session *session)
{
    if (session->connection != NULL && PQconsumeInput(session->connection) == 0) {
        session_close(session);
    }
}

/* Waits for the connection's socket. ERR_UNAVAILABLE once the deadline has passed. */
static enum err wait_for(struct session *session, short events, int64_t deadline_ms,
                         struct error *error)
{
    int64_t now_ms = clock_monotonic_ms();
    if (session->give_up_at_ms != 0 && session->give_up_at_ms < deadline_ms) {
        deadline_ms = session->give_up_at_ms;
    }
    if (now_ms >= deadline_ms) {
        return error_set(error, ERR_UNAVAILABLE, "PostgreSQL does not answer");
    }
    int64_t left_ms = deadline_ms - now_ms;
    session->options.wait(session->options.wait_context, PQsocket(session->connection), events,
                          left_ms < WAIT_SLICE_MS ? (int)left_ms : WAIT_SLICE_MS);
    return ERR_OK;
}

static int64_t statement_deadline(const struct session *session)
{
    return clock_monotonic_ms() + session->options.statement_timeout_ms + GRACE_MS;
}

/* Whatever goes wrong below the protocol: the connection is of no use any more. */
static enum err lose(struct session *session, struct error *error)
{
    enum err err = pg_error(session->connection, NULL, error);
    session_close(session);
    return err == ERR_OK ? error_set(error, ERR_UNAVAILABLE, "the connection was lost")
                         : ERR_UNAVAILABLE;
}

static enum err give_up(struct session *session, enum err err)
{
    session_close(session);
    return err;
}

static enum err flush(struct session *session, int64_t deadline_ms, struct error *error)
{
    for (;;) {
        int left = PQflush(session->connection);
        if (left == 0) {
            return ERR_OK;
        }
        if (left < 0) {
            return lose(session, error);
        }
        enum err err = wait_for(session, POLLIN | POLLOUT, deadline_ms, error);
        if (err != ERR_OK) {
            return give_up(session, err);
        }
        if (PQconsumeInput(session->connection) == 0) {
            return lose(session, error);
        }
    }
}

/* The next result; *out NULL when there is none left. */
static enum err next_result(struct session *session, int64_t deadline_ms, PGresult **out,
                            struct error *error)
{
    while (PQisBusy(session->connection) != 0) {
        enum err err = wait_for(session, POLLIN, deadline_ms, error);
        if (err != ERR_OK) {
            return give_up(session, err);
        }
        if (PQconsumeInput(session->connection) == 0) {
            return lose(session, error);
        }
    }
    *out = PQgetResult(session->connection);
    return ERR_OK;
}

static bool is_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN;
}

/* The last result of the command under way goes to *out (the first bad one, if there is one). */
static enum err collect(struct session *session, PGresult **out, struct error *error)
{
    int64_t deadline_ms = statement_deadline(session);
    enum err err = flush(session, deadline_ms, error);
    PGresult *kept = NULL;
    bool bad = false;
    while (err == ERR_OK) {
        PGresult *result = NULL;
        err = next_result(session, deadline_ms, &result, error);
        if (err != ERR_OK || result == NULL) {
            break;
        }
        if (bad) {
            PQclear(result);
            continue;
        }
        PQclear(kept);
        kept = result;
        bad = !is_good(result);
        if (PQresultStatus(result) == PGRES_COPY_IN) {
            break;
        }
    }
    if (err == ERR_OK && bad) {
        err = pg_error(session->connection, kept, error);
        assert(err != ERR_OK);
    }
    if (err == ERR_OK && kept == NULL) {
        err = lose(session, error);
    }
    if (session->connection != NULL && PQstatus(session->connection) != CONNECTION_OK) {
        session_close(session);
        err = ERR_UNAVAILABLE;
    }
    if (out != NULL) {
        *out = kept;
    } else {
        PQclear(kept);
    }
    return err;
}

static enum err closed(struct error *error)
{
    return error_set(error, ERR_UNAVAILABLE, "not connected to PostgreSQL");
}

enum err session_exec(struct session *session, const char *sql, struct error *error)
{
    return session_ask(session, sql, NULL, error);
}

enum err session_ask(struct session *session, const char *sql, PGresult **out, struct error *error)
{
    if (out != NULL) {
        *out = NULL;
    }
    if (session->connection == NULL) {
        return closed(error);
    }
    if (PQsendQuery(session->connection, sql) == 0) {
        return lose(session, error);
    }
    return collect(session, out, error);
}

static enum err prepare(struct session *session, const char *sql, char name[16],
                        struct error *error)
{
    uint32_t i = 0;
    while (i < session->_prepared_count && session->_prepared[i] != sql) {
        i++;
    }
    snprintf(name, 16, "s%" PRIu32, i);
    if (i < session->_prepared_count) {
        return ERR_OK;
    }
    assert(i < SESSION_STATEMENTS_MAX);
    if (PQsendPrepare(session->connection, name, sql, 0, NULL) == 0) {
        return lose(session, error);
    }
    enum err err = collect(session, NULL, error);
    if (err == ERR_OK) {
        session->_prepared[session->_prepared_count++] = sql;
    }
    return err;
}

/*
 * Planning takes longer than running where groups are small. But a plan from when the tables were small may
 * look traces up through the index on time, which is quadratic later: none is kept for long.
 */
static enum err renew_plans(struct session *session, struct error *error)
{
    int64_t now_ms = clock_monotonic_ms();
    if (!session->options.keeps_plans ||
        (session->_plans_from_ms != 0 && now_ms - session->_plans_from_ms < PLANS_KEPT_MS)) {
        return ERR_OK;
    }
    session->_plans_from_ms = now_ms;
    return session_exec(session, "DISCARD PLANS", error);
}

enum err session_query(struct session *session, const char *sql,
                       const struct session_parameters *parameters, PGresult **out,
                       struct error *error)
{
    if (out != NULL) {
        *out = NULL;
    }
    if (session->connection == NULL) {
        return closed(error);
    }
    char name[16];
    enum err err = prepare(session, sql, name, error);
    if (err == ERR_OK) {
        err = renew_plans(session, error);
    }
    if (err != ERR_OK) {
        return err;
    }
    const char *values[SESSION_PARAMETERS_MAX];
    int lengths[SESSION_PARAMETERS_MAX];
    int formats[SESSION_PARAMETERS_MAX];
    uint32_t count = parameters != NULL ? parameters->count : 0;
    for (uint32_t i = 0; i < count; i++) {
        values[i] = parameters->values[i].data;
        lengths[i] = (int)parameters->values[i].len;
        formats[i] = 1;
    }
    if (PQsendQueryPrepared(session->connection, name, (int)count, values, lengths, formats, 1) ==
        0) {
        return lose(session, error);
    }
    return collect(session, out, error);
}

static enum err send_copy_bytes(struct session *session, struct slice bytes, struct error *error)
{
    int64_t deadline_ms = statement_deadline(session);
    size_t at = 0;
    while (at < bytes.len) {
        size_t chunk = bytes.len - at < COPY_CHUNK ? bytes.len - at : COPY_CHUNK;
        int sent = PQputCopyData(session->connection, bytes.data + at, (int)chunk);
        if (sent < 0) {
            return lose(session, error);
        }
        if (sent > 0) {
            at += chunk;
        }
        /* One chunk at a time: libpq would rather keep the rest in memory of its own. */
        enum err err = flush(session, deadline_ms, error);
        if (err != ERR_OK) {
            return err;
        }
    }
    while (PQputCopyEnd(session->connection, NULL) == 0) {
        enum err err = flush(session, deadline_ms, error);
        if (err != ERR_OK) {
            return err;
        }
    }
    return ERR_OK;
}

enum err session_copy(struct session *session, const char *sql, struct slice bytes,
                      struct error *error)
{
    if (session->connection == NULL) {
        return closed(error);
    }
    if (PQsendQuery(session->connection, sql) == 0) {
        return lose(session, error);
    }
    PGresult *result = NULL;
    enum err err = collect(session, &result, error);
    if (err == ERR_OK && PQresultStatus(result) != PGRES_COPY_IN) {
        err = error_set(error, ERR_INTERNAL, "COPY did not begin");
    }
    PQclear(result);
    if (err == ERR_OK) {
        err = send_copy_bytes(session, bytes, error);
    }
    return err == ERR_OK ? collect(session, NULL, error) : err;
}

void session_rollback(struct session *session)
{
    if (session->connection == NULL || PQtransactionStatus(session->connection) == PQTRANS_IDLE) {
        return;
    }
    struct error error;
    if (session_exec(session, "ROLLBACK", &error) != ERR_OK) {
        log_event(LOG_WARN, "rollback failed", "error", error.text, NULL);
        session_close(session);
    }
}

enum err session_commit(struct session *session, struct error *error)
{
    if (session->connection == NULL) {
        return closed(error);
    }
    if (PQsendQuery(session->connection, "COMMIT") == 0) {
        return lose(session, error);
    }
    PGresult *result = NULL;
    enum err err = collect(session, &result, error);
    if (err == ERR_OK && strcmp(PQcmdStatus(result), "COMMIT") != 0) {
        err = error_set(error, ERR_CONFLICT, "the server rolled the transaction back");
    }
    PQclear(result);
    return err;
}

static enum err poll_connection(struct session *session, struct error *error)
{
    int64_t deadline_ms = clock_monotonic_ms() + CONNECT_TIMEOUT_MS;
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (next != PGRES_POLLING_OK) {
        if (next == PGRES_POLLING_FAILED) {
            return lose(session, error);
        }
        short events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        enum err err = wait_for(session, events, deadline_ms, error);
        if (err != ERR_OK) {
            return give_up(session, err);
        }
        next = PQconnectPoll(session->connection);
    }
    return ERR_OK;
}

static enum err set_up(struct session *session, struct error *error)
{
    int64_t statement_ms = session->options.statement_timeout_ms;
    int64_t lock_ms =
        statement_ms / 2 < LOCK_TIMEOUT_MAX_MS ? statement_ms / 2 : LOCK_TIMEOUT_MAX_MS;
    char sql[1024];
    snprintf(sql, sizeof(sql),
             "SET jit = off; SET timezone = 'UTC'; SET client_min_messages = warning;"
             "SET statement_timeout = %" PRId64 "; SET lock_timeout = %" PRId64 ";"
             "SET idle_in_transaction_session_timeout = %" PRId64 ";"
             "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"
             "SET plan_cache_mode = %s;"
             "SET default_transaction_isolation = 'read committed';"
             "SELECT set_config('synchronous_commit', 'on', false)"
             " WHERE current_setting('synchronous_commit') IN ('off', 'local')",
             statement_ms, lock_ms, statement_ms,
             session->options.keeps_plans ? "force_generic_plan" : "force_custom_plan");
    return session_exec(session, sql, error);
}

static void ignore_notice(void *context, const PGresult *result)
{
}

enum err session_open(struct session *session, struct error *error)
{
    session_close(session);
    /* What the URL says itself comes later in the list and wins. */
    const char *keys[] = {"tcp_user_timeout",
                          "keepalives_idle",
                          "keepalives_interval",
                          "keepalives_count",
                          "application_name",
                          "client_encoding",
                          "dbname",
                          NULL};
    const char *values[] = {
        "10000", "5", "2", "3", session->options.application_name, "UTF8", session->options.url,
        NULL};
    session->connection = PQconnectStartParams(keys, values, 1);
    if (session->connection == NULL) {
        return error_set(error, ERR_UNAVAILABLE, "no memory for a connection");
    }
    if (PQstatus(session->connection) == CONNECTION_BAD) {
        return lose(session, error);
    }
    enum err err = poll_connection(session, error);
    if (err != ERR_OK) {
        return err;
    }
    PQsetnonblocking(session->connection, 1);
    PQsetNoticeReceiver(session->connection, ignore_notice, NULL);
    err = set_up(session, error);
    if (err != ERR_OK) {
        session_close(session);
    }
    return err;
}
