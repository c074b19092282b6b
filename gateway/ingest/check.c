#include "gateway/ingest/check.h"

#include <stdlib.h>

#include "gateway/read/db.h"
#include "gateway/server.h"

/* Both answer with one row: what is wrong, or null. $2 is the model as JSON. */
static const char sql_model[] =
    "SELECT CASE WHEN EXISTS (SELECT FROM models WHERE project_id = $1"
    "  AND model_name = $2::jsonb ->> 'modelName' AND deleted_at IS NULL)"
    " THEN 'modelName: the project has a model of that name'"
    " ELSE coalesce('matchPattern: ' || xtrace_regex_error($2::jsonb ->> 'matchPattern'),"
    "  (SELECT 'usageDetailPattern: ' || min(xtrace_regex_error(p #>> '{}'))"
    "   FROM jsonb_path_query($2::jsonb, '$.pricingTiers[*].conditions[*].usageDetailPattern') AS "
    "p))"
    " END";

/* $2: the id. */
static const char sql_model_deletion[] =
    "SELECT CASE WHEN NOT EXISTS (SELECT FROM models WHERE project_id = $1 AND id = $2"
    "  AND deleted_at IS NULL) THEN 'Not Found' END";

struct check {
    check_done done;
    void *waiter;
    enum err refusal;     /* when something is wrong */
    const char *too_long; /* what is wrong when it takes too long; NULL: nothing */
    enum err err;
    struct error error;
};

static void on_row(void *waiter, const PGresult *row)
{
    struct check *check = waiter;
    if (PQgetisnull(row, 0, 0) == 0) {
        check->err = error_set(&check->error, check->refusal, "%s", PQgetvalue(row, 0, 0));
    }
}

static void on_done(void *waiter, enum err err, const struct error *error)
{
    struct check *check = waiter;
    if (err == ERR_TIMEOUT && check->too_long != NULL) {
        err = ERR_OK;
        check->err = error_set(&check->error, check->refusal, "%s", check->too_long);
    }
    check->done(check->waiter, err != ERR_OK ? err : check->err,
                err != ERR_OK ? error : &check->error);
    free(check);
}

/* A client that leaves does not stop it. */
static void run(struct request *request, const char *sql, const char *value, enum err refusal,
                const char *too_long, check_done done, void *waiter)
{
    static const struct db_handlers handlers = {on_row, on_done};
    const char *values[] = {request->identity.project, value};
    struct db_query *query;
    struct check *check = memory_zalloc(sizeof(*check));
    *check =
        (struct check){.done = done, .waiter = waiter, .refusal = refusal, .too_long = too_long};
    enum err err =
        db_run(request->worker->db, sql, 2, values, &handlers, check, &query, &check->error);
    if (err != ERR_OK) {
        done(waiter, err, &check->error);
        free(check);
    }
}

void check_model(struct request *request, const struct collect *collect, check_done done,
                 void *waiter)
{
    run(request, sql_model, arena_text(&request->arena, buf_slice(&collect->note)), ERR_INVALID,
        "matchPattern or usageDetailPattern: the regular expression takes too long", done, waiter);
}

void check_model_deletion(struct request *request, const struct collect *collect, check_done done,
                          void *waiter)
{
    run(request, sql_model_deletion, arena_text(&request->arena, request->params[0]), ERR_NOT_FOUND,
        NULL, done, waiter);
}
