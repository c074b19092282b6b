/*
 * scores: pages of scores, and one score. SQL, parameters, rows -> JSON.
 *
 * Scores are looked for without their traces, which would cost them their index-only counts, unless a filter
 * asks for something of the trace: then it is the trace's index that is looked into first.
 */
#include "gateway/read/scores.h"

#include <stddef.h>
#include <strings.h>

#include "gateway/read/filter.h"
#include "gateway/read/read.h"
#include "gateway/read/scores_sql.h"
#include "gateway/read/scores_words.h"
#include "gateway/read/sdk.h"
#include "gateway/read/traces_sql.h"

/* Static SQL is longer than what ISO C promises to take. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* --- list: SQL ----------------------------------------------------------------------------- */

/* The statement's values in their order. */
enum {
    AT_PROJECT = 1,
    AT_FROM,
    AT_TO,
    AT_NAME,
    AT_USER_ID,
    AT_ENVIRONMENT,
    AT_SOURCE,
    AT_DATA_TYPE,
    AT_VALUE,
    AT_COMPARISON,
    AT_IDS,
    AT_CONFIG_ID,
    AT_QUEUE_ID,
    AT_TAGS,
    AT_WHOLE_TAGS,
    AT_TRACE_ID,
    AT_OBSERVATION_ID,
    AT_SESSION_ID,
    AT_DATASET_RUN_ID,
    AT_ALL_TARGETS,
    AT_LIMIT,
    AT_OFFSET,
    AT_IS_ALL,
};

/* clang-format off */
#define SQL_OF_TRACE                                                                               \
    " LEFT JOIN traces t ON t.project_id = $1 AND t.id = s.trace_id"

#define SQL_IS(column, parameter) "(" parameter "::text IS NULL OR " column " = " parameter ")"
#define SQL_IN(column, parameter) "(" parameter "::text[] IS NULL OR " column " = ANY(" parameter "))"

/* The name as the index of short names has it. */
#define SQL_MATCHING                                                                               \
    "s.project_id = $1"                                                                            \
    " AND ($2::timestamptz IS NULL OR s.timestamp >= $2)"                                          \
    " AND ($3::timestamptz IS NULL OR s.timestamp <= $3)"                                          \
    " AND ($4::text IS NULL OR (s.name = $4"                                                       \
    "  AND (octet_length(s.name) <= 800 OR octet_length($4) > 800)))"                              \
    " AND " SQL_IN(SQL_SCORE_ENVIRONMENT, "$6")                                                    \
    " AND " SQL_IN(SQL_SCORE_SOURCE, "$7")                                                         \
    " AND " SQL_IN(SQL_SCORE_TYPE, "$8")                                                           \
    " AND ($9::float8 IS NULL OR CASE $10::text WHEN '<' THEN " SQL_SCORE_NUMBER " < $9"           \
    "  WHEN '>' THEN " SQL_SCORE_NUMBER " > $9 WHEN '<=' THEN " SQL_SCORE_NUMBER " <= $9"          \
    "  WHEN '>=' THEN " SQL_SCORE_NUMBER " >= $9 WHEN '!=' THEN " SQL_SCORE_NUMBER " <> $9"        \
    "  ELSE " SQL_SCORE_NUMBER " = $9 END)"                                                        \
    " AND " SQL_IN("s.id", "$11")                                                                  \
    " AND " SQL_IS("s.config_id", "$12") " AND " SQL_IS("s.queue_id", "$13")                       \
    " AND " SQL_IN("s.trace_id", "$16") " AND " SQL_IN("s.observation_id", "$17")                  \
    " AND " SQL_IS("s.session_id", "$18") " AND " SQL_IS("s.dataset_run_id", "$19")                \
    " AND ($20::boolean OR s.trace_id IS NOT NULL)" READ_SQL_FILTER

/* The parameters that only a search through traces has must be in both for their types' sake. */
#define SQL_ALONE                                                                                  \
    " WHERE ($5::text IS NULL AND $14::text[] IS NULL AND $15::text[] IS NULL) AND "
#define SQL_THROUGH_TRACES                                                                         \
    SQL_OF_TRACE " WHERE " SQL_IS("t.user_id", "$5") " AND " SQL_HAS_TAGS("$14", "$15") " AND "

/* What the books know, less those that are of no trace, which are few. */
#define SQL_COUNTED                                                                                \
    "(SELECT coalesce(sum(scores), 0)::bigint FROM score_counts WHERE project_id = $1)"            \
    " - CASE WHEN $20::boolean THEN 0 ELSE (SELECT count(*) FROM scores"                           \
    "  WHERE project_id = $1 AND trace_id IS NULL) END"

