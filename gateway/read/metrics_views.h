/*
 * metrics_views: what the query language of metrics can ask for: views, and of each the dimensions, the
 * measures and what may be filtered, as pieces of SQL (contract/langfuse.md section 4.6). Static
 * tables; nothing of a request ever becomes part of a statement.
 *
 * In the SQL `t` is a row of traces, `o` of observations, `s` of scores; $1 is the project. Each row of the
 * view's table is counted once: what it has many of is summed up beside it (METRICS_OBSERVATIONS,
 * METRICS_SCORES), and of what it belongs to there is one at most.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"
#include "gateway/read/filter.h"

/* What must be joined to the view's table before a piece of SQL can be used. */
enum metrics_join {
    METRICS_TRACE = 1,        /* t: the trace of an observation or a score */
    METRICS_OBSERVATION = 2,  /* o: the observation of a score */
    METRICS_OBSERVATIONS = 4, /* os: sums over the observations of a trace */
    METRICS_SCORES = 8,       /* ss: how many scores a trace or an observation has */
    METRICS_JOIN_END = 16,
};

/* Arrays of these end with a NULL name. */
struct metrics_dimension {
    const char *name;
    enum filter_type type;
    const char *sql;
    unsigned joins;
    bool is_id;             /* too many values for v2 to group by */
    const char *filter_sql; /* NULL: as sql; differs where only one of both can use an index */
};

enum metrics_kind {
    METRICS_NUMBER,
    METRICS_TEXT,     /* can only be counted */
    METRICS_DISTINCT, /* SQL of an aggregate: a group has one value, which every aggregation is of */
};

struct metrics_measure {
    const char *name;
    const char *sql;
    enum metrics_kind kind;
    unsigned joins;
    const char *bounded_sql; /* where sql may be any double: what can be summed up; else NULL */
};

struct metrics_view {
    const char *name;
    const char *from; /* the table and its row's name */
    char row;         /* that name */
    /* {rows} stands for FROM ... WHERE ... of the rows that the query is about, so that PostgreSQL can
     * choose how to find what belongs to them, be they few or all. */
    const char *join_sql[METRICS_JOIN_END];
    const char *condition; /* " AND ...", or "" */
    const char *time;      /* SQL */
    bool is_v1_only;
    const struct metrics_dimension *dimensions;
    const struct metrics_dimension *filters; /* may be filtered, not grouped by */
    const struct metrics_measure *measures;
};

enum metrics_aggregation {
    METRICS_SUM,
    METRICS_AVG,
    METRICS_COUNT,
    METRICS_MAX,
    METRICS_MIN,
    METRICS_P50,
    METRICS_P75,
    METRICS_P90,
    METRICS_P95,
    METRICS_P99,
    METRICS_HISTOGRAM,
    METRICS_UNIQ,
    METRICS_AGGREGATION_COUNT,
};

extern const char *const metrics_aggregation_names[METRICS_AGGREGATION_COUNT];

/* NULL: there is none of that name. */
const struct metrics_view *metrics_find_view(struct slice name);
const struct metrics_dimension *metrics_find_dimension(const struct metrics_view *view,
                                                       struct slice name);
const struct metrics_measure *metrics_find_measure(const struct metrics_view *view,
                                                   struct slice name);
bool metrics_find_aggregation(struct slice name, enum metrics_aggregation *out);
