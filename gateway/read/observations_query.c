/*
 * observations_query: parameters and filter -> the WHERE of observations. Pure.
 *
 * The text is made for each request: only what is asked for is in it, so that the planner is free to begin
 * at the observation or at its trace, by whichever index.
 */
#include "gateway/read/observations_query.h"

#include <string.h>

#include "gateway/read/filter.h"
#include "gateway/read/traces_sql.h"

/* Those that a simple parameter is for, and those of the trace; the others follow. */
enum column {
    NAME,
    USER_ID,
    SESSION_ID,
    TYPE,
    TRACE_ID,
    LEVEL,
    PARENT_ID,
    VERSION,
    ENVIRONMENT,
    START_TIME,
    IS_ROOT,
    TRACE_NAME,
    TAGS,
    TRACE_TAGS,
    RELEASE,
    TRACE_RELEASE,
    TRACE_VERSION,
    PUBLIC,
    BOOKMARKED,
};

#define SQL_TYPE        "coalesce(o.type, 'GENERATION')"
#define SQL_LEVEL       "coalesce(o.level, 'DEFAULT')"
#define SQL_ENVIRONMENT "coalesce(o.environment, 'default')"

static const struct filter_column columns[] = {
    [NAME] = {"name", FILTER_TEXT, "o.name"},
    [USER_ID] = {"userId", FILTER_TEXT, "t.user_id"},
    [SESSION_ID] = {"sessionId", FILTER_TEXT, "t.session_id"},
    [TYPE] = {"type", FILTER_TEXT, SQL_TYPE},
    [TRACE_ID] = {"traceId", FILTER_TEXT, "o.trace_id"},
    [LEVEL] = {"level", FILTER_TEXT, SQL_LEVEL},
    [PARENT_ID] = {"parentObservationId", FILTER_TEXT, "o.parent_observation_id"},
    [VERSION] = {"version", FILTER_TEXT, "o.version"},
    [ENVIRONMENT] = {"environment", FILTER_TEXT, SQL_ENVIRONMENT},
    [START_TIME] = {"startTime", FILTER_TIME, SQL_OBSERVATION_START},
    [IS_ROOT] = {"isRootObservation", FILTER_BOOL, SQL_IS_ROOT},
    [TRACE_NAME] = {"traceName", FILTER_SHORT_TEXT, "t.name"},
    [TAGS] = {"tags", FILTER_TEXTS, "t.all_tags"},
    [TRACE_TAGS] = {"traceTags", FILTER_TEXTS, "t.all_tags"},
    [RELEASE] = {"release", FILTER_TEXT, "t.release"},
    [TRACE_RELEASE] = {"traceRelease", FILTER_TEXT, "t.release"},
    [TRACE_VERSION] = {"traceVersion", FILTER_TEXT, "t.version"},
    [PUBLIC] = {"public", FILTER_BOOL, "coalesce(t.public, false)"},
    [BOOKMARKED] = {"bookmarked", FILTER_BOOL, "coalesce(t.bookmarked, false)"},
    {"id", FILTER_TEXT, "o.id"},
    {"endTime", FILTER_TIME, SQL_OBSERVATION_END},
    {"completionStartTime", FILTER_TIME, "o.completion_start_time"},
    {"createdAt", FILTER_TIME, "o.created_at"},
    {"updatedAt", FILTER_TIME, "o.updated_at"},
    {"statusMessage", FILTER_TEXT, "o.status_message"},
    {"model", FILTER_TEXT, "o.model"},
    {"providedModelName", FILTER_TEXT, "o.model"},
    {"modelId", FILTER_TEXT, SQL_MODEL_ID},
    {"internalModelId", FILTER_TEXT, SQL_MODEL_ID},
    {"promptId", FILTER_TEXT, "o.prompt_id"},
    {"promptName", FILTER_TEXT, "o.prompt_name"},
    {"promptVersion", FILTER_NUMBER, SQL_PROMPT_VERSION},
    {"input", FILTER_TEXT, SQL_AS_TEXT(SQL_PAYLOAD("input"))},
    {"output", FILTER_TEXT, SQL_AS_TEXT(SQL_PAYLOAD("output"))},
    {"metadata", FILTER_OBJECT, "o.metadata"},
    {"usageDetails", FILTER_OBJECT, "o.usage_details"},
    {"costDetails", FILTER_OBJECT, "coalesce(o.cost_details, o.computed_cost_details)"},
    {"inputTokens", FILTER_NUMBER, "coalesce(o.prompt_tokens, 0)"},
    {"promptTokens", FILTER_NUMBER, "coalesce(o.prompt_tokens, 0)"},
    {"outputTokens", FILTER_NUMBER, "coalesce(o.completion_tokens, 0)"},
    {"completionTokens", FILTER_NUMBER, "coalesce(o.completion_tokens, 0)"},
    {"totalTokens", FILTER_NUMBER, SQL_TOTAL_TOKENS},
    {"tokens", FILTER_NUMBER, SQL_TOTAL_TOKENS},
    {"inputCost", FILTER_NUMBER, SQL_INPUT_COST},
    {"outputCost", FILTER_NUMBER, SQL_OUTPUT_COST},
    {"totalCost", FILTER_NUMBER, SQL_OBSERVATION_COST},
    {"latency", FILTER_NUMBER, SQL_OBSERVATION_LATENCY},
    {"timeToFirstToken", FILTER_NUMBER, SQL_OBSERVATION_FIRST_TOKEN},
    {"tokensPerSecond", FILTER_NUMBER,
     "o.completion_tokens / nullif(" SQL_OBSERVATION_LATENCY ", 0)"},
    {"usagePricingTierName", FILTER_TEXT, "o.pricing_tier_name"},
    {"hasParentObservation", FILTER_BOOL, "o.parent_observation_id IS NOT NULL"},
};

