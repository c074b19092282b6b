#include "writer/lookup.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "common/buf.h"
#include "writer/array.h"
#include "writer/models.h"

#define EPOCH_US INT64_C(946684800000000) /* 2000-01-01 */

static const char sql_times[] =
    "SELECT k.n, t.timestamp FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k(p, i, n)"
    " JOIN traces t ON t.project_id = k.p AND t.id = k.i";

static int64_t read_int64(const PGresult *result, int row, int column)
{
    uint64_t value;
    assert(PQgetlength(result, row, column) == (int)sizeof(value));
    memcpy(&value, PQgetvalue(result, row, column), sizeof(value));
    return (int64_t)be64toh(value);
}

static struct slice read_slice(const PGresult *result, int row, int column)
{
    return (struct slice){PQgetvalue(result, row, column),
                          (size_t)PQgetlength(result, row, column)};
}

static bool wants_documents(const struct merged *incoming)
{
    const struct row_table *table = &row_tables[incoming->kind];
    for (uint32_t i = 0; i < table->column_count; i++) {
        if ((incoming->present >> i & 1) != 0 && table->columns[i].type == COLUMN_JSONB) {
            return true;
        }
    }
    return false;
}

static bool wants_costs(const struct merged *incoming, bool conditions)
{
    return (incoming->present & (MODELS_INPUTS | (conditions ? MODELS_DOCUMENTS : 0))) != 0;
}

static void set_read(struct merged *stored, uint32_t column)
{
    stored->unread &= ~(UINT64_C(1) << column);
}

static void read_metadata(struct merged *stored, const PGresult *result, int row,
                          struct arena *arena)
{
    uint32_t column = merge_metadata_column(stored->kind);
    if (PQgetisnull(result, row, LOOKUP_METADATA) != 0) {
        return;
    }
    const struct json_tree *versions = NULL;
    if (PQgetisnull(result, row, LOOKUP_METADATA_VERSIONS) == 0) {
        versions = json_tree_parse(read_slice(result, row, LOOKUP_METADATA_VERSIONS), arena);
    }
    stored->metadata =
        metadata_load(json_tree_parse(read_slice(result, row, LOOKUP_METADATA), arena), versions,
                      stored->versions[column], arena);
    set_read(stored, column);
}

/* Returns the field behind them. */
static int read_documents(struct merged *stored, const PGresult *result, int row,
                          struct arena *arena)
{
    const struct row_table *table = &row_tables[stored->kind];
    int field = LOOKUP_DOCUMENTS;
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        if (column->type != COLUMN_JSONB || column->merge != MERGE_LATEST) {
            continue;
        }
        if (PQgetisnull(result, row, field) == 0) {
            stored->values[i].slice = arena_copy(arena, read_slice(result, row, field));
            set_read(stored, i);
        }
        field++;
    }
    return field;
}

/* field: where they begin. */
static void read_cost_columns(struct merged *stored, const PGresult *result, int row, int field,
                              struct arena *arena)
{
    const struct row_table *table = &row_tables[stored->kind];
    for (int i = 0; i < STATEMENTS_COST_COLUMNS; i++) {
        uint32_t column = statements_cost_columns[i];
        struct value *value = &stored->values[column];
        if (PQgetisnull(result, row, field + i) != 0) {
            continue;
        }
        set_read(stored, column);
        if (table->columns[column].type == COLUMN_TIME) {
            value->integer = read_int64(result, row, field + i) + EPOCH_US;
        } else if (table->columns[column].type == COLUMN_INT) {
            value->integer = read_int64(result, row, field + i);
        } else {
            value->slice = arena_copy(arena, read_slice(result, row, field + i));
        }
    }
}

static struct merged *read_stored(const struct entry *entry, const PGresult *result, int row,
                                  struct arena *arena)
{
    struct merged *stored = arena_zalloc(arena, sizeof(*stored));
    const struct row_table *table = &row_tables[entry->incoming.kind];
    int64_t pairs[2 * ROW_COLUMNS_MAX];
    uint32_t count = 0;
    stored->kind = entry->incoming.kind;
    stored->project = entry->incoming.project;
    stored->event_version = read_int64(result, row, LOOKUP_EVENT_VERSION);
    stored->present = (uint64_t)read_int64(result, row, LOOKUP_PRESENT);
    stored->unread = stored->present;
    for (uint32_t i = 0; i < table->key_count; i++) {
        stored->values[i] = entry->incoming.values[i];
        set_read(stored, i);
    }
    if (PQgetisnull(result, row, LOOKUP_FIELD_VERSIONS) == 0 &&
        !array_read_int64(read_slice(result, row, LOOKUP_FIELD_VERSIONS), pairs,
                          2 * ROW_COLUMNS_MAX, &count)) {
        count = 0;
    }
    merge_unpack_versions(stored, pairs, count);
    int timestamp = merge_timestamp_column(stored->kind);
    if (timestamp >= 0) {
        stored->values[timestamp].integer = read_int64(result, row, LOOKUP_TIMESTAMP) + EPOCH_US;
        set_read(stored, (uint32_t)timestamp);
    }
    read_metadata(stored, result, row, arena);
    int field = read_documents(stored, result, row, arena);
    if (stored->kind == ROW_OBSERVATION) {
        stored->created_us = read_int64(result, row, LOOKUP_TIMESTAMP) + EPOCH_US;
        read_cost_columns(stored, result, row, field, arena);
    }
    return stored;
}

