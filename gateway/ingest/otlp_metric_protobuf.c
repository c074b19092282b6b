/* A Metric in protobuf -> struct otlp_metric and the struct otlp_point of its data points. */
#include <string.h>

#include "gateway/ingest/otlp_protobuf_value.h"
#include "gateway/ingest/otlp_signal.h"

/* ---- numbers that repeat, packed or not ---- */

static void add_number(struct otlp_build *build, struct otlp_list *list, uint64_t number)
{
    if (otlp_build_count(build)) {
        uint64_t *item = otlp_list_add(list, sizeof(*item), build->arena);
        *item = number;
    }
}

static void read_fixed_numbers(struct otlp_build *build, const struct wire_field *field,
                               struct otlp_list *list)
{
    if (field->type == WIRE_FIXED64) {
        add_number(build, list, field->integer);
    } else if (otlp_protobuf_is(build, field, WIRE_BYTES)) {
        struct wire wire = wire_from(field->bytes);
        uint64_t number;
        while (build->fault->reason == NULL && wire_next_fixed64(&wire, &number)) {
            add_number(build, list, number);
        }
        otlp_protobuf_end(build, &wire);
    }
}

static void read_varint_numbers(struct otlp_build *build, const struct wire_field *field,
                                struct otlp_list *list)
{
    if (field->type == WIRE_VARINT) {
        add_number(build, list, field->integer);
    } else if (otlp_protobuf_is(build, field, WIRE_BYTES)) {
        struct wire wire = wire_from(field->bytes);
        uint64_t number;
        while (build->fault->reason == NULL && wire_next_varint(&wire, &number)) {
            add_number(build, list, number);
        }
        otlp_protobuf_end(build, &wire);
    }
}

/* sint32: the sign is the lowest bit. */
static int32_t signed_of(uint64_t integer)
{
    uint32_t bits = (uint32_t)integer;
    return (int32_t)(bits >> 1 ^ (0 - (bits & 1)));
}

/* ---- data points ---- */

static void read_buckets(struct otlp_build *build, const struct wire_field *message,
                         struct otlp_buckets *out)
{
    struct otlp_list counts = {NULL, 0, 0};
    struct wire_field field;
    if (!otlp_protobuf_is(build, message, WIRE_BYTES)) {
        return;
    }
    struct wire wire = wire_from(message->bytes);
    while (wire_next(&wire, &field)) {
        if (field.number == 1 && otlp_protobuf_is(build, &field, WIRE_VARINT)) {
            out->offset = signed_of(field.integer);
        } else if (field.number == 2) {
            read_varint_numbers(build, &field, &counts);
        }
    }
    otlp_protobuf_end(build, &wire);
    out->counts = counts.items;
    out->count = counts.count;
}

static void read_quantile(struct otlp_build *build, const struct wire_field *message,
                          struct otlp_list *list)
{
    struct wire_field field;
    if (!otlp_protobuf_is(build, message, WIRE_BYTES) || !otlp_build_count(build)) {
        return;
    }
    struct otlp_quantile *out = otlp_list_add(list, sizeof(*out), build->arena);
    struct wire wire = wire_from(message->bytes);
    while (wire_next(&wire, &field)) {
        if (field.number == 1) {
            otlp_protobuf_double(build, &field, &out->quantile);
        } else if (field.number == 2) {
            otlp_protobuf_double(build, &field, &out->value);
        }
    }
    otlp_protobuf_end(build, &wire);
}

