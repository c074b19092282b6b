#include "writer/line.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/crash.h"
#include "common/id.h"
#include "common/log.h"
#include "writer/accumulate.h"
#include "writer/ack.h"
#include "writer/commit.h"
#include "writer/maintain.h"
#include "writer/migrate.h"
#include "writer/receive.h"
#include "writer/session.h"
#include "writer/settle.h"

enum {
    HELLO_MS = 1000,
    HELLO_RETRY_MS = 50, /* while a gateway is not connected yet */
    IDLE_MS = 1000,
    TAKE_AT_ONCE = 16, /* messages unpacked before PostgreSQL is looked at again */
    BACKOFF_MIN_MS = 50,
    BACKOFF_MAX_MS = 1000,
    KEPT_MAX = 64 * 1024 * 1024, /* bytes of memory between groups */
    STOP_MS = 10000,             /* for the group in hand, after the signal */
    STUCK_MS = 5000,             /* a group that takes longer: the database counts as away */
    GIVE_UP_MS = 10000, /* a group that fails for so long while the database can be reached */
};

struct line {
    const struct config *config; /* borrowed */
    struct tally *tally;         /* borrowed */
    int signal_fd;
    uint8_t writer_id[ID_SIZE];
    struct receive *receive;
    struct session session;
    struct commit commit;
    struct settle settle;
    struct maintain maintain;
    struct group groups[2];
    struct group *current; /* being settled */
    struct group *next;    /* filling up */
    struct group_limits limits;
    bool is_receiving;
    bool is_migrated;
    bool is_stopping;
    int64_t hello_due_ms;
    int64_t settle_began_ms; /* 0: no group is being settled */
    int64_t tried_to_open_ms;
};

static void say_hello(struct line *line, int64_t now_ms)
{
    if (now_ms < line->hello_due_ms) {
        return;
    }
    bool is_stuck = line->settle_began_ms != 0 && now_ms - line->settle_began_ms > STUCK_MS;
    bool reachable = line->is_migrated && session_is_open(&line->session) && !is_stuck;
    bool all = ack_hello(line->receive, line->writer_id, reachable);
    line->hello_due_ms = now_ms + (all ? HELLO_MS : HELLO_RETRY_MS);
}

static void hear_signal(struct line *line, int64_t now_ms)
{
    if (!line->is_stopping) {
        log_event(LOG_INFO, "stopping", NULL);
        line->is_stopping = true;
        line->session.give_up_at_ms = now_ms + STOP_MS;
    }
}

static bool takes(const struct line *line)
{
    return line->is_receiving && !line->is_stopping && !group_is_full(line->next, &line->limits);
}

/* The groups have changed. */
static void count_in_hand(struct line *line)
{
    struct tally *tally = line->tally;
    const struct group *oldest = line->current->count > 0 ? line->current : line->next;
    metric_set(&tally->in_hand_batches, line->current->count + line->next->count);
    metric_set(&tally->in_hand_rows, line->current->rows + line->next->rows);
    metric_set(&tally->in_hand_bytes, line->current->bytes + line->next->bytes);
    metric_set(&tally->in_hand_since_us, oldest->count > 0 ? (uint64_t)oldest->began_us : 0);
}

static void take_message(struct line *line, struct message *message)
{
    struct group *group = line->next;
    uint32_t count = group->count;
    struct error error;
    if (group_add(group, line->current, message, &error) != ERR_OK) {
        metric_add(&line->tally->batches_malformed, 1);
        log_event(LOG_ERROR, "batch dropped", "error", error.text, NULL);
    } else if (group->count == count) {
        metric_add(&line->tally->batches_repeated, 1);
    } else {
        tally_receive(line->tally, group->parcels[count]);
    }
}

/* Receives and unpacks what is there already. Returns how many messages. */
static int take_messages(struct line *line, int max)
{
    int taken = 0;
    struct message message;
    while (taken < max && takes(line) && receive_take(line->receive, &message)) {
        crash_point("received");
        if (line->next->count == 0) {
            line->next->began_us = clock_monotonic_us();
        }
        take_message(line, &message);
        crash_point("unpacked");
        taken++;
    }
    if (taken > 0) {
        count_in_hand(line);
    }
    return taken;
}

static int shorten(int timeout_ms, int64_t now_ms, int64_t due_ms)
{
    int64_t left_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    return left_ms < timeout_ms ? (int)left_ms : timeout_ms;
}

