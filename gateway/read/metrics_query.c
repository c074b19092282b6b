/*
 * metrics_query: a metric's series, aggregated in steps of time (contract/xtrace.md section 10, 14.17).
 *
 * First it is found out which series have points in the range, and when their newest is. They make
 * groups (of one label set, or of one value of group_by), and only the points of the groups that are
 * shown are aggregated, step by step from the newest on, each a short piece of an index. That is the way
 * while there are not too many pieces, steps times series; else the points of a group are read as a
 * whole and sorted by step, and for a name with very many series (one for each trace, say) the range is
 * read as a whole.
 *
 * Of points at the same microsecond the greater value is the last. A result beyond the doubles is the
 * greatest one.
 */
#include "gateway/read/metrics_query.h"

#include <stddef.h>
#include <strings.h>

#include "common/clock.h"
#include "common/json_read.h"
#include "common/rfc3339.h"
#include "gateway/read/read.h"

#pragma GCC diagnostic ignored "-Woverlength-strings"

/* --- SQL ----------------------------------------------------------------------------------- */

/* clang-format off */
#define SERIES_MAX  "50"
#define POINTS_MAX  "1000"
#define POINTS_MORE "1001"
/* A look into each partition of the range costs a microsecond or two. */
#define FEW_SERIES  "20000"
/* A piece costs some five microseconds beside its points, which then need no sorting. */
#define FEW_PIECES  "50000"

/* Every time that is stored lies behind this one, which begins a minute, an hour and a day. */
#define SQL_BUCKET(time) "date_bin($7::interval, " time ", timestamptz '0001-01-01 00:00:00+00')"
#define SQL_RANGE        "q.ts >= $3::timestamptz AND q.ts <= $4::timestamptz"
#define SQL_TIME(time)   "to_char(" time ", 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"')"
#define SQL_ARE_FEW      "(SELECT few FROM few)"
#define SQL_ARE_SHORT    "(SELECT short FROM short)"

#define SQL_SERIES                                                                                 \
    "s AS MATERIALIZED (SELECT id, CASE WHEN $6::text IS NULL THEN labels"                         \
    "  ELSE jsonb_build_object($6, labels -> $6) END AS labels"                                    \
    " FROM metric_series WHERE project_id = $1 AND name = $2"                                      \
    "  AND ($5::jsonb IS NULL OR labels @> $5)),"                                                  \
    " few AS MATERIALIZED (SELECT count(*) <= " FEW_SERIES " AS few FROM s),"

#define SQL_GROUPS                                                                                 \
    " latest AS MATERIALIZED ("                                                                    \
    " SELECT s.id, s.labels, l.ts FROM s, LATERAL (SELECT q.ts FROM metric_points q"               \
    "  WHERE q.series_id = s.id AND " SQL_RANGE " ORDER BY q.ts DESC LIMIT 1) l"                   \
    " WHERE " SQL_ARE_FEW                                                                          \
    " UNION ALL"                                                                                   \
    " SELECT s.id, s.labels, l.ts FROM (SELECT q.series_id, max(q.ts) AS ts FROM metric_points q"  \
    "  WHERE NOT " SQL_ARE_FEW " AND " SQL_RANGE " GROUP BY q.series_id) l"                        \
    "  JOIN s ON s.id = l.series_id),"                                                             \
    " groups AS (SELECT labels, max(ts) AS ts, array_agg(id) AS ids FROM latest GROUP BY labels)," \
    " picked AS MATERIALIZED (SELECT labels, ids, ts, row_number() OVER () AS number,"             \
    "  count(*) OVER () AS groups, max(ts) OVER () AS latest"                                      \
    "  FROM groups ORDER BY ts DESC, labels LIMIT " SERIES_MAX "),"                                \
    " short AS MATERIALIZED (SELECT " SQL_ARE_FEW " AND coalesce(sum(cardinality(ids)"             \
    "  * (date_part('epoch', ts - $3::timestamptz) / date_part('epoch', $7::interval) + 2))"       \
    "  <= " FEW_PIECES ", false) AS short FROM picked),"