enum point_field {
    POINT_UNKNOWN,
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

static const char *const field_names[POINT_FIELD_COUNT] = {
    "",      "attributes", "timeUnixNano",  "flags",    "asDouble",     "asInt",
    "count", "sum",        "min",           "max",      "bucketCounts", "explicitBounds",
    "scale", "zeroCount",  "zeroThreshold", "positive", "negative",     "quantileValues",
};

enum { NUMBERS_MAX = 15 };

/* The four kinds of data points number the same things differently. */
static const uint8_t number_fields[NUMBERS_MAX] = {
    [3] = POINT_TIME,       [4] = POINT_AS_DOUBLE, [6] = POINT_AS_INT,
    [7] = POINT_ATTRIBUTES, [8] = POINT_FLAGS,
};

static const uint8_t histogram_fields[NUMBERS_MAX] = {
    [3] = POINT_TIME,          [4] = POINT_COUNT,  [5] = POINT_SUM,
    [6] = POINT_BUCKET_COUNTS, [7] = POINT_BOUNDS, [9] = POINT_ATTRIBUTES,
    [10] = POINT_FLAGS,        [11] = POINT_MIN,   [12] = POINT_MAX,
};

static const uint8_t exponential_fields[NUMBERS_MAX] = {
    [1] = POINT_ATTRIBUTES, [3] = POINT_TIME,     [4] = POINT_COUNT,
    [5] = POINT_SUM,        [6] = POINT_SCALE,    [7] = POINT_ZERO_COUNT,
    [8] = POINT_POSITIVE,   [9] = POINT_NEGATIVE, [10] = POINT_FLAGS,
    [12] = POINT_MIN,       [13] = POINT_MAX,     [14] = POINT_ZERO_THRESHOLD,
};

static const uint8_t summary_fields[NUMBERS_MAX] = {
    [3] = POINT_TIME,      [4] = POINT_COUNT,      [5] = POINT_SUM,
    [6] = POINT_QUANTILES, [7] = POINT_ATTRIBUTES, [8] = POINT_FLAGS,
};

static const uint8_t *const fields_of[OTLP_METRIC_TYPE_COUNT] = {
    [OTLP_METRIC_GAUGE] = number_fields,        [OTLP_METRIC_SUM] = number_fields,
    [OTLP_METRIC_HISTOGRAM] = histogram_fields, [OTLP_METRIC_EXPONENTIAL] = exponential_fields,
    [OTLP_METRIC_SUMMARY] = summary_fields,
};

/* The lists of a point while it is read. */
struct point_lists {
    struct otlp_list attributes;
    struct otlp_list bucket_counts;
    struct otlp_list bounds; /* of the doubles' bits */
    struct otlp_list quantiles;
};

static void read_double(struct otlp_build *build, const struct wire_field *field, bool *has,
                        double *out)
{
    otlp_protobuf_double(build, field, out);
    *has = true;
}

static void read_as_int(struct otlp_build *build, const struct wire_field *field,
                        struct otlp_point *out)
{
    if (otlp_protobuf_is(build, field, WIRE_FIXED64)) {
        out->value = (double)(int64_t)field->integer;
        out->has_value = true;
    }
}

static void read_scale(struct otlp_build *build, const struct wire_field *field, int32_t *out)
{
    if (otlp_protobuf_is(build, field, WIRE_VARINT)) {
        *out = signed_of(field->integer);
    }
}

static void read_point_field(struct otlp_build *build, const struct wire_field *field,
                             enum point_field what, struct otlp_point *out,
                             struct point_lists *lists)
{
    switch (what) {
    case POINT_ATTRIBUTES:
        otlp_protobuf_attribute(build, field, &lists->attributes);
        break;
    case POINT_TIME:
        otlp_protobuf_number(build, field, WIRE_FIXED64, &out->time_ns);
        break;
    case POINT_FLAGS:
        otlp_protobuf_count(build, field, &out->flags);
        break;
    case POINT_AS_DOUBLE:
        read_double(build, field, &out->has_value, &out->value);
        break;
    case POINT_AS_INT:
        read_as_int(build, field, out);
        break;
    case POINT_COUNT:
        otlp_protobuf_number(build, field, WIRE_FIXED64, &out->count);
        break;
    case POINT_SUM:
        read_double(build, field, &out->has_sum, &out->sum);
        break;
    case POINT_MIN:
        read_double(build, field, &out->has_min, &out->min);
        break;
    case POINT_MAX:
        read_double(build, field, &out->has_max, &out->max);
        break;
    case POINT_BUCKET_COUNTS:
        read_fixed_numbers(build, field, &lists->bucket_counts);
        break;
    case POINT_BOUNDS:
        read_fixed_numbers(build, field, &lists->bounds);
        break;
    case POINT_SCALE:
        read_scale(build, field, &out->scale);
        break;
    case POINT_ZERO_COUNT:
        otlp_protobuf_number(build, field, WIRE_FIXED64, &out->zero_count);
        break;
    case POINT_ZERO_THRESHOLD:
        otlp_protobuf_double(build, field, &out->zero_threshold);
        break;
    case POINT_POSITIVE:
        read_buckets(build, field, &out->positive);
        break;
    case POINT_NEGATIVE:
        read_buckets(build, field, &out->negative);
        break;
    case POINT_QUANTILES:
        read_quantile(build, field, &lists->quantiles);
        break;
    case POINT_UNKNOWN:
    case POINT_FIELD_COUNT:
        break;
    }
}

static void take_lists(struct arena *arena, const struct point_lists *lists, struct otlp_point *out)
{
    out->attributes = otlp_list_attributes(&lists->attributes);
    out->bucket_counts = lists->bucket_counts.items;
    out->bucket_count = lists->bucket_counts.count;
    out->bounds = arena_alloc(arena, lists->bounds.count * sizeof(*out->bounds));
    out->bound_count = lists->bounds.count;
    if (out->bound_count > 0) {
        memcpy(out->bounds, lists->bounds.items, out->bound_count * sizeof(*out->bounds));
    }
    out->quantiles = lists->quantiles.items;
    out->quantile_count = lists->quantiles.count;
}

static void read_point(struct arena *arena, struct slice message, const uint8_t *fields,
                       struct otlp_point *out)
{
    struct otlp_build build = {arena, &out->fault, "", 0, 0};
    struct point_lists lists = {{NULL, 0, 0}, {NULL, 0, 0}, {NULL, 0, 0}, {NULL, 0, 0}};
    struct wire wire = wire_from(message);
    struct wire_field field;
    memset(out, 0, sizeof(*out));
    while (wire_next(&wire, &field)) {
        enum point_field what =
            field.number < NUMBERS_MAX ? (enum point_field)fields[field.number] : POINT_UNKNOWN;
        build.field = field_names[what];
        read_point_field(&build, &field, what, out, &lists);
    }
    build.field = "";
    otlp_protobuf_end(&build, &wire);
    take_lists(arena, &lists, out);
}

/* ---- metrics ---- */

static const enum otlp_metric_type types[] = {
    [5] = OTLP_METRIC_GAUGE,        [7] = OTLP_METRIC_SUM,      [9] = OTLP_METRIC_HISTOGRAM,
    [10] = OTLP_METRIC_EXPONENTIAL, [11] = OTLP_METRIC_SUMMARY,
};

/* Gauge, Sum, ...: what they say beside their points. */
static void read_data(struct otlp_build *build, struct slice message, struct otlp_metric *out)
{
    struct wire wire = wire_from(message);
    struct wire_field field;
    while (wire_next(&wire, &field)) {
        if (field.number == 1) {
            otlp_protobuf_is(build, &field, WIRE_BYTES);
        } else if (field.number == 2 && otlp_protobuf_is(build, &field, WIRE_VARINT)) {
            out->temporality = field.integer <= OTLP_TEMPORALITY_CUMULATIVE
                                   ? (enum otlp_temporality)field.integer
                                   : OTLP_TEMPORALITY_NONE;
        } else if (field.number == 3 && otlp_protobuf_is(build, &field, WIRE_VARINT)) {
            out->monotonic = field.integer != 0;
        }
    }
    otlp_protobuf_end(build, &wire);
}

/* data: the message with the points. */
static void read_metric(struct arena *arena, struct slice message, struct otlp_metric *out,
                        struct slice *data)
{
    struct otlp_build build = {arena, &out->fault, "metric", 0, 0};
    struct wire wire = wire_from(message);
    struct wire_field field;
    memset(out, 0, sizeof(*out));
    while (wire_next(&wire, &field)) {
        enum otlp_metric_type type = field.number < sizeof(types) / sizeof(types[0])
                                         ? types[field.number]
                                         : OTLP_METRIC_NONE;
        if (field.number == 1) {
            otlp_protobuf_text(&build, &field, &out->name);
        } else if (field.number == 3) {
            otlp_protobuf_text(&build, &field, &out->unit);
        } else if (type != OTLP_METRIC_NONE && otlp_protobuf_is(&build, &field, WIRE_BYTES)) {
            out->type = type;
            *data = field.bytes;
        }
    }
    otlp_protobuf_end(&build, &wire);
    read_data(&build, *data, out);
    if (out->type == OTLP_METRIC_NONE) {
        otlp_build_fail(&build, "without data of a known type");
    }
}

/* Nobody can tell how many points a broken metric has: it counts as one. */
static const char *give_fault(const struct otlp_sink *sink)
{
    struct otlp_point point;
    memset(&point, 0, sizeof(point));
    return sink->on_point(sink->context, &point);
}

const char *otlp_metric_read_protobuf(const struct otlp_sink *sink, struct slice message)
{
    struct otlp_metric metric;
    struct otlp_point point;
    struct slice data = {NULL, 0};
    struct wire_field field;
    const char *full = NULL;
    arena_reset(sink->metric_arena);
    read_metric(sink->metric_arena, message, &metric, &data);
    sink->on_metric(sink->context, &metric);
    if (metric.fault.reason != NULL) {
        return give_fault(sink);
    }
    struct wire wire = wire_from(data);
    while (full == NULL && wire_next(&wire, &field)) {
        if (field.number == 1) {
            arena_reset(sink->item_arena);
            read_point(sink->item_arena, field.bytes, fields_of[metric.type], &point);
            full = sink->on_point(sink->context, &point);
        }
    }
    return full;
}
