/*
 * metrics: a program's own numbers, as Prometheus text (exposition format 0.0.4:
 * https://prometheus.io/docs/instrumenting/exposition_formats/). Numbers live in a struct of the
 * program's; a table of rows says what they are called. Adding is one relaxed atomic operation and
 * may be done from any thread; printing reads while others add.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

/* Counters only grow. Gauges are set or moved both ways. Both count whole units. */
typedef _Atomic(uint64_t) metric_number;

enum { METRIC_BUCKETS = 16 };

/* Durations in microseconds, printed in seconds: 100 us doubling up to 3.3 s, then +Inf. Counts,
 * for sizes: 1 doubling up to 32,768. */
struct metric_histogram {
    metric_number buckets[METRIC_BUCKETS + 1]; /* not cumulative; the last is beyond all bounds */
    metric_number sum;
};

enum metric_type {
    METRIC_COUNTER,
    METRIC_GAUGE,
    METRIC_SECONDS_TOTAL, /* a counter of microseconds, printed in seconds */
    METRIC_SECONDS,       /* a gauge of microseconds, printed in seconds */
    METRIC_DURATIONS,     /* struct metric_histogram of microseconds */
    METRIC_SIZES,         /* struct metric_histogram of counts */
};

struct metric {
    const char *name;   /* rows of one name stand together */
    const char *labels; /* `kind="trace"`; NULL for none */
    const char *help;   /* of the first row of a name; NULL elsewhere */
    enum metric_type type;
    size_t offset; /* of the number or histogram in the program's struct */
};

static inline void metric_add(metric_number *number, uint64_t more)
{
    atomic_fetch_add_explicit(number, more, memory_order_relaxed);
}

/* Of a gauge. */
static inline void metric_subtract(metric_number *number, uint64_t less)
{
    atomic_fetch_sub_explicit(number, less, memory_order_relaxed);
}

static inline void metric_set(metric_number *number, uint64_t value)
{
    atomic_store_explicit(number, value, memory_order_relaxed);
}

static inline uint64_t metric_get(const metric_number *number)
{
    return atomic_load_explicit((metric_number *)number, memory_order_relaxed);
}

/* How many were observed. */
uint64_t metric_count(const struct metric_histogram *histogram);

/* The unit (us or a count) is the row's type's. Negative values count as 0. */
void metric_observe_duration(struct metric_histogram *histogram, int64_t us);
void metric_observe_size(struct metric_histogram *histogram, uint64_t size);

/* Appends the text of all rows (which end with a NULL name). common_labels, e.g.
 * `project="default"`, goes into each line; NULL for none. */
void metrics_print(struct buf *out, const struct metric *rows, const void *numbers,
                   const char *common_labels);

/* Appends `name="value"`, the value escaped as the format wants it. */
void metrics_append_label(struct buf *out, const char *name, const char *value);

/* Appends process_resident_memory_bytes and process_open_fds. */
void metrics_print_process(struct buf *out);