/* One turn of the poll: the wait function of the session, and the rest of the loop too. */
static void line_turn(void *context, int fd, short events, int timeout_ms)
{
    struct line *line = context;
    int64_t now_ms = clock_monotonic_ms();
    timeout_ms = shorten(timeout_ms, now_ms, line->hello_due_ms);
    if (line->is_migrated) {
        timeout_ms = shorten(timeout_ms, now_ms, maintain_due_ms(&line->maintain));
    }
    struct pollfd fds[] = {
        {.fd = fd, .events = events},
        {.fd = line->is_stopping ? -1 : line->signal_fd, .events = POLLIN},
        {.fd = maintain_fd(&line->maintain), .events = line->maintain.events},
    };
    receive_wait(line->receive, fds, 3, takes(line), timeout_ms);
    now_ms = clock_monotonic_ms();
    if (fds[1].revents != 0) {
        hear_signal(line, now_ms);
    }
    take_messages(line, TAKE_AT_ONCE);
    say_hello(line, now_ms);
    if (line->is_migrated) {
        maintain_turn(&line->maintain, fds[2].revents != 0, now_ms);
    }
}

/* Sleeps without sleeping. */
static void pause_line(struct line *line, int64_t ms)
{
    int64_t until_ms = clock_monotonic_ms() + ms;
    while (!line->is_stopping && clock_monotonic_ms() < until_ms) {
        line_turn(line, -1, 0, (int)(until_ms - clock_monotonic_ms()));
    }
}

static int64_t longer(int64_t backoff_ms)
{
    return backoff_ms * 2 < BACKOFF_MAX_MS ? backoff_ms * 2 : BACKOFF_MAX_MS;
}

/* The first connection brings the tables up to date; the later ones only connect. */
static enum err connect_once(struct line *line, struct error *error)
{
    if (line->is_migrated) {
        return commit_connect(&line->commit, error);
    }
    enum err err = session_open(&line->session, error);
    tally_connect(line->tally, err == ERR_OK);
    if (err == ERR_OK) {
        err = migrate_run(&line->session, line->config->migrate ? MIGRATE_APPLY : MIGRATE_CHECK,
                          error);
    }
    if (err == ERR_OK) {
        err = migrate_add_project(&line->session, line->config->project_id, error);
    }
    if (err == ERR_OK) {
        err = apply_prepare(&line->commit.apply, error);
    }
    if (err != ERR_OK) {
        session_close(&line->session);
        return err;
    }
    line->is_migrated = true;
    return ERR_OK;
}

/* Connected afterwards, or told to stop. ERR_INVALID and the like: only at start. */
static enum err connect_line(struct line *line, struct error *error)
{
    int64_t backoff_ms = BACKOFF_MIN_MS;
    bool was_receiving = line->is_receiving;
    line->is_receiving = false;
    enum err err = ERR_UNAVAILABLE;
    for (int64_t tries = 0; err != ERR_OK && !line->is_stopping; tries++) {
        bool is_first_time = !line->is_migrated;
        err = connect_once(line, error);
        bool is_hopeless = err != ERR_UNAVAILABLE && err != ERR_TIMEOUT && err != ERR_CONFLICT;
        if (err == ERR_OK || (is_hopeless && is_first_time)) {
            break;
        }
        if (tries % 10 == 0) {
            log_event(LOG_WARN, "waiting for PostgreSQL", "error", error->text, NULL);
        }
        pause_line(line, backoff_ms);
        backoff_ms = longer(backoff_ms);
    }
    line->is_receiving = was_receiving;
    if (err == ERR_OK) {
        log_event(LOG_INFO, "connected", NULL);
        line->hello_due_ms = 0; /* the gateways would like to know */
    }
    return line->is_stopping ? ERR_OK : err;
}

/* After a failure: connected again, and a pause. False: it is time to stop. */
static bool recover(struct line *line, int64_t pause_ms, int64_t *failing_since_ms)
{
    struct error error;
    line->is_receiving = false;
    if (!session_is_open(&line->session)) {
        /* It was there before; only the first connection is ever hopeless. */
        while (!line->is_stopping && connect_line(line, &error) != ERR_OK) {
            pause_line(line, BACKOFF_MAX_MS);
        }
        *failing_since_ms = clock_monotonic_ms();
    } else {
        pause_line(line, pause_ms);
    }
    line->is_receiving = true;
    return !line->is_stopping;
}