_Static_assert(sizeof columns / sizeof *columns <= FILTER_COLUMNS_MAX, "bits of a mask");

#define BIT(column) (UINT64_C(1) << (column))

static const uint64_t of_trace = BIT(USER_ID) | BIT(SESSION_ID) | BIT(TRACE_NAME) | BIT(TAGS) |
                                 BIT(TRACE_TAGS) | BIT(RELEASE) | BIT(TRACE_RELEASE) |
                                 BIT(TRACE_VERSION) | BIT(PUBLIC) | BIT(BOOKMARKED);

struct wanted {
    struct read *read;
    struct buf *where;
    uint64_t filtered; /* columns that `filter` has conditions on */
    uint64_t used;     /* columns that anything has */
    struct observations_facet facet;
};

/* What was bound last is a value of the column. */
static void add(struct wanted *wanted, enum column column, const char *form)
{
    filter_add(wanted->read, form, wanted->where);
    wanted->used |= BIT(column);
}

static bool is_open(const struct wanted *wanted, enum column column)
{
    return (wanted->filtered & BIT(column)) == 0;
}

static void add_text(struct wanted *wanted, enum column column, const char *text, const char *form)
{
    if (text != NULL && is_open(wanted, column)) {
        read_bind_text(wanted->read, text);
        add(wanted, column, form);
        if (strlen(text) <= OBSERVATIONS_FACET_MAX) {
            wanted->facet.value = wanted->read->value_count;
        }
    }
}

static void add_environments(struct wanted *wanted, const struct param_texts *environments)
{
    bool is_short = true;

    if (environments->count == 0 || !is_open(wanted, ENVIRONMENT)) {
        return;
    }
    for (size_t i = 0; i < environments->count; i++) {
        is_short = is_short && strlen(environments->values[i]) <= OBSERVATIONS_FACET_MAX;
    }
    read_bind_any_of(wanted->read, environments);
    add(wanted, ENVIRONMENT, SQL_ENVIRONMENT " = ANY({v}::text[])");
    if (is_short) {
        wanted->facet.value = wanted->read->value_count;
        wanted->facet.is_list = true;
    }
}

