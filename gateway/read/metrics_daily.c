/*
 * metrics_daily: traces, observations, tokens and costs by UTC day.
 *
 * What a day holds (the writer's roll-up must compute the same):
 *   day                 (traces.timestamp AT TIME ZONE 'UTC')::date; its observations count there
 *                       whatever their own times
 *   count_traces        traces of the day
 *   count_observations  their observations, of any type
 *   total_cost          sum over the traces of: total_cost, else the sum of its observations' costs
 *                       (nothing counts as 0)
 *   usage, by model     (unset is one of its own) over observations with coalesce(type,
 *                       'GENERATION') = 'GENERATION':
 *     input_usage       sum of prompt_tokens
 *     output_usage      sum of completion_tokens
 *     total_usage       sum of total_tokens, else prompt_tokens + completion_tokens
 *     count_traces      distinct traces
 *     count_observations, total_cost
 *   an observation's cost: coalesce(total_cost, input_cost + output_cost, input_cost, output_cost,
 *   computed_total_cost), as in the view xtrace.observations
 *
 * Without a filter a day comes from the roll-up if it has no mark in dirty_days and no trace of it
 * lies outside the range; all others are computed here. Total and page are of one snapshot.
 */
#include "gateway/read/metrics_daily.h"

#include <stddef.h>

#include "common/clock.h"
#include "common/rfc3339.h"
#include "gateway/read/read.h"
#include "gateway/read/traces_sql.h"

#pragma GCC diagnostic ignored "-Woverlength-strings"

/* --- SQL ----------------------------------------------------------------------------------- */

/* clang-format off */
#define SQL_DAY(time)  "(" time " AT TIME ZONE 'UTC')::date"
#define SQL_START(day) "((" day ")::timestamp AT TIME ZONE 'UTC')"
#define SQL_FIRST      SQL_DAY("$2::timestamptz")
#define SQL_LAST       SQL_DAY("$3::timestamptz")

/* Days that the range covers only in part: some trace of theirs lies outside. */
#define SQL_PARTIAL                                                                                \
    "partial AS MATERIALIZED ("                                                                    \
    " SELECT " SQL_FIRST " AS day WHERE EXISTS (SELECT FROM traces t WHERE t.project_id = $1"      \
    "  AND t.timestamp >= " SQL_START(SQL_FIRST) " AND t.timestamp < $2)"                          \
    " UNION"                                                                                       \
    " SELECT " SQL_LAST " WHERE EXISTS (SELECT FROM traces t WHERE t.project_id = $1"              \
    "  AND t.timestamp > $3 AND t.timestamp < " SQL_START(SQL_LAST " + 1") ")),"

#define SQL_LIVE                                                                                   \
    "live AS MATERIALIZED (SELECT d.day FROM (SELECT day FROM partial"                             \
    "  UNION SELECT day FROM dirty_days WHERE project_id = $1"                                     \
    "  AND day BETWEEN " SQL_FIRST " AND " SQL_LAST ") d"                                          \
    " WHERE EXISTS (SELECT FROM traces t WHERE t.project_id = $1"                                  \
    "  AND t.timestamp >= greatest(" SQL_START("d.day") ", $2)"                                    \
    "  AND t.timestamp <= $3 AND t.timestamp < " SQL_START("d.day + 1") ")),"

#define SQL_DAYS                                                                                   \
    "days AS MATERIALIZED (SELECT day, true AS is_live FROM live"                                  \
    " UNION ALL SELECT r.day, false FROM daily_totals r WHERE r.project_id = $1"                   \
    "  AND r.day BETWEEN " SQL_FIRST " AND " SQL_LAST " AND r.count_traces > 0"                    \
    "  AND NOT EXISTS (SELECT FROM partial d WHERE d.day = r.day)"                                 \
    "  AND NOT EXISTS (SELECT FROM dirty_days d WHERE d.project_id = $1 AND d.day = r.day)),"

#define SQL_PAGE                                                                                   \
    "page AS MATERIALIZED (SELECT * FROM days ORDER BY day DESC"                                   \
    "  LIMIT $4::bigint OFFSET $5::bigint),"

