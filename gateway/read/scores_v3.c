/*
 * scores_v3: scores behind a cursor, newest first. SQL, parameters, rows -> JSON.
 *
 * A page takes up where its cursor says, in the index that has the order, so that a later page costs what
 * the first one does. One row more than a page tells whether there is another; nothing is counted.
 */
#include "gateway/read/scores_v3.h"

#include <stddef.h>

#include "gateway/read/cursor.h"
#include "gateway/read/read.h"
#include "gateway/read/scores_sql.h"
#include "gateway/read/scores_words.h"

/* Static SQL is longer than what ISO C promises to take. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

enum { LIMIT_MAX = 100 };

/* --- SQL ----------------------------------------------------------------------------------- */

/* clang-format off */
#define SQL_IN(column, parameter) "(" parameter "::text[] IS NULL OR " column " = ANY(" parameter "))"

#define SQL_VALUE                                                                                  \
    "CASE " SQL_SCORE_TYPE " WHEN 'NUMERIC' THEN to_json(s.value)"                                 \
    " WHEN 'BOOLEAN' THEN to_json(s.value <> 0) ELSE to_json(coalesce(s.string_value, '')) END"

#define SQL_CORE                                                                                   \
    "'id', s.id, 'projectId', s.project_id, 'name', s.name, 'value', " SQL_VALUE ","               \
    " 'dataType', " SQL_SCORE_TYPE ", 'source', " SQL_SCORE_SOURCE ", 'timestamp', "               \
    READ_SQL_TIME("s.timestamp") ", 'environment', " SQL_SCORE_ENVIRONMENT ", 'createdAt', "       \
    READ_SQL_TIME("s.created_at") ", 'updatedAt', " READ_SQL_TIME("s.updated_at")

#define SQL_DETAILS    ", 'comment', s.comment, 'configId', s.config_id, 'metadata', s.metadata"
#define SQL_ANNOTATION ", 'authorUserId', NULL, 'queueId', s.queue_id"
#define SQL_SUBJECT                                                                                \
    ", 'subject', CASE WHEN s.observation_id IS NOT NULL THEN"                                     \
    "  json_build_object('kind', 'observation', 'id', s.observation_id, 'traceId', s.trace_id)"    \
    " WHEN s.trace_id IS NOT NULL THEN json_build_object('kind', 'trace', 'id', s.trace_id)"       \
    " WHEN s.session_id IS NOT NULL THEN json_build_object('kind', 'session', 'id', s.session_id)" \
    " ELSE json_build_object('kind', 'experiment', 'id', s.dataset_run_id) END"

/* $5: some name is longer than what the index of short names has. */
#define SQL_MATCHING                                                                               \
    "s.project_id = $1"                                                                            \
    " AND ($2::timestamptz IS NULL OR s.timestamp >= $2)"                                          \
    " AND ($3::timestamptz IS NULL OR s.timestamp <= $3)"                                          \
    " AND ($4::text[] IS NULL OR (s.name = ANY($4) AND ($5::boolean OR octet_length(s.name) <= 800)))" \
    " AND " SQL_IN("s.id", "$6")                                                                   \
    " AND " SQL_IN(SQL_SCORE_SOURCE, "$7") " AND " SQL_IN(SQL_SCORE_TYPE, "$8")                    \
    " AND " SQL_IN(SQL_SCORE_ENVIRONMENT, "$9")                                                    \
    " AND " SQL_IN("s.config_id", "$10") " AND " SQL_IN("s.queue_id", "$11")                       \
    " AND " SQL_IN("NULL::text", "$12")                                                            \
    " AND " SQL_IN("s.trace_id", "$13") " AND " SQL_IN("s.observation_id", "$14")                  \
    " AND " SQL_IN("s.session_id", "$15") " AND " SQL_IN("s.dataset_run_id", "$16")                \
    " AND ($17::float8[] IS NULL OR s.value = ANY($17)) AND " SQL_IN("s.string_value", "$18")      \
    " AND ($19::float8 IS NULL OR s.value >= $19) AND ($20::float8 IS NULL OR s.value <= $20)"     \
    " AND ($21::timestamptz IS NULL OR (s.timestamp, s.id) < ($21, $22::text COLLATE \"C\"))"

