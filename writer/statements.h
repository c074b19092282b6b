/*
 * statements: the SQL of the table of each kind that merges, made once from proto/row.h's columns. Texts live until
 * statements_finish and their addresses name prepared statements.
 *
 * lookup and lookup_locked take the key arrays - $1 text[] project_id, then one text[] for each key
 * column - and bool[] "give the documents too", and answer for each row that exists, in key order:
 *   place (bigint, 1-based), event_version, field_versions, mask of columns that are set (bigint),
 *   timestamp (created_at of observations), then as text, only where asked for: metadata,
 *   metadata_versions, and each further jsonb column in table order.
 * That of observations takes two more bool[], "give what costs are computed from" (further jsonb columns too) and
 * "give the model parameters", and answers with statements_cost_columns at the end.
 */
#pragma once

#include "proto/row.h"

struct statements_table {
    char *lookup;
    char *lookup_locked; /* FOR UPDATE */
    char *copy;          /* into the table; for copy_row */
    char *create_staging;
    char *copy_staging; /* for copy_change */
    char *update;       /* the table from staging */
    char *clear_staging;
};

/* Columns of observations that costs are computed from, but for jsonb. */
enum { STATEMENTS_COST_COLUMNS = 6 };
extern const uint32_t statements_cost_columns[STATEMENTS_COST_COLUMNS];

enum {
    LOOKUP_PLACE,
    LOOKUP_EVENT_VERSION,
    LOOKUP_FIELD_VERSIONS,
    LOOKUP_PRESENT,
    LOOKUP_TIMESTAMP,
    LOOKUP_METADATA,
    LOOKUP_METADATA_VERSIONS,
    LOOKUP_DOCUMENTS
};

struct statements {
    struct statements_table tables[ROW_MERGED_KINDS];
};

void statements_init(struct statements *statements);
void statements_finish(struct statements *statements);
