/*
 * session: the writer's connection to PostgreSQL. libpq runs non-blocking below; whoever calls gets
 * a plain answer, and meanwhile the wait function turns everything else (queue, hellos). Calls must
 * not be made from within the wait function. Not thread-safe.
 *
 * Each session has synchronous_commit at least "on", no jit, UTC, statement and lock timeouts, and
 * plans that look rows up by index (maintenance has its own session without the last).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "common/error.h"
#include "common/slice.h"

/* Returns when fd has one of events (poll.h), after timeout_ms, or earlier for no reason. */
typedef void (*session_wait)(void *context, int fd, short events, int timeout_ms);

struct session_options {
    const char *url;
    const char *application_name;
    int64_t statement_timeout_ms;
    session_wait wait;
    void *wait_context;
    bool keeps_plans; /* for a short time; else each execution is planned anew */
};

enum { SESSION_STATEMENTS_MAX = 48 };

struct session {
    struct session_options options;
    PGconn *connection;    /* NULL while closed */
    int64_t give_up_at_ms; /* monotonic; every wait ends then with ERR_UNAVAILABLE; 0: never */
    const char *_prepared[SESSION_STATEMENTS_MAX]; /* static SQL; the index is the name */
    uint32_t _prepared_count;
    int64_t _plans_from_ms; /* 0: none are kept */
};

enum { SESSION_PARAMETERS_MAX = 12 };

/* Binary parameters; data NULL is SQL null. Borrowed for the call. */
struct session_parameters {
    struct slice values[SESSION_PARAMETERS_MAX];
    uint32_t count;
};

void session_init(struct session *session, const struct session_options *options);
void session_finish(struct session *session);

/* Connects and sets the session up; within 5 s or ERR_UNAVAILABLE. Closes an open one first. */
MUST_CHECK enum err session_open(struct session *session, struct error *error);
void session_close(struct session *session);

/* Open and not known to be broken. */
bool session_is_open(const struct session *session);

/* Reads what the server sent while nobody asked (it shuts down): is_open is true to life then. */
void session_look(struct session *session);

/* Simple protocol; may hold several statements; results are thrown away. */
MUST_CHECK enum err session_exec(struct session *session, const char *sql, struct error *error);

/* The same; *out is the last statement's result, in text. The caller clears it, also after an error. */
MUST_CHECK enum err session_ask(struct session *session, const char *sql, PGresult **out,
                                struct error *error);

/*
 * Prepared on first use; sql must live as long as the session (its address is its name).
 * Binary results. out may be NULL; else the caller clears it (PQclear), also after an error.
 */
MUST_CHECK enum err session_query(struct session *session, const char *sql,
                                  const struct session_parameters *parameters, PGresult **out,
                                  struct error *error);

/* COPY ... FROM STDIN (FORMAT binary) of a complete file: header, tuples, trailer. */
MUST_CHECK enum err session_copy(struct session *session, const char *sql, struct slice bytes,
                                 struct error *error);

/* Rolls back whatever is open; closes the session when even that fails. */
void session_rollback(struct session *session);

/* COMMIT. ERR_UNAVAILABLE: the outcome is not known. ERR_CONFLICT: the server rolled back. */
MUST_CHECK enum err session_commit(struct session *session, struct error *error);