/* The current group, to its end: or until the time to stop is over. */
static void settle_current(struct line *line)
{
    struct error error;
    int64_t pause_ms = 0;
    int64_t failing_since_ms = 0;
    line->settle_began_ms = clock_monotonic_ms();
    while (settle_group(&line->settle, line->current, pause_ms > 0, &error) != ERR_OK) {
        log_event(LOG_WARN, "group not committed", "error", error.text, "batches",
                  log_text("%" PRIu32, line->current->count), NULL);
        if (failing_since_ms == 0) {
            failing_since_ms = clock_monotonic_ms();
        } else if (session_is_open(&line->session) &&
                   clock_monotonic_ms() - failing_since_ms > GIVE_UP_MS) {
            settle_give_up(&line->settle, line->current, &error);
            break;
        }
        pause_ms = pause_ms == 0 ? BACKOFF_MIN_MS : longer(pause_ms);
        if (!recover(line, pause_ms, &failing_since_ms)) {
            break;
        }
    }
    line->settle_began_ms = 0;
}

static void log_group(const struct line *line, int64_t began_us)
{
    if (log_is_enabled(LOG_DEBUG)) {
        log_event(LOG_DEBUG, "group committed", "batches",
                  log_text("%" PRIu32, line->current->count), "rows",
                  log_text("%" PRIu64, line->current->rows), "us",
                  log_text("%" PRId64, clock_monotonic_us() - began_us), NULL);
    }
}

/* What an uncommonly large group needed is not kept. */
static void trim(struct apply *apply)
{
    if (apply->arena.used > KEPT_MAX) {
        arena_finish(&apply->arena);
    }
    if (apply->bytes.capacity > KEPT_MAX) {
        buf_finish(&apply->bytes);
    }
}

/* Takes what has queued up while the last group was settled, and settles it. */
static void turn_group(struct line *line)
{
    while (take_messages(line, INT32_MAX) > 0) {
    }
    struct group *filled = line->next;
    line->next = line->current;
    line->current = filled;
    int64_t began_us = clock_monotonic_us();
    settle_current(line);
    metric_observe_size(&line->tally->group_rows, line->current->rows);
    metric_observe_duration(&line->tally->group_time, clock_monotonic_us() - began_us);
    log_group(line, began_us);
    group_reset(line->current);
    trim(&line->commit.apply);
    count_in_hand(line);
}

static enum err loop(struct line *line, struct error *error)
{
    while (!line->is_stopping) {
        session_look(&line->session);
        if (!session_is_open(&line->session)) {
            enum err err = connect_line(line, error);
            if (err != ERR_OK) {
                return err;
            }
            continue;
        }
        if (line->next->count == 0) {
            line_turn(line, PQsocket(line->session.connection), POLLIN, IDLE_MS);
            continue;
        }
        turn_group(line);
    }
    if (line->next->count > 0 && session_is_open(&line->session)) {
        turn_group(line);
    }
    return ERR_OK;
}

static void init(struct line *line, const struct config *config, int signal_fd, struct tally *tally)
{
    struct session_options options = {
        .url = config->database_url,
        .application_name = "xtrace-writer",
        .statement_timeout_ms = config->statement_timeout_ms,
        .wait = line_turn,
        .wait_context = line,
        .keeps_plans = true,
    };
    *line = (struct line){
        .config = config,
        .tally = tally,
        .signal_fd = signal_fd,
        .limits = {(uint64_t)config->group_max_rows, (uint64_t)config->group_max_bytes},
        .is_receiving = true,
    };
    id_random(line->writer_id);
    session_init(&line->session, &options);
    commit_init(&line->commit, &line->session, tally);
    struct maintain_retention retention = {config->traces_retention_days,
                                           config->metrics_retention_days,
                                           config->dead_letters_retention_days};
    maintain_init(&line->maintain, config->database_url, retention, tally);
    group_init(&line->groups[0]);
    group_init(&line->groups[1]);
    line->current = &line->groups[0];
    line->next = &line->groups[1];
}

enum err line_run(const struct config *config, int signal_fd, struct tally *tally,
                  struct error *error)
{
    struct line line;
    init(&line, config, signal_fd, tally);
    enum err err = receive_open(&line.receive, config->gateways, config->gateway_count, error);
    if (err == ERR_OK) {
        log_event(LOG_INFO, "started", "gateways", log_text("%" PRIu32, config->gateway_count),
                  NULL);
        settle_init(&line.settle, &line.commit, line.receive);
        err = loop(&line, error);
    }
    group_finish(&line.groups[0]);
    group_finish(&line.groups[1]);
    maintain_finish(&line.maintain);
    commit_finish(&line.commit);
    session_finish(&line.session);
    receive_close(line.receive);
    return err;
}