/* Traces of the page's live days. */
#define SQL_MATCHING_LIVE                                                                          \
    "matching AS MATERIALIZED (SELECT p.day, t.id, t.total_cost FROM page p JOIN traces t"         \
    "  ON t.project_id = $1 AND t.timestamp >= greatest(" SQL_START("p.day") ", $2)"               \
    "  AND t.timestamp <= $3 AND t.timestamp < " SQL_START("p.day + 1")                            \
    " WHERE p.is_live),"

#define SQL_MATCHING_FILTERED                                                                      \
    "found AS MATERIALIZED (SELECT " SQL_DAY("t.timestamp") " AS day, t.id, t.total_cost"          \
    " FROM traces t WHERE t.project_id = $1 AND t.timestamp >= $2::timestamptz"                    \
    "  AND t.timestamp <= $3::timestamptz"                                                         \
    "  AND " SQL_NAME_IS("$6") " AND ($7::text IS NULL OR t.user_id = $7)"                         \
    "  AND ($8::text IS NULL OR t.version = $8) AND ($9::text IS NULL OR t.release = $9)"          \
    "  AND " SQL_HAS_TAGS("$10", "$11") " AND " SQL_ENVIRONMENT_IN("$12") "),"                     \
    " days AS MATERIALIZED (SELECT DISTINCT day, true AS is_live FROM found)," SQL_PAGE            \
    " matching AS MATERIALIZED (SELECT * FROM found WHERE day IN (SELECT day FROM page)),"

/* For each trace a row for itself and one for each of its models, generations apart, read by the
 * index: so nothing large is sorted or hashed, and distinct traces are rows. */
#define SQL_COMPUTED                                                                               \
    "sums AS MATERIALIZED (SELECT m.day, m.total_cost AS given_cost, o.*"                          \
    " FROM matching m, LATERAL (SELECT grouping(o.model) = 1 AS is_trace,"                         \
    "  coalesce(o.type, 'GENERATION') = 'GENERATION' AS is_generation, o.model,"                   \
    "  count(*) AS observations, coalesce(sum(o.prompt_tokens), 0) AS input,"                      \
    "  coalesce(sum(o.completion_tokens), 0) AS output, sum(" SQL_TOTAL_TOKENS ") AS total,"       \
    "  sum(" SQL_OBSERVATION_COST ") AS cost"                                                      \
    "  FROM observations o WHERE o.project_id = $1 AND o.trace_id = m.id"                          \
    "  GROUP BY GROUPING SETS ((coalesce(o.type, 'GENERATION') = 'GENERATION', o.model), ())) o)," \
    " computed_totals AS (SELECT day, count(*) AS count_traces,"                                   \
    "  sum(observations) AS count_observations,"                                                   \
    "  coalesce(sum(coalesce(given_cost, cost)), 0) AS total_cost"                                 \
    " FROM sums WHERE is_trace GROUP BY day),"                                                     \
    " computed_usage AS (SELECT day, model, " SQL_INT64("sum(input)") " AS input_usage, "          \
      SQL_INT64("sum(output)") " AS output_usage, " SQL_INT64("sum(total)") " AS total_usage,"     \
    "  count(*) AS count_traces, sum(observations) AS count_observations,"                         \
    "  coalesce(sum(cost), 0) AS total_cost"                                                       \
    " FROM sums WHERE NOT is_trace AND is_generation GROUP BY day, model)"

#define SQL_TOTALS "day, count_traces, count_observations, total_cost"
#define SQL_USAGE                                                                                  \
    "day, model, input_usage, output_usage, total_usage, count_traces, count_observations,"        \
    " total_cost"
#define SQL_ROLLED_UP(columns, table)                                                              \
    " UNION ALL SELECT " columns " FROM " table " WHERE project_id = $1"                           \
    " AND day IN (SELECT day FROM page WHERE NOT is_live)"

#define SQL_ANSWER(rolled_up_totals, rolled_up_usage)                                              \
    " SELECT count(*) AS total, NULL::json AS row FROM days"                                       \
    " UNION ALL (SELECT NULL, json_build_object('date', to_char(t.day, 'YYYY-MM-DD'),"             \
    "  'countTraces', t.count_traces, 'countObservations', t.count_observations,"                  \
    "  'totalCost', t.total_cost, 'usage', coalesce(u.usage, '[]'))"                               \
    " FROM (SELECT " SQL_TOTALS " FROM computed_totals" rolled_up_totals ") t"                     \
    " LEFT JOIN (SELECT day, json_agg(json_build_object('model', coalesce(model, 'unknown'),"      \
    "   'inputUsage', input_usage, 'outputUsage', output_usage, 'totalUsage', total_usage,"        \
    "   'countTraces', count_traces, 'countObservations', count_observations,"                     \
    "   'totalCost', total_cost) ORDER BY total_cost DESC, model) AS usage"                        \
    "  FROM (SELECT " SQL_USAGE " FROM computed_usage" rolled_up_usage ") m GROUP BY day) u"       \
    "  ON u.day = t.day ORDER BY t.day DESC)"

