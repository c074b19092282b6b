/* ingestion_trace: bodies of trace-create. */
#include "common/utf8.h"
#include "gateway/ingest/ingestion.h"

enum { NAME_MAX_CHARACTERS = 1000 };

static const struct field table[] = {
    FIELD("id", FORM_TEXT, TRACE_ID),
    FIELD("timestamp", FORM_TIME, TRACE_TIMESTAMP),
    FIELD("environment", FORM_ASIDE, ASIDE_ENVIRONMENT),
    FIELD("name", FORM_TEXT, TRACE_NAME),
    FIELD("userId", FORM_TEXT, TRACE_USER_ID),
    FIELD("sessionId", FORM_TEXT, TRACE_SESSION_ID),
    FIELD("release", FORM_TEXT, TRACE_RELEASE),
    FIELD("version", FORM_TEXT, TRACE_VERSION),
    FIELD("externalId", FORM_TEXT, TRACE_EXTERNAL_ID),
    FIELD("tags", FORM_STRINGS, TRACE_TAGS_ADDED),
    FIELD("public", FORM_BOOL, TRACE_PUBLIC),
    FIELD("input", FORM_JSON, TRACE_INPUT),
    FIELD("output", FORM_JSON, TRACE_OUTPUT),
    FIELD("metadata", FORM_JSON, TRACE_METADATA),
};

const struct fields ingestion_trace_fields = {
    .kind = ROW_TRACE,
    .table = table,
    .count = sizeof(table) / sizeof(table[0]),
};

bool ingestion_trace(struct ingestion *work, struct ingestion_fault *fault)
{
    struct row *row = &work->fields_row.row;
    if (row_has(row, TRACE_NAME) &&
        utf8_count(row->values[TRACE_NAME].slice) > NAME_MAX_CHARACTERS) {
        return ingestion_wrong(fault, "name", "longer than 1000 characters");
    }
    ingestion_set_environment(work, TRACE_ENVIRONMENT);
    ingestion_wrap_metadata(work, TRACE_METADATA);
    ingestion_divide(work, UINT64_C(1) << TRACE_TIMESTAMP | UINT64_C(1) << TRACE_ENVIRONMENT);
    ingestion_weaken(work, TRACE_INPUT);
    ingestion_weaken(work, TRACE_OUTPUT);
    if (!row_has(row, TRACE_TIMESTAMP)) {
        row_set_integer(&work->bands[BAND_ASSUMED], TRACE_TIMESTAMP, work->event.time_us);
    }
    return true;
}
