#include "gateway/health.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "gateway/books.h"
#include "gateway/deliver.h"
#include "gateway/read/db.h"
#include "gateway/read/params.h"
#include "gateway/reply.h"
#include "gateway/server.h"

/* Answers what was found of the database. */
typedef void (*health_reply)(struct request *request, bool database);

struct check {
    struct request *request; /* held */
    health_reply reply;
    struct db_query *query;
    h2o_timeout_entry_t timer;
};

static void on_row(void *waiter, const PGresult *row);
static void on_done(void *waiter, enum err err, const struct error *error);
static void on_timeout(h2o_timeout_entry_t *timer);
static void on_gone(struct request *request);

void health_live(struct request *request)
{
    reply_json(request, 200, (struct slice){NULL, 0});
}

void health_metrics(struct request *request)
{
    struct buf text = BUF_EMPTY;
    books_print(request->worker->gateway, &text);
    reply_text(request, 200, "text/plain; version=0.0.4; charset=utf-8", buf_slice(&text));
    buf_finish(&text);
}

/* The tables of keys are read within a second once the database is there. */
static bool is_database_ready(struct request *request, bool database)
{
    return database && access_is_loaded(request->worker->gateway->access);
}

static void reply_ready(struct request *request, bool database)
{
    bool writer = deliver_has_writer(request->worker->gateway->deliver, HEALTH_WRITER_AGE_MS);
    if (is_database_ready(request, database) && writer) {
        reply_json(request, 200, SLICE_LITERAL("{\"status\":\"ready\"}"));
        return;
    }
    struct buf body = BUF_EMPTY;
    buf_printf(&body, "{\"status\":\"not_ready\",\"database\":\"%s\",\"writer\":\"%s\"}",
               is_database_ready(request, database) ? "ok"
               : database                           ? "keys not read yet"
                                                    : "unreachable",
               writer ? "ok" : "not heard of for 5 s");
    reply_json(request, 503, buf_slice(&body));
    buf_finish(&body);
}

/* status: static text. */
static void reply_status_text(struct request *request, const char *status, bool good)
{
    struct buf body = BUF_EMPTY;
    buf_printf(&body, "{\"status\":\"%s\",\"version\":\"" XTRACE_VERSION "\"}",
               good ? "OK" : status);
    reply_json(request, good ? 200 : 503, buf_slice(&body));
    buf_finish(&body);
}

static void reply_health_status(struct request *request, bool database)
{
    reply_status_text(request, "Database not available", database);
}

static void reply_ready_status(struct request *request, bool database)
{
    bool writer = deliver_has_writer(request->worker->gateway->deliver, HEALTH_WRITER_AGE_MS);
    database = is_database_ready(request, database);
    reply_status_text(request, database ? "No writer" : "Database not available",
                      database && writer);
}

static void check_database(struct request *request, health_reply reply)
{
    static const char sql_ping[] = "SELECT 1";
    static const struct db_handlers handlers = {on_row, on_done};

    struct worker *worker = request->worker;
    struct check *check = memory_zalloc(sizeof(*check));
    check->request = request;
    check->reply = reply;
    check->timer.cb = on_timeout;
    struct error error;
    if (db_run(worker->db, sql_ping, 0, NULL, &handlers, check, &check->query, &error) != ERR_OK) {
        free(check);
        reply(request, false);
        return;
    }
    request_hold(request);
    request->waiter = check;
    request->on_gone = on_gone;
    h2o_timeout_link(worker->context->loop, &worker->probe_timeout, &check->timer);
}

void health_ready(struct request *request)
{
    check_database(request, reply_ready);
}

void health_ready_status(struct request *request)
{
    check_database(request, reply_ready_status);
}

struct health_params {
    const char *with_database;
};

static const struct param health_params[] = {
    {"failIfDatabaseUnavailable", PARAM_TEXT, offsetof(struct health_params, with_database)},
    {NULL, PARAM_TEXT, 0},
};

void health_status(struct request *request)
{
    struct health_params params;
    struct error error;
    enum err err =
        params_read(health_params, request_query(request), &request->arena, &params, &error);
    if (err != ERR_OK) {
        reply_error(request, err, &error);
    } else if (params.with_database != NULL && strcmp(params.with_database, "true") == 0) {
        check_database(request, reply_health_status);
    } else {
        reply_health_status(request, true);
    }
}

static void finish(struct check *check, bool database)
{
    struct request *request = check->request;
    health_reply reply = check->reply;
    h2o_timeout_unlink(&check->timer);
    free(check);
    request->on_gone = NULL;
    reply(request, database);
    request_release(request);
}

static void on_row(void *waiter, const PGresult *row)
{
}

static void on_done(void *waiter, enum err err, const struct error *error)
{
    finish(waiter, err == ERR_OK);
}

static void on_timeout(h2o_timeout_entry_t *timer)
{
    struct check *check = H2O_STRUCT_FROM_MEMBER(struct check, timer, timer);
    db_cancel(check->query);
    finish(check, false);
}

static void on_gone(struct request *request)
{
    struct check *check = request->waiter;
    db_cancel(check->query);
    finish(check, false);
}
