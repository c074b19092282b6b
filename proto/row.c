#include "proto/row.h"

#define COLUMN_ROW(suffix, name, type, merge) {name, COLUMN_##type, MERGE_##merge},
static const struct column trace_columns[] = {TRACE_COLUMNS(COLUMN_ROW)};
static const struct column observation_columns[] = {OBSERVATION_COLUMNS(COLUMN_ROW)};
static const struct column score_columns[] = {SCORE_COLUMNS(COLUMN_ROW)};
static const struct column metric_columns[] = {METRIC_COLUMNS(COLUMN_ROW)};
static const struct column deletion_columns[] = {DELETION_COLUMNS(COLUMN_ROW)};
static const struct column model_columns[] = {MODEL_COLUMNS(COLUMN_ROW)};
#undef COLUMN_ROW

const struct row_table row_tables[ROW_KIND_COUNT] = {
    [ROW_TRACE] = {"traces", trace_columns, TRACE_COLUMN_COUNT, 1},
    [ROW_OBSERVATION] = {"observations", observation_columns, OBSERVATION_COLUMN_COUNT, 2},
    [ROW_SCORE] = {"scores", score_columns, SCORE_COLUMN_COUNT, 1},
    [ROW_METRIC] = {"metric_points", metric_columns, METRIC_COLUMN_COUNT, 4},
    [ROW_DELETION] = {"deletions", deletion_columns, DELETION_COLUMN_COUNT, 2},
    [ROW_MODEL] = {"models", model_columns, MODEL_COLUMN_COUNT, 1},
};

_Static_assert((int)TRACE_COLUMN_COUNT <= (int)ROW_COLUMNS_MAX, "struct row holds a trace");
_Static_assert((int)SCORE_COLUMN_COUNT <= (int)ROW_COLUMNS_MAX, "struct row holds a score");
_Static_assert((int)METRIC_COLUMN_COUNT <= (int)ROW_COLUMNS_MAX, "struct row holds a metric");
_Static_assert(ROW_COLUMNS_MAX <= 64, "struct row has one bit a column");
