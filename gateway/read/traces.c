/*
 * traces: a page of traces, and one trace with its observations. SQL, parameters, rows -> JSON.
 *
 * A page finds its keys first, in an index where there is one, and only then fetches and sums up
 * what belongs to those. Total and page come from one statement, so from one snapshot. A filter
 * that is not given is NULL and falls away when the statement is planned (gateway/read/db.c asks
 * for a plan for each run).
 */
#include "gateway/read/traces.h"

#include <stddef.h>
#include <strings.h>

#include "gateway/read/read.h"
#include "gateway/read/scores_sql.h"
#include "gateway/read/sdk.h"
#include "gateway/read/sessions_sql.h"
#include "gateway/read/traces_filter.h"
#include "gateway/read/traces_sql.h"

/* Static SQL is longer than what ISO C promises to take. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* --- list: SQL ----------------------------------------------------------------------------- */

/* clang-format off */

/* The trace or one of its observations has the id in its metadata. An array, not IN: so it is computed
 * once and looked up by key. */
#define SQL_CARRIES(key, parameter)                                                                \
    "(" parameter "::text IS NULL OR t.id = ANY(ARRAY("                                            \
    "SELECT m.id FROM traces m WHERE m.project_id = $1"                                            \
    " AND " SQL_METADATA_ID_IS("m", key, parameter)                                                \
    " UNION SELECT m.trace_id FROM observations m WHERE m.project_id = $1"                         \
    " AND " SQL_METADATA_ID_IS("m", key, parameter) ")))"

#define SQL_MATCHING                                                                               \
    "t.project_id = $1"                                                                            \
    " AND ($2::timestamptz IS NULL OR t.timestamp >= $2)"                                          \
    " AND ($3::timestamptz IS NULL OR t.timestamp <= $3)"                                          \
    " AND ($4::text IS NULL OR t.user_id = $4)"                                                    \
    " AND " SQL_NAME_IS("$5")                                                                      \
    " AND ($6::text IS NULL OR t.session_id = $6)"                                                 \
    " AND ($7::text IS NULL OR t.version = $7)"                                                    \
    " AND ($8::text IS NULL OR t.release = $8)"                                                    \
    " AND " SQL_HAS_TAGS("$9", "$10")                                                              \
    " AND " SQL_ENVIRONMENT_IN("$11")                                                              \
    " AND " SQL_CARRIES("turn_id", "$19") " AND " SQL_CARRIES("run_id", "$20") READ_SQL_FILTER

/* A comment: here comes in what filters by sums need. */
#define SQL_SOURCE " /*source*/"

/* $12: no filter at all; then the books know the total. */
#define SQL_TOTAL                                                                                  \
    "total AS MATERIALIZED (SELECT CASE WHEN $12::boolean"                                    \
    " THEN (SELECT coalesce(sum(traces), 0)::bigint FROM trace_counts WHERE project_id = $1)"      \
    " ELSE (SELECT count(*) FROM traces t" SQL_SOURCE " WHERE " SQL_MATCHING ") END AS n)"                       \
    " SELECT n AS total, NULL::json AS row FROM total"

/* A page beyond the end looks at nothing. */
#define SQL_PAGE(key, source, order)                                                               \
    "SELECT " key " AS key, t.id FROM traces t" SQL_SOURCE source                                  \
    " WHERE " SQL_MATCHING " AND $14::bigint < (SELECT n FROM total)"                              \
    " ORDER BY " order("key", "t.id") " LIMIT $13::bigint OFFSET $14::bigint"

/* What must be computed for each trace to know whether it matches is computed once, for total and page. There is
 * a filter then, so $12 is false. */
#define SQL_PAGE_OF_MATCHING(order)                                                                \
    "SELECT m.key, m.id FROM matching m ORDER BY " order("m.key", "m.id")                          \
    " LIMIT $13::bigint OFFSET $14::bigint"

/* The books also know how many traces the days before the page's have: a deep page starts at the
 * day that it begins in. */
#define SQL_SKIPPED(direction)                                                                     \
    "skipped AS MATERIALIZED (SELECT day, before FROM"                                             \
    " (SELECT day, sum(traces)::bigint AS n,"                                                      \
    "   (sum(sum(traces)) OVER (ORDER BY day " direction ") - sum(traces))::bigint AS before"      \
    "  FROM trace_counts WHERE project_id = $1 GROUP BY day) d"                                    \
    " WHERE before <= $14::bigint AND before + n > $14::bigint),"