#define SQL_LIST(more)                                                                             \
    "WITH page AS MATERIALIZED (SELECT s.timestamp, s.id FROM scores s WHERE " SQL_MATCHING        \
    "  ORDER BY s.timestamp DESC, s.id DESC LIMIT $23::bigint + 1),"                               \
    " shown AS MATERIALIZED (SELECT * FROM page ORDER BY timestamp DESC, id DESC"                  \
    "  LIMIT $23::bigint)"                                                                         \
    " (SELECT json_build_object(" SQL_CORE more ") AS row, NULL::json AS meta"                     \
    "  FROM shown p JOIN scores s ON s.project_id = $1 AND s.id = p.id"                            \
    "  ORDER BY p.timestamp DESC, p.id DESC)"                                                      \
    " UNION ALL"                                                                                   \
    " (SELECT NULL, CASE WHEN (SELECT count(*) FROM page) > $23::bigint"                           \
    "   THEN json_build_object('limit', $23::bigint, 'cursor', "                                   \
        CURSOR_SQL("timestamp", CURSOR_SQL_ID("id")) ")"                                           \
    "   ELSE json_build_object('limit', $23::bigint) END"                                          \
    "  FROM (SELECT 1) o LEFT JOIN"                                                                \
    "   (SELECT * FROM shown ORDER BY timestamp, id LIMIT 1) last ON true)"

/* By the groups asked for, as bits. */
enum { DETAILS = 1, SUBJECT = 2, ANNOTATION = 4 };

static const char *const sql_lists[] = {
    [0] = SQL_LIST(""),
    [DETAILS] = SQL_LIST(SQL_DETAILS),
    [SUBJECT] = SQL_LIST(SQL_SUBJECT),
    [DETAILS | SUBJECT] = SQL_LIST(SQL_DETAILS SQL_SUBJECT),
    [ANNOTATION] = SQL_LIST(SQL_ANNOTATION),
    [ANNOTATION | DETAILS] = SQL_LIST(SQL_ANNOTATION SQL_DETAILS),
    [ANNOTATION | SUBJECT] = SQL_LIST(SQL_ANNOTATION SQL_SUBJECT),
    [ANNOTATION | DETAILS | SUBJECT] = SQL_LIST(SQL_ANNOTATION SQL_DETAILS SQL_SUBJECT),
};
/* clang-format on */

/* --- parameters ---------------------------------------------------------------------------- */

struct list_params {
    int64_t limit;
    const char *cursor;
    struct param_texts fields;
    struct param_time from;
    struct param_time to;
    struct param_texts ids;
    struct param_texts names;
    struct param_texts sources;
    struct param_texts data_types;
    struct param_texts environments;
    struct param_texts config_ids;
    struct param_texts queue_ids;
    struct param_texts author_ids;
    struct param_texts values;
    struct param_number value_min;
    struct param_number value_max;
    struct param_texts trace_ids;
    struct param_texts session_ids;
    struct param_texts observation_ids;
    struct param_texts experiment_ids;
};

