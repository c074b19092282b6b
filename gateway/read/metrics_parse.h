/*
 * metrics_parse: the `query` of the metrics routes, JSON text -> a bounded struct that refers to the
 * tables of metrics_views.h. First step of these routes. Pure; thread-safe.
 *
 *     {"view":"observations", "dimensions":[{"field":"providedModelName"}],
 *      "metrics":[{"measure":"totalCost","aggregation":"sum"}], "filters":[...],
 *      "timeDimension":{"granularity":"day"},
 *      "fromTimestamp":"2026-03-01T00:00:00Z", "toTimestamp":"2026-03-31T23:59:59.999Z",
 *      "orderBy":[{"field":"sum_totalCost","direction":"desc"}], "config":{"bins":10,"row_limit":100}}
 *
 * Members may come in any order and may be null; unknown ones are ignored, of a repeated one the last
 * counts. A dimension or metric that is asked for twice is there once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/error.h"
#include "common/slice.h"
#include "gateway/read/metrics_time.h"
#include "gateway/read/metrics_views.h"

/* PostgreSQL builds an object of at most 50 members. */
enum {
    METRICS_DIMENSIONS_MAX = 20,
    METRICS_METRICS_MAX = 25,
    METRICS_ORDERS_MAX = 20,
    METRICS_BINS_DEFAULT = 10,
    METRICS_BINS_MAX = 100,
    METRICS_ROWS_MAX = 1000,
    METRICS_BUCKETS_MAX = 50000, /* of time, where empty ones are filled */
};

struct metrics_metric {
    const struct metrics_measure *measure;
    enum metrics_aggregation aggregation;
};

enum metrics_order_by { METRICS_BY_TIME, METRICS_BY_DIMENSION, METRICS_BY_METRIC };

struct metrics_order {
    enum metrics_order_by by;
    size_t index; /* of the dimension or metric */
    bool is_descending;
};

struct metrics_request {
    const struct metrics_view *view;
    const struct metrics_dimension *dimensions[METRICS_DIMENSIONS_MAX];
    size_t dimension_count;
    struct metrics_metric metrics[METRICS_METRICS_MAX];
    size_t metric_count; /* at least one */
    enum metrics_granularity granularity;
    int64_t from_us; /* before to_us */
    int64_t to_us;
    struct metrics_order orders[METRICS_ORDERS_MAX]; /* as asked for */
    size_t order_count;
    bool is_filled; /* empty buckets of time are shown */
    int64_t bins;
    int64_t row_limit;   /* 0: none */
    const char *filters; /* JSON text, in the arena; NULL: none */
};

/*
 * version is 1 or 2, of the route. ERR_INVALID names the member that is wrong; ERR_TOO_HEAVY: more
 * than METRICS_BUCKETS_MAX buckets of time to fill.
 */
MUST_CHECK enum err metrics_parse(const char *json, int version, struct arena *arena,
                                  struct metrics_request *out, struct error *error);
