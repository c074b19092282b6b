/*
 * otlp_samples: a data point of OTLP -> the points that it is stored as: endings of the metric's name,
 * one label more, values. Pure; not thread-safe.
 */
#pragma once

#include <stdbool.h>

#include "common/arena.h"
#include "gateway/ingest/otlp_build.h"
#include "gateway/ingest/otlp_metric.h"

struct otlp_sample {
    const char *suffix;       /* static: ".count", "" */
    const char *label;        /* static: "le"; NULL: none */
    struct slice label_value; /* in the arena */
    double value;
};

struct otlp_samples {
    struct otlp_sample *list; /* in the arena */
    uint32_t count;
};

/* More buckets than any SDK makes are a fault of the point. */
enum { OTLP_BUCKETS_MAX = 2000, OTLP_SCALE_MIN = -10, OTLP_SCALE_MAX = 20 };

/* False: the point cannot be stored, which is its fault then. */
bool otlp_samples_of(const struct otlp_metric *metric, struct otlp_point *point,
                     struct arena *arena, struct otlp_samples *out);
