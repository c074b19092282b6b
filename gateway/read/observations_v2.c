/*
 * observations_v2: observations behind a cursor, newest first, in groups of fields. SQL, parameters, rows ->
 * JSON.
 *
 * A page takes up where its cursor says, in the index by time, so that a later page costs what the first one
 * does and new rows shift nothing. One row more than a page tells whether there is another; nothing is
 * counted.
 */
#include "gateway/read/observations_v2.h"

#include <stddef.h>

#include "gateway/read/cursor.h"
#include "gateway/read/filter.h"
#include "gateway/read/observations_query.h"
#include "gateway/read/traces_sql.h"

/* Static SQL is longer than what ISO C promises to take. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* --- fields -------------------------------------------------------------------------------- */

/* clang-format off */

/* Values at keys that $3 does not name, cut; what is cut is a string. */
#define SQL_METADATA                                                                               \
    "CASE WHEN jsonb_typeof(o.metadata) = 'object' THEN (SELECT coalesce(jsonb_object_agg(m.key,"  \
    "  CASE WHEN m.key = ANY($3::text[]) OR length(m.value #>> '{}') <= 200 OR m.value = 'null'"   \
    "  THEN m.value ELSE to_jsonb(left(m.value #>> '{}', 200)) END), '{}')"                        \
    " FROM jsonb_each(o.metadata) m) ELSE o.metadata END"

static const struct group {
    const char *name;
    const char *sql; /* members, each behind a comma */
} groups[] = {
    {"core", ", 'id', o.id, 'traceId', o.trace_id, 'startTime', " READ_SQL_TIME(SQL_OBSERVATION_START)
     ", 'endTime', " READ_SQL_TIME(SQL_OBSERVATION_END) ", 'projectId', o.project_id,"
     " 'parentObservationId', o.parent_observation_id, 'type', coalesce(o.type, 'GENERATION')"},
    {"basic", ", 'name', o.name, 'level', coalesce(o.level, 'DEFAULT'),"
     " 'statusMessage', o.status_message, 'version', o.version,"
     " 'environment', coalesce(o.environment, 'default'),"
     " 'bookmarked', coalesce(t.bookmarked, false), 'public', coalesce(t.public, false),"
     " 'userId', t.user_id, 'sessionId', t.session_id, 'isRootObservation', " SQL_IS_ROOT},
    {"time", ", 'completionStartTime', " READ_SQL_TIME("o.completion_start_time")
     ", 'createdAt', " READ_SQL_TIME("o.created_at") ", 'updatedAt', " READ_SQL_TIME("o.updated_at")},
    {"io", ", 'input', " SQL_AS_TEXT(SQL_PAYLOAD("input")) ", 'output', " SQL_AS_TEXT(SQL_PAYLOAD("output"))},
    {"metadata", ", 'metadata', " SQL_METADATA},
    {"model", ", 'providedModelName', o.model, 'internalModelId', " SQL_MODEL_ID ","
     " 'modelParameters', coalesce(o.model_parameters, '{}')::json"},
    {"usage", ", 'usageDetails', " SQL_USAGE_DETAILS ", 'costDetails', " SQL_COST_DETAILS
     ", 'totalCost', c.cost, 'usagePricingTierName', o.pricing_tier_name"},
    {"prompt", ", 'promptId', o.prompt_id, 'promptName', o.prompt_name,"
     " 'promptVersion', " SQL_PROMPT_VERSION},
    {"metrics", ", 'latency', " SQL_OBSERVATION_LATENCY
     ", 'timeToFirstToken', " SQL_OBSERVATION_FIRST_TOKEN},
    {"trace_context", ", 'traceName', t.name, 'tags', coalesce(t.all_tags, '{}'), 'release', t.release"},
};

/* Always there, with values where the model was asked for. */
static const char sql_prices[] =
    "'modelId', " SQL_MODEL_ID ", 'inputPrice', " SQL_INPUT_PRICE "::text,"
    " 'outputPrice', " SQL_OUTPUT_PRICE "::text, 'totalPrice', " SQL_TOTAL_PRICE "::text";
static const char sql_no_prices[] =
    "'modelId', NULL, 'inputPrice', NULL, 'outputPrice', NULL, 'totalPrice', NULL";
/* clang-format on */

/* The core is always there; without a list there is also what is basic. */
static bool has_group(const struct param_texts *fields, const char *name)
{
    if (strcmp(name, "core") == 0 || (fields->count == 0 && strcmp(name, "basic") == 0)) {
        return true;
    }
    for (size_t i = 0; i < fields->part_count; i++) {
        const char *word = fields->parts[i] + strspn(fields->parts[i], " ");
        size_t len = strcspn(word, " ");
        if (len == strlen(name) && memcmp(word, name, len) == 0) {
            return true;
        }
    }
    return false;
}

