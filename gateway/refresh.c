/*
 * The life of the thread: connect, look, read when there is news, publish, wait a second, look again. Whatever
 * fails drops the connection, and the next turn makes another. libpq runs without blocking, so that
 * neither a server that hangs nor one that vanished holds up the end.
 */
#include "gateway/refresh.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/pg.h"
#include "gateway/access.h"
#include "gateway/read/db_url.h"

enum {
    PERIOD_MS = 1000,
    CONNECT_TIMEOUT_MS = 5000,
    ANSWER_TIMEOUT_MS = 5000,
    TOKEN_SIZE = 64,
};

static const char sql_set_up[] =
    "SET statement_timeout = 5000; SET default_transaction_read_only = on";
static const char sql_look[] = "SELECT token FROM access_change";

/* One statement, so that it is all of one moment. What is in the columns depends on the first. */
enum { COLUMN_KIND, COLUMN_PROJECT, COLUMN_1, COLUMN_2, COLUMN_3, COLUMN_4 };
static const char sql_read[] =
    "SELECT 'token', '', token::text, NULL, NULL, NULL FROM access_change"
    " UNION ALL SELECT 'key', project_id, public_key, encode(secret_sha256, 'hex'),"
    "  array_to_string(scopes, ','), (extract(epoch FROM expires_at) * 1000000)::bigint::text"
    "  FROM api_keys WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())"
    " UNION ALL SELECT 'capture', project_id, mode, redact_keys, redact_patterns, NULL FROM "
    "capture";

struct refresh {
    struct access *access;
    struct db_url *url;
    int stop_fd; /* eventfd */
    pthread_t thread;
    pthread_mutex_t lock; /* of has_looked */
    pthread_cond_t looked;
    bool has_looked;

    /* The thread's own. */
    PGconn *connection;     /* NULL: none */
    char token[TOKEN_SIZE]; /* of what was published last; "": nothing */
    bool is_down;
};

/* ---- waiting ---- */

/* False: told to stop, or the time is up. fd -1: there is nothing else to wait for. */
static bool wait_for(const struct refresh *refresh, int fd, short events, int64_t until_ms)
{
    for (;;) {
        struct pollfd fds[] = {{.fd = refresh->stop_fd, .events = POLLIN},
                               {.fd = fd, .events = events}};
        int64_t left_ms = until_ms - clock_monotonic_ms();
        int count = poll(fds, 2, left_ms > 0 ? (int)left_ms : 0);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        return count > 0 && fds[0].revents == 0;
    }
}

static bool must_stop(const struct refresh *refresh)
{
    struct pollfd stop = {.fd = refresh->stop_fd, .events = POLLIN};
    return poll(&stop, 1, 0) != 0;
}

/* ---- the connection ---- */

static void drop_connection(struct refresh *refresh)
{
    PQfinish(refresh->connection);
    refresh->connection = NULL;
}

/* The answer to one statement, or to the last of several. The caller clears it, also after an error. */
static enum err run(struct refresh *refresh, const char *sql, PGresult **out, struct error *error)
{
    int64_t until_ms = clock_monotonic_ms() + ANSWER_TIMEOUT_MS;
    PGconn *connection = refresh->connection;
    *out = NULL;
    if (PQsendQuery(connection, sql) == 0) {
        return pg_error(connection, NULL, error);
    }
    for (;;) {
        while (PQisBusy(connection)) {
            if (!wait_for(refresh, PQsocket(connection), POLLIN, until_ms)) {
                return error_set(error, ERR_TIMEOUT, "the database does not answer");
            }
            if (PQconsumeInput(connection) == 0) {
                return pg_error(connection, NULL, error);
            }
        }
        PGresult *result = PQgetResult(connection);
        if (result == NULL) {
            break;
        }
        PQclear(*out);
        *out = result;
    }
    ExecStatusType status = PQresultStatus(*out);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK
               ? ERR_OK
               : pg_error(connection, *out, error);
}

static void ignore_notice(void *context, const char *text)
{
}

static enum err connect_to(struct refresh *refresh, struct error *error)
{
    int64_t until_ms = clock_monotonic_ms() + CONNECT_TIMEOUT_MS;
    refresh->connection = db_url_connect(refresh->url);
    PostgresPollingStatusType step = PGRES_POLLING_WRITING;
    while (PQstatus(refresh->connection) != CONNECTION_BAD && step != PGRES_POLLING_OK &&
           step != PGRES_POLLING_FAILED) {
        if (!wait_for(refresh, PQsocket(refresh->connection),
                      step == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_ms)) {
            return error_set(error, ERR_TIMEOUT, "connecting takes too long");
        }
        step = PQconnectPoll(refresh->connection);
    }
    if (PQstatus(refresh->connection) != CONNECTION_OK) {
        return pg_error(refresh->connection, NULL, error);
    }
    PQsetNoticeProcessor(refresh->connection, ignore_notice, NULL);
    PGresult *result;
    enum err err = run(refresh, sql_set_up, &result, error);
    PQclear(result);
    return err;
}

/* ---- the tables ---- */

/* What was read, until it is published. Texts are the result's. */
struct tables {
    struct buf keys; /* struct auth_key */
    struct buf rows; /* struct captures_row */
    const char *token;
};

static const char *text_at(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
}

