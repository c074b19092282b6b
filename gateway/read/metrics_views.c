/*
 * metrics_views: the tables. Times are UTC, as the session is.
 */
#include "gateway/read/metrics_views.h"

#include "gateway/read/traces_sql.h"

/* --- pieces -------------------------------------------------------------------------------- */

/* PostgreSQL refuses sums (and for a mean, squares) beyond the doubles, and products that are next to
 * nothing. */
#define SQL_BOUNDED(column)                                                                        \
    "CASE WHEN abs(" column ") > 1e140 THEN sign(" column ") * 1e140"                              \
    " WHEN abs(" column ") < 1e-140 THEN 0 ELSE " column " END"

/* As xtrace_seconds, in half the time: what it loses is less than a microsecond. */
#define SQL_SECONDS(earlier, later) "date_part('epoch', (" later ") - " earlier ")"

/* Microseconds are whole, so that 1.001 s are 1001 ms and not a hair less. */
#define SQL_MS(seconds) "round((" seconds ") * 1e6) / 1e3"

/* clang-format off */
/* In seconds; what was given may be any double. */
#define SQL_LATENCY                                                                                \
    "coalesce(" SQL_BOUNDED("o.latency") ", " SQL_SECONDS("o.start_time", SQL_OBSERVATION_END) ")"
#define SQL_FIRST_TOKEN                                                                            \
    "coalesce(" SQL_BOUNDED("o.time_to_first_token") ", "                                          \
    SQL_SECONDS("o.start_time", "o.completion_start_time") ")"
#define SQL_STREAMING SQL_SECONDS("o.completion_start_time", SQL_OBSERVATION_END)
/* clang-format on */

/* Nothing is a rate that took no time. */
#define SQL_PER_SECOND(tokens, seconds)                                                            \
    "CASE WHEN " seconds " >= 1e-6 THEN (" tokens ")::float8 / " seconds " END"

#define SQL_MONTH(time)      "to_char(" time ", 'YYYY-MM')"
#define SQL_DAY(time)        "to_char(" time ", 'YYYY-MM-DD')"
#define SQL_ENVIRONMENT(row) "coalesce(" row ".environment, 'default')"
/* A set of tags is one whatever the order they came in; most are so small that sorting is a waste. */
#define SQL_TAGS                                                                                   \
    "CASE cardinality(t.all_tags) WHEN 0 THEN t.all_tags WHEN 1 THEN t.all_tags"                   \
    " WHEN 2 THEN CASE WHEN t.all_tags[1] < t.all_tags[2] THEN t.all_tags"                         \
    "  WHEN t.all_tags[1] > t.all_tags[2] THEN t.all_tags[2:2] || t.all_tags[1:1]"                 \
    "  ELSE t.all_tags[1:1] END"                                                                   \
    " ELSE ARRAY(SELECT DISTINCT tag FROM unnest(t.all_tags) AS tag ORDER BY tag) END"

/* --- traces -------------------------------------------------------------------------------- */

static const struct metrics_dimension trace_dimensions[] = {
    {"id", FILTER_TEXT, "t.id", .is_id = true},
    {"name", FILTER_SHORT_TEXT, "t.name"},
    {"tags", FILTER_TEXTS, SQL_TAGS, .filter_sql = "t.all_tags"},
    {"userId", FILTER_TEXT, "t.user_id", .is_id = true},
    {"sessionId", FILTER_TEXT, "t.session_id", .is_id = true},
    {"release", FILTER_TEXT, "t.release"},
    {"version", FILTER_TEXT, "t.version"},
    {"environment", FILTER_TEXT, SQL_ENVIRONMENT("t")},
    {"timestampMonth", FILTER_TEXT, SQL_MONTH("t.timestamp")},
    {NULL},
};

static const struct metrics_dimension trace_filters[] = {
    {"timestamp", FILTER_TIME, "t.timestamp"},
    {"metadata", FILTER_OBJECT, "t.metadata"},
    {"traceName", FILTER_SHORT_TEXT, "t.name"},
    {NULL},
};

