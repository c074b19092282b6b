#include "gateway/ingest/decode_batch.h"

#include "common/json_read.h"
#include "gateway/ingest/fields.h"
#include "gateway/ingest/placeholders.h"

/* A body's projectId is not here: the credential decides the project. */
static const struct field trace_table[] = {
    FIELD("id", FORM_UUID, TRACE_ID),
    FIELD("timestamp", FORM_TIME, TRACE_TIMESTAMP),
    FIELD("name", FORM_TEXT, TRACE_NAME),
    FIELD("input", FORM_JSON, TRACE_INPUT),
    FIELD("output", FORM_JSON, TRACE_OUTPUT),
    FIELD("sessionId", FORM_TEXT, TRACE_SESSION_ID),
    FIELD("session_id", FORM_TEXT, TRACE_SESSION_ID),
    FIELD("release", FORM_TEXT, TRACE_RELEASE),
    FIELD("version", FORM_TEXT, TRACE_VERSION),
    FIELD("userId", FORM_TEXT, TRACE_USER_ID),
    FIELD("metadata", FORM_JSON, TRACE_METADATA),
    FIELD("tags", FORM_STRINGS, TRACE_TAGS),
    FIELD("public", FORM_BOOL, TRACE_PUBLIC),
    FIELD("environment", FORM_TEXT, TRACE_ENVIRONMENT),
    FIELD("externalId", FORM_TEXT, TRACE_EXTERNAL_ID),
    FIELD("bookmarked", FORM_BOOL, TRACE_BOOKMARKED),
    FIELD("latency", FORM_FLOAT, TRACE_LATENCY),
    FIELD("totalCost", FORM_DECIMAL, TRACE_TOTAL_COST),
};

static const struct field observation_table[] = {
    FIELD("id", FORM_UUID, OBSERVATION_ID),
    FIELD("traceId", FORM_UUID, OBSERVATION_TRACE_ID),
    FIELD("parentObservationId", FORM_UUID, OBSERVATION_PARENT_OBSERVATION_ID),
    FIELD("type", FORM_TEXT, OBSERVATION_TYPE),
    FIELD("name", FORM_TEXT, OBSERVATION_NAME),
    FIELD("startTime", FORM_TIME, OBSERVATION_START_TIME),
    FIELD("endTime", FORM_TIME, OBSERVATION_END_TIME),
    FIELD("completionStartTime", FORM_TIME, OBSERVATION_COMPLETION_START_TIME),
    FIELD("model", FORM_TEXT, OBSERVATION_MODEL),
    FIELD("modelParameters", FORM_JSON, OBSERVATION_MODEL_PARAMETERS),
    FIELD("input", FORM_JSON, OBSERVATION_INPUT),
    FIELD("output", FORM_JSON, OBSERVATION_OUTPUT),
    FIELD("usage", FORM_NESTED, 0),
    FIELD("level", FORM_TEXT, OBSERVATION_LEVEL),
    FIELD("statusMessage", FORM_TEXT, OBSERVATION_STATUS_MESSAGE),
    FIELD("promptId", FORM_TEXT, OBSERVATION_PROMPT_ID),
    FIELD("promptName", FORM_TEXT, OBSERVATION_PROMPT_NAME),
    FIELD("promptVersion", FORM_TEXT_OR_WHOLE, OBSERVATION_PROMPT_VERSION),
    FIELD("modelId", FORM_TEXT, OBSERVATION_MODEL_ID),
    FIELD("inputPrice", FORM_DECIMAL, OBSERVATION_INPUT_PRICE),
    FIELD("outputPrice", FORM_DECIMAL, OBSERVATION_OUTPUT_PRICE),
    FIELD("totalPrice", FORM_DECIMAL, OBSERVATION_TOTAL_PRICE),
    FIELD("calculatedInputCost", FORM_DECIMAL, OBSERVATION_INPUT_COST),
    FIELD("calculatedOutputCost", FORM_DECIMAL, OBSERVATION_OUTPUT_COST),
    FIELD("calculatedTotalCost", FORM_DECIMAL, OBSERVATION_TOTAL_COST),
    FIELD("latency", FORM_FLOAT, OBSERVATION_LATENCY),
    FIELD("timeToFirstToken", FORM_FLOAT, OBSERVATION_TIME_TO_FIRST_TOKEN),
    FIELD("completionTokens", FORM_INTEGER, OBSERVATION_COMPLETION_TOKENS),
    FIELD("promptTokens", FORM_INTEGER, OBSERVATION_PROMPT_TOKENS),
    FIELD("totalTokens", FORM_INTEGER, OBSERVATION_TOTAL_TOKENS),
    FIELD("unit", FORM_TEXT, OBSERVATION_UNIT),
    FIELD("metadata", FORM_JSON, OBSERVATION_METADATA),
    FIELD("environment", FORM_TEXT, OBSERVATION_ENVIRONMENT),
};