/* 64 hex digits; a constraint of the table says so. */
static void read_digest(const char *hex, uint8_t out[32])
{
    for (size_t i = 0; i < 32; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        out[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
}

static void add_key(struct tables *tables, const PGresult *result, int row)
{
    const char *expires = text_at(result, row, COLUMN_4);
    struct auth_key key = {
        .project = slice_from(text_at(result, row, COLUMN_PROJECT)),
        .public_key = slice_from(text_at(result, row, COLUMN_1)),
        .scopes = auth_scopes(slice_from(text_at(result, row, COLUMN_3))),
        .expires_us = expires != NULL ? strtoll(expires, NULL, 10) : AUTH_NEVER,
    };
    read_digest(text_at(result, row, COLUMN_2), key.secret_sha256);
    buf_append(&tables->keys, &key, sizeof(key));
}

static void add_capture(struct tables *tables, const PGresult *result, int row)
{
    struct captures_row capture = {
        .project = text_at(result, row, COLUMN_PROJECT),
        .mode = text_at(result, row, COLUMN_1),
        .keys = text_at(result, row, COLUMN_2),
        .patterns = text_at(result, row, COLUMN_3),
    };
    buf_append(&tables->rows, &capture, sizeof(capture));
}

static void collect_rows(struct tables *tables, const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++) {
        switch (PQgetvalue(result, row, COLUMN_KIND)[0]) {
        case 't':
            tables->token = PQgetvalue(result, row, COLUMN_1);
            break;
        case 'k':
            add_key(tables, result, row);
            break;
        default:
            add_capture(tables, result, row);
            break;
        }
    }
}

static enum err publish(struct refresh *refresh, const PGresult *result, struct error *error)
{
    struct tables tables = {BUF_EMPTY, BUF_EMPTY, ""};
    collect_rows(&tables, result);
    size_t key_count = tables.keys.len / sizeof(struct auth_key);
    size_t row_count = tables.rows.len / sizeof(struct captures_row);
    enum err err =
        access_publish(refresh->access, (const struct auth_key *)tables.keys.data, key_count,
                       (const struct captures_row *)tables.rows.data, row_count, error);
    if (err == ERR_OK) {
        snprintf(refresh->token, sizeof(refresh->token), "%s", tables.token);
        log_event(LOG_INFO, "keys read", "keys", log_text("%zu", key_count), "projects_with_rules",
                  log_text("%zu", row_count), NULL);
    }
    buf_finish(&tables.keys);
    buf_finish(&tables.rows);
    return err;
}

static enum err read_tables(struct refresh *refresh, struct error *error)
{
    PGresult *result;
    enum err err = run(refresh, sql_read, &result, error);
    if (err == ERR_OK) {
        err = publish(refresh, result, error);
    }
    PQclear(result);
    return err;
}

/* Reads the tables when they have changed since, or were never read. */
static enum err look(struct refresh *refresh, struct error *error)
{
    PGresult *result;
    enum err err = run(refresh, sql_look, &result, error);
    bool is_known = err == ERR_OK && PQntuples(result) == 1 && refresh->token[0] != '\0' &&
                    strcmp(PQgetvalue(result, 0, 0), refresh->token) == 0;
    PQclear(result);
    return err != ERR_OK || is_known ? err : read_tables(refresh, error);
}

/* ---- the thread ---- */

/* Logged when it changes, not at each attempt. */
static void note(struct refresh *refresh, enum err err, const struct error *error)
{
    if (err != ERR_OK && !refresh->is_down && !must_stop(refresh)) {
        log_event(LOG_WARN, "keys cannot be read", "reason", error->text, "in_force",
                  refresh->token[0] != '\0' ? "what was read last"
                                            : "the settings alone, for reads",
                  NULL);
        refresh->is_down = true;
    } else if (err == ERR_OK && refresh->is_down) {
        log_event(LOG_INFO, "keys can be read again", NULL);
        refresh->is_down = false;
    }
    pthread_mutex_lock(&refresh->lock);
    refresh->has_looked = true;
    pthread_cond_signal(&refresh->looked);
    pthread_mutex_unlock(&refresh->lock);
}

static void *refresh_run(void *argument)
{
    struct refresh *refresh = argument;
    while (!must_stop(refresh)) {
        struct error error;
        enum err err = refresh->connection == NULL ? connect_to(refresh, &error) : ERR_OK;
        if (err == ERR_OK) {
            err = look(refresh, &error);
        }
        note(refresh, err, &error);
        if (err != ERR_OK) {
            drop_connection(refresh);
        }
        wait_for(refresh, -1, 0, clock_monotonic_ms() + PERIOD_MS);
    }
    drop_connection(refresh);
    return NULL;
}

static void wait_for_first_look(struct refresh *refresh, uint32_t wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + (int64_t)wait_ms * 1000000;
    until.tv_sec += ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&refresh->lock);
    int result = 0;
    while (!refresh->has_looked && result == 0) {
        result = pthread_cond_timedwait(&refresh->looked, &refresh->lock, &until);
    }
    pthread_mutex_unlock(&refresh->lock);
}

struct refresh *refresh_open(struct access *access, const char *url, uint32_t wait_ms)
{
    struct refresh *refresh = memory_zalloc(sizeof(*refresh));
    refresh->access = access;
    refresh->url = db_url_create(url);
    refresh->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&refresh->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&refresh->looked, &attributes);
    pthread_condattr_destroy(&attributes);
    if (refresh->stop_fd < 0 || pthread_create(&refresh->thread, NULL, refresh_run, refresh) != 0) {
        perror("starting the thread that reads keys");
        abort(); /* nothing to go on with, as with memory */
    }
    wait_for_first_look(refresh, wait_ms);
    return refresh;
}

void refresh_close(struct refresh *refresh)
{
    if (refresh != NULL) {
        eventfd_write(refresh->stop_fd, 1);
        pthread_join(refresh->thread, NULL);
        close(refresh->stop_fd);
        pthread_cond_destroy(&refresh->looked);
        pthread_mutex_destroy(&refresh->lock);
        db_url_destroy(refresh->url);
        free(refresh);
    }
}