static const struct metrics_measure trace_measures[] = {
    {"count", "1", METRICS_NUMBER},
    {"observationsCount", "coalesce(os.count, 0)", METRICS_NUMBER, METRICS_OBSERVATIONS},
    {"scoresCount", "coalesce(ss.count, 0)", METRICS_NUMBER, METRICS_SCORES},
    {"uniqueUserIds", "count(DISTINCT t.user_id)", METRICS_DISTINCT},
    {"uniqueSessionIds", "count(DISTINCT t.session_id)", METRICS_DISTINCT},
    {"latency", SQL_MS("coalesce(" SQL_BOUNDED("t.latency") ", os.latency)"), METRICS_NUMBER,
     METRICS_OBSERVATIONS},
    {"totalTokens", "coalesce(os.tokens, 0)", METRICS_NUMBER, METRICS_OBSERVATIONS},
    {"totalCost", "coalesce(t.total_cost, os.cost)", METRICS_NUMBER, METRICS_OBSERVATIONS},
    {NULL},
};

/* --- observations -------------------------------------------------------------------------- */

static const struct metrics_dimension observation_dimensions[] = {
    {"id", FILTER_TEXT, "o.id", .is_id = true},
    {"traceId", FILTER_TEXT, "o.trace_id", .is_id = true},
    {"traceName", FILTER_SHORT_TEXT, "t.name", METRICS_TRACE},
    {"environment", FILTER_TEXT, SQL_ENVIRONMENT("o")},
    {"parentObservationId", FILTER_TEXT, "o.parent_observation_id", .is_id = true},
    {"type", FILTER_TEXT, "coalesce(o.type, 'GENERATION')"},
    {"name", FILTER_TEXT, "o.name"},
    {"level", FILTER_TEXT, "coalesce(o.level, 'DEFAULT')"},
    {"version", FILTER_TEXT, "o.version"},
    {"tags", FILTER_TEXTS, SQL_TAGS, METRICS_TRACE, .filter_sql = "t.all_tags"},
    {"providedModelName", FILTER_TEXT, "o.model"},
    {"promptName", FILTER_TEXT, "o.prompt_name"},
    {"promptVersion", FILTER_NUMBER, SQL_PROMPT_VERSION},
    {"userId", FILTER_TEXT, "t.user_id", METRICS_TRACE, .is_id = true},
    {"sessionId", FILTER_TEXT, "t.session_id", METRICS_TRACE, .is_id = true},
    {"traceRelease", FILTER_TEXT, "t.release", METRICS_TRACE},
    {"traceVersion", FILTER_TEXT, "t.version", METRICS_TRACE},
    {"release", FILTER_TEXT, "t.release", METRICS_TRACE},
    {"isRootObservation", FILTER_BOOL, SQL_IS_ROOT},
    {"startTimeMonth", FILTER_TEXT, SQL_MONTH(SQL_OBSERVATION_START)},
    {NULL},
};

static const struct metrics_dimension observation_filters[] = {
    {"startTime", FILTER_TIME, SQL_OBSERVATION_START},
    {"endTime", FILTER_TIME, SQL_OBSERVATION_END},
    {"metadata", FILTER_OBJECT, "o.metadata"},
    {"model", FILTER_TEXT, "o.model"},
    {"promptVersion", FILTER_TEXT, "o.prompt_version"},
    {"traceTags", FILTER_TEXTS, "t.all_tags", METRICS_TRACE},
    {NULL},
};

static const struct metrics_measure observation_measures[] = {
    {"count", "1", METRICS_NUMBER},
    {"latency", SQL_MS(SQL_LATENCY), METRICS_NUMBER},
    {"streamingLatency", SQL_MS(SQL_STREAMING), METRICS_NUMBER},
    {"timeToFirstToken", SQL_MS(SQL_FIRST_TOKEN), METRICS_NUMBER},
    {"inputTokens", "coalesce(o.prompt_tokens, 0)", METRICS_NUMBER},
    {"outputTokens", "coalesce(o.completion_tokens, 0)", METRICS_NUMBER},
    {"totalTokens", SQL_TOTAL_TOKENS, METRICS_NUMBER},
    {"outputTokensPerSecond", SQL_PER_SECOND("coalesce(o.completion_tokens, 0)", SQL_STREAMING),
     METRICS_NUMBER},
    {"tokensPerSecond", SQL_PER_SECOND(SQL_TOTAL_TOKENS, SQL_LATENCY), METRICS_NUMBER},
    {"inputCost", SQL_INPUT_COST, METRICS_NUMBER},
    {"outputCost", SQL_OUTPUT_COST, METRICS_NUMBER},
    {"totalCost", SQL_OBSERVATION_COST, METRICS_NUMBER},
    {"countScores", "coalesce(ss.count, 0)", METRICS_NUMBER, METRICS_SCORES},
    {NULL},
};

