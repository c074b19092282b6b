#include "writer/model_rows.h"

#include <endian.h>

#include "writer/apply.h"

static const char sql_insert[] =
    "INSERT INTO models (project_id, id, model_name, match_pattern, start_date, unit, tokenizer_id,"
    " tokenizer_config, pricing_tiers, created_at, updated_at)"
    " SELECT $1::text, $2::text, $3::text, $4::text,"
    "  timestamptz 'epoch' + $5::bigint * interval '1 microsecond', $6::text, $7::text,"
    "  ($8::text)::jsonb, ($9::text)::jsonb, c.at, c.at"
    " FROM (SELECT timestamptz 'epoch' + $10::bigint * interval '1 microsecond' AS at) c";

static struct slice text_of(const struct row *row, uint32_t column)
{
    return row_has(row, column) ? row->values[column].slice : (struct slice){NULL, 0};
}

/* bytes hold the value. */
static struct slice time_of(const struct row *row, uint32_t column, uint64_t *bytes)
{
    if (!row_has(row, column)) {
        return (struct slice){NULL, 0};
    }
    *bytes = htobe64((uint64_t)row->values[column].integer);
    return (struct slice){(const char *)bytes, sizeof(*bytes)};
}

static enum err write_one(struct session *session, const struct apply_row *apply_row,
                          struct error *error)
{
    const struct row *row = apply_row->row;
    uint64_t start, created;
    struct session_parameters parameters = {
        .values = {apply_row->project, text_of(row, MODEL_ID), text_of(row, MODEL_MODEL_NAME),
                   text_of(row, MODEL_MATCH_PATTERN), time_of(row, MODEL_START_DATE, &start),
                   text_of(row, MODEL_UNIT), text_of(row, MODEL_TOKENIZER_ID),
                   text_of(row, MODEL_TOKENIZER_CONFIG), text_of(row, MODEL_PRICING_TIERS),
                   time_of(row, MODEL_CREATED_AT, &created)},
        .count = 10};
    return session_query(session, sql_insert, &parameters, NULL, error);
}

enum err model_rows_write(struct session *session, const struct apply_row *rows, uint32_t count,
                          struct error *error)
{
    enum err err = ERR_OK;
    for (uint32_t i = 0; i < count && err == ERR_OK; i++) {
        err = write_one(session, &rows[i], error);
    }
    return err;
}
