#include "writer/maintain.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/pg.h"
#include "writer/maintain_sql.h"
#include "writer/tally.h"

enum {
    PASS_MS = 3000,
    RETRY_MS = 5000,
    MINUTE_MS = 60000,
    HOUR_MS = 60 * MINUTE_MS,
    /* A connection or a step that takes longer is given up; timeouts in the server are shorter. */
    STUCK_MS = 330000,
};

static const char *const step_sql[STEP_COUNT] = {
    [STEP_ROLL_UP] = maintain_sql_roll_up,
    [STEP_FOLD_MARKS] = maintain_sql_fold_marks,
    [STEP_FOLD_COUNTS] = maintain_sql_fold_counts,
    [STEP_FOLD_FACETS] = maintain_sql_fold_facets,
    [STEP_PRUNE] = maintain_sql_prune,
    [STEP_RETIRE_TRACES] = maintain_sql_retire_traces,
    [STEP_DROP_PARTITION] = maintain_sql_drop_partition,
    [STEP_RETIRE_POINTS] = maintain_sql_retire_points,
    [STEP_RETIRE_SERIES] = maintain_sql_retire_series,
    [STEP_RETIRE_LETTERS] = maintain_sql_retire_letters,
    [STEP_SNAPSHOT] = maintain_sql_snapshot,
};

/* Steps that not every pass takes. The last step of a pass must not be one. */
static const int step_every_ms[STEP_COUNT] = {
    [STEP_PRUNE] = MINUTE_MS,          [STEP_RETIRE_TRACES] = MINUTE_MS,
    [STEP_DROP_PARTITION] = MINUTE_MS, [STEP_RETIRE_POINTS] = HOUR_MS,
    [STEP_RETIRE_SERIES] = HOUR_MS,    [STEP_RETIRE_LETTERS] = MINUTE_MS,
};

/* Their answer is whether there may be more to do. */
static const bool step_repeats[STEP_COUNT] = {
    [STEP_ROLL_UP] = true,        [STEP_PRUNE] = true,         [STEP_RETIRE_TRACES] = true,
    [STEP_DROP_PARTITION] = true, [STEP_RETIRE_POINTS] = true, [STEP_RETIRE_SERIES] = true,
    [STEP_RETIRE_LETTERS] = true,
};

static const char sql_set_up[] =
    "SET jit = off; SET timezone = 'UTC'; SET statement_timeout = 300000; SET lock_timeout = 2000;"
    "SET idle_in_transaction_session_timeout = 10000";
/* The key is arbitrary but fixed; not that of writer/migrate.c. */
static const char sql_lock[] = "BEGIN; SELECT pg_try_advisory_xact_lock(132347298702182)::text";

void maintain_init(struct maintain *maintain, const char *url, struct maintain_retention retention,
                   struct tally *tally)
{
    *maintain = (struct maintain){.url = url, .tally = tally};
    snprintf(maintain->traces_days, sizeof(maintain->traces_days), "%d", (int)retention.traces);
    snprintf(maintain->metrics_days, sizeof(maintain->metrics_days), "%d", (int)retention.metrics);
    snprintf(maintain->dead_letters_days, sizeof(maintain->dead_letters_days), "%d",
             (int)retention.dead_letters);
}

void maintain_finish(struct maintain *maintain)
{
    PQfinish(maintain->connection);
    maintain->connection = NULL;
}

int maintain_fd(const struct maintain *maintain)
{
    return maintain->connection != NULL ? PQsocket(maintain->connection) : -1;
}

int64_t maintain_due_ms(const struct maintain *maintain)
{
    return maintain->due_ms;
}

/*
 *   CLOSED -> CONNECTING -> SETTING_UP -> RESTING -> LOCKING -> STEPPING -> ENDING -> LOCKING ...
 *                                            ^          |lock is another's            |last step
 *                                            +----------+-----------------------------+
 *   any failure -> CLOSED
 */
static void move_to(struct maintain *maintain, enum maintain_state state, int64_t due_ms)
{
    maintain->state = state;
    maintain->due_ms = due_ms;
    maintain->events = POLLIN;
}