/* $23: no filter at all; then the books know the total. */
#define SQL_LIST(source, object)                                                                   \
    "WITH matching AS NOT MATERIALIZED (SELECT s.timestamp, s.id FROM scores s" source             \
      SQL_MATCHING "),"                                                                            \
    " total AS MATERIALIZED (SELECT CASE WHEN $23::boolean THEN " SQL_COUNTED                      \
    "  ELSE (SELECT count(*) FROM matching) END AS n)"                                             \
    " SELECT n AS total, NULL::json AS row FROM total UNION ALL"                                   \
    " (SELECT NULL, " object " FROM (SELECT timestamp, id FROM matching"                           \
    "   ORDER BY timestamp DESC, id DESC LIMIT $21::bigint OFFSET $22::bigint) p"                  \
    "  JOIN scores s ON s.project_id = $1 AND s.id = p.id" SQL_OF_TRACE                            \
    "  ORDER BY p.timestamp DESC, p.id DESC)"
#define SQL_LISTS(object) {SQL_LIST(SQL_ALONE, object), SQL_LIST(SQL_THROUGH_TRACES, object)}

enum shape { VERSION_1, VERSION_2, BARE };

/* By shape, and by whether traces are looked through. Clients of version 1 expect a trace's object with every
 * score. */
static const char *const sql_lists[][2] = {
    [VERSION_1] = SQL_LISTS(SQL_SCORE_WITH(", 'trace', " SQL_SCORE_TRACE)),
    [VERSION_2] = SQL_LISTS(SQL_SCORE_WITH(", 'trace', CASE WHEN t.id IS NOT NULL THEN "
                                           SQL_SCORE_TRACE " END")),
    [BARE] = SQL_LISTS(SQL_SCORE),
};

static const struct filter_column columns[] = {
    {"id", FILTER_TEXT, "s.id"},
    {"timestamp", FILTER_TIME, "s.timestamp"},
    {"name", FILTER_SHORT_TEXT, "s.name"},
    {"source", FILTER_TEXT, SQL_SCORE_SOURCE},
    {"dataType", FILTER_TEXT, SQL_SCORE_TYPE},
    /* By its text, which has all digits: a cast of the number itself has 15. */
    {"value", FILTER_NUMBER, "(" SQL_SCORE_NUMBER ")::text"},
    {"stringValue", FILTER_TEXT, SQL_SCORE_STRING},
    {"comment", FILTER_TEXT, "s.comment"},
    {"metadata", FILTER_OBJECT, "s.metadata"},
    {"environment", FILTER_TEXT, SQL_SCORE_ENVIRONMENT},
    {"traceId", FILTER_TEXT, "s.trace_id"},
    {"observationId", FILTER_TEXT, "s.observation_id"},
    {"sessionId", FILTER_TEXT, "s.session_id"},
    {"datasetRunId", FILTER_TEXT, "s.dataset_run_id"},
    {"configId", FILTER_TEXT, "s.config_id"},
    {"queueId", FILTER_TEXT, "s.queue_id"},
    {"authorUserId", FILTER_TEXT, "NULL::text"},
    {"createdAt", FILTER_TIME, "s.created_at"},
    {"updatedAt", FILTER_TIME, "s.updated_at"},
    {"userId", FILTER_TEXT, "t.user_id"},
    {"traceName", FILTER_SHORT_TEXT, "t.name"},
    {"traceTags", FILTER_TEXTS, "t.all_tags"},
    {"tags", FILTER_TEXTS, "t.all_tags"},
};
/* clang-format on */

/* The parameters that a filter of the same column replaces. */
static const struct {
    const char *column;
    int values[2]; /* 0: none */
} replaced[] = {
    {"id", {AT_IDS}},
    {"timestamp", {AT_FROM, AT_TO}},
    {"name", {AT_NAME}},
    {"source", {AT_SOURCE}},
    {"dataType", {AT_DATA_TYPE}},
    {"value", {AT_VALUE}},
    {"environment", {AT_ENVIRONMENT}},
    {"traceId", {AT_TRACE_ID}},
    {"observationId", {AT_OBSERVATION_ID}},
    {"sessionId", {AT_SESSION_ID}},
    {"datasetRunId", {AT_DATASET_RUN_ID}},
    {"configId", {AT_CONFIG_ID}},
    {"queueId", {AT_QUEUE_ID}},
    {"userId", {AT_USER_ID}},
    {"traceTags", {AT_TAGS, AT_WHOLE_TAGS}},
    {"tags", {AT_TAGS, AT_WHOLE_TAGS}},
};

