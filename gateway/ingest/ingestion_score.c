/* ingestion_score: bodies of score-create and of POST /api/public/scores (contract section 2.6). */
#include "common/json_read.h"
#include "common/utf8.h"
#include "gateway/ingest/ingestion.h"

enum { TEXT_MAX_CHARACTERS = 500 };

static const struct field table[] = {
    FIELD("id", FORM_TEXT, SCORE_ID),
    FIELD("environment", FORM_ASIDE, ASIDE_ENVIRONMENT),
    FIELD("name", FORM_TEXT, SCORE_NAME),
    FIELD("value", FORM_ASIDE, ASIDE_VALUE),
    FIELD("dataType", FORM_TEXT, SCORE_DATA_TYPE),
    FIELD("traceId", FORM_TEXT, SCORE_TRACE_ID),
    FIELD("observationId", FORM_TEXT, SCORE_OBSERVATION_ID),
    FIELD("sessionId", FORM_TEXT, SCORE_SESSION_ID),
    FIELD("datasetRunId", FORM_TEXT, SCORE_DATASET_RUN_ID),
    FIELD("comment", FORM_TEXT, SCORE_COMMENT),
    FIELD("metadata", FORM_JSON, SCORE_METADATA),
    FIELD("configId", FORM_TEXT, SCORE_CONFIG_ID),
    FIELD("queueId", FORM_TEXT, SCORE_QUEUE_ID),
    FIELD("source", FORM_TEXT, SCORE_SOURCE),
    FIELD("timestamp", FORM_TIME, SCORE_TIMESTAMP),
};

const struct fields ingestion_score_fields = {
    .kind = ROW_SCORE,
    .table = table,
    .count = sizeof(table) / sizeof(table[0]),
};

/* What was given as the value, before the type says what it means. */
struct given {
    enum json_type type;
    double number;
    struct slice text;
};

static bool read_given(struct ingestion *work, struct given *given, struct ingestion_fault *fault)
{
    struct slice raw = work->fields_row.asides[ASIDE_VALUE];
    struct json_reader reader;
    struct slice number;
    bool flag;
    if (raw.len == 0) {
        return ingestion_wrong(fault, "value", "missing");
    }
    json_reader_init(&reader, (char *)raw.data, raw.len, 1, work->arena);
    given->type = json_peek(&reader);
    if (json_number(&reader, &number)) {
        return json_number_double(number, &given->number) ||
               ingestion_wrong(fault, "value", "beyond the range of a double");
    }
    if (json_bool(&reader, &flag)) {
        given->number = flag;
        return true;
    }
    return json_string(&reader, &given->text) ||
           ingestion_wrong(fault, "value", "not a number or a string");
}

static bool set_number(struct row *row, const struct given *given, struct ingestion_fault *fault)
{
    if (given->type != JSON_NUMBER) {
        return ingestion_wrong(fault, "value", "a NUMERIC score is a number");
    }
    row_set_real(row, SCORE_VALUE, given->number);
    return true;
}

static bool set_boolean(struct row *row, const struct given *given, struct ingestion_fault *fault)
{
    if (given->type == JSON_STRING || (given->number != 0 && given->number != 1)) {
        return ingestion_wrong(fault, "value", "a BOOLEAN score is 0 or 1");
    }
    row_set_real(row, SCORE_VALUE, given->number == 1 ? 1 : 0);
    row_set_slice(row, SCORE_STRING_VALUE,
                  given->number == 1 ? SLICE_LITERAL("True") : SLICE_LITERAL("False"));
    return true;
}

static bool set_category(struct row *row, const struct given *given, struct ingestion_fault *fault)
{
    if (given->type != JSON_STRING) {
        return ingestion_wrong(fault, "value", "a CATEGORICAL score is a string");
    }
    row_set_real(row, SCORE_VALUE, 0);
    row_set_slice(row, SCORE_STRING_VALUE, given->text);
    return true;
}

static bool set_text(struct row *row, const struct given *given, struct ingestion_fault *fault)
{
    if (given->type != JSON_STRING || given->text.len == 0 ||
        utf8_count(given->text) > TEXT_MAX_CHARACTERS) {
        return ingestion_wrong(fault, "value", "a TEXT score is a string of 1 to 500 characters");
    }
    row_set_slice(row, SCORE_STRING_VALUE, given->text);
    return true;
}