static void fail(struct maintain *maintain, const PGresult *result, int64_t now_ms)
{
    struct error error;
    pg_error(maintain->connection, result, &error);
    log_event(LOG_WARN, "maintenance failed", "error", error.text, NULL);
    metric_add(&maintain->tally->maintain_failures, 1);
    PQfinish(maintain->connection);
    maintain->connection = NULL;
    move_to(maintain, MAINTAIN_CLOSED, now_ms + RETRY_MS);
}

static void begin_connecting(struct maintain *maintain, int64_t now_ms)
{
    const char *keys[] = {"tcp_user_timeout", "keepalives_idle", "application_name",
                          "client_encoding",  "dbname",          NULL};
    const char *values[] = {"10000", "5", "xtrace-writer-maintain", "UTF8", maintain->url, NULL};
    maintain->connection = PQconnectStartParams(keys, values, 1);
    if (maintain->connection == NULL || PQstatus(maintain->connection) == CONNECTION_BAD) {
        fail(maintain, NULL, now_ms);
        return;
    }
    move_to(maintain, MAINTAIN_CONNECTING, now_ms + RETRY_MS);
    maintain->events = POLLOUT;
}

static void send_text(struct maintain *maintain, const char *sql, enum maintain_state state,
                      int64_t now_ms)
{
    if (PQsendQuery(maintain->connection, sql) == 0) {
        fail(maintain, NULL, now_ms);
        return;
    }
    move_to(maintain, state, now_ms + STUCK_MS);
}

static void go_on_connecting(struct maintain *maintain, int64_t now_ms)
{
    switch (PQconnectPoll(maintain->connection)) {
    case PGRES_POLLING_OK:
        PQsetnonblocking(maintain->connection, 1);
        send_text(maintain, sql_set_up, MAINTAIN_SETTING_UP, now_ms);
        break;
    case PGRES_POLLING_READING:
        maintain->events = POLLIN;
        break;
    case PGRES_POLLING_WRITING:
        maintain->events = POLLOUT;
        break;
    default:
        fail(maintain, NULL, now_ms);
        break;
    }
}

static void begin_step(struct maintain *maintain, int64_t now_ms)
{
    while (step_every_ms[maintain->step] > 0 && now_ms < maintain->step_due_ms[maintain->step]) {
        maintain->step++;
    }
    maintain->has_lock = false;
    maintain->has_more = false;
    send_text(maintain, sql_lock, MAINTAIN_LOCKING, now_ms);
}

/* Returns how many the step takes. */
static int set_parameter(const struct maintain *maintain, const char **parameter)
{
    switch (maintain->step) {
    case STEP_ROLL_UP:
        *parameter = maintain->snapshot;
        return 1;
    case STEP_RETIRE_TRACES:
        *parameter = maintain->traces_days;
        return 1;
    case STEP_DROP_PARTITION:
    case STEP_RETIRE_POINTS:
    case STEP_RETIRE_SERIES:
        *parameter = maintain->metrics_days;
        return 1;
    case STEP_RETIRE_LETTERS:
        *parameter = maintain->dead_letters_days;
        return 1;
    default:
        return 0;
    }
}

static void run_step(struct maintain *maintain, int64_t now_ms)
{
    const char *parameters[1];
    int count = set_parameter(maintain, parameters);
    maintain->step_began_ms = now_ms;
    if (PQsendQueryParams(maintain->connection, step_sql[maintain->step], count, NULL, parameters,
                          NULL, NULL, 0) == 0) {
        fail(maintain, NULL, now_ms);
        return;
    }
    move_to(maintain, MAINTAIN_STEPPING, now_ms + STUCK_MS);
}

static void count_step(const struct maintain *maintain, int64_t now_ms)
{
    metric_add(&maintain->tally->maintain_steps[maintain->step], 1);
    metric_add(&maintain->tally->maintain_us[maintain->step],
               (uint64_t)(now_ms - maintain->step_began_ms) * 1000);
}