#define SQL_PAGE_BY_DAY(begins, order)                                                             \
    "SELECT t.timestamp AS key, t.id FROM traces t WHERE t.project_id = $1 AND " begins            \
    " ORDER BY " order("key", "t.id") " LIMIT $13::bigint"                                         \
    " OFFSET $14::bigint - (SELECT before FROM skipped)"

#define SQL_FROM_DAY                                                                               \
    "t.timestamp >= (SELECT day::timestamp AT TIME ZONE 'UTC' FROM skipped)"
#define SQL_UNTIL_DAY                                                                              \
    "t.timestamp < (SELECT (day + 1)::timestamp AT TIME ZONE 'UTC' FROM skipped)"

#define SQL_ROWS(page, order)                                                                      \
    "SELECT NULL, CASE WHEN $15::boolean"                                                          \
    " THEN json_build_object(" SQL_TRACE_CORE ", " SQL_TRACE_IO ", " SQL_LIST_SUMS ")"             \
    " ELSE json_build_object(" SQL_TRACE_CORE ", " SQL_LIST_SUMS ") END"                           \
    " FROM (" page ") p JOIN traces t ON t.project_id = $1 AND t.id = p.id"                        \
    " LEFT JOIN LATERAL (SELECT json_agg(o.id) AS ids, " SQL_TRACE_LATENCY " AS latency, "         \
      SQL_TRACE_COST " AS cost FROM observations o"                                                \
    "  WHERE o.project_id = $1 AND o.trace_id = p.id"                                              \
    "  AND ($16::boolean OR $17::boolean)) o ON true"                                              \
    " LEFT JOIN LATERAL (SELECT json_agg(s.id) AS ids FROM scores s"                               \
    "  WHERE s.project_id = $1 AND s.trace_id = p.id AND $18::boolean) s ON true"                  \
    " ORDER BY " order("p.key", "p.id")

#define SQL_LIST_SUMS                                                                              \
    "'latency', CASE WHEN $16 THEN coalesce(t.latency, o.latency, $21::integer) ELSE -1 END,"      \
    " 'totalCost', CASE WHEN $16 THEN coalesce(t.total_cost, o.cost, $21) ELSE -1 END,"            \
    " 'observations', CASE WHEN $17 THEN coalesce(o.ids, '[]') ELSE '[]' END,"                     \
    " 'scores', coalesce(s.ids, '[]')"

#define SQL_LIST(key, source, order)                                                               \
    "WITH " SQL_TOTAL " UNION ALL (" SQL_ROWS(SQL_PAGE(key, source, order), order) ")"
#define SQL_LIST_ONCE(key, source, order)                                                          \
    "WITH matching AS MATERIALIZED (SELECT " key " AS key, t.id FROM traces t" SQL_SOURCE source    \
    " WHERE " SQL_MATCHING "), total AS MATERIALIZED (SELECT count(*) AS n FROM matching WHERE NOT $12::boolean)"          \
    " SELECT n AS total, NULL::json AS row FROM total"                                             \
    " UNION ALL (" SQL_ROWS(SQL_PAGE_OF_MATCHING(order), order) ")"
#define SQL_LIST_BY_DAY(direction, begins, order)                                                  \
    "WITH " SQL_SKIPPED(direction) SQL_TOTAL                                                       \
    " UNION ALL (" SQL_ROWS(SQL_PAGE_BY_DAY(begins, order), order) ")"

/* The id makes the order total. The first two are for keys that are never null: they match an
 * index. */
#define ASCENDING(key, id)       key " ASC, " id " ASC"
#define DESCENDING(key, id)      key " DESC, " id " DESC"
#define ASCENDING_LAST(key, id)  key " ASC NULLS LAST, " id " ASC"
#define DESCENDING_LAST(key, id) key " DESC NULLS LAST, " id " DESC"

/* To sort by what is computed, it must be computed for all that match: trace by trace, or in one go
 * when that is everything. */
#define SQL_SUM_EACH(sum)                                                                          \
    " LEFT JOIN LATERAL (SELECT " sum " AS sum FROM observations o"                                \
    " WHERE o.project_id = $1 AND o.trace_id = t.id) o ON true"
