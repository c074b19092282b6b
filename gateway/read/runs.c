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

void runs_detail(struct request *request)
{
    read_run_static(request, sql_run, READ_PATH_TEXT, &read_object_format);
}
