#include "writer/statements.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/buf.h"
#include "writer/price.h"

const uint32_t statements_cost_columns[STATEMENTS_COST_COLUMNS] = {
    OBSERVATION_START_TIME,        OBSERVATION_MODEL,        OBSERVATION_PROMPT_TOKENS,
    OBSERVATION_COMPLETION_TOKENS, OBSERVATION_TOTAL_TOKENS, OBSERVATION_MODEL_PARAMETERS};

#define PRICED_NAME(name) name,
static const char *const priced_columns[] = {PRICED_COLUMNS(PRICED_NAME) NULL};
#undef PRICED_NAME

static bool has_costs(const struct row_table *table)
{
    return table == &row_tables[ROW_OBSERVATION];
}

static char *finish_text(struct buf *sql)
{
    size_t len;
    buf_append_char(sql, '\0');
    return buf_take(sql, &len);
}

/* project_id, "id", ..., metadata_versions; of observations also what they cost */
static void append_names(struct buf *sql, const struct row_table *table)
{
    buf_append_text(sql, "project_id");
    for (uint32_t i = 0; i < table->column_count; i++) {
        buf_printf(sql, ", \"%s\"", table->columns[i].name);
    }
    buf_append_text(sql, ", event_version, field_versions, metadata_versions");
    for (int i = 0; has_costs(table) && priced_columns[i] != NULL; i++) {
        buf_printf(sql, ", %s", priced_columns[i]);
    }
}

static void append_present_mask(struct buf *sql, const struct row_table *table)
{
    buf_append_text(sql, "0::bigint");
    for (uint32_t i = 0; i < table->column_count; i++) {
        buf_printf(sql, " | CASE WHEN t.\"%s\" IS NULL THEN 0 ELSE %" PRIu64 " END",
                   table->columns[i].name, UINT64_C(1) << i);
    }
}

static void append_documents(struct buf *sql, const struct row_table *table)
{
    buf_append_text(sql, ", CASE WHEN k.d THEN t.metadata::text END"
                         ", CASE WHEN k.d THEN t.metadata_versions::text END");
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        if (column->type == COLUMN_JSONB && column->merge == MERGE_LATEST) {
            buf_printf(sql, ", CASE WHEN k.d%s THEN t.\"%s\"::text END",
                       has_costs(table) ? " OR k.c" : "", column->name);
        }
    }
    for (int i = 0; has_costs(table) && i < STATEMENTS_COST_COLUMNS; i++) {
        uint32_t column = statements_cost_columns[i];
        buf_printf(sql, ", CASE WHEN k.%s THEN t.\"%s\" END",
                   column == OBSERVATION_MODEL_PARAMETERS ? "m" : "c", table->columns[column].name);
    }
}

static void append_key_list(struct buf *sql, const struct row_table *table, const char *format)
{
    for (uint32_t i = 0; i < table->key_count; i++) {
        buf_printf(sql, "%s", format);
        buf_append_text(sql, table->columns[i].name);
    }
}

static char *make_lookup(const struct row_table *table, bool has_timestamp, bool locked)
{
    struct buf sql = BUF_EMPTY;
    buf_append_text(&sql, "SELECT k.n, t.event_version, t.field_versions, ");
    append_present_mask(&sql, table);
    buf_append_text(&sql, has_timestamp ? ", t.timestamp" : ", t.created_at");
    append_documents(&sql, table);
    buf_append_text(&sql, " FROM unnest($1::text[]");
    for (uint32_t i = 0; i < table->key_count; i++) {
        buf_printf(&sql, ", $%" PRIu32 "::text[]", i + 2);
    }
    buf_printf(&sql, ", $%" PRIu32 "::bool[]", table->key_count + 2);
    if (has_costs(table)) {
        buf_printf(&sql, ", $%" PRIu32 "::bool[], $%" PRIu32 "::bool[]", table->key_count + 3,
                   table->key_count + 4);
    }
    buf_append_text(&sql, ") WITH ORDINALITY AS k(project_id");
    append_key_list(&sql, table, ", ");
    buf_append_text(&sql, has_costs(table) ? ", d, c, m" : ", d");
    buf_printf(&sql, ", n) JOIN %s t ON t.project_id = k.project_id", table->name);
    for (uint32_t i = 0; i < table->key_count; i++) {
        const char *name = table->columns[i].name;
        buf_printf(&sql, " AND t.%s = k.%s", name, name);
    }
    buf_append_text(&sql, " ORDER BY t.project_id");
    append_key_list(&sql, table, ", t.");
    buf_append_text(&sql, locked ? " FOR UPDATE OF t" : "");
    return finish_text(&sql);
}

static char *make_copy(const struct row_table *table)
{
    struct buf sql = BUF_EMPTY;
    buf_printf(&sql, "COPY %s (", table->name);
    append_names(&sql, table);
    buf_append_text(&sql, ") FROM STDIN (FORMAT binary)");
    return finish_text(&sql);
}

static char *make_create_staging(const struct row_table *table)
{
    struct buf sql = BUF_EMPTY;
    buf_printf(&sql, "CREATE TEMP TABLE IF NOT EXISTS staging_%s ON COMMIT DELETE ROWS AS SELECT ",
               table->name);
    append_names(&sql, table);
    buf_printf(&sql, ", 0::bigint AS ties%s FROM %s WITH NO DATA",
               has_costs(table) ? ", false AS priced" : "", table->name);
    return finish_text(&sql);
}

