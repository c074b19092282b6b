/*
 * metrics_language: the query of a request -> struct (metrics_parse.c) -> one statement (metrics_sql.c),
 * whose rows are the answer.
 */
#include "gateway/read/metrics_language.h"

#include <stddef.h>

#include "gateway/read/metrics_parse.h"
#include "gateway/read/metrics_sql.h"
#include "gateway/read/read.h"

struct language_params {
    const char *query;
};

static const struct param language_table[] = {
    {"query", PARAM_TEXT, offsetof(struct language_params, query)},
    {NULL, PARAM_TEXT, 0},
};

static enum err bind_version(struct read *read, const struct language_params *params, int version,
                             struct error *error)
{
    struct metrics_request request;
    struct buf sql = BUF_EMPTY;

    if (params->query == NULL) {
        return error_set(error, ERR_INVALID, "query: missing");
    }
    enum err err = metrics_parse(params->query, version, read->arena, &request, error);
    if (err != ERR_OK) {
        return err;
    }
    read_bind_text(read, read->request->identity.project);
    err = metrics_sql(read, &request, &sql, error);
    if (err == ERR_OK) {
        read_make_sql(read, buf_slice(&sql));
    }
    buf_finish(&sql);
    return err;
}

static enum err language_bind(struct read *read, const void *params, struct error *error)
{
    return bind_version(read, params, 1, error);
}

static enum err language_v2_bind(struct read *read, const void *params, struct error *error)
{
    return bind_version(read, params, 2, error);
}

static const struct read_resource language_resource = {
    .params = language_table,
    .params_size = sizeof(struct language_params),
    .bind = language_bind,
    .format = &read_list_format,
};

static const struct read_resource language_v2_resource = {
    .params = language_table,
    .params_size = sizeof(struct language_params),
    .bind = language_v2_bind,
    .format = &read_list_format,
};

void metrics_language(struct request *request)
{
    read_run(request, &language_resource);
}

void metrics_language_v2(struct request *request)
{
    read_run(request, &language_v2_resource);
}
