/*
 * observations_query: parameters and filter -> the WHERE of observations. Pure.
 *
 * The text is made for each request: only what is asked for is in it, so that the planner is free to begin
 * at the observation or at its trace, by whichever index.
 */
#include "gateway/read/observations_query.h"

#include "gateway/read/filter.h"
#include "gateway/read/traces_sql.h"

/* Those that a simple parameter is for; the others follow. */
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
    NAMED_COLUMNS,
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
    {"input", FILTER_TEXT, "o.input"},
    {"output", FILTER_TEXT, "o.output"},
    {"metadata", FILTER_OBJECT, "o.metadata"},
    {"usageDetails", FILTER_OBJECT, "o.usage_details"},
    {"costDetails", FILTER_OBJECT, "coalesce(o.cost_details, o.computed_cost_details)"},
    {"inputTokens", FILTER_NUMBER, "coalesce(o.prompt_tokens, 0)"},
    {"promptTokens", FILTER_NUMBER, "coalesce(o.prompt_tokens, 0)"},
    {"outputTokens", FILTER_NUMBER, "coalesce(o.completion_tokens, 0)"},
    {"completionTokens", FILTER_NUMBER, "coalesce(o.completion_tokens, 0)"},
    {"totalTokens", FILTER_NUMBER, SQL_TOTAL_TOKENS},
    {"inputCost", FILTER_NUMBER, SQL_INPUT_COST},
    {"outputCost", FILTER_NUMBER, SQL_OUTPUT_COST},
    {"totalCost", FILTER_NUMBER, SQL_OBSERVATION_COST},
    {"latency", FILTER_NUMBER, SQL_OBSERVATION_LATENCY},
    {"timeToFirstToken", FILTER_NUMBER, SQL_OBSERVATION_FIRST_TOKEN},
    {"tokensPerSecond", FILTER_NUMBER,
     "o.completion_tokens / nullif(" SQL_OBSERVATION_LATENCY ", 0)"},
    {"usagePricingTierName", FILTER_TEXT, "o.pricing_tier_name"},
    {"hasParentObservation", FILTER_BOOL, "o.parent_observation_id IS NOT NULL"},
    {"traceName", FILTER_SHORT_TEXT, "t.name"},
    {"tags", FILTER_TEXTS, "t.all_tags"},
    {"traceTags", FILTER_TEXTS, "t.all_tags"},
    {"release", FILTER_TEXT, "t.release"},
    {"traceRelease", FILTER_TEXT, "t.release"},
    {"traceVersion", FILTER_TEXT, "t.version"},
    {"public", FILTER_BOOL, "coalesce(t.public, false)"},
    {"bookmarked", FILTER_BOOL, "coalesce(t.bookmarked, false)"},
};

_Static_assert(sizeof columns / sizeof *columns <= FILTER_COLUMNS_MAX, "bits of a mask");

struct wanted {
    struct read *read;
    struct buf *where;
    uint64_t filtered;
};

static bool is_open(const struct wanted *wanted, enum column column)
{
    return (wanted->filtered >> column & 1) == 0;
}

static void add_text(struct wanted *wanted, enum column column, const char *text, const char *form)
{
    if (text != NULL && is_open(wanted, column)) {
        read_bind_text(wanted->read, text);
        filter_add(wanted->read, form, wanted->where);
    }
}

/* As it was given, and in the other spellings of a UUID. */
static void add_id(struct wanted *wanted, enum column column, const char *id, const char *form)
{
    if (id != NULL && is_open(wanted, column)) {
        read_bind_id(wanted->read, slice_from(id));
        filter_add(wanted->read, form, wanted->where);
    }
}

static void add_time(struct wanted *wanted, struct param_time time, const char *form)
{
    if (time.given && is_open(wanted, START_TIME)) {
        read_bind_time(wanted->read, time);
        filter_add(wanted->read, form, wanted->where);
    }
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
    add_time(wanted, query->from, SQL_OBSERVATION_START " >= {v}::timestamptz");
    add_time(wanted, query->to, SQL_OBSERVATION_START " <= {v}::timestamptz");
    if (query->environments.count > 0 && is_open(wanted, ENVIRONMENT)) {
        read_bind_any_of(wanted->read, &query->environments);
        filter_add(wanted->read, SQL_ENVIRONMENT " = ANY({v}::text[])", wanted->where);
    }
    if (query->is_root.given && is_open(wanted, IS_ROOT)) {
        read_bind_bool(wanted->read, query->is_root.value);
        filter_add(wanted->read, SQL_IS_ROOT " = {v}::boolean", wanted->where);
    }
}

enum err observations_where(struct read *read, const struct observations_query *query,
                            struct buf *where, bool *is_all, struct error *error)
{
    struct wanted wanted = {.read = read, .where = where};

    buf_append_text(where, " WHERE o.project_id = $1");
    size_t bare = where->len;
    enum err err = filter_append(read, query->filter, columns, sizeof columns / sizeof *columns,
                                 where, &wanted.filtered, error);
    if (err == ERR_OK) {
        add_params(&wanted, query);
        *is_all = where->len == bare;
    }
    return err;
}