static char *make_copy_staging(const struct row_table *table)
{
    struct buf sql = BUF_EMPTY;
    buf_printf(&sql, "COPY staging_%s (", table->name);
    append_names(&sql, table);
    buf_append_text(&sql, has_costs(table) ? ", ties, priced" : ", ties");
    buf_append_text(&sql, ") FROM STDIN (FORMAT binary)");
    return finish_text(&sql);
}

/* The new value of a column: s is NULL where it does not change; of equal versions the greater. */
static void append_assignment(struct buf *sql, const struct column *column, uint32_t place)
{
    const char *name = column->name;
    if (column->merge == MERGE_UNION) {
        buf_printf(sql,
                   "\"%s\" = CASE WHEN s.\"%s\" IS NULL THEN t.\"%s\" ELSE (SELECT array_agg("
                   "DISTINCT x ORDER BY x) FROM unnest(t.\"%s\" || s.\"%s\") AS x) END, ",
                   name, name, name, name, name);
        return;
    }
    if (column->merge == MERGE_METADATA || column->type == COLUMN_JSONB) {
        buf_printf(sql, "\"%s\" = coalesce(s.\"%s\", t.\"%s\"), ", name, name, name);
        return;
    }
    bool is_text = column->type == COLUMN_TEXT || column->type == COLUMN_JSON;
    buf_printf(sql,
               "\"%s\" = CASE WHEN s.ties & %" PRIu64 " = 0 THEN coalesce(s.\"%s\", t.\"%s\")"
               " ELSE greatest(t.\"%s\"%s, s.\"%s\") END, ",
               name, UINT64_C(1) << place, name, name, name, is_text ? " COLLATE \"C\"" : "", name);
}

/* Is what the column says as it was? Of documents s has only those that changed. */
static void append_is_same(struct buf *sql, const struct column *column)
{
    const char *name = column->name;
    if (column->merge == MERGE_METADATA || column->type == COLUMN_JSONB) {
        buf_printf(sql, " AND s.\"%s\" IS NULL", name);
    } else {
        buf_printf(sql, " AND (s.\"%s\" IS NULL OR t.\"%s\" %s s.\"%s\")", name, name,
                   column->merge == MERGE_UNION ? "@>" : "=", name);
    }
}

/* A row that comes again changes nothing, and does not look as if it had. */
static void append_updated_at(struct buf *sql, const struct row_table *table)
{
    buf_append_text(sql, "updated_at = CASE WHEN s.event_version = t.event_version");
    for (uint32_t i = table->key_count; i < table->column_count; i++) {
        append_is_same(sql, &table->columns[i]);
    }
    for (int i = 0; has_costs(table) && priced_columns[i] != NULL; i++) {
        buf_printf(sql, " AND (NOT s.priced OR t.%s IS NOT DISTINCT FROM s.%s)", priced_columns[i],
                   priced_columns[i]);
    }
    buf_append_text(sql, " THEN t.updated_at ELSE now() END");
}

static char *make_update(const struct row_table *table)
{
    struct buf sql = BUF_EMPTY;
    buf_printf(&sql, "UPDATE %s t SET ", table->name);
    for (uint32_t i = table->key_count; i < table->column_count; i++) {
        append_assignment(&sql, &table->columns[i], i);
    }
    for (int i = 0; has_costs(table) && priced_columns[i] != NULL; i++) {
        buf_printf(&sql, "%s = CASE WHEN s.priced THEN s.%s ELSE t.%s END, ", priced_columns[i],
                   priced_columns[i], priced_columns[i]);
    }
    buf_printf(&sql, "event_version = s.event_version, field_versions = s.field_versions, "
                     "metadata_versions = CASE WHEN s.metadata IS NULL THEN t.metadata_versions"
                     " ELSE s.metadata_versions END, ");
    append_updated_at(&sql, table);
    buf_printf(&sql, " FROM staging_%s s WHERE t.project_id = s.project_id", table->name);
    for (uint32_t i = 0; i < table->key_count; i++) {
        const char *name = table->columns[i].name;
        buf_printf(&sql, " AND t.%s = s.%s", name, name);
    }
    return finish_text(&sql);
}

static char *make_clear_staging(const struct row_table *table)
{
    struct buf sql = BUF_EMPTY;
    buf_printf(&sql, "DELETE FROM staging_%s", table->name);
    return finish_text(&sql);
}

void statements_init(struct statements *statements)
{
    for (int kind = 0; kind < ROW_MERGED_KINDS; kind++) {
        const struct row_table *table = &row_tables[kind];
        struct statements_table *sql = &statements->tables[kind];
        bool has_timestamp = kind != ROW_OBSERVATION;
        sql->lookup = make_lookup(table, has_timestamp, false);
        sql->lookup_locked = make_lookup(table, has_timestamp, true);
        sql->copy = make_copy(table);
        sql->create_staging = make_create_staging(table);
        sql->copy_staging = make_copy_staging(table);
        sql->update = make_update(table);
        sql->clear_staging = make_clear_staging(table);
    }
}

void statements_finish(struct statements *statements)
{
    for (int kind = 0; kind < ROW_MERGED_KINDS; kind++) {
        struct statements_table *sql = &statements->tables[kind];
        free(sql->lookup);
        free(sql->lookup_locked);
        free(sql->copy);
        free(sql->create_staging);
        free(sql->copy_staging);
        free(sql->update);
        free(sql->clear_staging);
    }
}
