#include "gateway/ingest/ingestion.h"

#include <openssl/sha.h>

#include "common/id.h"
#include "common/json_read.h"

static const struct ingestion_type types[] = {
    {"trace-create", ROW_TRACE, NULL, &ingestion_trace_fields, false},
    {"span-create", ROW_OBSERVATION, "SPAN", &ingestion_span_fields, false},
    {"span-update", ROW_OBSERVATION, "SPAN", &ingestion_span_fields, true},
    {"generation-create", ROW_OBSERVATION, "GENERATION", &ingestion_generation_fields, false},
    {"generation-update", ROW_OBSERVATION, "GENERATION", &ingestion_generation_fields, true},
    {"event-create", ROW_OBSERVATION, "EVENT", &ingestion_event_fields, false},
    {"score-create", ROW_SCORE, NULL, &ingestion_score_fields, false},
    {"agent-create", ROW_OBSERVATION, "AGENT", &ingestion_generation_fields, false},
    {"tool-create", ROW_OBSERVATION, "TOOL", &ingestion_generation_fields, false},
    {"chain-create", ROW_OBSERVATION, "CHAIN", &ingestion_generation_fields, false},
    {"retriever-create", ROW_OBSERVATION, "RETRIEVER", &ingestion_generation_fields, false},
    {"evaluator-create", ROW_OBSERVATION, "EVALUATOR", &ingestion_generation_fields, false},
    {"embedding-create", ROW_OBSERVATION, "EMBEDDING", &ingestion_generation_fields, false},
    {"guardrail-create", ROW_OBSERVATION, "GUARDRAIL", &ingestion_generation_fields, false},
    {"observation-create", ROW_OBSERVATION, NULL, &ingestion_legacy_fields, false},
    {"observation-update", ROW_OBSERVATION, NULL, &ingestion_legacy_fields, true},
};

const struct ingestion_type *ingestion_type_find(struct slice name)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (slice_is(name, types[i].name)) {
            return &types[i];
        }
    }
    return NULL;
}

/* ---- reading ---- */

/* Identities, of which an empty one says that there is none. */
static void drop_empty(struct row *row)
{
    static const uint64_t identities[] = {
        [ROW_TRACE] = UINT64_C(1) << TRACE_ID,
        [ROW_OBSERVATION] = UINT64_C(1) << OBSERVATION_ID | UINT64_C(1) << OBSERVATION_TRACE_ID |
                            UINT64_C(1) << OBSERVATION_PARENT_OBSERVATION_ID,
        [ROW_SCORE] = UINT64_C(1) << SCORE_ID | UINT64_C(1) << SCORE_TRACE_ID |
                      UINT64_C(1) << SCORE_OBSERVATION_ID | UINT64_C(1) << SCORE_SESSION_ID |
                      UINT64_C(1) << SCORE_DATASET_RUN_ID,
    };
    for (uint64_t left = row->present & identities[row->kind]; left != 0; left &= left - 1) {
        uint32_t column = (uint32_t)__builtin_ctzll(left);
        if (row->values[column].slice.len == 0) {
            row_clear(row, column);
        }
    }
}

static uint32_t id_column(enum row_kind kind)
{
    return kind == ROW_TRACE         ? (uint32_t)TRACE_ID
           : kind == ROW_OBSERVATION ? (uint32_t)OBSERVATION_ID
                                     : (uint32_t)SCORE_ID;
}

/* The same event sent again makes the same entity. */
static struct slice derive_id(struct ingestion *work)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char hex[HEX_TEXT_SIZE + 1];
    const char *name = work->event.type->name;
    size_t len = strlen(name) + work->event.id.len;
    char *text = arena_alloc(work->arena, len);
    memcpy(text, name, strlen(name));
    memcpy(text + strlen(name), work->event.id.data, work->event.id.len);
    SHA256((const unsigned char *)text, len, digest);
    id_hex(digest, hex);
    char *id = arena_alloc(work->arena, UUID_TEXT_SIZE + 1);
    (void)uuid_normalise(slice_from(hex), id);
    return (struct slice){id, UUID_TEXT_SIZE};
}

bool ingestion_read(struct ingestion *work, struct json_reader *reader)
{
    const struct ingestion_type *type = work->event.type;
    struct row *row = &work->fields_row.row;
    if (!fields_read(type->fields, reader, work->arena, &work->fields_row)) {
        return false;
    }
    row->version = version_event(work->event.version_us);
    drop_empty(row);
    if (type->kind == ROW_OBSERVATION && !row_has(row, OBSERVATION_TRACE_ID)) {
        row_set_slice(row, OBSERVATION_TRACE_ID, ROW_NO_TRACE);
    }
    bool needs_id = type->kind == ROW_OBSERVATION && type->makes != NULL;
    if (!needs_id && !row_has(row, id_column(type->kind))) {
        row_set_slice(row, id_column(type->kind), derive_id(work));
    }
    return true;
}