#define SQL_SUM_ALL(sum)                                                                           \
    " LEFT JOIN (SELECT o.trace_id, " sum " AS sum FROM observations o"                            \
    " WHERE o.project_id = $1 GROUP BY o.trace_id) o ON o.trace_id = t.id"
/* clang-format on */

/* By direction. */
#define BOTH(list, key, source, ascending, descending)                                             \
    {                                                                                              \
        list(key, source, ascending), list(key, source, descending)                                \
    }
#define LISTS_OF(key, source, ascending, descending)                                               \
    BOTH(SQL_LIST, key, source, ascending, descending),                                            \
        BOTH(SQL_LIST_ONCE, key, source, ascending, descending)
#define LISTS(key)      LISTS_OF(key, "", ASCENDING, DESCENDING)
#define LISTS_LAST(key) LISTS_OF(key, "", ASCENDING_LAST, DESCENDING_LAST)
#define LISTS_BY(key, sum)                                                                         \
    LISTS_OF(key, SQL_SUM_EACH(sum), ASCENDING_LAST, DESCENDING_LAST),                             \
        BOTH(SQL_LIST, key, SQL_SUM_ALL(sum), ASCENDING_LAST, DESCENDING_LAST)

enum direction { ASC, DESC };

struct order {
    const char *name;
    const char *also; /* another spelling; or NULL */
    enum direction usual;
    const char *sql[2];
    const char *sql_once[2]; /* the same where a filter is on sums */
    const char *sql_all[2];  /* for an unfiltered list; NULL: sql serves */
};

static const struct order orders[] = {
    {"timestamp",
     NULL,
     DESC,
     LISTS("t.timestamp"),
     {SQL_LIST_BY_DAY("ASC", SQL_FROM_DAY, ASCENDING),
      SQL_LIST_BY_DAY("DESC", SQL_UNTIL_DAY, DESCENDING)}},
    {"id", NULL, DESC, LISTS("t.id"), {NULL, NULL}},
    {"name", NULL, ASC, LISTS_LAST("t.name"), {NULL, NULL}},
    {"userId", "user_id", ASC, LISTS_LAST("t.user_id"), {NULL, NULL}},
    {"release", NULL, ASC, LISTS_LAST("t.release"), {NULL, NULL}},
    {"version", NULL, ASC, LISTS_LAST("t.version"), {NULL, NULL}},
    {"public", NULL, DESC, LISTS("coalesce(t.public, false)"), {NULL, NULL}},
    {"bookmarked", NULL, DESC, LISTS("coalesce(t.bookmarked, false)"), {NULL, NULL}},
    {"sessionId", "session_id", ASC, LISTS_LAST("t.session_id"), {NULL, NULL}},
    {"latency", NULL, DESC, LISTS_BY("coalesce(t.latency, o.sum)", SQL_TRACE_LATENCY)},
    {"totalCost", "total_cost", DESC, LISTS_BY("coalesce(t.total_cost, o.sum)", SQL_TRACE_COST)},
};

/* --- list: parameters ---------------------------------------------------------------------- */

struct list_params {
    int64_t page;
    int64_t limit;
    const char *user_id;
    const char *name;
    const char *session_id;
    const char *turn_id;
    const char *run_id;
    const char *version;
    const char *release;
    struct param_time from;
    struct param_time to;
    struct param_texts tags;
    struct param_texts environments;
    const char *order_by;
    const char *fields;
    const char *filter;
};

static const struct param list_table[] = {
    {"page", PARAM_PAGE, offsetof(struct list_params, page)},
    {"limit", PARAM_LIMIT, offsetof(struct list_params, limit)},
    {"userId", PARAM_TEXT, offsetof(struct list_params, user_id)},
    {"name", PARAM_TEXT, offsetof(struct list_params, name)},
    {"sessionId", PARAM_TEXT, offsetof(struct list_params, session_id)},
    {"turnId", PARAM_TEXT, offsetof(struct list_params, turn_id)},
    {"runId", PARAM_TEXT, offsetof(struct list_params, run_id)},
    {"version", PARAM_TEXT, offsetof(struct list_params, version)},
    {"release", PARAM_TEXT, offsetof(struct list_params, release)},
    {"fromTimestamp", PARAM_TIME, offsetof(struct list_params, from)},
    {"toTimestamp", PARAM_TIME, offsetof(struct list_params, to)},
    {"tags", PARAM_TEXTS, offsetof(struct list_params, tags)},
    {"environment", PARAM_TEXTS, offsetof(struct list_params, environments)},
    {"orderBy", PARAM_TEXT, offsetof(struct list_params, order_by)},
    {"fields", PARAM_TEXT, offsetof(struct list_params, fields)},
    {"filter", PARAM_TEXT, offsetof(struct list_params, filter)},
    {NULL, PARAM_TEXT, 0},
};

