/* A metric in OTLP/JSON -> struct otlp_metric and the struct otlp_point of its data points. */
#include <string.h>

#include "gateway/ingest/otlp_json_value.h"
#include "gateway/ingest/otlp_signal.h"

/* False: null, or another type, which is a fault. */
static bool begin_list(struct otlp_build *build, struct json_reader *reader)
{
    if (json_array_begin(reader)) {
        return true;
    }
    if (!json_null(reader)) {
        json_skip(reader, NULL);
        otlp_build_fail(build, "not an array");
    }
    return false;
}

/* ---- data points ---- */

static void read_counts(struct otlp_build *build, struct json_reader *reader, uint64_t **out,
                        uint32_t *count)
{
    struct otlp_list list = {NULL, 0, 0};
    if (!begin_list(build, reader)) {
        return;
    }
    while (json_array_next(reader)) {
        if (otlp_build_count(build)) {
            otlp_json_unsigned(build, reader, otlp_list_add(&list, sizeof(**out), build->arena));
        } else {
            json_skip(reader, NULL);
        }
    }
    *out = list.items;
    *count = list.count;
}

static void read_bounds(struct otlp_build *build, struct json_reader *reader,
                        struct otlp_point *out)
{
    struct otlp_list list = {NULL, 0, 0};
    if (!begin_list(build, reader)) {
        return;
    }
    while (json_array_next(reader)) {
        if (otlp_build_count(build)) {
            otlp_json_double(build, reader, otlp_list_add(&list, sizeof(double), build->arena));
        } else {
            json_skip(reader, NULL);
        }
    }
    out->bounds = list.items;
    out->bound_count = list.count;
}

static void read_int32(struct otlp_build *build, struct json_reader *reader, int32_t *out)
{
    double real = 0;
    otlp_json_double(build, reader, &real);
    if (!(real >= INT32_MIN && real <= INT32_MAX)) {
        otlp_build_fail(build, "not a 32-bit integer");
    } else {
        *out = (int32_t)real;
    }
}

static void read_buckets(struct otlp_build *build, struct json_reader *reader,
                         struct otlp_buckets *out)
{
    struct slice key;
    if (!json_object_begin(reader)) {
        if (!json_null(reader)) {
            json_skip(reader, NULL);
            otlp_build_fail(build, "not an object");
        }
        return;
    }
    while (json_object_next(reader, &key)) {
        if (slice_is(key, "offset")) {
            read_int32(build, reader, &out->offset);
        } else if (slice_is(key, "bucketCounts")) {
            read_counts(build, reader, &out->counts, &out->count);
        } else {
            json_skip(reader, NULL);
        }
    }
}

static void read_quantile(struct otlp_build *build, struct json_reader *reader,
                          struct otlp_quantile *out)
{
    struct slice key;
    if (!json_object_begin(reader)) {
        json_skip(reader, NULL);
        otlp_build_fail(build, "not an array of objects");
        return;
    }
    while (json_object_next(reader, &key)) {
        if (slice_is(key, "quantile")) {
            otlp_json_double(build, reader, &out->quantile);
        } else if (slice_is(key, "value")) {
            otlp_json_double(build, reader, &out->value);
        } else {
            json_skip(reader, NULL);
        }
    }
}

static void read_quantiles(struct otlp_build *build, struct json_reader *reader,
                           struct otlp_point *out)
{
    struct otlp_list list = {NULL, 0, 0};
    if (!begin_list(build, reader)) {
        return;
    }
    while (json_array_next(reader)) {
        if (otlp_build_count(build)) {
            read_quantile(build, reader,
                          otlp_list_add(&list, sizeof(struct otlp_quantile), build->arena));
        } else {
            json_skip(reader, NULL);
        }
    }
    out->quantiles = list.items;
    out->quantile_count = list.count;
}

/* null is as good as absent. */
static void read_optional(struct otlp_build *build, struct json_reader *reader, bool *has,
                          double *out)
{
    if (!json_null(reader)) {
        otlp_json_double(build, reader, out);
        *has = true;
    }
}

enum point_field {
    POINT_ATTRIBUTES,
    POINT_TIME,
    POINT_FLAGS,
    POINT_AS_DOUBLE,
    POINT_AS_INT,
    POINT_COUNT,
    POINT_SUM,
    POINT_MIN,
    POINT_MAX,
    POINT_BUCKET_COUNTS,
    POINT_BOUNDS,
    POINT_SCALE,
    POINT_ZERO_COUNT,
    POINT_ZERO_THRESHOLD,
    POINT_POSITIVE,
    POINT_NEGATIVE,
    POINT_QUANTILES,
    POINT_FIELD_COUNT,
};

