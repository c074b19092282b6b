/*
 * maintain_sql: the statements of writer/maintain.c, one a step. Each answers with one value.
 */
#pragma once

/* $1: pg_snapshot of the last pass as text, empty for none. Answers 1 when a day was rolled up. */
extern const char maintain_sql_roll_up[];

/* Many marks of a day become one, many counts of a day their sum. Answer: how many days. */
extern const char maintain_sql_fold_marks[];
extern const char maintain_sql_fold_counts[];
/* What has been added to facet_changes goes into facet_counts. Answer: how many rows of it that are. */
extern const char maintain_sql_fold_facets[];

/* Batch ids and idempotency keys older than a day, and counts that have become 0, some at a time. Answers 1 when there may be more.
 * Also makes the partitions of metric_points for today and the next two days. */
extern const char maintain_sql_prune[];

/* The snapshot as text. */
extern const char maintain_sql_retire_traces[];
extern const char maintain_sql_drop_partition[];
extern const char maintain_sql_retire_points[];
extern const char maintain_sql_retire_series[];
extern const char maintain_sql_retire_letters[];
extern const char maintain_sql_snapshot[];
