/*
 * runs: how a run of an agent stands. Its steps are the observations whose metadata names it
 * (run_id), and those of traces whose metadata does, unless they name another run themselves.
 */
#include "gateway/read/runs.h"

#include "gateway/read/read.h"
#include "gateway/read/sessions_sql.h"

/* Static SQL is longer than what ISO C promises to take. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* clang-format off */
static const char sql_run[] =
    "WITH named AS MATERIALIZED (SELECT t.id, t.timestamp, t.session_id FROM traces t"
    "  WHERE t.project_id = $1 AND " SQL_METADATA_ID_IS("t", "run_id", "$2") "),"
    " steps AS MATERIALIZED (SELECT o.* FROM observations o"
    "   WHERE o.project_id = $1 AND " SQL_METADATA_ID_IS("o", "run_id", "$2")
    "  UNION ALL SELECT o.* FROM named n JOIN observations o"
    "   ON o.project_id = $1 AND o.trace_id = n.id"
    "   WHERE o.metadata ->> 'run_id' IS NULL),"
    " touched AS (SELECT id FROM named UNION SELECT trace_id FROM steps),"
    " times AS (SELECT min(at) AS first, max(at) AS last FROM"
    "  (SELECT timestamp AS at FROM named UNION ALL SELECT coalesce(o.start_time, o.created_at)"
    "   FROM steps o UNION ALL SELECT " SQL_STEP_TIME " FROM steps o) x)"
    " SELECT json_build_object('id', $2::text, 'projectId', $1::text,"
    "  'firstTimestamp', " READ_SQL_TIME("times.first") ","
    "  'lastTimestamp', " READ_SQL_TIME("times.last") ","
    "  'sessionId', (SELECT (array_agg(t.session_id ORDER BY t.timestamp, t.id))[1] FROM touched"
    "    JOIN traces t ON t.project_id = $1 AND t.id = touched.id WHERE t.session_id IS NOT NULL),"
    "  'status', l.status, " SQL_TOTALS ", 'latest', l.latest)"
    " FROM times, (SELECT count(*) AS traces FROM touched) c,"
    "  LATERAL (SELECT c.traces, " SQL_SUMS " FROM steps o) s"
    "  LEFT JOIN LATERAL (SELECT " SQL_STATUS " AS status, " SQL_LATEST("o.trace_id") " AS latest"
    "   FROM (SELECT * FROM steps o ORDER BY " SQL_LATEST_FIRST " LIMIT 1) o) l ON true"
    " WHERE c.traces > 0";
/* clang-format on */

static void on_row(void *context, struct buf *out, const PGresult *row)
{
    struct read *read = context;

    buf_append(out, PQgetvalue(row, 0, 0), (size_t)PQgetlength(row, 0, 0));
    read->_rows++;
}

static enum err on_end(void *context, struct buf *out, struct error *error)
{
    const struct read *read = context;
    return read->_rows == 0 ? error_set(error, ERR_NOT_FOUND, "Not Found") : ERR_OK;
}

static const struct stream_format format = {on_row, on_end};

static enum err run_bind(struct read *read, const void *params, struct error *error)
{
    read->sql = sql_run;
    read_bind_text(read, read->request->identity.project);
    read_bind_text(read, arena_text(read->arena, read->request->params[0]));
    return ERR_OK;
}

static const struct param no_params[] = {{NULL, PARAM_TEXT, 0}};

static const struct read_resource resource = {
    .params = no_params,
    .params_size = 1,
    .bind = run_bind,
    .format = &format,
};

void runs_detail(struct request *request)
{
    read_run(request, &resource);
}
