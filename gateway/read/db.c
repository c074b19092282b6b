/*
 * db: reads that wait for a connection, and the connections (db_link.c) that they wait for. A tick
 * of 50 ms runs while anything waits and looks at the deadlines. On the loop only.
 */
#include "gateway/read/db.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/clock.h"
#include "common/log.h"
#include "gateway/books.h"
#include "gateway/read/db_link.h"
#include "gateway/read/db_url.h"

enum {
    TICK_MS = 50,
    WATCHDOG_GRACE_MS = 2000, /* the server ends a statement itself; past this it hangs */
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
    bool is_down; /* the last attempt to connect failed */
    bool is_closing;
};

static void on_over(struct db *db, struct db_query *query, enum err err, const struct error *error);
static void on_again(struct db *db, struct db_query *query);
static void on_reach(struct db *db, bool is_reached, const char *why);
static void dispatch(struct db *db);
static void on_tick(h2o_timeout_entry_t *entry);

static const struct link_events link_events = {on_over, on_again, dispatch, on_reach};

/* --- queries ------------------------------------------------------------------------------- */

static void query_free(struct db_query *query)
{
    free(query->made);
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

/* The same query would meet the same limit again. One that ended before met something else: a lock_timeout, or a
 * person who cancelled it. */
static enum err tell_timeout(const struct db_query *query, struct error *error)
{
    uint32_t limit_ms = query->db->options.statement_timeout_ms;

    if (clock_monotonic_ms() < query->limit_ms) {
        return error_set(error, ERR_UNAVAILABLE, "the database cancelled the query");
    }
    return error_set(error, ERR_TIMEOUT, "the query was stopped at its limit of %g s",
                     limit_ms / 1000.0);
}

/* The last thing done with a query. Its waiter may run and cancel others from the handler. */
static void on_over(struct db *db, struct db_query *query, enum err err, const struct error *error)
{
    struct error own;

    if (err == ERR_TIMEOUT) {
        err = tell_timeout(query, &own);
        error = &own;
    }
    books_query(db->options.books, err);
    query->handlers.on_done(query->waiter, err, error);
    query_free(query);
}

static void on_again(struct db *db, struct db_query *query)
{
    queue_push(db, query, true);
}

static void query_fail(struct db_query *query, const char *why)
{
    struct error error;

    error_set(&error, ERR_UNAVAILABLE, "%s", why);
    on_over(query->db, query, ERR_UNAVAILABLE, &error);
}

/* --- who runs next ------------------------------------------------------------------------- */

/* Logged when it changes, not at each attempt. */
static void on_reach(struct db *db, bool is_reached, const char *why)
{
    if (!is_reached && !db->is_down) {
        log_event(LOG_WARN, "database unreachable", "reason",
                  log_text("%.*s", (int)strcspn(why, "\n"), why), NULL);
    } else if (is_reached && db->is_down) {
        log_event(LOG_INFO, "database reachable", NULL);
    }
    metric_add(is_reached ? &db->options.books->connects : &db->options.books->failed_connects, 1);
    db->is_down = !is_reached;
}

static struct link *find_idle(struct db *db)
{
    for (uint32_t i = 0; i < db->options.connections; i++) {
        if (db->links[i].state == LINK_IDLE) {
            return &db->links[i];
        }
    }
    return NULL;
}

static struct link *find_closed(struct db *db, int64_t now_ms)
{
    for (uint32_t i = 0; i < db->options.connections; i++) {
        if (link_may_open(&db->links[i], now_ms)) {
            return &db->links[i];
        }
    }
    return NULL;
}

static uint32_t count_coming(const struct db *db)
{
    uint32_t coming = 0;

    for (uint32_t i = 0; i < db->options.connections; i++) {
        enum link_state state = db->links[i].state;
        coming += state == LINK_CONNECTING || state == LINK_SETTING_UP;
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
    int64_t now = clock_monotonic_ms();
    struct link *link;

    if (db->is_closing) {
        return;
    }
    while (db->queue != NULL && (link = find_idle(db)) != NULL) {
        struct db_query *query = db->queue;
        queue_remove(db, query);
        query->limit_ms = now + db->options.statement_timeout_ms;
        if (!link_run(link, query, query->limit_ms + WATCHDOG_GRACE_MS)) {
            queue_push(db, query, true);
        }
    }
    while (db->queue_count > count_coming(db) && (link = find_closed(db, now)) != NULL) {
        link_open(link);
    }
    if (needs_tick(db) && !h2o_timeout_is_linked(&db->tick_entry)) {
        h2o_timeout_link(db->context->loop, &db->tick, &db->tick_entry);
    }
}

static struct db_query *find_expired(const struct db *db, int64_t now_ms)
{
    struct db_query *query = db->queue;

    while (query != NULL && now_ms < query->wait_deadline_ms) {
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
        query_fail(query,
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
        struct link *link = &db->links[i];
        link->db = db;
        link->context = context;
        link->url = db->url;
        link->set_up = db->set_up;
        link->events = &link_events;
        link_init(link);
    }
    h2o_timeout_init(context->loop, &db->tick, TICK_MS);
    db->tick_entry.cb = on_tick;
    return db;
}

void db_close(struct db *db)
{
    if (db == NULL) {
        return;
    }
    db->is_closing = true;
    for (uint32_t i = 0; i < db->options.connections; i++) {
        struct db_query *query = db->links[i].query;
        link_finish(&db->links[i]);
        if (query != NULL) {
            query_fail(query, "shutting down");
        }
    }
    while (db->queue != NULL) {
        struct db_query *query = db->queue;
        queue_remove(db, query);
        query_fail(query, "shutting down");
    }
    h2o_timeout_unlink(&db->tick_entry);
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

static enum err run(struct db *db, const char *sql, bool is_made, int parameter_count,
                    const char *const *parameters, const struct db_handlers *handlers, void *waiter,
                    struct db_query **out, struct error *error)
{
    if (db->is_closing) {
        return error_set(error, ERR_UNAVAILABLE, "shutting down");
    }
    if (db->queue_count >= db->options.queue_max && find_idle(db) == NULL) {
        books_query(db->options.books, ERR_BUSY);
        return error_set(error, ERR_BUSY, "too many reads are waiting for the database");
    }
    struct db_query *query = memory_zalloc(sizeof *query);
    query->db = db;
    query->made = is_made ? memory_text(sql) : NULL;
    query->sql = is_made ? query->made : sql;
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

enum err db_run(struct db *db, const char *sql, int parameter_count, const char *const *parameters,
                const struct db_handlers *handlers, void *waiter, struct db_query **out,
                struct error *error)
{
    return run(db, sql, false, parameter_count, parameters, handlers, waiter, out, error);
}

enum err db_run_made(struct db *db, const char *sql, int parameter_count,
                     const char *const *parameters, const struct db_handlers *handlers,
                     void *waiter, struct db_query **out, struct error *error)
{
    return run(db, sql, true, parameter_count, parameters, handlers, waiter, out, error);
}

void db_cancel(struct db_query *query)
{
    struct db *db = query->db;

    if (query->link != NULL) {
        link_cancel(query->link);
    } else {
        queue_remove(db, query);
    }
    metric_add(&db->options.books->queries[BOOKS_QUERY_CANCELLED], 1);
    query_free(query);
    dispatch(db);
}

void db_pause(struct db_query *query)
{
    query->is_paused = true;
    if (query->link != NULL) {
        link_pause(query->link);
    }
}

void db_resume(struct db_query *query)
{
    bool was_paused = query->is_paused;

    query->is_paused = false;
    if (was_paused && query->link != NULL) {
        link_resume(query->link);
    }
}
