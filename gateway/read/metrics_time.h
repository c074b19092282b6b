/*
 * metrics_time: the buckets of time that the query language of metrics knows; UTC. Pure; thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"

enum metrics_granularity {
    METRICS_NO_TIME,
    METRICS_MINUTE,
    METRICS_HOUR,
    METRICS_DAY,
    METRICS_WEEK, /* from Monday on */
    METRICS_MONTH,
};

/* By its name; `auto` is what gives some fifty buckets of a range of this length. False: there is none of that
 * name. */
bool metrics_find_granularity(struct slice name, int64_t range_us, enum metrics_granularity *out);

/* PostgreSQL's word for it, of date_trunc and interval. */
const char *metrics_unit(enum metrics_granularity granularity);

/* How many buckets a range of this length has at most, give or take one. */
int64_t metrics_count_buckets(enum metrics_granularity granularity, int64_t range_us);
