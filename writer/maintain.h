/*
 * maintain: what one writer does now and then for all: rolls changed days up into daily_totals and
 * daily_usage, folds marks and counts together, prunes batch ids, deletes what has grown too old. On a
 * connection of its own and in
 * small steps, so that no group ever waits for it. Which writer: whoever gets the advisory lock for
 * that step.
 *
 * A day is rolled up when its newest mark is ten seconds old and every transaction that ran beside
 * the one that marked it has ended: such a transaction may have read a trace's day before the mark's
 * transaction moved the trace there, and so have marked another day than it changed. Each pass takes
 * a snapshot; the next pass rolls up days whose marks were visible in it, once all transactions of
 * that snapshot have ended. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <libpq-fe.h>

enum maintain_state {
    MAINTAIN_CLOSED,     /* no connection; tries again at due_ms */
    MAINTAIN_CONNECTING, /* the handshake */
    MAINTAIN_SETTING_UP, /* session settings */
    MAINTAIN_RESTING,    /* until due_ms */
    MAINTAIN_LOCKING,    /* BEGIN and the advisory lock */
    MAINTAIN_STEPPING,   /* the step's statement */
    MAINTAIN_ENDING,     /* COMMIT or ROLLBACK */
};

/* Of a pass, in this order. */
enum maintain_step {
    STEP_ROLL_UP,
    STEP_FOLD_MARKS,
    STEP_FOLD_COUNTS,
    STEP_FOLD_FACETS,
    STEP_PRUNE,
    STEP_RETIRE_TRACES,
    STEP_DROP_PARTITION,
    STEP_RETIRE_POINTS,
    STEP_RETIRE_SERIES,
    STEP_RETIRE_LETTERS,
    STEP_SNAPSHOT,
    STEP_COUNT
};

enum { MAINTAIN_SNAPSHOT_SIZE = 4096 };

struct tally; /* writer/tally.h */

/* Days; 0: for ever. */
struct maintain_retention {
    int64_t traces;
    int64_t metrics;
    int64_t dead_letters;
};

struct maintain {
    const char *url;     /* borrowed */
    struct tally *tally; /* borrowed */
    PGconn *connection;
    enum maintain_state state;
    int64_t due_ms;
    short events; /* what the socket is waited for */
    int step;
    int64_t step_began_ms;
    bool has_lock;
    bool has_more;                   /* the step asks to be run again */
    int64_t step_due_ms[STEP_COUNT]; /* of those that not every pass takes */
    char traces_days[16];            /* as parameters */
    char metrics_days[16];
    char dead_letters_days[16];
    char snapshot[MAINTAIN_SNAPSHOT_SIZE]; /* of the last pass; "" before the first */
};

void maintain_init(struct maintain *maintain, const char *url, struct maintain_retention retention,
                   struct tally *tally);
void maintain_finish(struct maintain *maintain);

/* The socket to be polled, with maintain->events; -1: none. */
int maintain_fd(const struct maintain *maintain);

/* When it wants to be turned although nothing happens on the socket. */
int64_t maintain_due_ms(const struct maintain *maintain);

/* Goes as far as it can without waiting. is_ready: the socket had one of maintain->events. */
void maintain_turn(struct maintain *maintain, bool is_ready, int64_t now_ms);
