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

void metrics_names(struct request *request)
{
    read_run_static(request, sql_names, READ_NO_PATH, &read_list_format);
}
