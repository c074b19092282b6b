#include "gateway/ingest/otlp_samples.h"

#include <math.h>

#include "common/buf.h"
#include "gateway/ingest/otlp_any.h"

struct making {
    struct otlp_point *point;
    struct arena *arena;
    OTLP_LIST(struct otlp_sample) list;
    double cumulated;  /* of the buckets so far */
    double last_bound; /* of the last bucket made */
};

static bool fail(struct making *making, const char *field, const char *reason)
{
    otlp_fault_set(&making->point->fault, field, reason);
    return false;
}

static bool add(struct making *making, const char *suffix, double value)
{
    struct otlp_sample *sample = otlp_list_add(&making->list, sizeof(*sample), making->arena);
    sample->suffix = suffix;
    sample->value = value;
    return true;
}

static bool add_with(struct making *making, const char *suffix, const char *label, double at,
                     double value)
{
    struct buf text = BUF_EMPTY;
    struct any any = {.type = ANY_DOUBLE, .real = at};
    any_print(&any, &text);
    add(making, suffix, value);
    struct otlp_sample *sample = &making->list.list[making->list.count - 1];
    sample->label = label;
    sample->label_value = isfinite(at) ? arena_copy(making->arena, buf_slice(&text))
                          : at > 0     ? SLICE_LITERAL("+Inf")
                                       : SLICE_LITERAL("-Inf");
    buf_finish(&text);
    return true;
}

/* ---- buckets: each counts all below its bound, as le says ---- */

static void add_bucket(struct making *making, double bound, uint64_t count)
{
    struct otlp_sample *last = &making->list.list[making->list.count - 1];
    making->cumulated += (double)count;
    /* Bounds that a double cannot tell apart. */
    if (last->label != NULL && making->last_bound == bound) {
        last->value = making->cumulated;
        return;
    }
    add_with(making, ".bucket", "le", bound, making->cumulated);
    making->last_bound = bound;
}

static bool add_histogram_buckets(struct making *making)
{
    const struct otlp_point *point = making->point;
    if (point->bucket_counts.count == 0 && point->bounds.count == 0) {
        return true;
    }
    if (point->bucket_counts.count != point->bounds.count + 1) {
        return fail(making, "bucketCounts", "not one more than explicitBounds");
    }
    if (point->bucket_counts.count > OTLP_BUCKETS_MAX) {
        return fail(making, "bucketCounts", "more than 2000 buckets");
    }
    for (uint32_t i = 0; i < point->bucket_counts.count; i++) {
        double bound = i < point->bounds.count ? point->bounds.list[i] : INFINITY;
        if (isnan(bound) || (i > 0 && bound <= point->bounds.list[i - 1])) {
            return fail(making, "explicitBounds", "not in ascending order");
        }
        add_bucket(making, bound, point->bucket_counts.list[i]);
    }
    return true;
}

/* 2^(2^-scale) to the power of index. */
static double exponential_bound(int32_t scale, double index)
{
    return exp2(ldexp(index, -scale));
}

/* Empty buckets are left out: a histogram may have hundreds. */
static bool add_exponential_buckets(struct making *making)
{
    const struct otlp_point *point = making->point;
    const struct otlp_buckets *negative = &point->negative;
    const struct otlp_buckets *positive = &point->positive;
    if (point->scale < OTLP_SCALE_MIN || point->scale > OTLP_SCALE_MAX) {
        return fail(making, "scale", "not in -10 to 20");
    }
    if (negative->counts.count > OTLP_BUCKETS_MAX || positive->counts.count > OTLP_BUCKETS_MAX) {
        return fail(making, "bucketCounts", "more than 2000 buckets");
    }
    for (uint32_t i = negative->counts.count; i > 0; i--) {
        double index = (double)negative->offset + i - 1;
        if (negative->counts.list[i - 1] > 0) {
            add_bucket(making, -exponential_bound(point->scale, index),
                       negative->counts.list[i - 1]);
        }
    }
    if (point->zero_count > 0) {
        add_bucket(making, isfinite(point->zero_threshold) ? point->zero_threshold : 0,
                   point->zero_count);
    }
    for (uint32_t i = 0; i < positive->counts.count; i++) {
        double index = (double)positive->offset + i + 1;
        if (positive->counts.list[i] > 0) {
            add_bucket(making, exponential_bound(point->scale, index), positive->counts.list[i]);
        }
    }
    add_bucket(making, INFINITY, 0);
    return true;
}

static bool add_quantiles(struct making *making)
{
    const struct otlp_point *point = making->point;
    for (uint32_t i = 0; i < point->quantiles.count; i++) {
        double quantile = point->quantiles.list[i].quantile;
        if (!(quantile >= 0 && quantile <= 1)) {
            return fail(making, "quantileValues", "a quantile that is not in 0 to 1");
        }
        if (!isnan(point->quantiles.list[i].value)) { /* NaN: nothing was observed */
            add_with(making, ".quantile", "quantile", quantile, point->quantiles.list[i].value);
        }
    }
    return true;
}

/* ---- a data point ---- */

static bool add_totals(struct making *making)
{
    const struct otlp_point *point = making->point;
    add(making, ".count", (double)point->count);
    if (point->sum.sent) {
        add(making, ".sum", point->sum.value);
    }
    if (point->min.sent) {
        add(making, ".min", point->min.value);
    }
    if (point->max.sent) {
        add(making, ".max", point->max.value);
    }
    return true;
}

static bool add_all(struct making *making, enum otlp_metric_type type)
{
    switch (type) {
    case OTLP_METRIC_GAUGE:
    case OTLP_METRIC_SUM:
        return making->point->value.sent ? add(making, "", making->point->value.value)
                                         : fail(making, "value", "missing");
    case OTLP_METRIC_HISTOGRAM:
        return add_totals(making) && add_histogram_buckets(making);
    case OTLP_METRIC_EXPONENTIAL:
        return add_totals(making) && add_exponential_buckets(making);
    case OTLP_METRIC_SUMMARY:
        return add_totals(making) && add_quantiles(making);
    case OTLP_METRIC_NONE:
    case OTLP_METRIC_TYPE_COUNT:
        break;
    }
    return fail(making, "", "of no known type");
}

static bool are_finite(struct making *making)
{
    const struct otlp_sample *samples = making->list.list;
    for (uint32_t i = 0; i < making->list.count; i++) {
        if (!isfinite(samples[i].value)) {
            const char *field = samples[i].suffix[0] == '.' ? samples[i].suffix + 1 : "value";
            return fail(making, field, "not a finite number");
        }
    }
    return true;
}

bool otlp_samples_of(const struct otlp_metric *metric, struct otlp_point *point,
                     struct arena *arena, struct otlp_samples *out)
{
    struct making making = {.point = point, .arena = arena};
    if ((point->flags & OTLP_POINT_NO_VALUE) != 0) {
        return fail(&making, "flags", "there is no recorded value");
    }
    if (!add_all(&making, metric->type) || !are_finite(&making)) {
        return false;
    }
    *out = (struct otlp_samples){making.list.list, making.list.count};
    return true;
}