enum {
    COLUMN_COUNT = sizeof columns / sizeof *columns,
    COLUMNS_OF_TRACE = 4, /* the last ones */
    REPLACED_COUNT = sizeof replaced / sizeof *replaced,
};

/* --- list: parameters ---------------------------------------------------------------------- */

struct list_params {
    int64_t page;
    int64_t limit;
    struct param_time from;
    struct param_time to;
    const char *name;
    const char *user_id;
    struct param_texts environments;
    struct param_texts sources;
    struct param_texts data_types;
    const char *comparison;
    struct param_number value;
    struct param_texts ids;
    const char *config_id;
    const char *queue_id;
    struct param_texts tags;
    const char *trace_id;
    struct param_texts observation_ids;
    const char *session_id;
    const char *dataset_run_id;
    struct param_texts fields;
    const char *filter;
};

static const struct param list_table[] = {
    {"page", PARAM_PAGE, offsetof(struct list_params, page)},
    {"limit", PARAM_LIMIT, offsetof(struct list_params, limit)},
    {"fromTimestamp", PARAM_TIME, offsetof(struct list_params, from)},
    {"toTimestamp", PARAM_TIME, offsetof(struct list_params, to)},
    {"name", PARAM_TEXT, offsetof(struct list_params, name)},
    {"userId", PARAM_TEXT, offsetof(struct list_params, user_id)},
    {"environment", PARAM_TEXTS, offsetof(struct list_params, environments)},
    {"source", PARAM_TEXTS, offsetof(struct list_params, sources)},
    {"dataType", PARAM_TEXTS, offsetof(struct list_params, data_types)},
    {"operator", PARAM_TEXT, offsetof(struct list_params, comparison)},
    {"value", PARAM_NUMBER, offsetof(struct list_params, value)},
    {"scoreIds", PARAM_TEXTS, offsetof(struct list_params, ids)},
    {"configId", PARAM_TEXT, offsetof(struct list_params, config_id)},
    {"queueId", PARAM_TEXT, offsetof(struct list_params, queue_id)},
    {"traceTags", PARAM_TEXTS, offsetof(struct list_params, tags)},
    {"traceId", PARAM_TEXT, offsetof(struct list_params, trace_id)},
    {"observationId", PARAM_TEXTS, offsetof(struct list_params, observation_ids)},
    {"sessionId", PARAM_TEXT, offsetof(struct list_params, session_id)},
    {"datasetRunId", PARAM_TEXT, offsetof(struct list_params, dataset_run_id)},
    {"fields", PARAM_TEXTS, offsetof(struct list_params, fields)},
    {"filter", PARAM_TEXT, offsetof(struct list_params, filter)},
    {NULL, PARAM_TEXT, 0},
};

static enum err check_comparison(const char *comparison, struct error *error)
{
    static const char *const known[] = {"<", ">", "<=", ">=", "!=", "="};

    for (size_t i = 0; comparison != NULL && i < sizeof known / sizeof *known; i++) {
        if (strcmp(comparison, known[i]) == 0) {
            return ERR_OK;
        }
    }
    return comparison == NULL
               ? ERR_OK
               : error_set(error, ERR_INVALID, "operator: must be one of <, >, <=, >=, !=, =");
}

/* An absent list names all. */
static bool names_trace(const struct param_texts *fields)
{
    for (size_t i = 0; i < fields->part_count; i++) {
        if (strcmp(fields->parts[i], "trace") == 0) {
            return true;
        }
    }
    return fields->count == 0;
}

static bool has_filter(const struct list_params *params)
{
    return params->from.given || params->to.given || params->name != NULL ||
           params->user_id != NULL || params->environments.count > 0 || params->sources.count > 0 ||
           params->data_types.count > 0 || params->value.given || params->ids.count > 0 ||
           params->config_id != NULL || params->queue_id != NULL || params->tags.count > 0 ||
           params->trace_id != NULL || params->observation_ids.count > 0 ||
           params->session_id != NULL || params->dataset_run_id != NULL || params->filter != NULL;
}

static void unbind_replaced(struct read *read, uint64_t mask)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        for (size_t k = 0; (mask >> i & 1) != 0 && k < REPLACED_COUNT; k++) {
            bool is_it = strcmp(columns[i].name, replaced[k].column) == 0;
            for (size_t j = 0; is_it && j < 2 && replaced[k].values[j] != 0; j++) {
                read_unbind(read, replaced[k].values[j]);
            }
        }
    }
}

