/*
 * row: one record of a batch, the same for every protocol that comes in and every table it goes to.
 * A row is its kind, a version and the kind's columns in table order; a column that is absent keeps
 * what is stored. Pure data; slices borrow from whoever made the row (request arena, frame, group).
 *
 * Versions decide merges, column by column: the greater version wins, a tie goes to the greater
 * value, so that any order and any repetition of the same rows ends in the same row. A version is
 * the event's time in microseconds since 1970, and bands keep what is made up apart from what was
 * said:
 *   version_event(t)  a value that was sent: the later event wins
 *   version_first(t)  a value of which the first sent one holds for good: beats every
 *                     version_event, the earlier wins
 *   version_assumed(t) a value that follows from an event that does not say it (the event's time,
 *                     for the time of what it tells of): loses to what was said, beats what was made
 *                     up for want of any, the earlier wins
 *   version_weak(t)   a value that was made up (a placeholder's time): loses to all of the above,
 *                     the earlier wins
 * A decoder that has values of several bands for one entity emits several rows for it.
 *
 * A metric point is no entity: its version means nothing, and two equal rows are two points. Nor is a
 * deletion: it takes away what is there when it is applied, whatever the versions, and it is applied
 * once; what comes later makes the entity anew.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"

enum row_kind {
    ROW_TRACE,
    ROW_OBSERVATION,
    ROW_SCORE,
    ROW_METRIC,
    ROW_DELETION,
    ROW_MODEL,
    ROW_KIND_COUNT
};

/* Kinds below it are entities that merge by key. */
enum { ROW_MERGED_KINDS = ROW_SCORE + 1 };

/* X(kind, the word for it in metrics) */
#define ROW_KINDS(X)                                                                               \
    X(ROW_TRACE, "trace")                                                                          \
    X(ROW_OBSERVATION, "observation")                                                              \
    X(ROW_SCORE, "score")                                                                          \
    X(ROW_METRIC, "metric") X(ROW_DELETION, "deletion") X(ROW_MODEL, "model")
#define ROW_KIND_ONE(kind, word) +1
_Static_assert(ROW_KINDS(ROW_KIND_ONE) == ROW_KIND_COUNT, "ROW_KINDS lacks a kind");
#undef ROW_KIND_ONE

enum column_type {
    COLUMN_TEXT,    /* slice: valid UTF-8 without U+0000 */
    COLUMN_JSON,    /* slice: valid JSON text, stored as text and given back as sent */
    COLUMN_JSONB,   /* slice: valid JSON text, stored as jsonb (metadata, maps) */
    COLUMN_TEXTS,   /* slice: a JSON array of strings, stored as text[] */
    COLUMN_TIME,    /* integer: microseconds since 1970, within common/rfc3339.h's bounds */
    COLUMN_INT,     /* integer: int64 */
    COLUMN_FLOAT,   /* real: finite double */
    COLUMN_DECIMAL, /* slice: JSON number text that decimal_is_storable */
    COLUMN_BOOL,    /* integer: 0 or 1 */
};

enum column_merge {
    MERGE_KEY,    /* identity within the project (of a metric: what makes it one); always present */
    MERGE_LATEST, /* the greater version wins */
    MERGE_METADATA, /* objects merge key by key at every depth, each leaf by version */
    MERGE_UNION,    /* sets of strings: union, sorted bytewise; version plays no part */
};

struct column {
    const char *name; /* the table's column */
    enum column_type type;
    enum column_merge merge;
};

