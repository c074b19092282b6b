/* ingestion_observation: bodies of all events that make or change an observation. */
#include "gateway/ingest/ingestion.h"

/* Each kind of body takes one more part of the table than the one before. */
static const struct field table[] = {
    FIELD("id", FORM_TEXT, OBSERVATION_ID),
    FIELD("spanId", FORM_TEXT, OBSERVATION_ID), /* of PATCH /spans */
    FIELD("generationId", FORM_TEXT, OBSERVATION_ID),
    FIELD("traceId", FORM_TEXT, OBSERVATION_TRACE_ID),
    FIELD("startTime", FORM_TIME, OBSERVATION_START_TIME),
    FIELD("environment", FORM_ASIDE, ASIDE_ENVIRONMENT),
    FIELD("name", FORM_TEXT, OBSERVATION_NAME),
    FIELD("parentObservationId", FORM_TEXT, OBSERVATION_PARENT_OBSERVATION_ID),
    FIELD("level", FORM_TEXT, OBSERVATION_LEVEL),
    FIELD("statusMessage", FORM_TEXT, OBSERVATION_STATUS_MESSAGE),
    FIELD("version", FORM_TEXT, OBSERVATION_VERSION),
    FIELD("input", FORM_JSON, OBSERVATION_INPUT),
    FIELD("output", FORM_JSON, OBSERVATION_OUTPUT),
    FIELD("metadata", FORM_JSON, OBSERVATION_METADATA),
    /* spans */
    FIELD("endTime", FORM_TIME, OBSERVATION_END_TIME),
    /* generations */
    FIELD("completionStartTime", FORM_TIME, OBSERVATION_COMPLETION_START_TIME),
    FIELD("model", FORM_TEXT, OBSERVATION_MODEL),
    FIELD("modelParameters", FORM_JSON, OBSERVATION_MODEL_PARAMETERS),
    FIELD("usage", FORM_ASIDE, ASIDE_USAGE),
    FIELD("usageDetails", FORM_ASIDE, ASIDE_USAGE_DETAILS),
    FIELD("costDetails", FORM_ASIDE, ASIDE_COST_DETAILS),
    FIELD("promptName", FORM_TEXT, OBSERVATION_PROMPT_NAME),
    FIELD("promptVersion", FORM_TEXT_OR_WHOLE, OBSERVATION_PROMPT_VERSION),
    /* observation-create and -update */
    FIELD("type", FORM_TEXT, OBSERVATION_TYPE),
};

enum {
    ALL_COUNT = sizeof(table) / sizeof(table[0]),
    GENERATION_COUNT = ALL_COUNT - 1,
    SPAN_COUNT = GENERATION_COUNT - 8,
    EVENT_COUNT = SPAN_COUNT - 1,
};

const struct fields ingestion_event_fields = {
    .kind = ROW_OBSERVATION, .table = table, .count = EVENT_COUNT};
const struct fields ingestion_span_fields = {
    .kind = ROW_OBSERVATION, .table = table, .count = SPAN_COUNT};
const struct fields ingestion_generation_fields = {
    .kind = ROW_OBSERVATION, .table = table, .count = GENERATION_COUNT};
const struct fields ingestion_legacy_fields = {
    .kind = ROW_OBSERVATION, .table = table, .count = ALL_COUNT};

static bool is_one_of(struct slice text, const char *const *words)
{
    while (*words != NULL && !slice_is(text, *words)) {
        words++;
    }
    return *words != NULL;
}

static bool set_type(struct ingestion *work, struct ingestion_fault *fault)
{
    static const char *const legacy[] = {"GENERATION", "SPAN", "EVENT", NULL};
    struct row *row = &work->fields_row.row;
    const char *makes = work->event.type->makes;
    if (makes != NULL) {
        row_set_slice(row, OBSERVATION_TYPE, slice_from(makes));
        return true;
    }
    return (row_has(row, OBSERVATION_TYPE) &&
            is_one_of(row->values[OBSERVATION_TYPE].slice, legacy)) ||
           ingestion_wrong(fault, "type", "not GENERATION, SPAN or EVENT");
}

static bool check_level(const struct row *row, struct ingestion_fault *fault)
{
    static const char *const levels[] = {"DEBUG", "DEFAULT", "WARNING", "ERROR", NULL};
    return !row_has(row, OBSERVATION_LEVEL) ||
           is_one_of(row->values[OBSERVATION_LEVEL].slice, levels) ||
           ingestion_wrong(fault, "level", "not DEBUG, DEFAULT, WARNING or ERROR");
}

static bool is_digits(struct slice text)
{
    size_t at = text.len > 1 && text.data[0] == '-';
    while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9') {
        at++;
    }
    return text.len > 0 && at == text.len;
}

static bool check_prompt(const struct row *row, struct ingestion_fault *fault)
{
    if (row_has(row, OBSERVATION_PROMPT_NAME) != row_has(row, OBSERVATION_PROMPT_VERSION)) {
        return ingestion_wrong(fault, "promptName",
                               "promptName and promptVersion: both or neither");
    }
    return !row_has(row, OBSERVATION_PROMPT_VERSION) ||
           is_digits(row->values[OBSERVATION_PROMPT_VERSION].slice) ||
           ingestion_wrong(fault, "promptVersion", "not a whole number");
}

static bool check_parameters(const struct row *row, struct ingestion_fault *fault)
{
    return !row_has(row, OBSERVATION_MODEL_PARAMETERS) ||
           row->values[OBSERVATION_MODEL_PARAMETERS].slice.data[0] == '{' ||
           ingestion_wrong(fault, "modelParameters", "not an object");
}

/* Where both are said; readers see to the rest. */
static void order_times(struct row *row)
{
    struct value *end = &row->values[OBSERVATION_END_TIME];
    if (row_has(row, OBSERVATION_START_TIME) && row_has(row, OBSERVATION_END_TIME) &&
        end->integer < row->values[OBSERVATION_START_TIME].integer) {
        end->integer = row->values[OBSERVATION_START_TIME].integer;
    }
}

/* Readers tell an observation without usage by its empty map from one that cannot have any. */
static void assume(struct ingestion *work)
{
    const struct row *row = &work->fields_row.row;
    struct row *assumed = &work->bands[BAND_ASSUMED];
    if (!row_has(row, OBSERVATION_START_TIME)) {
        row_set_integer(assumed, OBSERVATION_START_TIME, work->event.time_us);
    }
    if (!row_has(row, OBSERVATION_USAGE_DETAILS)) {
        row_set_slice(assumed, OBSERVATION_USAGE_DETAILS, SLICE_LITERAL("{}"));
    }
}

bool ingestion_observation(struct ingestion *work, struct ingestion_fault *fault)
{
    struct row *row = &work->fields_row.row;
    if (!set_type(work, fault) || !check_level(row, fault) || !check_prompt(row, fault) ||
        !check_parameters(row, fault) || !ingestion_usage(work, fault)) {
        return false;
    }
    order_times(row);
    if (work->event.type->makes != NULL) {
        ingestion_set_environment(work, OBSERVATION_ENVIRONMENT);
    }
    ingestion_wrap_metadata(work, OBSERVATION_METADATA);
    ingestion_divide(work, UINT64_C(1) << OBSERVATION_START_TIME | UINT64_C(1)
                                                                       << OBSERVATION_ENVIRONMENT);
    ingestion_weaken(work, OBSERVATION_INPUT);
    ingestion_weaken(work, OBSERVATION_OUTPUT);
    assume(work);
    return true;
}