struct slice ingestion_id(const struct ingestion *work)
{
    const struct row *row = &work->fields_row.row;
    uint32_t column = id_column(row->kind);
    return row_has(row, column) ? row->values[column].slice : (struct slice){NULL, 0};
}

/* ---- rows ---- */

bool ingestion_wrong(struct ingestion_fault *fault, const char *field, const char *reason)
{
    *fault = (struct ingestion_fault){field, reason};
    return false;
}

bool ingestion_make(struct ingestion *work, struct buf *path, const char **reason)
{
    const struct ingestion_type *type = work->event.type;
    struct fault fault;
    struct ingestion_fault wrong;
    if (!fields_check(type->fields, &work->fields_row, work->arena, &fault)) {
        fields_fault_path(type->fields, &fault, path);
        *reason = fault.reason;
        return false;
    }
    bool good = type->kind == ROW_TRACE         ? ingestion_trace(work, &wrong)
                : type->kind == ROW_OBSERVATION ? ingestion_observation(work, &wrong)
                                                : ingestion_score(work, &wrong);
    if (!good) {
        buf_append_text(path, wrong.field);
        *reason = wrong.reason;
    }
    return good;
}

void ingestion_set_environment(struct ingestion *work, uint32_t column)
{
    struct slice raw = work->fields_row.asides[ASIDE_ENVIRONMENT];
    struct json_reader reader;
    struct slice text;
    if (raw.len == 0) {
        return;
    }
    json_reader_init(&reader, (char *)raw.data, raw.len, 1, work->arena);
    row_set_slice(&work->fields_row.row, column,
                  json_string(&reader, &text) ? environment_normalise(text, work->_environment)
                                              : SLICE_LITERAL("default"));
}

void ingestion_wrap_metadata(struct ingestion *work, uint32_t column)
{
    static const char before[] = "{\"metadata\":";
    struct row *row = &work->fields_row.row;
    if (!row_has(row, column) || row->values[column].slice.data[0] == '{') {
        return;
    }
    struct slice raw = row->values[column].slice;
    char *text = arena_alloc(work->arena, sizeof(before) + raw.len);
    memcpy(text, before, sizeof(before) - 1);
    memcpy(text + sizeof(before) - 1, raw.data, raw.len);
    text[sizeof(before) - 1 + raw.len] = '}';
    row->values[column].slice = (struct slice){text, sizeof(before) + raw.len};
}

void ingestion_divide(struct ingestion *work, uint64_t first)
{
    const struct row *row = &work->fields_row.row;
    uint64_t keys = (UINT64_C(1) << row_tables[row->kind].key_count) - 1;
    int64_t version_us = work->event.version_us;
    const int64_t versions[BAND_COUNT] = {version_event(version_us), version_first(version_us),
                                          version_assumed(version_us), version_weak(version_us)};
    for (int band = 0; band < BAND_COUNT; band++) {
        struct row *out = &work->bands[band];
        out->kind = row->kind;
        out->version = versions[band];
        out->present = keys;
        for (uint32_t i = 0; i < row_tables[row->kind].key_count; i++) {
            out->values[i] = row->values[i];
        }
    }
    for (uint64_t left = row->present & ~keys; left != 0; left &= left - 1) {
        uint32_t column = (uint32_t)__builtin_ctzll(left);
        struct row *out = &work->bands[(first >> column & 1) != 0 ? BAND_FIRST : BAND_SAID];
        out->values[column] = row->values[column];
        out->present |= UINT64_C(1) << column;
    }
}

static bool is_falsy(struct slice raw)
{
    double number;
    return slice_is(raw, "\"\"") || slice_is(raw, "false") ||
           (json_number_double(raw, &number) && number == 0);
}

void ingestion_weaken(struct ingestion *work, uint32_t column)
{
    struct row *said = &work->bands[BAND_SAID];
    if (row_has(said, column) && is_falsy(said->values[column].slice)) {
        row_set_slice(&work->bands[BAND_WEAK], column, said->values[column].slice);
        row_clear(said, column);
    }
}

void ingestion_collect(const struct ingestion *work, struct collect *out, uint32_t record)
{
    for (int band = 0; band < BAND_COUNT; band++) {
        const struct row *row = &work->bands[band];
        if (row->present >> row_tables[row->kind].key_count != 0) {
            collect_row(out, record, row);
        }
    }
}
