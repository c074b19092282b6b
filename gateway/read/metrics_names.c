/*
 * metrics_names: from the series alone, and of a name's series only the first is looked at: a label may
 * tell a million of them apart.
 */
#include "gateway/read/metrics_names.h"

#include "gateway/read/read.h"

static const char sql_names[] =
    "WITH RECURSIVE n AS ("
    " (SELECT name FROM metric_series WHERE project_id = $1 ORDER BY name LIMIT 1)"
    " UNION ALL"
    " SELECT (SELECT s.name FROM metric_series s WHERE s.project_id = $1 AND s.name > n.name"
    "  ORDER BY s.name LIMIT 1) FROM n WHERE n.name IS NOT NULL)"
    " SELECT to_json(name) AS row, NULL::json AS meta FROM n WHERE name IS NOT NULL";

static enum err bind_names(struct read *read, const void *params, struct error *error)
{
    read->sql = sql_names;
    read_bind_text(read, read->request->identity.project);
    return ERR_OK;
}

static const struct param no_params[] = {{NULL, PARAM_TEXT, 0}};

static const struct read_resource resource = {
    .params = no_params,
    .params_size = 1,
    .bind = bind_names,
    .format = &read_list_format,
};

void metrics_names(struct request *request)
{
    read_run(request, &resource);
}