static bool set_correction(struct row *row, const struct given *given,
                           struct ingestion_fault *fault)
{
    if (given->type != JSON_STRING) {
        return ingestion_wrong(fault, "value", "a CORRECTION is a string");
    }
    row_set_slice(row, SCORE_STRING_VALUE, given->text);
    return true;
}

static const struct {
    const char *name;
    bool (*set)(struct row *row, const struct given *given, struct ingestion_fault *fault);
} data_types[] = {
    {"NUMERIC", set_number}, {"CATEGORICAL", set_category},  {"BOOLEAN", set_boolean},
    {"TEXT", set_text},      {"CORRECTION", set_correction},
};

static bool set_value(struct ingestion *work, struct ingestion_fault *fault)
{
    struct row *row = &work->fields_row.row;
    struct given given;
    if (!read_given(work, &given, fault)) {
        return false;
    }
    if (!row_has(row, SCORE_DATA_TYPE)) {
        row_set_slice(row, SCORE_DATA_TYPE,
                      given.type == JSON_STRING ? SLICE_LITERAL("CATEGORICAL")
                                                : SLICE_LITERAL("NUMERIC"));
    }
    for (size_t i = 0; i < sizeof(data_types) / sizeof(data_types[0]); i++) {
        if (slice_is(row->values[SCORE_DATA_TYPE].slice, data_types[i].name)) {
            return data_types[i].set(row, &given, fault);
        }
    }
    return ingestion_wrong(fault, "dataType",
                           "not NUMERIC, CATEGORICAL, BOOLEAN, TEXT or CORRECTION");
}

static bool check_target(const struct row *row, struct ingestion_fault *fault)
{
    int targets = row_has(row, SCORE_TRACE_ID) + row_has(row, SCORE_SESSION_ID) +
                  row_has(row, SCORE_DATASET_RUN_ID);
    if (targets != 1) {
        return ingestion_wrong(fault, "traceId",
                               "a score is of one traceId, sessionId or datasetRunId");
    }
    return row_has(row, SCORE_TRACE_ID) || !row_has(row, SCORE_OBSERVATION_ID) ||
           ingestion_wrong(fault, "observationId", "without its traceId");
}

static bool set_source(struct row *row, struct ingestion_fault *fault)
{
    if (!row_has(row, SCORE_SOURCE)) {
        return true;
    }
    struct slice source = row->values[SCORE_SOURCE].slice;
    return slice_is(source, "API") || slice_is(source, "EVAL") || slice_is(source, "ANNOTATION") ||
           ingestion_wrong(fault, "source", "not API, EVAL or ANNOTATION");
}

/* What a score is of, its time and environment hold from the first event on; a score whose time nobody
 * says is of the time of its first event. */
bool ingestion_score(struct ingestion *work, struct ingestion_fault *fault)
{
    struct row *row = &work->fields_row.row;
    if (!row_has(row, SCORE_NAME) || row->values[SCORE_NAME].slice.len == 0) {
        return ingestion_wrong(fault, "name", "missing, or empty");
    }
    if (!check_target(row, fault) || !set_value(work, fault) || !set_source(row, fault)) {
        return false;
    }
    ingestion_set_environment(work, SCORE_ENVIRONMENT);
    ingestion_wrap_metadata(work, SCORE_METADATA);
    ingestion_divide(work, UINT64_C(1) << SCORE_TIMESTAMP | UINT64_C(1) << SCORE_ENVIRONMENT |
                               UINT64_C(1) << SCORE_TRACE_ID | UINT64_C(1) << SCORE_OBSERVATION_ID |
                               UINT64_C(1) << SCORE_SESSION_ID |
                               UINT64_C(1) << SCORE_DATASET_RUN_ID);
    if (!row_has(row, SCORE_TIMESTAMP)) {
        row_set_integer(&work->bands[BAND_ASSUMED], SCORE_TIMESTAMP, work->event.time_us);
    }
    return true;
}