static void end_pass(struct maintain *maintain, int64_t now_ms)
{
    maintain->step = 0;
    move_to(maintain, MAINTAIN_RESTING, now_ms + PASS_MS);
}

static void take_answer(struct maintain *maintain, const char *value, int64_t now_ms)
{
    if (maintain->state == MAINTAIN_LOCKING) {
        maintain->has_lock = strcmp(value, "true") == 0;
    } else if (maintain->step == STEP_SNAPSHOT) {
        /* One that does not fit would be wrong; without one nothing is rolled up. */
        int length = snprintf(maintain->snapshot, sizeof(maintain->snapshot), "%s", value);
        if (length < 0 || (size_t)length >= sizeof(maintain->snapshot)) {
            maintain->snapshot[0] = '\0';
        }
    } else if (step_repeats[maintain->step]) {
        maintain->has_more = atoi(value) > 0;
        maintain->step_due_ms[maintain->step] =
            maintain->has_more ? 0 : now_ms + step_every_ms[maintain->step];
    }
}

/* The statement under way is over. */
static void go_on(struct maintain *maintain, int64_t now_ms)
{
    switch (maintain->state) {
    case MAINTAIN_SETTING_UP:
        end_pass(maintain, now_ms);
        break;
    case MAINTAIN_LOCKING:
        if (maintain->has_lock) {
            run_step(maintain, now_ms);
        } else {
            send_text(maintain, "ROLLBACK", MAINTAIN_ENDING, now_ms);
        }
        break;
    case MAINTAIN_STEPPING:
        send_text(maintain, "COMMIT", MAINTAIN_ENDING, now_ms);
        break;
    case MAINTAIN_ENDING:
        if (maintain->has_lock) {
            count_step(maintain, now_ms);
        }
        maintain->step += maintain->has_more ? 0 : 1;
        if (!maintain->has_lock || maintain->step == STEP_COUNT) {
            end_pass(maintain, now_ms);
        } else {
            begin_step(maintain, now_ms);
        }
        break;
    case MAINTAIN_CLOSED:
    case MAINTAIN_CONNECTING:
    case MAINTAIN_RESTING:
        break;
    }
}

/* Reads results as far as they are there. */
static void read_results(struct maintain *maintain, int64_t now_ms)
{
    if (PQflush(maintain->connection) < 0 || PQconsumeInput(maintain->connection) == 0) {
        fail(maintain, NULL, now_ms);
        return;
    }
    while (maintain->state != MAINTAIN_RESTING && maintain->state != MAINTAIN_CLOSED &&
           PQisBusy(maintain->connection) == 0) {
        PGresult *result = PQgetResult(maintain->connection);
        if (result == NULL) {
            go_on(maintain, now_ms);
            continue;
        }
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_TUPLES_OK && PQntuples(result) == 1) {
            take_answer(maintain, PQgetvalue(result, 0, 0), now_ms);
        } else if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            fail(maintain, result, now_ms);
        }
        PQclear(result);
    }
}

void maintain_turn(struct maintain *maintain, bool is_ready, int64_t now_ms)
{
    bool is_due = now_ms >= maintain->due_ms;
    switch (maintain->state) {
    case MAINTAIN_CLOSED:
        if (is_due) {
            begin_connecting(maintain, now_ms);
        }
        break;
    case MAINTAIN_CONNECTING:
        if (is_due) {
            fail(maintain, NULL, now_ms);
        } else if (is_ready) {
            go_on_connecting(maintain, now_ms);
        }
        break;
    case MAINTAIN_RESTING:
        if (is_ready && PQconsumeInput(maintain->connection) == 0) {
            fail(maintain, NULL, now_ms);
        } else if (is_due) {
            begin_step(maintain, now_ms);
        }
        break;
    case MAINTAIN_SETTING_UP:
    case MAINTAIN_LOCKING:
    case MAINTAIN_STEPPING:
    case MAINTAIN_ENDING:
        if (is_due) {
            fail(maintain, NULL, now_ms);
        } else if (is_ready) {
            read_results(maintain, now_ms);
        }
        break;
    }
}