/* X(enum suffix, table column, type, merge) in the order of struct row's values and of the wire. */
#define TRACE_COLUMNS(X)                                                                           \
    X(ID, "id", TEXT, KEY)                                                                         \
    X(TIMESTAMP, "timestamp", TIME, LATEST)                                                        \
    X(NAME, "name", TEXT, LATEST)                                                                  \
    X(USER_ID, "user_id", TEXT, LATEST)                                                            \
    X(SESSION_ID, "session_id", TEXT, LATEST)                                                      \
    X(RELEASE, "release", TEXT, LATEST)                                                            \
    X(VERSION, "version", TEXT, LATEST)                                                            \
    X(ENVIRONMENT, "environment", TEXT, LATEST)                                                    \
    X(EXTERNAL_ID, "external_id", TEXT, LATEST)                                                    \
    X(PUBLIC, "public", BOOL, LATEST)                                                              \
    X(BOOKMARKED, "bookmarked", BOOL, LATEST)                                                      \
    X(TAGS, "tags", TEXTS, LATEST)                                                                 \
    X(TAGS_ADDED, "tags_added", TEXTS, UNION)                                                      \
    X(INPUT, "input", JSON, LATEST)                                                                \
    X(OUTPUT, "output", JSON, LATEST)                                                              \
    X(METADATA, "metadata", JSONB, METADATA)                                                       \
    X(LATENCY, "latency", FLOAT, LATEST)                                                           \
    X(TOTAL_COST, "total_cost", DECIMAL, LATEST)

#define OBSERVATION_COLUMNS(X)                                                                     \
    X(TRACE_ID, "trace_id", TEXT, KEY)                                                             \
    X(ID, "id", TEXT, KEY)                                                                         \
    X(TYPE, "type", TEXT, LATEST)                                                                  \
    X(NAME, "name", TEXT, LATEST)                                                                  \
    X(START_TIME, "start_time", TIME, LATEST)                                                      \
    X(END_TIME, "end_time", TIME, LATEST)                                                          \
    X(COMPLETION_START_TIME, "completion_start_time", TIME, LATEST)                                \
    X(PARENT_OBSERVATION_ID, "parent_observation_id", TEXT, LATEST)                                \
    X(LEVEL, "level", TEXT, LATEST)                                                                \
    X(STATUS_MESSAGE, "status_message", TEXT, LATEST)                                              \
    X(VERSION, "version", TEXT, LATEST)                                                            \
    X(ENVIRONMENT, "environment", TEXT, LATEST)                                                    \
    X(MODEL, "model", TEXT, LATEST)                                                                \
    X(MODEL_ID, "model_id", TEXT, LATEST)                                                          \
    X(MODEL_PARAMETERS, "model_parameters", JSON, LATEST)                                          \
    X(INPUT, "input", JSON, LATEST)                                                                \
    X(OUTPUT, "output", JSON, LATEST)                                                              \
    X(PROMPT_TOKENS, "prompt_tokens", INT, LATEST)                                                 \
    X(COMPLETION_TOKENS, "completion_tokens", INT, LATEST)                                         \
    X(TOTAL_TOKENS, "total_tokens", INT, LATEST)                                                   \
    X(UNIT, "unit", TEXT, LATEST)                                                                  \
    X(USAGE_DETAILS, "usage_details", JSONB, LATEST)                                               \
    X(INPUT_PRICE, "input_price", DECIMAL, LATEST)                                                 \
    X(OUTPUT_PRICE, "output_price", DECIMAL, LATEST)                                               \
    X(TOTAL_PRICE, "total_price", DECIMAL, LATEST)                                                 \
    X(INPUT_COST, "input_cost", DECIMAL, LATEST)                                                   \
    X(OUTPUT_COST, "output_cost", DECIMAL, LATEST)                                                 \
    X(TOTAL_COST, "total_cost", DECIMAL, LATEST)                                                   \
    X(COST_DETAILS, "cost_details", JSONB, LATEST)                                                 \
    X(LATENCY, "latency", FLOAT, LATEST)                                                           \
    X(TIME_TO_FIRST_TOKEN, "time_to_first_token", FLOAT, LATEST)                                   \
    X(PROMPT_ID, "prompt_id", TEXT, LATEST)                                                        \
    X(PROMPT_NAME, "prompt_name", TEXT, LATEST)                                                    \
    X(PROMPT_VERSION, "prompt_version", TEXT, LATEST)                                              \
    X(METADATA, "metadata", JSONB, METADATA)