static bool has_params(const struct list_params *params)
{
    return params->user_id != NULL || params->name != NULL || params->session_id != NULL ||
           params->turn_id != NULL || params->run_id != NULL || params->version != NULL ||
           params->release != NULL || params->from.given || params->to.given ||
           params->tags.count > 0 || params->environments.count > 0;
}

/* --- list: order and fields ------------------------------------------------------------------ */

static bool is_filtered(const struct list_params *params)
{
    return params->filter != NULL || has_params(params);
}

static const struct order *find_order(struct slice column)
{
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        if (slice_is(column, orders[i].name) ||
            (orders[i].also != NULL && slice_is(column, orders[i].also))) {
            return &orders[i];
        }
    }
    return NULL;
}

/* `column.asc` or `column.desc`, in any case; a column alone descends; another word is the column's own way. */
static const char *choose_sql(const char *order_by, bool is_all, bool has_sums)
{
    const char *text = order_by != NULL ? order_by : "timestamp.desc";
    size_t column_len = strcspn(text, ".");
    const struct order *order = find_order((struct slice){text, column_len});
    enum direction direction = DESC;

    if (order == NULL) {
        return NULL;
    }
    if (text[column_len] == '.') {
        const char *word = text + column_len + 1;
        direction = strcasecmp(word, "asc") == 0    ? ASC
                    : strcasecmp(word, "desc") == 0 ? DESC
                                                    : order->usual;
    }
    return has_sums                                      ? order->sql_once[direction]
           : is_all && order->sql_all[direction] != NULL ? order->sql_all[direction]
                                                         : order->sql[direction];
}

/* Whether the comma list names the group; an absent list names all. */
static bool names_group(const char *fields, const char *group)
{
    for (const char *at = fields; at != NULL && *at != '\0';) {
        size_t len = strcspn(at, ",");
        struct slice word = {at, len};
        while (word.len > 0 && word.data[0] == ' ') {
            word.data++;
            word.len--;
        }
        while (word.len > 0 && word.data[word.len - 1] == ' ') {
            word.len--;
        }
        if (slice_is(word, group)) {
            return true;
        }
        at += at[len] == ',' ? len + 1 : len;
    }
    return fields == NULL;
}

/* What latency and cost of a trace are where there is nothing to compute them from: null. Version 2 of
 * Langfuse's SDK for Python takes no trace then, and has 0 from Langfuse. */
static void bind_nothing(struct read *read)
{
    read_bind_text(read, sdk_of(read->request) == SDK_PYTHON_2 ? "0" : NULL);
}

static void bind_groups(struct read *read, const char *fields)
{
    read_bind_bool(read, names_group(fields, "io"));
    read_bind_bool(read, names_group(fields, "metrics"));
    read_bind_bool(read, names_group(fields, "observations"));
    read_bind_bool(read, names_group(fields, "scores"));
}

static enum err set_sql(struct read *read, const struct list_params *params, struct error *error)
{
    struct buf conditions = BUF_EMPTY;
    const char *sums = "";
    enum err err =
        traces_filter(read, params->filter, has_params(params), &conditions, &sums, error);

    read->sql = choose_sql(params->order_by, !is_filtered(params), *sums != '\0');
    if (err == ERR_OK && read->sql == NULL) {
        err = error_set(error, ERR_INVALID, "invalid order_by");
    }
    if (err == ERR_OK && conditions.len > 0) {
        read_make_filtered(read, read->sql, buf_slice(&conditions));
        read_fill(read, SQL_SOURCE, slice_from(sums));
    }
    buf_finish(&conditions);
    return err;
}

static enum err list_bind(struct read *read, const void *typed, struct error *error)
{
    const struct list_params *params = typed;

