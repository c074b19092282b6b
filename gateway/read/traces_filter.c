/*
 * traces_filter: the columns of a filter of traces, and the sums that some of them need. Pure.
 */
#include "gateway/read/traces_filter.h"

#include <stddef.h>

#include "gateway/read/filter.h"
#include "gateway/read/traces_sql.h"

/* Static SQL is longer than what ISO C promises to take. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* clang-format off */
/* Sums over a trace's observations: for each trace that is looked at, or for all at once where nothing else
 * says which traces. The planner leaves out those that no condition is on. With a limit, though it is none, all are
 * summed up once: else each process of a parallel plan would do it. */
#define SQL_COUNT_OF_LEVEL(level)                                                                  \
    "count(*) FILTER (WHERE coalesce(o.level, 'DEFAULT') = '" level "')"
#define SQL_SUMS_OF_TRACE                                                                          \
    SQL_TRACE_LATENCY " AS latency, " SQL_TRACE_COST " AS cost, count(*) AS observations,"         \
    " sum(o.prompt_tokens) AS input, sum(o.completion_tokens) AS output,"                          \
    " sum(" SQL_TOTAL_TOKENS ") AS total, " SQL_COUNT_OF_LEVEL("ERROR") " AS errors,"              \
    " " SQL_COUNT_OF_LEVEL("WARNING") " AS warnings,"                                              \
    " " SQL_COUNT_OF_LEVEL("DEFAULT") " AS defaults, " SQL_COUNT_OF_LEVEL("DEBUG") " AS debugs,"   \
    " sum(" SQL_INPUT_COST ") AS input_cost, sum(" SQL_OUTPUT_COST ") AS output_cost"
static const char sql_sums_of_each[] =
    " LEFT JOIN LATERAL (SELECT " SQL_SUMS_OF_TRACE " FROM observations o"
    " WHERE o.project_id = $1 AND o.trace_id = t.id) x ON true";
static const char sql_sums_of_all[] =
    " LEFT JOIN (SELECT o.trace_id, " SQL_SUMS_OF_TRACE " FROM observations o"
    " WHERE o.project_id = $1 GROUP BY o.trace_id LIMIT 9223372036854775807) x"
    " ON x.trace_id = t.id";

enum { FIRST_SUM = 25 }; /* from here on columns are of `x` */

#define SQL_WORST_LEVEL                                                                            \
    "CASE WHEN x.errors > 0 THEN 'ERROR' WHEN x.warnings > 0 THEN 'WARNING'"                       \
    " WHEN x.debugs > 0 AND x.defaults = 0 THEN 'DEBUG' ELSE 'DEFAULT' END"
/* What a trace's scores say, by their names. */
#define SQL_OF_ITS_SCORES(said, condition)                                                         \
    "(SELECT jsonb_object_agg(n.name, n.said) FROM (SELECT s.name, " said " AS said"               \
    " FROM scores s WHERE s.project_id = $1 AND s.trace_id = t.id AND s.name IS NOT NULL"          \
    " AND " condition " GROUP BY s.name) n)"

#define SQL_SCORES_AVERAGE                                                                         \
    SQL_OF_ITS_SCORES("avg(s.value::numeric)", "s.data_type IN ('NUMERIC', 'BOOLEAN')")

