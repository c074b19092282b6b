/*
 * metrics_time: buckets of time.
 */
#include "gateway/read/metrics_time.h"

#include <stddef.h>

#define HOUR_US (INT64_C(60) * 60 * 1000000)

/* The shortest month counts. */
static const struct {
    const char *name;
    int64_t length_us;
} granularities[] = {
    [METRICS_NO_TIME] = {NULL, 0},
    [METRICS_MINUTE] = {"minute", HOUR_US / 60},
    [METRICS_HOUR] = {"hour", HOUR_US},
    [METRICS_DAY] = {"day", 24 * HOUR_US},
    [METRICS_WEEK] = {"week", 7 * 24 * HOUR_US},
    [METRICS_MONTH] = {"month", 28 * 24 * HOUR_US},
};

/* Fifty buckets, or as near to it as these lengths come. */
static enum metrics_granularity choose(int64_t range_us)
{
    return range_us < 2 * HOUR_US          ? METRICS_MINUTE
           : range_us < 72 * HOUR_US       ? METRICS_HOUR
           : range_us < 60 * 24 * HOUR_US  ? METRICS_DAY
           : range_us < 365 * 24 * HOUR_US ? METRICS_WEEK
                                           : METRICS_MONTH;
}

bool metrics_find_granularity(struct slice name, int64_t range_us, enum metrics_granularity *out)
{
    if (slice_is(name, "auto")) {
        *out = choose(range_us);
        return true;
    }
    for (int i = METRICS_MINUTE; i <= METRICS_MONTH; i++) {
        if (slice_is(name, granularities[i].name)) {
            *out = (enum metrics_granularity)i;
            return true;
        }
    }
    return false;
}

const char *metrics_unit(enum metrics_granularity granularity)
{
    return granularities[granularity].name;
}

int64_t metrics_count_buckets(enum metrics_granularity granularity, int64_t range_us)
{
    return range_us / granularities[granularity].length_us;
}
