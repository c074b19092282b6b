/*
 * sessions: a page of sessions, and one session with its traces. A session is what the traces with
 * its id make of it; there is no table of them. It begins with its first trace: that one's time is
 * its createdAt and decides order and range, that one's environment is its own.
 */
#include "gateway/read/sessions.h"

#include <stddef.h>

#include "gateway/read/read.h"
#include "gateway/read/sessions_sql.h"

/* Static SQL is longer than what ISO C promises to take. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* --- SQL ----------------------------------------------------------------------------------- */

/* clang-format off */

/* The first trace of each session, in one pass over the index by session, read backwards. */
#define SQL_ALL_FIRSTS                                                                             \
    "SELECT DISTINCT ON (t.session_id) t.session_id, t.timestamp, t.id FROM traces t"              \
    " WHERE t.project_id = $1 AND t.session_id IS NOT NULL"                                        \
    " ORDER BY t.session_id DESC, t.timestamp, t.id"

/* The same of a range of time: of its traces those that no other of the session is before. */
#define SQL_FIRSTS_SINCE                                                                           \
    "SELECT t.session_id, t.timestamp, t.id FROM traces t"                                         \
    " WHERE t.project_id = $1 AND t.session_id IS NOT NULL AND t.timestamp >= $2"                  \
    " AND ($3::timestamptz IS NULL OR t.timestamp <= $3)"                                          \
    " AND NOT EXISTS (SELECT FROM traces e WHERE e.project_id = t.project_id"                      \
    "  AND e.session_id = t.session_id AND (e.timestamp, e.id) < (t.timestamp, t.id))"

/* `f` is the first trace. */
#define SQL_SESSION_CORE                                                                           \
    "'id', f.session_id, 'createdAt', " READ_SQL_TIME("f.timestamp") ","                           \
    " 'projectId', f.project_id, 'environment', coalesce(f.environment, 'default'),"               \
    " 'firstTimestamp', " READ_SQL_TIME("f.timestamp") ","                                         \
    " 'lastTimestamp', " READ_SQL_TIME("s.last") ", " SQL_TOTALS ", 'latest', l.latest"

#define SQL_SESSION_SUMS                                                                           \
    "LATERAL (SELECT count(*) AS traces, max(t.timestamp) AS last, " SQL_SUMMED_UP ","             \
    "  sum(coalesce(t.total_cost, o.cost)) AS cost FROM traces t,"                                 \
    "  LATERAL (SELECT " SQL_SUMS " FROM observations o"                                           \
    "   WHERE o.project_id = $1 AND o.trace_id = t.id) o"                                          \
    "  WHERE t.project_id = $1 AND t.session_id = f.session_id) s,"                                \
    " LATERAL (SELECT " SQL_LATEST("t.id") " AS latest"                                            \
    "  FROM (SELECT id FROM traces WHERE project_id = $1 AND session_id = f.session_id"            \
    "   ORDER BY timestamp DESC, id DESC LIMIT 1) t"                                               \
    "  LEFT JOIN LATERAL (SELECT * FROM observations o WHERE o.project_id = $1"                    \
    "   AND o.trace_id = t.id ORDER BY " SQL_LATEST_FIRST " LIMIT 1) o ON true) l"

#define SQL_LIST(firsts)                                                                           \
    "WITH firsts AS MATERIALIZED (SELECT * FROM (" firsts ") f"                                    \
    "  WHERE ($3::timestamptz IS NULL OR f.timestamp <= $3) AND ($4::text[] IS NULL OR EXISTS"     \
    "   (SELECT FROM traces t WHERE t.project_id = $1 AND t.id = f.id"                             \
    "    AND " SQL_ENVIRONMENT_IN("$4") "))),"                                                     \
    " page AS MATERIALIZED (SELECT timestamp, id FROM firsts"                                      \
    "  ORDER BY timestamp DESC, id DESC LIMIT $5::bigint OFFSET $6::bigint)"                       \
    " SELECT count(*) AS total, NULL::json AS row FROM firsts"                                     \
    " UNION ALL (SELECT NULL, json_build_object(" SQL_SESSION_CORE ")"                             \
    "  FROM page p JOIN traces f ON f.project_id = $1 AND f.id = p.id, " SQL_SESSION_SUMS          \
    "  ORDER BY p.timestamp DESC, p.id DESC)"