/* --- scores -------------------------------------------------------------------------------- */

#define SCORE_DIMENSIONS                                                                           \
    {"id", FILTER_TEXT, "s.id", .is_id = true}, {"name", FILTER_TEXT, "s.name"},                   \
        {"source", FILTER_TEXT, "coalesce(s.source, 'API')"},                                      \
        {"dataType", FILTER_TEXT, "s.data_type"}, {"configId", FILTER_TEXT, "s.config_id"},        \
        {"environment", FILTER_TEXT, SQL_ENVIRONMENT("s")},                                        \
        {"timestampMonth", FILTER_TEXT, SQL_MONTH("s.timestamp")},                                 \
        {"timestampDay", FILTER_TEXT, SQL_DAY("s.timestamp")},                                     \
        {"traceId", FILTER_TEXT, "s.trace_id", .is_id = true},                                     \
        {"observationId", FILTER_TEXT, "s.observation_id", .is_id = true},                         \
        {"datasetRunId", FILTER_TEXT, "s.dataset_run_id", .is_id = true},                          \
        {"sessionId", FILTER_TEXT, "coalesce(s.session_id, t.session_id)", METRICS_TRACE,          \
         .is_id = true},                                                                           \
        {"userId", FILTER_TEXT, "t.user_id", METRICS_TRACE, .is_id = true},                        \
        {"tags", FILTER_TEXTS, SQL_TAGS, METRICS_TRACE, .filter_sql = "t.all_tags"},               \
        {"traceName", FILTER_SHORT_TEXT, "t.name", METRICS_TRACE},                                 \
        {"traceRelease", FILTER_TEXT, "t.release", METRICS_TRACE},                                 \
        {"traceVersion", FILTER_TEXT, "t.version", METRICS_TRACE},                                 \
        {"observationName", FILTER_TEXT, "o.name", METRICS_OBSERVATION},                           \
        {"observationModelName", FILTER_TEXT, "o.model", METRICS_OBSERVATION},                     \
        {"observationPromptName", FILTER_TEXT, "o.prompt_name", METRICS_OBSERVATION},              \
    {                                                                                              \
        "observationPromptVersion", FILTER_NUMBER, SQL_PROMPT_VERSION, METRICS_OBSERVATION         \
    }

static const struct metrics_dimension numeric_dimensions[] = {
    SCORE_DIMENSIONS,
    {"value", FILTER_NUMBER, "s.value"},
    {NULL},
};

static const struct metrics_dimension categorical_dimensions[] = {
    SCORE_DIMENSIONS,
    {"stringValue", FILTER_TEXT, "s.string_value COLLATE \"C\""},
    {NULL},
};

static const struct metrics_dimension boolean_dimensions[] = {
    SCORE_DIMENSIONS,
    {"booleanValue", FILTER_BOOL, "(s.value <> 0)"},
    {NULL},
};

static const struct metrics_dimension score_filters[] = {
    {"timestamp", FILTER_TIME, "s.timestamp"},
    {"metadata", FILTER_OBJECT, "s.metadata"},
    {"scoreName", FILTER_TEXT, "s.name"},
    {"observationPromptVersion", FILTER_TEXT, "o.prompt_version", METRICS_OBSERVATION},
    {NULL},
};

/* A boolean is 0 or 1, so that its mean is the share of those that are true. */
static const struct metrics_measure number_measures[] = {
    {"count", "1", METRICS_NUMBER},
    {"value", "s.value", METRICS_NUMBER, .bounded_sql = SQL_BOUNDED("s.value")},
    {NULL},
};

static const struct metrics_measure text_measures[] = {
    {"count", "1", METRICS_NUMBER},
    {"value", "s.string_value", METRICS_TEXT},
    {NULL},
};

/* --- views --------------------------------------------------------------------------------- */

#define SCORES(view, types, its_dimensions, its_measures)                                          \
    {                                                                                              \
        .name = view, .from = "scores s", .row = 's', .time = "s.timestamp",                       \
        .join_sql =                                                                                \
            {                                                                                      \
                [METRICS_TRACE] =                                                                  \
                    " LEFT JOIN traces t ON t.project_id = $1 AND t.id = s.trace_id",              \
                [METRICS_OBSERVATION] =                                                            \
                    " LEFT JOIN observations o ON o.project_id = $1"                               \
                    " AND o.trace_id = s.trace_id AND o.id = s.observation_id",                    \
            },                                                                                     \
        .condition = " AND s.data_type " types, .dimensions = its_dimensions,                      \
        .filters = score_filters, .measures = its_measures,                                        \
    }