static const struct param list_table[] = {
    {"limit", PARAM_LIMIT, offsetof(struct list_params, limit)},
    {"cursor", PARAM_TEXT, offsetof(struct list_params, cursor)},
    {"fields", PARAM_TEXTS, offsetof(struct list_params, fields)},
    {"fromTimestamp", PARAM_TIME, offsetof(struct list_params, from)},
    {"toTimestamp", PARAM_TIME, offsetof(struct list_params, to)},
    {"id", PARAM_TEXTS, offsetof(struct list_params, ids)},
    {"name", PARAM_TEXTS, offsetof(struct list_params, names)},
    {"source", PARAM_TEXTS, offsetof(struct list_params, sources)},
    {"dataType", PARAM_TEXTS, offsetof(struct list_params, data_types)},
    {"environment", PARAM_TEXTS, offsetof(struct list_params, environments)},
    {"configId", PARAM_TEXTS, offsetof(struct list_params, config_ids)},
    {"queueId", PARAM_TEXTS, offsetof(struct list_params, queue_ids)},
    {"authorUserId", PARAM_TEXTS, offsetof(struct list_params, author_ids)},
    {"value", PARAM_TEXTS, offsetof(struct list_params, values)},
    {"valueMin", PARAM_NUMBER, offsetof(struct list_params, value_min)},
    {"valueMax", PARAM_NUMBER, offsetof(struct list_params, value_max)},
    {"traceId", PARAM_TEXTS, offsetof(struct list_params, trace_ids)},
    {"sessionId", PARAM_TEXTS, offsetof(struct list_params, session_ids)},
    {"observationId", PARAM_TEXTS, offsetof(struct list_params, observation_ids)},
    {"experimentId", PARAM_TEXTS, offsetof(struct list_params, experiment_ids)},
    {NULL, PARAM_TEXT, 0},
};

static enum err read_fields(const struct param_texts *fields, unsigned *groups, struct error *error)
{
    static const struct {
        const char *name;
        unsigned group;
    } known[] = {
        {"core", 0}, {"details", DETAILS}, {"subject", SUBJECT}, {"annotation", ANNOTATION}};

    *groups = 0;
    for (size_t i = 0; i < fields->part_count; i++) {
        size_t k = 0;
        while (k < sizeof known / sizeof *known && strcmp(fields->parts[i], known[k].name) != 0) {
            k++;
        }
        if (k == sizeof known / sizeof *known) {
            return error_set(error, ERR_INVALID,
                             "fields: must be of core, details, subject, annotation");
        }
        *groups |= known[k].group;
    }
    return ERR_OK;
}

/* A score has one target, and observations are known within their trace only. */
static enum err check_targets(const struct list_params *params, struct error *error)
{
    int targets = (params->trace_ids.count > 0) + (params->session_ids.count > 0) +
                  (params->experiment_ids.count > 0);

    if (params->observation_ids.count > 0 && params->trace_ids.count == 0) {
        return error_set(error, ERR_INVALID, "observationId: needs a traceId");
    }
    return targets <= 1 ? ERR_OK
                        : error_set(error, ERR_INVALID,
                                    "traceId, sessionId, experimentId: only one of them at a time");
}

/* --- values -------------------------------------------------------------------------------- */

/* What `value` means depends on the type: numbers, words or texts. */
struct wanted {
    struct param_texts numbers;
    struct param_texts texts;
};

static enum err take_number(const char *text, struct arena *arena, const char **out,
                            struct error *error)
{
    double value;
    char shortest[32];

    if (!param_number_parse(text, &value)) {
        return error_set(error, ERR_INVALID, "value: not a number, as dataType NUMERIC has it");
    }
    int len = snprintf(shortest, sizeof shortest, "%.17g", value);
    *out = arena_text(arena, (struct slice){shortest, (size_t)len});
    return ERR_OK;
}

static enum err take_bool(const char *text, const char **out, struct error *error)
{
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
        return error_set(error, ERR_INVALID,
                         "value: neither true nor false, as dataType BOOLEAN has it");
    }
    *out = text[0] == 't' ? "1" : "0";
    return ERR_OK;
}

static enum err read_values(const struct param_texts *given, const char *type, struct arena *arena,
                            struct wanted *wanted, struct error *error)
{
    bool is_number = strcmp(type, "NUMERIC") == 0;
    const char **numbers = arena_alloc(arena, given->part_count * sizeof *numbers);
    enum err err = ERR_OK;

    if (strcmp(type, "CATEGORICAL") == 0) {
        wanted->texts = *given;
        return ERR_OK;
    }
    if (!is_number && strcmp(type, "BOOLEAN") != 0) {
        return error_set(error, ERR_INVALID, "value: only for NUMERIC, BOOLEAN or CATEGORICAL");
    }
    for (size_t i = 0; i < given->part_count && err == ERR_OK; i++) {
        err = is_number ? take_number(given->parts[i], arena, &numbers[i], error)
                        : take_bool(given->parts[i], &numbers[i], error);
    }
    wanted->numbers = (struct param_texts){numbers, given->part_count, numbers, given->part_count};
    return err;
}