    read->page = params->page;
    read->limit = params->limit;
    read_bind_text(read, read->request->identity.project);
    read_bind_time(read, params->from);
    read_bind_time(read, params->to);
    read_bind_text(read, params->user_id);
    read_bind_text(read, params->name);
    read_bind_text(read, params->session_id);
    read_bind_text(read, params->version);
    read_bind_text(read, params->release);
    read_bind_texts(read, params->tags.parts, params->tags.part_count);
    read_bind_texts(read, params->tags.values, params->tags.count);
    read_bind_any_of(read, &params->environments);
    read_bind_bool(read, !is_filtered(params));
    read_bind_integer(read, params->limit);
    read_bind_offset(read);
    bind_groups(read, params->fields);
    read_bind_text(read, params->turn_id);
    read_bind_text(read, params->run_id);
    bind_nothing(read);
    return set_sql(read, params, error);
}

static const struct read_resource list_resource = {
    .params = list_table,
    .params_size = sizeof(struct list_params),
    .bind = list_bind,
    .format = &read_page_format,
};

void traces_list(struct request *request)
{
    read_run(request, &list_resource);
}

/* --- detail -------------------------------------------------------------------------------- */

#define SQL_IN_TIME "o.start_time ASC NULLS LAST, o.created_at, o.id"

#define SQL_DETAIL_SUMS                                                                            \
    "'latency', CASE WHEN $6::boolean THEN coalesce(t.latency, o.latency, $9::integer)"            \
    " ELSE -1 END, 'totalCost', CASE WHEN $6 THEN coalesce(t.total_cost, o.cost, $9) ELSE -1 END," \
    " 'scores', coalesce((SELECT json_agg(" SQL_SCORE " ORDER BY s.timestamp, s.id)"               \
    " FROM scores s WHERE s.project_id = $1 AND s.trace_id = t.id AND $8::boolean"                 \
    " AND ($10::text[] IS NULL OR " SQL_SCORE_TYPE " = ANY($10))), '[]')"

/* First the trace, then each of its observations. $2: the id as it was given; $3, $4: both
 * spellings, if it is a UUID. */
/* clang-format off */
static const char sql_detail[] =
    "WITH t AS MATERIALIZED (SELECT * FROM traces"
    "  WHERE project_id = $1 AND id IN ($2, $3, $4) ORDER BY id = $2 DESC, id LIMIT 1)"
    " SELECT CASE WHEN $5::boolean"
    "  THEN json_build_object(" SQL_TRACE_CORE ", " SQL_TRACE_IO ", " SQL_DETAIL_SUMS ")"
    "  ELSE json_build_object(" SQL_TRACE_CORE ", " SQL_DETAIL_SUMS ") END AS trace,"
    "  NULL::json AS observations"
    " FROM t, LATERAL (SELECT " SQL_TRACE_LATENCY " AS latency, " SQL_TRACE_COST " AS cost"
    "   FROM observations o WHERE o.project_id = $1 AND o.trace_id = t.id) o"
    " UNION ALL"
    " (SELECT NULL, " SQL_OBSERVATION
    "  FROM (SELECT * FROM observations o"
    "    WHERE o.project_id = $1 AND o.trace_id = (SELECT id FROM t) AND $7::boolean"
    "    ORDER BY " SQL_IN_TIME ") o, " SQL_OBSERVATION_SUMS
    "  ORDER BY " SQL_IN_TIME ")";
/* clang-format on */

struct detail_params {
    const char *fields;
};

static const struct param detail_table[] = {
    {"fields", PARAM_TEXT, offsetof(struct detail_params, fields)},
    {NULL, PARAM_TEXT, 0},
};

static enum err detail_bind(struct read *read, const void *typed, struct error *error)
{
    const struct detail_params *params = typed;

    read->sql = sql_detail;
    read_bind_text(read, read->request->identity.project);
    read_bind_path_id(read);
    bind_groups(read, params->fields);
    bind_nothing(read);
    sdk_bind_nested_types(read);
    return ERR_OK;
}

static const struct read_resource detail_resource = {
    .params = detail_table,
    .params_size = sizeof(struct detail_params),
    .bind = detail_bind,
    .format = &read_nested_format,
};

void traces_detail(struct request *request)
{
    read_run(request, &detail_resource);
}