static const char sql_unfiltered[] =
    "WITH " SQL_PARTIAL SQL_LIVE SQL_DAYS SQL_PAGE SQL_MATCHING_LIVE SQL_COMPUTED
    SQL_ANSWER(SQL_ROLLED_UP(SQL_TOTALS, "daily_totals"), SQL_ROLLED_UP(SQL_USAGE, "daily_usage"));

static const char sql_filtered[] =
    "WITH " SQL_MATCHING_FILTERED SQL_COMPUTED SQL_ANSWER("", "");
/* clang-format on */

/* --- parameters ---------------------------------------------------------------------------- */

#define DEFAULT_RANGE_US (INT64_C(30) * 24 * 60 * 60 * 1000000)

struct daily_params {
    int64_t page;
    int64_t limit;
    const char *trace_name;
    const char *user_id;
    const char *version;
    const char *release;
    struct param_texts tags;
    struct param_texts environments;
    struct param_time from;
    struct param_time to;
};

static const struct param daily_table[] = {
    {"page", PARAM_PAGE, offsetof(struct daily_params, page)},
    {"limit", PARAM_LIMIT, offsetof(struct daily_params, limit)},
    {"traceName", PARAM_TEXT, offsetof(struct daily_params, trace_name)},
    {"userId", PARAM_TEXT, offsetof(struct daily_params, user_id)},
    {"version", PARAM_TEXT, offsetof(struct daily_params, version)},
    {"release", PARAM_TEXT, offsetof(struct daily_params, release)},
    {"tags", PARAM_TEXTS, offsetof(struct daily_params, tags)},
    {"environment", PARAM_TEXTS, offsetof(struct daily_params, environments)},
    {"fromTimestamp", PARAM_TIME, offsetof(struct daily_params, from)},
    {"toTimestamp", PARAM_TIME, offsetof(struct daily_params, to)},
    {NULL, PARAM_TEXT, 0},
};

static bool has_filter(const struct daily_params *params)
{
    return params->trace_name != NULL || params->user_id != NULL || params->version != NULL ||
           params->release != NULL || params->tags.count > 0 || params->environments.count > 0;
}

static struct param_time range_end(const struct daily_params *params)
{
    return params->to.given ? params->to : (struct param_time){true, clock_wall_us()};
}

static struct param_time range_start(const struct daily_params *params, struct param_time end)
{
    if (params->from.given) {
        return params->from;
    }
    int64_t us = end.us - DEFAULT_RANGE_US;
    return (struct param_time){true, us < RFC3339_MIN_US ? RFC3339_MIN_US : us};
}

static enum err daily_bind(struct read *read, const void *typed, struct error *error)
{
    const struct daily_params *params = typed;
    struct param_time end = range_end(params);

    read->page = params->page;
    read->limit = params->limit;
    read_bind_text(read, read->request->identity.project);
    read_bind_time(read, range_start(params, end));
    read_bind_time(read, end);
    read_bind_integer(read, params->limit);
    read_bind_offset(read);
    if (!has_filter(params)) {
        read->sql = sql_unfiltered;
        return ERR_OK;
    }
    read->sql = sql_filtered;
    read_bind_text(read, params->trace_name);
    read_bind_text(read, params->user_id);
    read_bind_text(read, params->version);
    read_bind_text(read, params->release);
    read_bind_texts(read, params->tags.parts, params->tags.part_count);
    read_bind_texts(read, params->tags.values, params->tags.count);
    read_bind_any_of(read, &params->environments);
    return ERR_OK;
}

static const struct read_resource daily_resource = {
    .params = daily_table,
    .params_size = sizeof(struct daily_params),
    .bind = daily_bind,
    .format = &read_page_format,
};

void metrics_daily(struct request *request)
{
    read_run(request, &daily_resource);
}
