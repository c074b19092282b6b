/*
 * db: asynchronous libpq on the loop. A few connections a loop; a read that finds none free waits
 * its turn. Connections are made when first needed (without blocking the loop) and again after a
 * failure, with backoff. Not thread-safe: one struct db a loop.
 *
 * Each session is read only, in UTC, without jit, and has the statement timeout.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <h2o.h>
#include <libpq-fe.h>

#include "common/error.h"

struct books; /* gateway/books.h */
struct db;
struct db_query;

struct db_options {
    const char *url;
    uint32_t connections; /* per loop */
    uint32_t queue_max;   /* reads waiting for a connection; past it ERR_BUSY */
    uint32_t statement_timeout_ms;
    uint32_t wait_timeout_ms; /* waiting for a connection; past it ERR_UNAVAILABLE */
    struct books *books;
};

struct db_handlers {
    /* One row at a time, as it comes; the result holds exactly one row and is valid during the
     * call. */
    void (*on_row)(void *waiter, const PGresult *row);
    /* The last call. ERR_OK: all rows were seen. ERR_TIMEOUT (it ran as long as it may), ERR_UNAVAILABLE,
     * ERR_INTERNAL else. */
    void (*on_done)(void *waiter, enum err err, const struct error *error);
};

struct db *db_open(h2o_context_t *context, const struct db_options *options);

/* Queries still running hear ERR_UNAVAILABLE. NULL is fine. */
void db_close(struct db *db);

/*
 * Runs one prepared statement. sql is static text (its address names the statement on a
 * connection); parameters are text format, NULL for SQL null, and are copied. Handlers run on the
 * loop, never before this returns. ERR_BUSY, ERR_UNAVAILABLE: no handler will run.
 */
MUST_CHECK enum err db_run(struct db *db, const char *sql, int parameter_count,
                           const char *const *parameters, const struct db_handlers *handlers,
                           void *waiter, struct db_query **out, struct error *error);

/*
 * The same for text that was made for this run: it is copied, and no connection keeps anything of it.
 */
MUST_CHECK enum err db_run_made(struct db *db, const char *sql, int parameter_count,
                                const char *const *parameters, const struct db_handlers *handlers,
                                void *waiter, struct db_query **out, struct error *error);

/* The waiter wants nothing more: no handler runs after this. A running statement is cancelled in
 * the server off the loop. */
void db_cancel(struct db_query *query);
/* Stops (resumes) reading rows, so that a slow client does not pile them up in memory. */
void db_pause(struct db_query *query);
void db_resume(struct db_query *query);
