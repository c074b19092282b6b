#include "gateway/ingest/validate.h"

#include <math.h>

#include "common/decimal.h"
#include "common/json_read.h"
#include "common/rfc3339.h"

/* The reasons name the limits in words. */
_Static_assert(ROW_ID_MAX == 800 && ROW_NAME_MAX == 4000 && ROW_TAGS_MAX == 1000, "reasons");

enum text_rule { TEXT_NAME, TEXT_INDEXED, TEXT_SERIES, TEXT_ID, TEXT_TRACE, TEXT_LONG };

/* What is not listed is a short text. */
static const uint8_t trace_texts[TRACE_COLUMN_COUNT] = {
    [TRACE_ID] = TEXT_ID,
    [TRACE_USER_ID] = TEXT_INDEXED,
    [TRACE_SESSION_ID] = TEXT_INDEXED,
    [TRACE_EXTERNAL_ID] = TEXT_INDEXED,
};

static const uint8_t observation_texts[OBSERVATION_COLUMN_COUNT] = {
    [OBSERVATION_TRACE_ID] = TEXT_TRACE,
    [OBSERVATION_ID] = TEXT_ID,
    [OBSERVATION_PARENT_OBSERVATION_ID] = TEXT_ID,
    [OBSERVATION_STATUS_MESSAGE] = TEXT_LONG,
    [OBSERVATION_MODEL] = TEXT_INDEXED, /* in the key of the daily roll-up */
    [OBSERVATION_MODEL_ID] = TEXT_INDEXED,
    [OBSERVATION_PROMPT_ID] = TEXT_INDEXED,
};

static const uint8_t score_texts[SCORE_COLUMN_COUNT] = {
    [SCORE_ID] = TEXT_ID,
    [SCORE_TRACE_ID] = TEXT_ID,
    [SCORE_OBSERVATION_ID] = TEXT_ID,
    [SCORE_SESSION_ID] = TEXT_INDEXED,
    [SCORE_DATASET_RUN_ID] = TEXT_INDEXED,
    [SCORE_STRING_VALUE] = TEXT_LONG,
    [SCORE_COMMENT] = TEXT_LONG,
    [SCORE_CONFIG_ID] = TEXT_INDEXED,
    [SCORE_QUEUE_ID] = TEXT_INDEXED,
};

static const uint8_t metric_texts[METRIC_COLUMN_COUNT] = {
    [METRIC_NAME] = TEXT_SERIES,
    [METRIC_ENVIRONMENT] = TEXT_INDEXED,
};

static const uint8_t deletion_texts[DELETION_COLUMN_COUNT] = {
    [DELETION_ID] = TEXT_ID,
};

static const uint8_t model_texts[MODEL_COLUMN_COUNT] = {
    [MODEL_ID] = TEXT_ID, [MODEL_MODEL_NAME] = TEXT_SERIES, /* indexed, too */
};

static const uint8_t *const text_rules[ROW_KIND_COUNT] = {
    [ROW_TRACE] = trace_texts,   [ROW_OBSERVATION] = observation_texts, [ROW_SCORE] = score_texts,
    [ROW_METRIC] = metric_texts, [ROW_DELETION] = deletion_texts,       [ROW_MODEL] = model_texts,
};

/* Each check returns the reason, or NULL when all is well. */

static const char *check_text(enum text_rule rule, struct slice text)
{
    switch (rule) {
    case TEXT_NAME:
        return text.len > ROW_NAME_MAX ? "longer than 4000 bytes" : NULL;
    case TEXT_TRACE:
        return text.len == 0 ? NULL : check_text(TEXT_ID, text); /* ROW_NO_TRACE */
    case TEXT_ID:
        if (text.len == 0) {
            return "empty";
        }
        if (memchr(text.data, '\r', text.len) != NULL) {
            return "holds a carriage return";
        }
        return text.len > ROW_ID_MAX ? "longer than 800 bytes" : NULL;
    case TEXT_SERIES:
        if (text.len == 0) {
            return "empty";
        }
        return text.len > ROW_ID_MAX ? "longer than 800 bytes" : NULL;
    case TEXT_INDEXED:
        return text.len > ROW_ID_MAX ? "longer than 800 bytes" : NULL;
    case TEXT_LONG:
        return NULL;
    }
    return NULL;
}

/* The reader writes to its text only where an escape needs it, and this text has been read. */
static const char *check_tags(struct slice tags, struct arena *arena, uint32_t *index)
{
    struct json_reader reader;
    json_reader_init(&reader, (char *)tags.data, tags.len, 1, arena);
    if (!json_array_begin(&reader)) {
        return "not an array of strings";
    }
    uint32_t count = 0;
    while (json_array_next(&reader)) {
        struct slice tag;
        if (count == ROW_TAGS_MAX) {
            return "more than 1000 tags";
        }
        *index = count++;
        if (!json_string(&reader, &tag)) {
            return "not a string";
        }
        if (tag.len > ROW_ID_MAX) {
            return "longer than 800 bytes";
        }
        *index = VALIDATE_NO_INDEX;
    }
    return json_failed(&reader) ? "not an array of strings" : NULL;
}

static const char *check_tokens(int64_t tokens)
{
    if (tokens < 0) {
        return "negative";
    }
    return tokens > VALIDATE_TOKENS_MAX ? "greater than 10^18" : NULL;
}

static const char *check_value(const struct row *row, uint32_t column, struct arena *arena,
                               uint32_t *index)
{
    const struct value *value = &row->values[column];
    switch (row_tables[row->kind].columns[column].type) {
    case COLUMN_TEXT:
        return check_text((enum text_rule)text_rules[row->kind][column], value->slice);
    case COLUMN_TEXTS:
        return check_tags(value->slice, arena, index);
    case COLUMN_TIME:
        return value->integer < RFC3339_MIN_US || value->integer > RFC3339_MAX_US
                   ? "outside the years 0001 to 9999"
                   : NULL;
    case COLUMN_INT:
        return check_tokens(value->integer);
    case COLUMN_FLOAT:
        return isfinite(value->real) ? NULL : "not a finite number";
    case COLUMN_DECIMAL:
        return decimal_is_storable(value->slice)
                   ? NULL
                   : "more than 30 digits before the point or 60 behind it";
    case COLUMN_JSON:
    case COLUMN_JSONB:
    case COLUMN_BOOL:
        return NULL;
    }
    return NULL;
}

bool validate_row(const struct row *row, struct arena *arena, struct violation *violation)
{
    *violation = (struct violation){.index = VALIDATE_NO_INDEX};
    uint64_t keys = (UINT64_C(1) << row_tables[row->kind].key_count) - 1;
    if ((row->present & keys) != keys) {
        violation->column = (uint32_t)__builtin_ctzll(~row->present);
        violation->reason = "missing";
        return false;
    }
    for (uint64_t left = row->present; left != 0; left &= left - 1) {
        violation->column = (uint32_t)__builtin_ctzll(left);
        violation->reason = check_value(row, violation->column, arena, &violation->index);
        if (violation->reason != NULL) {
            return false;
        }
    }
    return true;
}
