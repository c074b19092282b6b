/*
 * otlp_metric: a metric and its data points as both readers (otlp_metric_json, otlp_metric_protobuf)
 * leave them and decode_otlp_metrics takes them, after opentelemetry-proto's metrics.proto 1.x. Pure
 * data; texts as in otlp_span.h.
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
    enum otlp_temporality temporality;
    bool monotonic;
    struct otlp_fault fault; /* of all its points, then */
};

/* Of an exponential histogram: the first is number offset. */
struct otlp_buckets {
    int32_t offset;
    uint64_t *counts;
    uint32_t count;
};

struct otlp_quantile {
    double quantile;
    double value;
};

struct otlp_point {
    struct attributes attributes;
    uint64_t time_ns; /* since 1970; 0: unset */
    uint32_t flags;

    /* gauges and sums */
    bool has_value;
    double value;

    /* the others */
    uint64_t count;
    bool has_sum;
    bool has_min;
    bool has_max;
    double sum;
    double min;
    double max;

    uint64_t *bucket_counts; /* histograms: one more than bounds, or none */
    uint32_t bucket_count;
    double *bounds;
    uint32_t bound_count;

    int32_t scale; /* exponential ones */
    uint64_t zero_count;
    double zero_threshold;
    struct otlp_buckets positive;
    struct otlp_buckets negative;

    struct otlp_quantile *quantiles; /* summaries */
    uint32_t quantile_count;

    struct otlp_fault fault; /* the first one */
};