/* At most two of the statement's values, which give way to a condition on the column. */
static const struct {
    struct filter_column column;
    int replaces[2];
} filtered[] = {
    {{"timestamp", FILTER_TIME, "t.timestamp"}, {2, 3}},
    {{"userId", FILTER_TEXT, "t.user_id"}, {4}},
    {{"user", FILTER_TEXT, "t.user_id"}, {4}},
    {{"name", FILTER_SHORT_TEXT, "t.name"}, {5}},
    {{"traceName", FILTER_SHORT_TEXT, "t.name"}, {5}},
    {{"sessionId", FILTER_TEXT, "t.session_id"}, {6}},
    {{"version", FILTER_TEXT, "t.version"}, {7}},
    {{"release", FILTER_TEXT, "t.release"}, {8}},
    {{"tags", FILTER_TEXTS, "t.all_tags"}, {9, 10}},
    {{"traceTags", FILTER_TEXTS, "t.all_tags"}, {9, 10}},
    {{"environment", FILTER_TEXT, "coalesce(t.environment, 'default')"}, {11}},
    {{"id", FILTER_TEXT, "t.id"}, {0}},
    {{"traceId", FILTER_TEXT, "t.id"}, {0}},
    {{"externalId", FILTER_TEXT, "t.external_id"}, {0}},
    {{"public", FILTER_BOOL, "coalesce(t.public, false)"}, {0}},
    {{"bookmarked", FILTER_BOOL, "coalesce(t.bookmarked, false)"}, {0}},
    {{"createdAt", FILTER_TIME, "t.created_at"}, {0}},
    {{"updatedAt", FILTER_TIME, "t.updated_at"}, {0}},
    {{"input", FILTER_TEXT, SQL_AS_TEXT("t.input")}, {0}},
    {{"output", FILTER_TEXT, SQL_AS_TEXT("t.output")}, {0}},
    {{"metadata", FILTER_OBJECT, "t.metadata"}, {0}},
    {{"scoresAvg", FILTER_OBJECT, SQL_SCORES_AVERAGE}, {0}},
    {{"scores", FILTER_OBJECT, SQL_SCORES_AVERAGE}, {0}},
    {{"scoreCategories", FILTER_LISTS, SQL_OF_ITS_SCORES("jsonb_agg(s.string_value)", "s.data_type = 'CATEGORICAL'")}, {0}},
    {{"scoreBooleans", FILTER_LISTS, SQL_OF_ITS_SCORES("jsonb_agg(CASE WHEN s.value = 0 THEN 'false' ELSE 'true' END)", "s.data_type = 'BOOLEAN'")}, {0}},
    [FIRST_SUM] = {{"latency", FILTER_NUMBER, "coalesce(t.latency, x.latency)"}, {0}},
    {{"totalCost", FILTER_NUMBER, "coalesce(t.total_cost, x.cost)"}, {0}},
    {{"inputCost", FILTER_NUMBER, "coalesce(x.input_cost, 0)"}, {0}},
    {{"outputCost", FILTER_NUMBER, "coalesce(x.output_cost, 0)"}, {0}},
    {{"inputTokens", FILTER_NUMBER, "coalesce(x.input, 0)"}, {0}},
    {{"outputTokens", FILTER_NUMBER, "coalesce(x.output, 0)"}, {0}},
    {{"totalTokens", FILTER_NUMBER, "coalesce(x.total, 0)"}, {0}},
    {{"tokens", FILTER_NUMBER, "coalesce(x.total, 0)"}, {0}},
    {{"observationCount", FILTER_NUMBER, "coalesce(x.observations, 0)"}, {0}},
    {{"errorCount", FILTER_NUMBER, "coalesce(x.errors, 0)"}, {0}},
    {{"warningCount", FILTER_NUMBER, "coalesce(x.warnings, 0)"}, {0}},
    {{"defaultCount", FILTER_NUMBER, "coalesce(x.defaults, 0)"}, {0}},
    {{"debugCount", FILTER_NUMBER, "coalesce(x.debugs, 0)"}, {0}},
    {{"level", FILTER_TEXT, SQL_WORST_LEVEL}, {0}},
};
/* clang-format on */

enum { FILTERED_COUNT = sizeof filtered / sizeof *filtered };

_Static_assert(sizeof filtered / sizeof *filtered <= FILTER_COLUMNS_MAX, "bits of a mask");

static void unbind_replaced(struct read *read, uint64_t mask)
{
    for (size_t i = 0; i < FILTERED_COUNT; i++) {
        for (size_t k = 0; k < 2 && (mask >> i & 1) != 0; k++) {
            if (filtered[i].replaces[k] != 0) {
                read_unbind(read, filtered[i].replaces[k]);
            }
        }
    }
}

enum err traces_filter(struct read *read, const char *filter, bool is_narrowed,
                       struct buf *conditions, const char **sums, struct error *error)
{
    struct filter_column columns[FILTERED_COUNT];
    uint64_t mask;

    for (size_t i = 0; i < FILTERED_COUNT; i++) {
        columns[i] = filtered[i].column;
    }
    enum err err = filter_append(read, filter, columns, FILTERED_COUNT, conditions, &mask, error);
    if (err != ERR_OK) {
        return err;
    }
    unbind_replaced(read, mask);
    uint64_t other = mask & ((UINT64_C(1) << FIRST_SUM) - 1);
    *sums = mask == other ? "" : other != 0 || is_narrowed ? sql_sums_of_each : sql_sums_of_all;
    return ERR_OK;
}
