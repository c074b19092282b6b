#include "writer/copy.h"

#include <string.h>

#include "common/decimal.h"
#include "writer/array.h"
#include "writer/price.h"
#include "writer/texts.h"

/* Between 1970-01-01 and 2000-01-01, PostgreSQL's epoch. */
#define EPOCH_US UINT64_C(946684800000000)

#define NULL_LENGTH UINT32_MAX

enum { EXTRA_COLUMNS = 4 /* project and the three of versions */ };

void copy_begin(struct buf *out)
{
    buf_append(out, "PGCOPY\n\377\r\n\0", 11);
    buf_append_be32(out, 0); /* flags */
    buf_append_be32(out, 0); /* header extension */
}

void copy_end(struct buf *out)
{
    buf_append_be16(out, UINT16_MAX);
}

static void append_null(struct buf *out)
{
    buf_append_be32(out, NULL_LENGTH);
}

static void append_slice(struct buf *out, struct slice slice)
{
    buf_append_be32(out, (uint32_t)slice.len);
    buf_append_slice(out, slice);
}

static void append_int64(struct buf *out, uint64_t value)
{
    buf_append_be32(out, 8);
    buf_append_be64(out, value);
}

/* Where the length word goes; the content follows and then end_length. */
static size_t begin_length(struct buf *out)
{
    buf_append_be32(out, 0);
    return out->len;
}

static void end_length(struct buf *out, size_t begin)
{
    buf_put_be32(out, begin - 4, (uint32_t)(out->len - begin));
}

static void append_jsonb(struct buf *out, struct slice json)
{
    buf_append_be32(out, (uint32_t)json.len + 1);
    buf_append_char(out, 1);
    buf_append_slice(out, json);
}

static enum err append_texts(struct buf *out, const struct column *column, struct slice json,
                             struct arena *arena, struct error *error)
{
    struct texts texts;
    if (!texts_parse(json, arena, &texts)) {
        return error_set(error, ERR_REFUSED, "%s: not an array of strings", column->name);
    }
    size_t begin = begin_length(out);
    array_begin(out, OID_TEXT, texts.count);
    for (uint32_t i = 0; i < texts.count; i++) {
        array_add_slice(out, texts.values[i]);
    }
    end_length(out, begin);
    return ERR_OK;
}

static void append_bool(struct buf *out, bool value)
{
    buf_append_be32(out, 1);
    buf_append_char(out, value ? 1 : 0);
}

static enum err append_value(struct buf *out, const struct column *column,
                             const struct value *value, struct arena *arena, struct error *error)
{
    uint64_t bits;
    size_t begin;
    switch (column->type) {
    case COLUMN_TEXT:
    case COLUMN_JSON:
        append_slice(out, value->slice);
        break;
    case COLUMN_JSONB:
        append_jsonb(out, value->slice);
        break;
    case COLUMN_TEXTS:
        return append_texts(out, column, value->slice, arena, error);
    case COLUMN_TIME:
        append_int64(out, (uint64_t)value->integer - EPOCH_US);
        break;
    case COLUMN_INT:
        append_int64(out, (uint64_t)value->integer);
        break;
    case COLUMN_FLOAT:
        memcpy(&bits, &value->real, sizeof(bits));
        append_int64(out, bits);
        break;
    case COLUMN_DECIMAL:
        begin = begin_length(out);
        decimal_append_binary(out, value->slice);
        end_length(out, begin);
        break;
    case COLUMN_BOOL:
        append_bool(out, value->integer != 0);
        break;
    }
    return ERR_OK;
}

static void append_metadata(struct buf *out, const struct metadata *metadata)
{
    size_t begin = begin_length(out);
    buf_append_char(out, 1); /* jsonb's version */
    metadata_print(metadata, out);
    end_length(out, begin);
}

static void append_metadata_versions(struct buf *out, const struct metadata *metadata)
{
    size_t before = out->len;
    size_t begin = begin_length(out);
    buf_append_char(out, 1);
    if (metadata != NULL && metadata_print_versions(metadata, out)) {
        end_length(out, begin);
    } else {
        out->len = before;
        append_null(out);
    }
}