/* Parameter columns are built one after the other in one buf, so slices are made at the end. */
struct arrays {
    struct buf bytes;
    size_t ends[SESSION_PARAMETERS_MAX];
    uint32_t count;
};

static void end_array(struct arrays *arrays)
{
    arrays->ends[arrays->count++] = arrays->bytes.len;
}

static void to_parameters(const struct arrays *arrays, struct session_parameters *parameters)
{
    size_t begin = 0;
    parameters->count = arrays->count;
    for (uint32_t i = 0; i < arrays->count; i++) {
        parameters->values[i] = (struct slice){arrays->bytes.data + begin, arrays->ends[i] - begin};
        begin = arrays->ends[i];
    }
}

enum wish { WISH_DOCUMENTS, WISH_COSTS, WISH_PARAMETERS, WISH_COUNT };

static bool wishes(enum wish wish, const struct merged *incoming, bool conditions)
{
    bool costs = incoming->kind == ROW_OBSERVATION && wants_costs(incoming, conditions);
    switch (wish) {
    case WISH_DOCUMENTS:
        return wants_documents(incoming) || (costs && conditions);
    case WISH_COSTS:
        return costs;
    case WISH_PARAMETERS:
        return costs && conditions;
    case WISH_COUNT:
        break;
    }
    return false;
}

static void build_keys(struct arrays *arrays, struct entry **entries, uint32_t count,
                       bool conditions)
{
    uint32_t keys = row_tables[entries[0]->incoming.kind].key_count;
    array_begin(&arrays->bytes, OID_TEXT, count);
    for (uint32_t i = 0; i < count; i++) {
        array_add_slice(&arrays->bytes, entries[i]->incoming.project);
    }
    end_array(arrays);
    for (uint32_t key = 0; key < keys; key++) {
        array_begin(&arrays->bytes, OID_TEXT, count);
        for (uint32_t i = 0; i < count; i++) {
            array_add_slice(&arrays->bytes, entries[i]->incoming.values[key].slice);
        }
        end_array(arrays);
    }
    int wish_count = entries[0]->incoming.kind == ROW_OBSERVATION ? WISH_COUNT : 1;
    for (int wish = 0; wish < wish_count; wish++) {
        array_begin(&arrays->bytes, OID_BOOL, count);
        for (uint32_t i = 0; i < count; i++) {
            array_add_bool(&arrays->bytes,
                           wishes((enum wish)wish, &entries[i]->incoming, conditions));
        }
        end_array(arrays);
    }
}

enum err lookup_rows(struct session *session, const struct statements *statements,
                     struct entry **entries, uint32_t count, bool locked, bool conditions,
                     struct arena *arena, struct error *error)
{
    if (count == 0) {
        return ERR_OK;
    }
    const struct statements_table *sql = &statements->tables[entries[0]->incoming.kind];
    struct arrays arrays = {.bytes = BUF_EMPTY};
    struct session_parameters parameters;
    build_keys(&arrays, entries, count, conditions);
    to_parameters(&arrays, &parameters);
    PGresult *result = NULL;
    enum err err = session_query(session, locked ? sql->lookup_locked : sql->lookup, &parameters,
                                 &result, error);
    for (uint32_t i = 0; i < count; i++) {
        entries[i]->stored = NULL;
    }
    for (int row = 0; err == ERR_OK && row < PQntuples(result); row++) {
        int64_t place = read_int64(result, row, LOOKUP_PLACE) - 1;
        assert(place >= 0 && place < count);
        entries[place]->stored = read_stored(entries[place], result, row, arena);
    }
    PQclear(result);
    buf_finish(&arrays.bytes);
    return err;
}

enum err lookup_times(struct session *session, struct trace_time *times, uint32_t count,
                      struct error *error)
{
    if (count == 0) {
        return ERR_OK;
    }
    struct arrays arrays = {.bytes = BUF_EMPTY};
    struct session_parameters parameters;
    array_begin(&arrays.bytes, OID_TEXT, count);
    for (uint32_t i = 0; i < count; i++) {
        array_add_slice(&arrays.bytes, times[i].project);
    }
    end_array(&arrays);
    array_begin(&arrays.bytes, OID_TEXT, count);
    for (uint32_t i = 0; i < count; i++) {
        array_add_slice(&arrays.bytes, times[i].id);
    }
    end_array(&arrays);
    to_parameters(&arrays, &parameters);
    PGresult *result = NULL;
    enum err err = session_query(session, sql_times, &parameters, &result, error);
    for (int row = 0; err == ERR_OK && row < PQntuples(result); row++) {
        struct trace_time *time = &times[read_int64(result, row, 0) - 1];
        time->is_known = true;
        time->timestamp_us = read_int64(result, row, 1) + EPOCH_US;
    }
    PQclear(result);
    buf_finish(&arrays.bytes);
    return err;
}