/* The newest first: steps come in the order in which they are generated, there being one way to run
 * that. OFFSET 0: the points are not to be looked up member by member. */
#define SQL_BUCKETS(aggregate)                                                                     \
    " buckets AS ("                                                                                \
    " SELECT p.number, b.bucket, b.value FROM picked p, LATERAL (SELECT t.bucket, v.value"         \
    "  FROM generate_series(" SQL_BUCKET("p.ts") ", " SQL_BUCKET("$3::timestamptz") ","            \
    "   -$7::interval) AS t(bucket), LATERAL (SELECT " aggregate " AS value FROM metric_points q"  \
    "   WHERE q.series_id = ANY (p.ids) AND " SQL_RANGE " AND q.ts >= t.bucket"                    \
    "    AND q.ts < t.bucket + $7::interval HAVING count(*) > 0) v LIMIT " POINTS_MORE ") b"       \
    " WHERE " SQL_ARE_SHORT                                                                        \
    " UNION ALL"                                                                                   \
    " SELECT p.number, b.bucket, b.value FROM picked p, LATERAL (SELECT " SQL_BUCKET("q.ts")       \
    "   AS bucket, " aggregate " AS value FROM metric_points q"                                    \
    "  WHERE q.series_id = ANY (p.ids) AND " SQL_RANGE                                             \
    "  GROUP BY 1 ORDER BY 1 DESC LIMIT " POINTS_MORE ") b"                                        \
    " WHERE " SQL_ARE_FEW " AND NOT " SQL_ARE_SHORT                                                \
    " UNION ALL"                                                                                   \
    " SELECT p.number, " SQL_BUCKET("q.ts") " AS bucket, " aggregate " AS value"                   \
    "  FROM (SELECT number, unnest(ids) AS id FROM picked) p"                                      \
    "  JOIN (SELECT q.series_id, q.ts, q.value FROM metric_points q"                               \
    "   WHERE NOT " SQL_ARE_FEW " AND " SQL_RANGE " OFFSET 0) q ON q.series_id = p.id"             \
    "  GROUP BY 1, 2),"

/* Labels with their keys sorted bytewise, which jsonb does not do. */
#define SQL_CANONICAL(labels)                                                                      \
    "(SELECT '{' || coalesce(string_agg(to_json(e.key)::text || ':' || e.value, ','"               \
    "  ORDER BY e.key COLLATE \"C\"), '') || '}' FROM jsonb_each(" labels ") e)"

#define SQL_ANSWER                                                                                 \
    " shown AS MATERIALIZED (SELECT " SQL_CANONICAL("p.labels") " AS labels,"                      \
    "  json_agg(json_build_object('timestamp', " SQL_TIME("n.bucket") ", 'value', n.value)"        \
    "   ORDER BY n.bucket) FILTER (WHERE n.place <= " POINTS_MAX ") AS values,"                    \
    "  max(n.place) > " POINTS_MAX " AS more"                                                      \
    " FROM (SELECT *, row_number() OVER (PARTITION BY number ORDER BY bucket DESC) AS place"       \
    "  FROM buckets) n JOIN picked p ON p.number = n.number"                                       \
    " WHERE n.place <= " POINTS_MORE " GROUP BY p.number, p.labels)"                               \
    " (SELECT json_build_object('labels', labels::json, 'values', values) AS row,"                 \
    "  NULL::json AS meta FROM shown ORDER BY labels COLLATE \"C\")"                               \
    " UNION ALL"                                                                                   \
    " SELECT NULL, json_strip_nulls(json_build_object("                                            \
    "  'latest_ts', (SELECT " SQL_TIME(SQL_BUCKET("latest")) " FROM picked LIMIT 1),"              \
    "  'series_count', (SELECT count(*) FROM shown),"                                              \
    "  'truncated', coalesce((SELECT groups > " SERIES_MAX " FROM picked LIMIT 1), false)"         \
    "   OR coalesce((SELECT bool_or(more) FROM shown), false)))"

#define SQL_QUERY(aggregate)                                                                       \
    "WITH " SQL_SERIES SQL_GROUPS SQL_BUCKETS(aggregate) SQL_ANSWER