static enum err choose_sql(struct read *read, const struct list_params *params, enum shape shape,
                           struct error *error)
{
    struct buf conditions = BUF_EMPTY;
    uint64_t mask = 0;
    enum err err =
        filter_append(read, params->filter, columns, COLUMN_COUNT, &conditions, &mask, error);

    if (err == ERR_OK) {
        bool through_traces = params->user_id != NULL || params->tags.count > 0 ||
                              mask >> (COLUMN_COUNT - COLUMNS_OF_TRACE) != 0;
        read->sql = sql_lists[shape][through_traces];
        unbind_replaced(read, mask);
        if (conditions.len > 0) {
            read_make_filtered(read, read->sql, buf_slice(&conditions));
        }
    }
    buf_finish(&conditions);
    return err;
}

static enum err list_bind(struct read *read, const struct list_params *params, bool all_targets,
                          struct error *error)
{
    struct param_texts sources, data_types;
    enum err err = check_comparison(params->comparison, error);

    if (err == ERR_OK) {
        err = scores_words_sources(read->arena, &params->sources, &sources, error);
    }
    if (err == ERR_OK) {
        err = scores_words_types(read->arena, &params->data_types, &data_types, error);
    }
    if (err != ERR_OK) {
        return err;
    }
    read->page = params->page;
    read->limit = params->limit;
    read_bind_text(read, read->request->identity.project);
    read_bind_time(read, params->from);
    read_bind_time(read, params->to);
    read_bind_text(read, params->name);
    read_bind_text(read, params->user_id);
    read_bind_any_of(read, &params->environments);
    read_bind_any_of(read, &sources);
    if (data_types.count > 0) {
        read_bind_any_of(read, &data_types);
    } else {
        sdk_bind_listed_types(read);
    }
    read_bind_number(read, params->value);
    read_bind_text(read, params->comparison);
    read_bind_any_id(read, &params->ids);
    read_bind_text(read, params->config_id);
    read_bind_text(read, params->queue_id);
    read_bind_texts(read, params->tags.parts, params->tags.part_count);
    read_bind_texts(read, params->tags.values, params->tags.count);
    if (params->trace_id != NULL) {
        read_bind_id(read, slice_from(params->trace_id));
    } else {
        read_bind_text(read, NULL);
    }
    read_bind_any_id(read, &params->observation_ids);
    read_bind_text(read, params->session_id);
    read_bind_text(read, params->dataset_run_id);
    read_bind_bool(read, all_targets);
    read_bind_integer(read, params->limit);
    read_bind_offset(read);
    read_bind_bool(read, !has_filter(params) && read->values[AT_DATA_TYPE - 1] == NULL);
    return choose_sql(read, params,
                      !names_trace(&params->fields) ? BARE
                      : all_targets                 ? VERSION_2
                                                    : VERSION_1,
                      error);
}

static enum err list_bind_v1(struct read *read, const void *typed, struct error *error)
{
    return list_bind(read, typed, false, error);
}

static enum err list_bind_v2(struct read *read, const void *typed, struct error *error)
{
    return list_bind(read, typed, true, error);
}

static const struct read_resource list_resource_v1 = {
    .params = list_table,
    .params_size = sizeof(struct list_params),
    .bind = list_bind_v1,
    .format = &read_page_format,
};

static const struct read_resource list_resource_v2 = {
    .params = list_table,
    .params_size = sizeof(struct list_params),
    .bind = list_bind_v2,
    .format = &read_page_format,
};

void scores_list_v1(struct request *request)
{
    read_run(request, &list_resource_v1);
}

void scores_list_v2(struct request *request)
{
    read_run(request, &list_resource_v2);
}

/* --- detail -------------------------------------------------------------------------------- */

#define SQL_DETAIL(condition)                                                                      \
    "SELECT " SQL_SCORE " FROM (SELECT * FROM scores"                                              \
    " WHERE project_id = $1 AND id IN ($2, $3, $4)" condition                                      \
    " ORDER BY id = $2 DESC, id LIMIT 1) s"

static const char sql_detail_v1[] = SQL_DETAIL(" AND trace_id IS NOT NULL");
static const char sql_detail_v2[] = SQL_DETAIL("");

void scores_detail_v1(struct request *request)
{
    read_run_static(request, sql_detail_v1, READ_PATH_UUID, &read_object_format);
}

void scores_detail_v2(struct request *request)
{
    read_run_static(request, sql_detail_v2, READ_PATH_UUID, &read_object_format);
}