static const char *const point_fields[POINT_FIELD_COUNT] = {
    "attributes", "timeUnixNano",  "flags",    "asDouble",     "asInt",          "count",
    "sum",        "min",           "max",      "bucketCounts", "explicitBounds", "scale",
    "zeroCount",  "zeroThreshold", "positive", "negative",     "quantileValues",
};

static enum point_field find_field(struct slice key)
{
    uint32_t field = 0;
    while (field < POINT_FIELD_COUNT && !slice_is(key, point_fields[field])) {
        field++;
    }
    return (enum point_field)field;
}

static void read_point_field(struct otlp_build *build, struct json_reader *reader,
                             enum point_field field, struct otlp_point *out)
{
    switch (field) {
    case POINT_ATTRIBUTES:
        otlp_json_attributes(build, reader, &out->attributes);
        break;
    case POINT_TIME:
        otlp_json_time(build, reader, &out->time_ns);
        break;
    case POINT_FLAGS:
        otlp_json_count(reader, &out->flags);
        break;
    case POINT_AS_DOUBLE:
    case POINT_AS_INT:
        read_optional(build, reader, &out->has_value, &out->value);
        break;
    case POINT_COUNT:
        otlp_json_unsigned(build, reader, &out->count);
        break;
    case POINT_SUM:
        read_optional(build, reader, &out->has_sum, &out->sum);
        break;
    case POINT_MIN:
        read_optional(build, reader, &out->has_min, &out->min);
        break;
    case POINT_MAX:
        read_optional(build, reader, &out->has_max, &out->max);
        break;
    case POINT_BUCKET_COUNTS:
        read_counts(build, reader, &out->bucket_counts, &out->bucket_count);
        break;
    case POINT_BOUNDS:
        read_bounds(build, reader, out);
        break;
    case POINT_SCALE:
        read_int32(build, reader, &out->scale);
        break;
    case POINT_ZERO_COUNT:
        otlp_json_unsigned(build, reader, &out->zero_count);
        break;
    case POINT_ZERO_THRESHOLD:
        otlp_json_double(build, reader, &out->zero_threshold);
        break;
    case POINT_POSITIVE:
        read_buckets(build, reader, &out->positive);
        break;
    case POINT_NEGATIVE:
        read_buckets(build, reader, &out->negative);
        break;
    case POINT_QUANTILES:
        read_quantiles(build, reader, out);
        break;
    case POINT_FIELD_COUNT:
        json_skip(reader, NULL);
        break;
    }
}

static void read_point(struct arena *arena, struct json_reader *reader, struct otlp_point *out)
{
    struct otlp_build build = {arena, &out->fault, "", 0, 0};
    struct slice key;
    memset(out, 0, sizeof(*out));
    if (!json_object_begin(reader)) {
        json_skip(reader, NULL);
        otlp_build_fail(&build, "not an object");
        return;
    }
    while (json_object_next(reader, &key)) {
        enum point_field field = find_field(key);
        build.field = field < POINT_FIELD_COUNT ? point_fields[field] : "";
        read_point_field(&build, reader, field, out);
    }
}

/* ---- metrics ---- */

static enum otlp_metric_type type_of(struct slice key)
{
    static const char *const names[OTLP_METRIC_TYPE_COUNT] = {
        [OTLP_METRIC_GAUGE] = "gauge",         [OTLP_METRIC_SUM] = "sum",
        [OTLP_METRIC_HISTOGRAM] = "histogram", [OTLP_METRIC_EXPONENTIAL] = "exponentialHistogram",
        [OTLP_METRIC_SUMMARY] = "summary",
    };
    for (int i = OTLP_METRIC_GAUGE; i < OTLP_METRIC_TYPE_COUNT; i++) {
        if (slice_is(key, names[i])) {
            return (enum otlp_metric_type)i;
        }
    }
    return OTLP_METRIC_NONE;
}