/* $2 is null for the first, and has to be in it for its type's sake. */
static const char sql_list[] =
    SQL_LIST("SELECT * FROM (" SQL_ALL_FIRSTS ") f WHERE $2::timestamptz IS NULL");
static const char sql_list_since[] = SQL_LIST(SQL_FIRSTS_SINCE);

/* First the session, then each of its traces. */
static const char sql_detail[] =
    "SELECT json_build_object(" SQL_SESSION_CORE ") AS session, NULL::json AS traces"
    " FROM (SELECT * FROM traces WHERE project_id = $1 AND session_id = $2"
    "  ORDER BY timestamp, id LIMIT 1) f, " SQL_SESSION_SUMS
    " UNION ALL"
    " (SELECT NULL, json_build_object(" SQL_TRACE_CORE ", " SQL_TRACE_IO ","
    "   'latency', coalesce(t.latency, o.latency), 'totalCost', coalesce(t.total_cost, o.cost),"
    "   'observations', coalesce(o.ids, '[]'), 'scores', coalesce(s.ids, '[]'))"
    "  FROM (SELECT * FROM traces t WHERE t.project_id = $1 AND t.session_id = $2"
    "   ORDER BY t.timestamp, t.id) t,"
    "  LATERAL (SELECT json_agg(o.id) AS ids, " SQL_TRACE_LATENCY " AS latency,"
    "   " SQL_TRACE_COST " AS cost FROM observations o"
    "   WHERE o.project_id = $1 AND o.trace_id = t.id) o,"
    "  LATERAL (SELECT json_agg(s.id) AS ids FROM scores s"
    "   WHERE s.project_id = $1 AND s.trace_id = t.id) s"
    "  ORDER BY t.timestamp, t.id)";
/* clang-format on */

/* --- list ---------------------------------------------------------------------------------- */

struct list_params {
    int64_t page;
    int64_t limit;
    struct param_time from;
    struct param_time to;
    struct param_texts environments;
};

static const struct param list_table[] = {
    {"page", PARAM_PAGE, offsetof(struct list_params, page)},
    {"limit", PARAM_LIMIT, offsetof(struct list_params, limit)},
    {"fromTimestamp", PARAM_TIME, offsetof(struct list_params, from)},
    {"toTimestamp", PARAM_TIME, offsetof(struct list_params, to)},
    {"environment", PARAM_TEXTS, offsetof(struct list_params, environments)},
    {NULL, PARAM_TEXT, 0},
};

static enum err list_bind(struct read *read, const void *typed, struct error *error)
{
    const struct list_params *params = typed;

    read->page = params->page;
    read->limit = params->limit;
    read->sql = params->from.given ? sql_list_since : sql_list;
    read_bind_text(read, read->request->identity.project);
    read_bind_time(read, params->from);
    read_bind_time(read, params->to);
    read_bind_any_of(read, &params->environments);
    read_bind_integer(read, params->limit);
    read_bind_offset(read);
    return ERR_OK;
}

static const struct read_resource list_resource = {
    .params = list_table,
    .params_size = sizeof(struct list_params),
    .bind = list_bind,
    .format = &read_page_format,
};

void sessions_list(struct request *request)
{
    read_run(request, &list_resource);
}

/* --- detail -------------------------------------------------------------------------------- */

void sessions_detail(struct request *request)
{
    read_run_static(request, sql_detail, READ_PATH_TEXT, &read_nested_format);
}