/* PostgreSQL gives up at a sum or a mean beyond the doubles, so that values near their end are added up
 * apart, at 2^-20 of their size. */
#define SQL_IS_HUGE  "abs(q.value) >= 1e290"
#define SQL_HUGE_SUM "coalesce(sum(q.value / 1048576) FILTER (WHERE " SQL_IS_HUGE "), 0)"
#define SQL_REST_SUM "coalesce(sum(q.value) FILTER (WHERE NOT " SQL_IS_HUGE "), 0)"
#define SQL_SCALED_SUM                                                                             \
    "(" SQL_HUGE_SUM " + CASE WHEN abs(" SQL_REST_SUM ") < 1 THEN 0"                               \
    " ELSE " SQL_REST_SUM " / 1048576 END)"
#define SQL_GREATEST        "1.7976931348623157e308::float8"
#define SQL_UNSCALED(value)                                                                        \
    "greatest(least(" value ", " SQL_GREATEST " / 1048576), -" SQL_GREATEST " / 1048576) * 1048576"

#define SQL_SUM                                                                                    \
    "CASE WHEN " SQL_HUGE_SUM " = 0 THEN " SQL_REST_SUM " ELSE " SQL_UNSCALED(SQL_SCALED_SUM) " END"
#define SQL_AVG                                                                                    \
    "CASE WHEN " SQL_HUGE_SUM " = 0 THEN " SQL_REST_SUM " / count(*)"                              \
    " ELSE " SQL_UNSCALED(SQL_SCALED_SUM " / count(*)") " END"
#define SQL_LAST                                                                                   \
    "(max(ARRAY[date_part('epoch', q.ts - " SQL_BUCKET("q.ts") "), q.value]))[2]"
#define SQL_PERCENTILE                                                                             \
    "greatest(least(percentile_cont($8::float8) WITHIN GROUP (ORDER BY q.value), "                 \
    SQL_GREATEST "), -" SQL_GREATEST ")"

static const char sql_avg[] = SQL_QUERY(SQL_AVG);
static const char sql_max[] = SQL_QUERY("max(q.value)");
static const char sql_min[] = SQL_QUERY("min(q.value)");
static const char sql_sum[] = SQL_QUERY(SQL_SUM);
static const char sql_last[] = SQL_QUERY(SQL_LAST);
static const char sql_percentile[] = SQL_QUERY(SQL_PERCENTILE);
/* clang-format on */

/* --- parameters ---------------------------------------------------------------------------- */

#define DEFAULT_RANGE_US (INT64_C(60) * 60 * 1000000)

enum { LABELS_DEPTH_MAX = 32 };

struct query_params {
    const char *name;
    const char *labels;
    const char *step;
    const char *aggregate;
    const char *group_by;
    struct param_time from;
    struct param_time to;
};

static const struct param query_table[] = {
    {"name", PARAM_TEXT, offsetof(struct query_params, name)},
    {"labels", PARAM_TEXT, offsetof(struct query_params, labels)},
    {"step", PARAM_TEXT, offsetof(struct query_params, step)},
    {"agg", PARAM_TEXT, offsetof(struct query_params, aggregate)},
    {"group_by", PARAM_TEXT, offsetof(struct query_params, group_by)},
    {"from", PARAM_TIME, offsetof(struct query_params, from)},
    {"to", PARAM_TIME, offsetof(struct query_params, to)},
    {NULL, PARAM_TEXT, 0},
};

static const struct {
    const char *word;
    const char *interval;
} steps[] = {{"1m", "1 minute"}, {"5m", "5 minutes"}, {"1h", "1 hour"}, {"1d", "1 day"}};

static const struct {
    const char *word;
    const char *sql;
    const char *percentile; /* $8; NULL: there is none */
} aggregates[] = {
    {"avg", sql_avg, NULL},         {"max", sql_max, NULL},          {"min", sql_min, NULL},
    {"sum", sql_sum, NULL},         {"last", sql_last, NULL},        {"p50", sql_percentile, "0.5"},
    {"p90", sql_percentile, "0.9"}, {"p99", sql_percentile, "0.99"},
};