/* What counts where the observation does not say it itself: all the spellings that are about. */
static const struct field usage_table[] = {
    FIELD("input", FORM_WHOLE, OBSERVATION_PROMPT_TOKENS),
    FIELD("output", FORM_WHOLE, OBSERVATION_COMPLETION_TOKENS),
    FIELD("total", FORM_WHOLE, OBSERVATION_TOTAL_TOKENS),
    FIELD("unit", FORM_TEXT, OBSERVATION_UNIT),
    FIELD("inputCost", FORM_DECIMAL, OBSERVATION_INPUT_COST),
    FIELD("outputCost", FORM_DECIMAL, OBSERVATION_OUTPUT_COST),
    FIELD("totalCost", FORM_DECIMAL, OBSERVATION_TOTAL_COST),
    FIELD("prompt_tokens", FORM_WHOLE, OBSERVATION_PROMPT_TOKENS),
    FIELD("completion_tokens", FORM_WHOLE, OBSERVATION_COMPLETION_TOKENS),
    FIELD("total_tokens", FORM_WHOLE, OBSERVATION_TOTAL_TOKENS),
    FIELD("promptTokens", FORM_WHOLE, OBSERVATION_PROMPT_TOKENS),
    FIELD("completionTokens", FORM_WHOLE, OBSERVATION_COMPLETION_TOKENS),
    FIELD("totalTokens", FORM_WHOLE, OBSERVATION_TOTAL_TOKENS),
    FIELD("input_tokens", FORM_WHOLE, OBSERVATION_PROMPT_TOKENS),
    FIELD("output_tokens", FORM_WHOLE, OBSERVATION_COMPLETION_TOKENS),
    FIELD("inputTokens", FORM_WHOLE, OBSERVATION_PROMPT_TOKENS),
    FIELD("outputTokens", FORM_WHOLE, OBSERVATION_COMPLETION_TOKENS),
    FIELD("input_cost", FORM_DECIMAL, OBSERVATION_INPUT_COST),
    FIELD("output_cost", FORM_DECIMAL, OBSERVATION_OUTPUT_COST),
    FIELD("total_cost", FORM_DECIMAL, OBSERVATION_TOTAL_COST),
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct fields trace_fields = {
    .kind = ROW_TRACE,
    .table = trace_table,
    .count = COUNT(trace_table),
};

static const struct fields observation_fields = {
    .kind = ROW_OBSERVATION,
    .table = observation_table,
    .count = COUNT(observation_table),
    .nested = usage_table,
    .nested_count = COUNT(usage_table),
};

struct decoding {
    const struct decode_input *input;
    struct collect *out;
    struct json_reader reader;
    struct placeholders placeholders;

    /* The trace waits for the end: its key may be repeated, and observations may come first. */
    enum presence trace;
    struct fields_row trace_row;

    struct fields_list observations;
    struct fields_row observation_row; /* the present one */
};

/* Names the record, and collects its row if that is good. */
static bool collect_fields(struct decoding *decoding, const char *place, uint32_t index,
                           const struct fields *fields, struct fields_row *fields_row, bool object,
                           uint32_t *record)
{
    struct row *row = &fields_row->row;
    uint32_t id_column = fields->kind == ROW_TRACE ? (uint32_t)TRACE_ID : (uint32_t)OBSERVATION_ID;
    struct slice id =
        row_has(row, id_column) ? row->values[id_column].slice : (struct slice){NULL, 0};
    *record = collect_record(decoding->out, place, index, fields->kind, id);
    if (!object) {
        collect_refuse(decoding->out, *record, (struct slice){NULL, 0},
                       SLICE_LITERAL("not an object"));
        return false;
    }
    struct fault fault;
    if (!fields_check(fields, fields_row, decoding->input->scratch, &fault)) {
        fields_refuse(decoding->out, *record, fields, &fault);
        return false;
    }
    collect_row(decoding->out, *record, row);
    return true;
}

static void read_trace(struct decoding *decoding)
{
    decoding->trace = ABSENT;
    if (json_null(&decoding->reader)) {
        return;
    }
    bool object = fields_read(&trace_fields, &decoding->reader, decoding->input->scratch,
                              &decoding->trace_row);
    decoding->trace = object ? PRESENT : MALFORMED;
}

static void read_observation(void *context, uint32_t index)
{
    struct decoding *decoding = context;
    struct fields_row *fields_row = &decoding->observation_row;
    struct row *row = &fields_row->row;
    uint32_t record;
    bool object =
        fields_read(&observation_fields, &decoding->reader, decoding->input->scratch, fields_row);
    row->version = version_event(decoding->input->received_us + decoding->out->row_count);
    if (json_failed(&decoding->reader) ||
        !collect_fields(decoding, "observations", index, &observation_fields, fields_row, object,
                        &record)) {
        return;
    }
    struct slice environment = {NULL, 0};
    if (row_has(row, OBSERVATION_ENVIRONMENT)) {
        environment = row->values[OBSERVATION_ENVIRONMENT].slice;
    }
    placeholders_note(&decoding->placeholders, record, row->values[OBSERVATION_TRACE_ID].slice,
                      environment);
}

/* False: there are too many. */
static bool read_observations(struct decoding *decoding)
{
    /* A repeated key: the last counts. */
    collect_reset(decoding->out);
    placeholders_reset(&decoding->placeholders);
    return fields_read_list(&decoding->observations, &decoding->reader,
                            decoding->input->max_records, read_observation, decoding);
}

static enum err read_body(struct decoding *decoding, struct error *error)
{
    struct json_reader *reader = &decoding->reader;
    uint32_t max = decoding->input->max_records;
    struct slice key;
    bool few = true;
    enum err err = json_body_begin(reader, error);
    while (err == ERR_OK && few && json_object_next(reader, &key)) {
        if (slice_is(key, "trace")) {
            read_trace(decoding);
        } else if (slice_is(key, "observations")) {
            few = read_observations(decoding);
        } else {
            json_skip(reader, NULL);
        }
    }
    if (err != ERR_OK) {
        return err;
    }
    few = few && decoding->observations.count + (decoding->trace != ABSENT) <= max;
    return few ? json_end(reader, error) : fields_too_many(max, error);
}

/* What could not be done while reading, because more might have followed. */
static void collect_traces(struct decoding *decoding)
{
    struct row *row = &decoding->trace_row.row;
    struct slice known = {NULL, 0};
    uint32_t record;
    row->version = version_event(decoding->input->received_us);
    if (decoding->trace != ABSENT &&
        collect_fields(decoding, "trace", COLLECT_ALONE, &trace_fields, &decoding->trace_row,
                       decoding->trace == PRESENT, &record)) {
        known = row->values[TRACE_ID].slice;
    }
    placeholders_collect(&decoding->placeholders, known, decoding->input->received_us,
                         decoding->out);
}

enum err decode_batch(const struct decode_input *input, struct collect *out, struct error *error)
{
    struct decoding decoding;
    decoding.input = input;
    decoding.out = out;
    decoding.trace = ABSENT;
    decoding.observations = (struct fields_list){ABSENT, 0};
    json_reader_init(&decoding.reader, input->body, input->len, input->max_depth, input->scratch);
    json_be_lenient(&decoding.reader);
    placeholders_init(&decoding.placeholders, input->scratch);
    enum err err = read_body(&decoding, error);
    if (err == ERR_OK && decoding.observations.presence == MALFORMED) {
        err = error_set(error, ERR_INVALID, "observations: not an array");
    }
    if (err == ERR_OK) {
        collect_traces(&decoding);
    }
    placeholders_finish(&decoding.placeholders);
    return err;
}