#define SCORE_COLUMNS(X)                                                                           \
    X(ID, "id", TEXT, KEY)                                                                         \
    X(TIMESTAMP, "timestamp", TIME, LATEST)                                                        \
    X(TRACE_ID, "trace_id", TEXT, LATEST)                                                          \
    X(OBSERVATION_ID, "observation_id", TEXT, LATEST)                                              \
    X(SESSION_ID, "session_id", TEXT, LATEST)                                                      \
    X(DATASET_RUN_ID, "dataset_run_id", TEXT, LATEST)                                              \
    X(NAME, "name", TEXT, LATEST)                                                                  \
    X(SOURCE, "source", TEXT, LATEST)                                                              \
    X(DATA_TYPE, "data_type", TEXT, LATEST)                                                        \
    X(VALUE, "value", FLOAT, LATEST)                                                               \
    X(STRING_VALUE, "string_value", TEXT, LATEST)                                                  \
    X(COMMENT, "comment", TEXT, LATEST)                                                            \
    X(CONFIG_ID, "config_id", TEXT, LATEST)                                                        \
    X(QUEUE_ID, "queue_id", TEXT, LATEST)                                                          \
    X(ENVIRONMENT, "environment", TEXT, LATEST)                                                    \
    X(METADATA, "metadata", JSONB, METADATA)

/* The table is what a writer makes of it: a series and a point (migrations/0002_metrics.sql). labels is
 * canonical: an object of strings without blanks, its keys sorted bytewise, each once. */
#define METRIC_COLUMNS(X)                                                                          \
    X(NAME, "name", TEXT, KEY)                                                                     \
    X(LABELS, "labels", JSONB, KEY)                                                                \
    X(TIMESTAMP, "timestamp", TIME, KEY)                                                           \
    X(VALUE, "value", FLOAT, KEY)                                                                  \
    X(ENVIRONMENT, "environment", TEXT, LATEST)

/* There is no table. target: "trace", with its observations and scores, "score", or "model", of which
 * the row stays. */
#define DELETION_COLUMNS(X)                                                                        \
    X(ID, "id", TEXT, KEY)                                                                         \
    X(TARGET, "target", TEXT, KEY)

/* A price row (migrations/0009_models.sql). Rows do not merge: another with its id is a conflict. */
#define MODEL_COLUMNS(X)                                                                           \
    X(ID, "id", TEXT, KEY)                                                                         \
    X(MODEL_NAME, "model_name", TEXT, LATEST)                                                      \
    X(MATCH_PATTERN, "match_pattern", TEXT, LATEST)                                                \
    X(START_DATE, "start_date", TIME, LATEST)                                                      \
    X(UNIT, "unit", TEXT, LATEST)                                                                  \
    X(TOKENIZER_ID, "tokenizer_id", TEXT, LATEST)                                                  \
    X(TOKENIZER_CONFIG, "tokenizer_config", JSONB, LATEST)                                         \
    X(PRICING_TIERS, "pricing_tiers", JSONB, LATEST)                                               \
    X(CREATED_AT, "created_at", TIME, LATEST)