enum {
    STEP_COUNT = sizeof(steps) / sizeof(steps[0]),
    AGGREGATE_COUNT = sizeof(aggregates) / sizeof(aggregates[0]),
};

static enum err find_step(const char *word, size_t *step, struct error *error)
{
    *step = 0;
    while (word != NULL && *step < STEP_COUNT && strcmp(word, steps[*step].word) != 0) {
        ++*step;
    }
    return *step < STEP_COUNT
               ? ERR_OK
               : error_set(error, ERR_INVALID, "step: must be one of 1m, 5m, 1h, 1d");
}

static enum err find_aggregate(const char *word, size_t *aggregate, struct error *error)
{
    *aggregate = 0;
    while (word != NULL && *aggregate < AGGREGATE_COUNT &&
           strcasecmp(word, aggregates[*aggregate].word) != 0) {
        ++*aggregate;
    }
    return *aggregate < AGGREGATE_COUNT
               ? ERR_OK
               : error_set(error, ERR_INVALID,
                           "agg: must be one of avg, max, min, sum, last, p50, p90, p99");
}

/* *labels: JSON text of an object, or NULL for all. */
static enum err read_labels(const char *text, struct arena *arena, const char **labels,
                            struct error *error)
{
    *labels = NULL;
    if (text == NULL || text[strspn(text, " \t\r\n")] == '\0') {
        return ERR_OK;
    }
    struct json_reader reader;
    char *copy = arena_text(arena, slice_from(text));
    json_reader_init(&reader, copy, strlen(copy), LABELS_DEPTH_MAX, arena);
    bool is_object = json_peek(&reader) == JSON_OBJECT;
    json_skip(&reader, NULL);
    enum err err = json_end(&reader, error);
    if (err != ERR_OK) {
        error_context(error, "labels");
        return err;
    }
    *labels = copy;
    return is_object ? ERR_OK : error_set(error, ERR_INVALID, "labels: not a JSON object");
}

static enum err read_range(const struct query_params *params, struct param_time *from,
                           struct param_time *to, struct error *error)
{
    *to = params->to.given ? params->to : (struct param_time){true, clock_wall_us()};
    *from = params->from;
    if (!from->given) {
        int64_t us = to->us - DEFAULT_RANGE_US;
        *from = (struct param_time){true, us < RFC3339_MIN_US ? RFC3339_MIN_US : us};
    }
    return from->us <= to->us ? ERR_OK : error_set(error, ERR_INVALID, "from: later than to");
}

static enum err query_bind(struct read *read, const void *typed, struct error *error)
{
    const struct query_params *params = typed;
    struct param_time from, to;
    const char *labels;
    size_t step, aggregate;
    if (params->name == NULL) {
        return error_set(error, ERR_INVALID, "name: missing");
    }
    enum err err = find_step(params->step, &step, error);
    if (err == ERR_OK) {
        err = find_aggregate(params->aggregate, &aggregate, error);
    }
    if (err == ERR_OK) {
        err = read_labels(params->labels, read->arena, &labels, error);
    }
    if (err == ERR_OK) {
        err = read_range(params, &from, &to, error);
    }
    if (err != ERR_OK) {
        return err;
    }
    bool is_grouped = params->group_by != NULL && params->group_by[0] != '\0';
    read->sql = aggregates[aggregate].sql;
    read_bind_text(read, read->request->identity.project);
    read_bind_text(read, params->name);
    read_bind_time(read, from);
    read_bind_time(read, to);
    read_bind_text(read, labels);
    read_bind_text(read, is_grouped ? params->group_by : NULL);
    read_bind_text(read, steps[step].interval);
    if (aggregates[aggregate].percentile != NULL) {
        read_bind_text(read, aggregates[aggregate].percentile);
    }
    return ERR_OK;
}

static const struct read_resource query_resource = {
    .params = query_table,
    .params_size = sizeof(struct query_params),
    .bind = query_bind,
    .format = &read_list_format,
};

void metrics_query(struct request *request)
{
    read_run(request, &query_resource);
}