/* As it was given, and in the other spellings of a UUID. */
static void add_id(struct wanted *wanted, enum column column, const char *id, const char *form)
{
    if (id != NULL && is_open(wanted, column)) {
        read_bind_id(wanted->read, slice_from(id));
        add(wanted, column, form);
    }
}

/* Returns the number of the value, 0 if there is none. */
static int add_time(struct wanted *wanted, struct param_time time, const char *form)
{
    if (!time.given || !is_open(wanted, START_TIME)) {
        return 0;
    }
    read_bind_time(wanted->read, time);
    add(wanted, START_TIME, form);
    return wanted->read->value_count;
}

static void add_params(struct wanted *wanted, const struct observations_query *query)
{
    add_text(wanted, NAME, query->name, "o.name = {v}::text");
    add_text(wanted, USER_ID, query->user_id, "t.user_id = {v}::text");
    add_text(wanted, SESSION_ID, query->session_id, "t.session_id = {v}::text");
    add_text(wanted, TYPE, query->type, SQL_TYPE " = {v}::text");
    add_text(wanted, LEVEL, query->level, SQL_LEVEL " = {v}::text");
    add_text(wanted, VERSION, query->version, "o.version = {v}::text");
    add_id(wanted, TRACE_ID, query->trace_id, "o.trace_id = ANY({v}::text[])");
    add_id(wanted, PARENT_ID, query->parent_id, "o.parent_observation_id = ANY({v}::text[])");
    wanted->facet.from =
        add_time(wanted, query->from, SQL_OBSERVATION_START " >= {v}::timestamptz");
    wanted->facet.to = add_time(wanted, query->to, SQL_OBSERVATION_START " <= {v}::timestamptz");
    add_environments(wanted, &query->environments);
    if (query->is_root.given && is_open(wanted, IS_ROOT)) {
        read_bind_bool(wanted->read, query->is_root.value);
        add(wanted, IS_ROOT, SQL_IS_ROOT " = {v}::boolean");
    }
}

/* The facet that the conditions are on: at most one column, and a range of time. */
static bool find_facet(const struct wanted *wanted, struct observations_facet *facet)
{
    uint64_t used = wanted->used & ~BIT(START_TIME);

    *facet = wanted->facet;
    facet->name = used == BIT(TYPE)          ? "type"
                  : used == BIT(LEVEL)       ? "level"
                  : used == BIT(NAME)        ? "name"
                  : used == BIT(VERSION)     ? "version"
                  : used == BIT(ENVIRONMENT) ? "environment"
                  : used == 0                ? "type"
                                             : NULL;
    return facet->name != NULL && (facet->value != 0 || used == 0) && wanted->filtered == 0;
}

enum err observations_from(struct read *read, const struct observations_query *query,
                           struct buf *sql, struct observations_scope *scope, struct error *error)
{
    struct buf where = BUF_EMPTY;
    struct wanted wanted = {.read = read, .where = &where};
    enum err err = filter_append(read, query->filter, columns, sizeof columns / sizeof *columns,
                                 &where, &wanted.filtered, error);

    if (err == ERR_OK) {
        wanted.used = wanted.filtered;
        add_params(&wanted, query);
        buf_append_text(sql, " FROM observations o");
        if ((wanted.used & of_trace) != 0) {
            buf_append_text(sql, " LEFT JOIN traces t ON t.project_id = $1 AND t.id = o.trace_id");
        }
        buf_append_text(sql, " WHERE o.project_id = $1");
        buf_append_slice(sql, buf_slice(&where));
        scope->breadth = !find_facet(&wanted, &scope->facet) ? OBSERVATIONS_SOME
                         : wanted.used == 0                  ? OBSERVATIONS_ALL
                                                             : OBSERVATIONS_OF_FACET;
    }
    buf_finish(&where);
    return err;
}