static void append_versions(struct buf *out, struct merged *merged, bool with_metadata,
                            struct arena *arena)
{
    int64_t pairs[2 * ROW_COLUMNS_MAX];
    uint32_t count = merge_pack_versions(merged, arena, pairs);
    append_int64(out, (uint64_t)merged->event_version);
    if (count == 0) {
        append_null(out);
    } else {
        size_t begin = begin_length(out);
        array_begin(out, OID_INT8, count);
        for (uint32_t i = 0; i < count; i++) {
            array_add_int64(out, pairs[i]);
        }
        end_length(out, begin);
    }
    append_metadata_versions(out, with_metadata ? merged->metadata : NULL);
}

static void append_text_or_null(struct buf *out, struct slice text)
{
    if (text.data == NULL) {
        append_null(out);
    } else {
        append_slice(out, text);
    }
}

static const struct column cost_columns[] = {
    {"computed_cost_details", COLUMN_JSONB, MERGE_LATEST},
    {"computed_total_cost", COLUMN_DECIMAL, MERGE_LATEST},
    {"unpriced_usage", COLUMN_TEXTS, MERGE_LATEST},
};

static enum err append_cost(struct buf *out, int column, struct slice text, struct arena *arena,
                            struct error *error)
{
    struct value value = {.slice = text};
    if (text.data == NULL) {
        append_null(out);
        return ERR_OK;
    }
    return append_value(out, &cost_columns[column], &value, arena, error);
}

/* In the order of PRICED_COLUMNS. */
static enum err append_priced(struct buf *out, const struct priced *priced, struct arena *arena,
                              struct error *error)
{
    static const struct priced none;
    priced = priced != NULL ? priced : &none;
    enum err err = append_cost(out, 0, priced->details, arena, error);
    if (err == ERR_OK) {
        err = append_cost(out, 1, priced->total, arena, error);
    }
    append_text_or_null(out, priced->model_id);
    append_text_or_null(out, priced->tier_id);
    append_text_or_null(out, priced->tier_name);
    return err == ERR_OK ? append_cost(out, 2, priced->unpriced, arena, error) : err;
}

static enum err append_columns(struct buf *out, struct merged *merged, uint64_t columns,
                               struct arena *arena, struct error *error)
{
    const struct row_table *table = &row_tables[merged->kind];
    uint32_t metadata = merge_metadata_column(merged->kind);
    /* Versions below need the tree only when something deviates; find out before it is written. */
    if ((columns >> metadata & 1) != 0 && merged->versions[metadata] != merged->event_version) {
        merge_metadata(merged, arena);
    }
    append_slice(out, merged->project);
    for (uint32_t i = 0; i < table->column_count; i++) {
        if ((columns >> i & 1) == 0) {
            append_null(out);
        } else if (i == metadata && merged->metadata != NULL) {
            append_metadata(out, merged->metadata);
        } else {
            enum err err = append_value(out, &table->columns[i], &merged->values[i], arena, error);
            if (err != ERR_OK) {
                return err;
            }
        }
    }
    append_versions(out, merged, (columns >> metadata & 1) != 0, arena);
    return merged->kind == ROW_OBSERVATION ? append_priced(out, merged->priced, arena, error)
                                           : ERR_OK;
}

static uint16_t field_count(const struct merged *merged)
{
    uint32_t costs = merged->kind == ROW_OBSERVATION ? PRICED_COLUMN_COUNT : 0;
    return (uint16_t)(row_tables[merged->kind].column_count + EXTRA_COLUMNS + costs);
}

enum err copy_row(struct buf *out, struct merged *merged, struct arena *arena, struct error *error)
{
    size_t before = out->len;
    buf_append_be16(out, field_count(merged));
    enum err err = append_columns(out, merged, merged->present, arena, error);
    if (err != ERR_OK) {
        out->len = before;
    }
    return err;
}

enum err copy_change(struct buf *out, struct merged *merged, uint64_t changed, struct arena *arena,
                     struct error *error)
{
    size_t before = out->len;
    const struct row_table *table = &row_tables[merged->kind];
    uint64_t keys = (UINT64_C(1) << table->key_count) - 1;
    bool has_costs = merged->kind == ROW_OBSERVATION;
    buf_append_be16(out, (uint16_t)(field_count(merged) + 1 + has_costs));
    enum err err = append_columns(out, merged, changed | keys, arena, error);
    if (err != ERR_OK) {
        out->len = before;
        return err;
    }
    append_int64(out, merged->ties);
    if (has_costs) {
        append_bool(out, merged->priced != NULL);
    }
    return ERR_OK;
}