static const struct metrics_view views[] = {
    {
        .name = "traces",
        .from = "traces t",
        .row = 't',
        .join_sql =
            {
                [METRICS_OBSERVATIONS] =
                    " LEFT JOIN (SELECT o.trace_id, count(*) AS count, sum(" SQL_TOTAL_TOKENS
                    ") AS tokens, " SQL_TRACE_COST " AS cost, " SQL_TRACE_LATENCY " AS latency"
                    " FROM (SELECT t.id {rows}) w JOIN observations o ON o.project_id = $1"
                    " AND o.trace_id = w.id GROUP BY o.trace_id) os ON os.trace_id = t.id",
                [METRICS_SCORES] =
                    " LEFT JOIN (SELECT x.trace_id, count(*) AS count FROM (SELECT t.id {rows}) w"
                    " JOIN scores x ON x.project_id = $1 AND x.trace_id = w.id GROUP BY x.trace_id)"
                    " ss ON ss.trace_id = t.id",
            },
        .condition = "",
        .time = "t.timestamp",
        .is_v1_only = true,
        .dimensions = trace_dimensions,
        .filters = trace_filters,
        .measures = trace_measures,
    },
    {
        .name = "observations",
        .from = "observations o",
        .row = 'o',
        .join_sql =
            {
                [METRICS_TRACE] = " LEFT JOIN traces t ON t.project_id = $1 AND t.id = o.trace_id",
                [METRICS_SCORES] =
                    " LEFT JOIN (SELECT x.trace_id, x.observation_id, count(*) AS count"
                    " FROM (SELECT DISTINCT o.trace_id {rows}) w JOIN scores x"
                    " ON x.project_id = $1 AND x.trace_id = w.trace_id"
                    " WHERE x.observation_id IS NOT NULL GROUP BY x.trace_id, x.observation_id) ss"
                    " ON ss.trace_id = o.trace_id AND ss.observation_id = o.id",
            },
        .condition = "",
        .time = SQL_OBSERVATION_START,
        .dimensions = observation_dimensions,
        .filters = observation_filters,
        .measures = observation_measures,
    },
    SCORES("scores-numeric", "IN ('NUMERIC', 'BOOLEAN')", numeric_dimensions, number_measures),
    SCORES("scores-categorical", "IN ('CATEGORICAL', 'TEXT')", categorical_dimensions,
           text_measures),
    SCORES("scores-boolean", "= 'BOOLEAN'", boolean_dimensions, number_measures),
};

/* --- looking up ---------------------------------------------------------------------------- */

const char *const metrics_aggregation_names[METRICS_AGGREGATION_COUNT] = {
    [METRICS_SUM] = "sum", [METRICS_AVG] = "avg",   [METRICS_COUNT] = "count",
    [METRICS_MAX] = "max", [METRICS_MIN] = "min",   [METRICS_P50] = "p50",
    [METRICS_P75] = "p75", [METRICS_P90] = "p90",   [METRICS_P95] = "p95",
    [METRICS_P99] = "p99", [METRICS_UNIQ] = "uniq", [METRICS_HISTOGRAM] = "histogram",
};

const struct metrics_view *metrics_find_view(struct slice name)
{
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        if (slice_is(name, views[i].name)) {
            return &views[i];
        }
    }
    return NULL;
}

const struct metrics_dimension *metrics_find_dimension(const struct metrics_view *view,
                                                       struct slice name)
{
    const struct metrics_dimension *dimension = view->dimensions;

    while (dimension->name != NULL && !slice_is(name, dimension->name)) {
        dimension++;
    }
    return dimension->name != NULL ? dimension : NULL;
}

const struct metrics_measure *metrics_find_measure(const struct metrics_view *view,
                                                   struct slice name)
{
    const struct metrics_measure *measure = view->measures;

    while (measure->name != NULL && !slice_is(name, measure->name)) {
        measure++;
    }
    return measure->name != NULL ? measure : NULL;
}

bool metrics_find_aggregation(struct slice name, enum metrics_aggregation *out)
{
    for (int i = 0; i < METRICS_AGGREGATION_COUNT; i++) {
        if (slice_is(name, metrics_aggregation_names[i])) {
            *out = (enum metrics_aggregation)i;
            return true;
        }
    }
    return false;
}