static void append_object(struct buf *sql, const struct param_texts *fields)
{
    buf_append_text(sql, "json_build_object(");
    buf_append_text(sql, has_group(fields, "model") ? sql_prices : sql_no_prices);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (has_group(fields, groups[i].name)) {
            buf_append_text(sql, groups[i].sql);
        }
    }
    buf_append_char(sql, ')');
}

/* --- list ---------------------------------------------------------------------------------- */

struct list_params {
    int64_t limit;
    const char *cursor;
    struct param_texts fields;
    struct param_texts expanded;
    struct param_bool parse_io;
    struct observations_query query;
};

static const struct param list_table[] = {
    {"limit", PARAM_WIDE_LIMIT, offsetof(struct list_params, limit)},
    {"cursor", PARAM_TEXT, offsetof(struct list_params, cursor)},
    {"fields", PARAM_TEXTS, offsetof(struct list_params, fields)},
    {"expandMetadata", PARAM_TEXTS, offsetof(struct list_params, expanded)},
    {"parseIoAsJson", PARAM_BOOL, offsetof(struct list_params, parse_io)},
    OBSERVATIONS_PARAMS(offsetof(struct list_params, query)),
    {NULL, PARAM_TEXT, 0},
};

/* clang-format off */
static const char sql_page[] =
    "WITH page AS MATERIALIZED (SELECT " SQL_OBSERVATION_KEY;
static const char sql_shown[] =
    " shown AS MATERIALIZED (SELECT * FROM page p ORDER BY " SQL_NEWEST_KEY_FIRST
    " LIMIT $2::bigint) (SELECT ";
static const char sql_end[] =
    " AS row, NULL::json AS meta FROM shown p JOIN observations o"
    "  ON o.project_id = $1 AND o.trace_id = p.trace_id AND o.id = p.id"
    "  LEFT JOIN traces t ON t.project_id = $1 AND t.id = o.trace_id, " SQL_OBSERVATION_SUMS
    "  ORDER BY " SQL_NEWEST_KEY_FIRST ")"
    " UNION ALL (SELECT NULL, CASE WHEN (SELECT count(*) FROM page) > $2::bigint AND last.id IS NOT NULL"
    "   THEN json_build_object('cursor', "
        CURSOR_SQL("last.key", CURSOR_SQL_ID("last.trace_id") CURSOR_SQL_ID("last.id")) ")"
    "   ELSE '{}'::json END"
    "  FROM (SELECT) one LEFT JOIN"
    "   (SELECT * FROM shown ORDER BY key, trace_id, id LIMIT 1) last ON true)";
/* clang-format on */

/* Appends the condition of rows behind the cursor, if there is one. */
static enum err append_cursor(struct read *read, const char *cursor, struct buf *sql,
                              struct error *error)
{
    struct param_time time = {.given = true};
    const char *ids[2];

    if (cursor == NULL || *cursor == '\0') {
        return ERR_OK;
    }
    enum err err = cursor_read(cursor, read->arena, &time.us, ids, 2, error);
    if (err == ERR_OK) {
        read_bind_time(read, time);
        read_bind_text(read, ids[0]);
        read_bind_text(read, ids[1]);
        buf_printf(sql,
                   " AND (" SQL_OBSERVATION_START ", o.trace_id, o.id)"
                   " < ($%d::timestamptz, $%d::text COLLATE \"C\", $%d::text COLLATE \"C\")",
                   read->value_count - 2, read->value_count - 1, read->value_count);
    }
    return err;
}

static enum err make_list(struct read *read, const struct list_params *params, struct buf *sql,
                          struct error *error)
{
    struct observations_scope scope;

    buf_append_text(sql, sql_page);
    enum err err = observations_from(read, &params->query, sql, &scope, error);
    if (err == ERR_OK) {
        err = append_cursor(read, params->cursor, sql, error);
    }
    if (err == ERR_OK) {
        buf_append_text(sql, " ORDER BY " SQL_NEWEST_FIRST " LIMIT $2::bigint + 1),");
        buf_append_text(sql, sql_shown);
        append_object(sql, &params->fields);
        buf_append_text(sql, sql_end);
        read_make_sql(read, buf_slice(sql));
    }
    return err;
}

static enum err list_bind(struct read *read, const void *typed, struct error *error)
{
    const struct list_params *params = typed;
    struct buf sql = BUF_EMPTY;

    if (params->parse_io.value) {
        return error_set(error, ERR_INVALID,
                         "parseIoAsJson: input and output are strings here, parse them yourself");
    }
    read_bind_text(read, read->request->identity.project);
    read_bind_integer(read, params->limit);
    if (has_group(&params->fields, "metadata")) {
        read_bind_any_of(read, &params->expanded); /* a value that no SQL names has no type */
    }
    enum err err = make_list(read, params, &sql, error);
    buf_finish(&sql);
    return err;
}

static const struct read_resource list_resource = {
    .params = list_table,
    .params_size = sizeof(struct list_params),
    .bind = list_bind,
    .format = &read_list_format,
};

void observations_list_v2(struct request *request)
{
    read_run(request, &list_resource);
}
