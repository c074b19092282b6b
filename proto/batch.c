#include "proto/batch.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/decimal.h"
#include "common/rfc3339.h"
#include "proto/pack.h"

enum { HEADER_FIELDS = 6, ROW_EXTRA_FIELDS = 2 /* kind and version */ };

void batch_pack_header(struct buf *out, const struct batch_header *header)
{
    msgpack_packer packer;
    packer_init(&packer, out);
    msgpack_pack_array(&packer, HEADER_FIELDS);
    msgpack_pack_int(&packer, WIRE_VERSION);
    pack_bytes(&packer, header->id, ID_SIZE);
    pack_text(&packer, header->project);
    msgpack_pack_int64(&packer, header->received_us);
    msgpack_pack_uint32(&packer, header->row_count);
    if (header->key.len > 0) {
        pack_bytes(&packer, header->key.data, header->key.len);
    } else {
        msgpack_pack_nil(&packer);
    }
}

static void pack_value(msgpack_packer *packer, enum column_type type, const struct value *value)
{
    switch (type) {
    case COLUMN_TEXT:
    case COLUMN_JSON:
    case COLUMN_JSONB:
    case COLUMN_TEXTS:
    case COLUMN_DECIMAL:
        pack_text(packer, value->slice);
        return;
    case COLUMN_TIME:
    case COLUMN_INT:
        msgpack_pack_int64(packer, value->integer);
        return;
    case COLUMN_FLOAT:
        msgpack_pack_double(packer, value->real);
        return;
    case COLUMN_BOOL:
        if (value->integer != 0) {
            msgpack_pack_true(packer);
        } else {
            msgpack_pack_false(packer);
        }
        return;
    }
}

void batch_pack_row(struct buf *out, const struct row *row)
{
    const struct row_table *table = &row_tables[row->kind];
    msgpack_packer packer;
    packer_init(&packer, out);
    msgpack_pack_array(&packer, ROW_EXTRA_FIELDS + table->column_count);
    msgpack_pack_uint32(&packer, row->kind);
    msgpack_pack_int64(&packer, row->version);
    uint32_t absent = 0;
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (!row_has(row, i)) {
            absent++;
            continue;
        }
        pack_nils(&packer, absent);
        absent = 0;
        pack_value(&packer, table->columns[i].type, &row->values[i]);
    }
    pack_nils(&packer, absent);
}

static bool unpack_key(struct unpacker *unpacker, struct slice *key)
{
    *key = (struct slice){NULL, 0};
    return unpack_nil(unpacker) || (unpack_bytes(unpacker, key) && key->len == BATCH_KEY_SIZE);
}

enum err batch_unpack_header(struct slice frame, struct batch_header *header, struct error *error)
{
    struct unpacker unpacker = unpacker_from(frame);
    uint32_t fields;
    int64_t version, row_count;
    struct slice id;
    if (!unpack_array(&unpacker, &fields) || fields == 0 || !unpack_integer(&unpacker, &version)) {
        return error_set(error, ERR_INVALID, "not a batch header");
    }
    if (version != WIRE_VERSION) {
        return error_set(error, ERR_INVALID,
                         "a batch of wire version %" PRId64 ", this is version %d", version,
                         WIRE_VERSION);
    }
    if (fields != HEADER_FIELDS || !unpack_bytes(&unpacker, &id) || id.len != ID_SIZE ||
        !unpack_text(&unpacker, &header->project) || header->project.len == 0 ||
        !unpack_integer(&unpacker, &header->received_us) ||
        !unpack_integer(&unpacker, &row_count) || !unpack_key(&unpacker, &header->key) ||
        !unpack_is_done(&unpacker)) {
        return error_set(error, ERR_INVALID, "malformed batch header");
    }
    if (row_count < 0 || row_count > BATCH_ROWS_MAX) {
        return error_set(error, ERR_INVALID, "a batch of %" PRId64 " rows, at most %d", row_count,
                         BATCH_ROWS_MAX);
    }
    memcpy(header->id, id.data, ID_SIZE);
    header->row_count = (uint32_t)row_count;
    return ERR_OK;
}

