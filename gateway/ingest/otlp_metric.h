/*
 * otlp_metric: a metric and its data points as both readers leave them and decode_otlp_metrics takes
 * them, after opentelemetry-proto's metrics.proto 1.x. Pure data; texts as in otlp_span.h.
 */
#pragma once

#include "gateway/ingest/otlp_span.h"

enum otlp_metric_type {
    OTLP_METRIC_NONE, /* no data */
    OTLP_METRIC_GAUGE,
    OTLP_METRIC_SUM,
    OTLP_METRIC_HISTOGRAM,
    OTLP_METRIC_EXPONENTIAL,
    OTLP_METRIC_SUMMARY,
    OTLP_METRIC_TYPE_COUNT,
};

enum otlp_temporality {
    OTLP_TEMPORALITY_NONE,
    OTLP_TEMPORALITY_DELTA,
    OTLP_TEMPORALITY_CUMULATIVE
};

enum { OTLP_POINT_NO_VALUE = 1 /* bit of flags: there is no recorded value */ };

struct otlp_metric {
    struct slice name;
    struct slice unit;
    enum otlp_metric_type type;
    uint32_t temporality; /* enum otlp_temporality */
    bool monotonic;
    struct otlp_fault fault; /* of all its points, then */
};

/* Of an exponential histogram: the first is number offset. */
struct otlp_buckets {
    int32_t offset;
    OTLP_LIST(uint64_t) counts;
};

struct otlp_quantile {
    double quantile;
    double value;
};

struct otlp_number {
    bool sent;
    double value;
};

struct otlp_point {
    struct attributes attributes;
    uint64_t time_ns; /* since 1970; 0: unset */
    uint32_t flags;

    struct otlp_number value; /* gauges and sums */

    /* the others */
    uint64_t count;
    struct otlp_number sum;
    struct otlp_number min;
    struct otlp_number max;

    OTLP_LIST(uint64_t) bucket_counts; /* histograms: one more than bounds, or none */
    OTLP_LIST(double) bounds;

    int32_t scale; /* exponential ones */
    uint64_t zero_count;
    double zero_threshold;
    struct otlp_buckets positive;
    struct otlp_buckets negative;

    OTLP_LIST(struct otlp_quantile) quantiles; /* summaries */

    struct otlp_fault fault; /* the first one */
};