static enum err check_values(const struct list_params *params, const struct param_texts *types,
                             struct arena *arena, struct wanted *wanted, struct error *error)
{
    bool has_bound = params->value_min.given || params->value_max.given;

    *wanted = (struct wanted){0};
    if (params->values.count == 0 && !has_bound) {
        return ERR_OK;
    }
    if (types->part_count != 1) {
        return error_set(error, ERR_INVALID, "value, valueMin, valueMax: need one dataType");
    }
    if (has_bound && strcmp(types->parts[0], "NUMERIC") != 0) {
        return error_set(error, ERR_INVALID, "valueMin, valueMax: need dataType NUMERIC");
    }
    return params->values.count > 0
               ? read_values(&params->values, types->parts[0], arena, wanted, error)
               : ERR_OK;
}

/* --- list ---------------------------------------------------------------------------------- */

static bool has_long(const struct param_texts *names)
{
    for (size_t i = 0; i < names->part_count; i++) {
        if (strlen(names->parts[i]) > 800) {
            return true;
        }
    }
    return false;
}

struct position {
    struct param_time time;
    const char *id;
};

static enum err read_cursor(const char *text, struct arena *arena, struct position *position,
                            struct error *error)
{
    *position = (struct position){{0}, NULL};
    if (text == NULL || *text == '\0') {
        return ERR_OK;
    }
    position->time.given = true;
    return cursor_read(text, arena, &position->time.us, &position->id, 1, error);
}

static void bind_targets(struct read *read, const struct list_params *params)
{
    read_bind_any_of(read, &params->config_ids);
    read_bind_any_of(read, &params->queue_ids);
    read_bind_any_of(read, &params->author_ids);
    read_bind_any_id(read, &params->trace_ids);
    read_bind_any_id(read, &params->observation_ids);
    read_bind_any_of(read, &params->session_ids);
    read_bind_any_of(read, &params->experiment_ids);
}

static enum err list_bind(struct read *read, const void *typed, struct error *error)
{
    const struct list_params *params = typed;
    struct param_texts sources, types;
    struct position position;
    struct wanted wanted;
    unsigned groups;
    enum err err = read_fields(&params->fields, &groups, error);

    if (err == ERR_OK) {
        err = scores_words_sources(read->arena, &params->sources, &sources, error);
    }
    if (err == ERR_OK) {
        err = scores_words_types(read->arena, &params->data_types, &types, error);
    }
    if (err == ERR_OK) {
        err = check_targets(params, error);
    }
    if (err == ERR_OK) {
        err = check_values(params, &types, read->arena, &wanted, error);
    }
    if (err == ERR_OK) {
        err = read_cursor(params->cursor, read->arena, &position, error);
    }
    if (err != ERR_OK) {
        return err;
    }
    read->sql = sql_lists[groups];
    read_bind_text(read, read->request->identity.project);
    read_bind_time(read, params->from);
    read_bind_time(read, params->to);
    read_bind_any_of(read, &params->names);
    read_bind_bool(read, has_long(&params->names));
    read_bind_any_id(read, &params->ids);
    read_bind_any_of(read, &sources);
    read_bind_any_of(read, &types);
    read_bind_any_of(read, &params->environments);
    bind_targets(read, params);
    read_bind_any_of(read, &wanted.numbers);
    read_bind_any_of(read, &wanted.texts);
    read_bind_number(read, params->value_min);
    read_bind_number(read, params->value_max);
    read_bind_time(read, position.time);
    read_bind_text(read, position.id);
    read_bind_integer(read, params->limit > LIMIT_MAX ? LIMIT_MAX : params->limit);
    return ERR_OK;
}

static const struct read_resource list_resource = {
    .params = list_table,
    .params_size = sizeof(struct list_params),
    .bind = list_bind,
    .format = &read_list_format,
};

void scores_list_v3(struct request *request)
{
    read_run(request, &list_resource);
}