static bool unpack_value(struct unpacker *unpacker, enum column_type type, struct value *value)
{
    bool flag;
    switch (type) {
    case COLUMN_TEXT:
    case COLUMN_JSON:
    case COLUMN_JSONB:
    case COLUMN_TEXTS:
        return unpack_text(unpacker, &value->slice);
    case COLUMN_DECIMAL:
        return unpack_text(unpacker, &value->slice) && decimal_is_storable(value->slice);
    case COLUMN_TIME:
        return unpack_integer(unpacker, &value->integer) && value->integer >= RFC3339_MIN_US &&
               value->integer <= RFC3339_MAX_US;
    case COLUMN_INT:
        return unpack_integer(unpacker, &value->integer);
    case COLUMN_FLOAT:
        return unpack_double(unpacker, &value->real) && isfinite(value->real);
    case COLUMN_BOOL:
        if (!unpack_bool(unpacker, &flag)) {
            return false;
        }
        value->integer = flag;
        return true;
    }
    return false;
}

static enum err unpack_row(struct unpacker *unpacker, struct row *row, struct error *error)
{
    uint32_t fields;
    int64_t kind;
    if (!unpack_array(unpacker, &fields) || fields < ROW_EXTRA_FIELDS ||
        !unpack_integer(unpacker, &kind) || !unpack_integer(unpacker, &row->version)) {
        return error_set(error, ERR_INVALID, "not a row");
    }
    if (kind < 0 || kind >= ROW_KIND_COUNT) {
        return error_set(error, ERR_INVALID, "unknown kind %" PRId64, kind);
    }
    row->kind = (enum row_kind)kind;
    const struct row_table *table = &row_tables[kind];
    if (fields != ROW_EXTRA_FIELDS + table->column_count) {
        return error_set(error, ERR_INVALID, "%u columns for %s, not %u", fields - ROW_EXTRA_FIELDS,
                         table->name, table->column_count);
    }
    uint64_t present = 0;
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (unpack_nil(unpacker)) {
            continue;
        }
        if (!unpack_value(unpacker, table->columns[i].type, &row->values[i])) {
            return error_set(error, ERR_INVALID, "malformed %s.%s", table->name,
                             table->columns[i].name);
        }
        present |= UINT64_C(1) << i;
    }
    row->present = present;
    uint64_t keys = (UINT64_C(1) << table->key_count) - 1;
    if ((present & keys) != keys) {
        return error_set(error, ERR_INVALID, "a key column of %s is absent", table->name);
    }
    return ERR_OK;
}

/* Bytes of the shortest row: a count would otherwise claim memory that no frame stands behind. */
static size_t shortest_row(void)
{
    size_t columns = ROW_COLUMNS_MAX;
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        columns = row_tables[kind].column_count < columns ? row_tables[kind].column_count : columns;
    }
    return 1 /* array */ + ROW_EXTRA_FIELDS + columns;
}

enum err batch_unpack_rows(struct slice body, uint32_t row_count, struct arena *arena,
                           struct row **rows, struct error *error)
{
    struct unpacker unpacker = unpacker_from(body);
    if (row_count > BATCH_ROWS_MAX || row_count > body.len / shortest_row()) {
        return error_set(error, ERR_INVALID, "%zu bytes are too few for %u rows", body.len,
                         row_count);
    }
    struct row *unpacked = arena_alloc(arena, row_count * sizeof(*unpacked));
    for (uint32_t i = 0; i < row_count; i++) {
        enum err err = unpack_row(&unpacker, &unpacked[i], error);
        if (err != ERR_OK) {
            error_context(error, "row %u", i);
            return err;
        }
    }
    if (!unpack_is_done(&unpacker)) {
        return error_set(error, ERR_INVALID, "%zu bytes after the last row",
                         (size_t)(unpacker.end - unpacker.at));
    }
    *rows = unpacked;
    return ERR_OK;
}