/* A number, or the enumeration's name; what is neither is unspecified. */
static enum otlp_temporality read_temporality(struct json_reader *reader)
{
    struct slice text;
    uint32_t number;
    if (json_string(reader, &text)) {
        return slice_is(text, "AGGREGATION_TEMPORALITY_DELTA") || slice_is(text, "1")
                   ? OTLP_TEMPORALITY_DELTA
               : slice_is(text, "AGGREGATION_TEMPORALITY_CUMULATIVE") || slice_is(text, "2")
                   ? OTLP_TEMPORALITY_CUMULATIVE
                   : OTLP_TEMPORALITY_NONE;
    }
    otlp_json_count(reader, &number);
    return number <= OTLP_TEMPORALITY_CUMULATIVE ? (enum otlp_temporality)number
                                                 : OTLP_TEMPORALITY_NONE;
}

static void read_monotonic(struct json_reader *reader, bool *out)
{
    if (!json_bool(reader, out)) {
        json_skip(reader, NULL);
    }
}

/* A member that was skipped, and is valid therefore, is read once the rest of its object is known. */
static void read_later(struct json_reader *reader, struct slice raw, struct arena *arena)
{
    json_reader_init(reader, (char *)raw.data, raw.len, JSON_DEPTH_MAX, arena);
    json_be_lenient(reader);
}

static void read_data(struct otlp_build *build, struct slice raw, struct otlp_metric *out,
                      struct slice *points)
{
    struct json_reader reader;
    struct slice key;
    read_later(&reader, raw, build->arena);
    if (!json_object_begin(&reader)) {
        otlp_build_fail(build, "not an object");
        return;
    }
    while (json_object_next(&reader, &key)) {
        if (slice_is(key, "dataPoints")) {
            json_skip(&reader, points);
        } else if (slice_is(key, "aggregationTemporality")) {
            out->temporality = read_temporality(&reader);
        } else if (slice_is(key, "isMonotonic")) {
            read_monotonic(&reader, &out->monotonic);
        } else {
            json_skip(&reader, NULL);
        }
    }
    if (points->len > 0 && points->data[0] != '[' && !slice_is(*points, "null")) {
        otlp_build_fail(build, "dataPoints is not an array");
    }
}

static void read_metric(struct arena *arena, struct json_reader *reader, struct otlp_metric *out,
                        struct slice *points)
{
    struct otlp_build build = {arena, &out->fault, "metric", 0, 0};
    struct slice data = {NULL, 0};
    struct slice key;
    memset(out, 0, sizeof(*out));
    if (!json_object_begin(reader)) {
        json_skip(reader, NULL);
        otlp_build_fail(&build, "not an object");
        return;
    }
    while (json_object_next(reader, &key)) {
        enum otlp_metric_type type = type_of(key);
        if (slice_is(key, "name")) {
            otlp_json_text(reader, &out->name);
        } else if (slice_is(key, "unit")) {
            otlp_json_text(reader, &out->unit);
        } else if (type == OTLP_METRIC_NONE) {
            json_skip(reader, NULL);
        } else if (!json_null(reader)) {
            out->type = type;
            json_skip(reader, &data);
        }
    }
    if (out->type == OTLP_METRIC_NONE) {
        otlp_build_fail(&build, "without data of a known type");
    } else if (!json_failed(reader)) {
        read_data(&build, data, out, points);
    }
}

/* Nobody can tell how many points a broken metric has: it counts as one. */
static const char *give_fault(const struct otlp_sink *sink)
{
    struct otlp_point point;
    memset(&point, 0, sizeof(point));
    return sink->on_point(sink->context, &point);
}

const char *otlp_metric_read_json(const struct otlp_sink *sink, struct json_reader *reader)
{
    struct otlp_metric metric;
    struct otlp_point point;
    struct json_reader later;
    struct slice points = {NULL, 0};
    const char *full = NULL;
    arena_reset(sink->metric_arena);
    read_metric(sink->metric_arena, reader, &metric, &points);
    if (json_failed(reader)) {
        return NULL;
    }
    sink->on_metric(sink->context, &metric);
    if (metric.fault.reason != NULL) {
        return give_fault(sink);
    }
    if (points.len == 0) {
        return NULL;
    }
    read_later(&later, points, sink->metric_arena);
    if (!json_array_begin(&later)) {
        return NULL;
    }
    while (full == NULL && json_array_next(&later)) {
        arena_reset(sink->item_arena);
        read_point(sink->item_arena, &later, &point);
        full = sink->on_point(sink->context, &point);
    }
    return full;
}