#define ROW_TRACE_ENUM(suffix, name, type, merge)       TRACE_##suffix,
#define ROW_OBSERVATION_ENUM(suffix, name, type, merge) OBSERVATION_##suffix,
#define ROW_SCORE_ENUM(suffix, name, type, merge)       SCORE_##suffix,
#define ROW_METRIC_ENUM(suffix, name, type, merge)      METRIC_##suffix,
#define ROW_DELETION_ENUM(suffix, name, type, merge)    DELETION_##suffix,
#define ROW_MODEL_ENUM(suffix, name, type, merge)       MODEL_##suffix,
enum trace_column { TRACE_COLUMNS(ROW_TRACE_ENUM) TRACE_COLUMN_COUNT };
enum observation_column { OBSERVATION_COLUMNS(ROW_OBSERVATION_ENUM) OBSERVATION_COLUMN_COUNT };
enum score_column { SCORE_COLUMNS(ROW_SCORE_ENUM) SCORE_COLUMN_COUNT };
enum metric_column { METRIC_COLUMNS(ROW_METRIC_ENUM) METRIC_COLUMN_COUNT };
enum deletion_column { DELETION_COLUMNS(ROW_DELETION_ENUM) DELETION_COLUMN_COUNT };
enum model_column { MODEL_COLUMNS(ROW_MODEL_ENUM) MODEL_COLUMN_COUNT };
#undef ROW_TRACE_ENUM
#undef ROW_OBSERVATION_ENUM
#undef ROW_SCORE_ENUM
#undef ROW_METRIC_ENUM
#undef ROW_DELETION_ENUM
#undef ROW_MODEL_ENUM

enum { ROW_COLUMNS_MAX = OBSERVATION_COLUMN_COUNT };

struct row_table {
    const char *name; /* the table: "traces" */
    const struct column *columns;
    uint32_t column_count;
    uint32_t key_count; /* the first columns are the key, after project_id */
};

extern const struct row_table row_tables[ROW_KIND_COUNT];

struct value {
    union {
        struct slice slice;
        int64_t integer;
        double real;
    };
};

struct row {
    enum row_kind kind;
    int64_t version;
    uint64_t present; /* bit i: values[i] is set */
    struct value values[ROW_COLUMNS_MAX];
};

/* The trace of an observation of which only the id is known: the writer finds out to which trace it
 * belongs, and an observation that nobody else has named is of a trace with its own id. */
#define ROW_NO_TRACE SLICE_LITERAL("")

/* Safety limits of every protocol (gateway/ingest/validate.c enforces them). */
enum {
    ROW_ID_MAX = 800,    /* bytes of ids, userId, sessionId, externalId, a tag: they are indexed */
    ROW_NAME_MAX = 4000, /* bytes of other short texts: names, models, versions, environment */
    ROW_TAGS_MAX = 1000, /* tags of one row */
    ROW_LABELS_MAX = 64, /* labels of a metric */
    ROW_LABEL_VALUE_MAX = 2000,  /* bytes; a label's key: ROW_ID_MAX */
    ROW_LABELS_TEXT_MAX = 16384, /* bytes of all of them as canonical text */
};

static inline bool row_has(const struct row *row, uint32_t column)
{
    return (row->present >> column & 1) != 0;
}

static inline void row_set_slice(struct row *row, uint32_t column, struct slice slice)
{
    row->values[column].slice = slice;
    row->present |= UINT64_C(1) << column;
}

static inline void row_set_integer(struct row *row, uint32_t column, int64_t integer)
{
    row->values[column].integer = integer;
    row->present |= UINT64_C(1) << column;
}

static inline void row_set_real(struct row *row, uint32_t column, double real)
{
    row->values[column].real = real;
    row->present |= UINT64_C(1) << column;
}

static inline void row_clear(struct row *row, uint32_t column)
{
    row->present &= ~(UINT64_C(1) << column);
}

static inline int64_t version_event(int64_t time_us)
{
    return time_us;
}

static inline int64_t version_first(int64_t time_us)
{
    return INT64_MAX - time_us;
}

/* Between every version_weak and every version_event. */
static inline int64_t version_assumed(int64_t time_us)
{
    return INT64_MIN / 8 - time_us;
}

/* Times before 1970 are rare and lose by a little: still below every version_event of a real clock.
 */
static inline int64_t version_weak(int64_t time_us)
{
    return INT64_MIN / 2 - time_us;
}

/* The time that a version of any band was made of; that of an event of our era. */
static inline int64_t version_time(int64_t version)
{
    return version > INT64_MAX / 2    ? INT64_MAX - version
           : version > INT64_MIN / 16 ? version
           : version > INT64_MIN / 4  ? INT64_MIN / 8 - version
                                      : INT64_MIN / 2 - version;
}
