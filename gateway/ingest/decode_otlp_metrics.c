#include "gateway/ingest/decode_otlp_metrics.h"

#include <stdlib.h>

#include "gateway/ingest/labels.h"
#include "gateway/ingest/otlp_export.h"
#include "gateway/ingest/otlp_samples.h"
#include "gateway/ingest/validate.h"

enum {
    BASE_MAX = 24,         /* labels that do not come from the point */
    LABEL_VALUE_LONG = 30, /* of a bound or quantile */
};

/* What tells one source of a metric from another; the rest of a resource is not kept. */
static const char *const resource_labels[] = {
    "service.name",
    "service.namespace",
    "service.version",
    "service.instance.id",
    "deployment.environment.name",
    "deployment.environment",
    "host.name",
    "container.id",
    "k8s.cluster.name",
    "k8s.namespace.name",
    "k8s.pod.name",
    "cloud.region",
};

struct decoding {
    struct otlp_export export;

    /* what all points have that do not say otherwise: first of the resource, then of the scope */
    struct label base[BASE_MAX];
    uint32_t resource_count;
    uint32_t scope_count;
    uint32_t base_count;

    struct otlp_metric metric;
    struct buf name;   /* with its ending */
    struct buf labels; /* canonical */
};

static void add_base(struct decoding *decoding, const char *key, struct slice value)
{
    if (value.len > 0 && decoding->base_count < BASE_MAX) {
        decoding->base[decoding->base_count++] = (struct label){slice_from(key), value};
    }
}

/* ---- resource, scope, metric ---- */

static void on_resource(void *context, const struct otlp_resource *resource)
{
    struct decoding *decoding = context;
    decoding->export.resource_fault = resource->fault;
    decoding->base_count = 0;
    for (size_t i = 0; i < sizeof(resource_labels) / sizeof(resource_labels[0]); i++) {
        const struct any *any = attributes_find(&resource->attributes, resource_labels[i]);
        if (any != NULL) {
            add_base(decoding, resource_labels[i], any_text(any, &decoding->export.resource_arena));
        }
    }
    decoding->resource_count = decoding->base_count;
}

static void on_scope(void *context, const struct otlp_scope *scope)
{
    struct decoding *decoding = context;
    decoding->export.scope_fault = scope->fault;
    decoding->base_count = decoding->resource_count;
    add_base(decoding, "otel.scope.name", scope->name);
    decoding->scope_count = decoding->base_count;
}

static const char *type_name(const struct otlp_metric *metric)
{
    switch (metric->type) {
    case OTLP_METRIC_GAUGE:
        return "gauge";
    case OTLP_METRIC_SUM:
        return metric->monotonic ? "counter" : "sum";
    case OTLP_METRIC_HISTOGRAM:
    case OTLP_METRIC_EXPONENTIAL:
        return "histogram";
    case OTLP_METRIC_SUMMARY:
        return "summary";
    case OTLP_METRIC_NONE:
    case OTLP_METRIC_TYPE_COUNT:
        break;
    }
    return "";
}

static void on_metric(void *context, const struct otlp_metric *metric)
{
    static const char *const temporalities[] = {"", "delta", "cumulative"};
    struct decoding *decoding = context;
    decoding->metric = *metric;
    decoding->base_count = decoding->scope_count;
    add_base(decoding, "otel.metric.type", slice_from(type_name(metric)));
    add_base(decoding, "otel.metric.unit", metric->unit);
    add_base(decoding, "otel.metric.temporality", slice_from(temporalities[metric->temporality]));
}

/* ---- points ---- */

static bool fail_label(struct otlp_point *point, const struct labels_fault *fault)
{
    otlp_fault_set(&point->fault, "attributes", fault->reason);
    return false;
}

/* Of the point, and what it does not say itself. */
static bool find_labels(struct decoding *decoding, struct otlp_point *point, struct labels *labels)
{
    struct labels_fault fault;
    labels->count = 0;
    for (uint32_t i = 0; i < point->attributes.count; i++) {
        const struct attribute *attribute = &point->attributes.list[i];
        if (attribute->value.type != ANY_NULL &&
            !labels_put(labels, attribute->key,
                        any_text(&attribute->value, &decoding->export.item_arena), &fault)) {
            return fail_label(point, &fault);
        }
    }
    for (uint32_t i = 0; i < decoding->base_count; i++) {
        const struct label *label = &decoding->base[i];
        if (!labels_have(labels, label->key) &&
            !labels_put(labels, label->key, label->value, &fault)) {
            return fail_label(point, &fault);
        }
    }
    return true;
}

/* Sets name and labels of a sample; those of the one before are gone. */
static bool write_key(struct decoding *decoding, const struct otlp_sample *sample,
                      struct labels *labels, struct labels_fault *fault)
{
    buf_reset(&decoding->name);
    buf_append_slice(&decoding->name, decoding->metric.name);
    buf_append_text(&decoding->name, sample->suffix);
    if (sample->label != NULL &&
        !labels_put(labels, slice_from(sample->label), sample->label_value, fault)) {
        return false;
    }
    if (sample->label != NULL || decoding->labels.len == 0) {
        buf_reset(&decoding->labels);
        return labels_print(labels, &decoding->labels, fault);
    }
    return true;
}

static void make_row(struct decoding *decoding, const struct otlp_point *point,
                     const struct otlp_sample *sample, struct row *row)
{
    row->kind = ROW_METRIC;
    row->version = version_event(decoding->export.input->received_us);
    row->present = 0;
    row_set_slice(row, METRIC_NAME, buf_slice(&decoding->name));
    row_set_slice(row, METRIC_LABELS, buf_slice(&decoding->labels));
    row_set_integer(row, METRIC_TIMESTAMP, (int64_t)(point->time_ns / 1000));
    row_set_real(row, METRIC_VALUE, sample->value);
}

/* The one with the longest name and labels stands for all of them: what it passes, they pass. */
static bool check_longest(struct decoding *decoding, struct otlp_point *point,
                          const struct otlp_samples *samples, struct labels *labels)
{
    static const char *const names[METRIC_COLUMN_COUNT] = {
        [METRIC_NAME] = "name",
        [METRIC_TIMESTAMP] = "timeUnixNano",
        [METRIC_VALUE] = "value",
    };
    struct otlp_sample longest = samples->list[0];
    struct labels_fault fault;
    struct violation violation;
    struct row row;
    for (uint32_t i = 1; i < samples->count; i++) {
        if (strlen(samples->list[i].suffix) > strlen(longest.suffix)) {
            longest = samples->list[i];
        }
    }
    if (longest.label != NULL) {
        longest.label_value = (struct slice){"------------------------------", LABEL_VALUE_LONG};
    }
    buf_reset(&decoding->labels);
    if (!write_key(decoding, &longest, labels, &fault)) {
        return fail_label(point, &fault);
    }
    make_row(decoding, point, &longest, &row);
    if (!validate_row(&row, &decoding->export.item_arena, &violation)) {
        otlp_fault_set(&point->fault,
                       names[violation.column] != NULL ? names[violation.column] : "attributes",
                       violation.reason);
        return false;
    }
    return true;
}

/* Totals come before what has a label of its own, so labels only grow by that one. */
static const char *collect_samples(struct decoding *decoding, uint32_t record,
                                   const struct otlp_point *point,
                                   const struct otlp_samples *samples, struct labels *labels)
{
    struct labels_fault fault;
    struct row row;
    buf_reset(&decoding->labels);
    for (uint32_t i = 0; i < samples->count; i++) {
        if (otlp_export_is_too_long(&decoding->export)) {
            return decoding->export.signal->too_long;
        }
        if (!write_key(decoding, &samples->list[i], labels, &fault)) {
            collect_refuse(decoding->export.out, record, SLICE_LITERAL("attributes"),
                           slice_from(fault.reason));
            return NULL;
        }
        make_row(decoding, point, &samples->list[i], &row);
        collect_row(decoding->export.out, record, &row);
    }
    return NULL;
}

static bool is_point_good(struct decoding *decoding, struct otlp_point *point,
                          struct otlp_samples *samples, struct labels *labels)
{
    struct labels longest;
    otlp_fault_set(&point->fault, decoding->metric.fault.field, decoding->metric.fault.reason);
    otlp_export_add_faults(&decoding->export, &point->fault);
    if (point->fault.reason == NULL && point->time_ns == 0) {
        otlp_fault_set(&point->fault, "timeUnixNano", "missing");
    }
    if (point->fault.reason != NULL ||
        !otlp_samples_of(&decoding->metric, point, &decoding->export.item_arena, samples) ||
        !find_labels(decoding, point, labels)) {
        return false;
    }
    longest = *labels;
    return check_longest(decoding, point, samples, &longest);
}

static const char *on_point(void *context, struct otlp_point *point)
{
    struct decoding *decoding = context;
    struct otlp_samples samples;
    struct labels labels;
    if (decoding->export.item_count == decoding->export.input->max_records) {
        return "too many data points in one request (XTRACE_MAX_RECORDS)";
    }
    uint32_t record =
        collect_record(decoding->export.out, "dataPoints", decoding->export.item_count++,
                       ROW_METRIC, decoding->metric.name);
    if (!is_point_good(decoding, point, &samples, &labels)) {
        collect_refuse(decoding->export.out, record, slice_from(point->fault.field),
                       slice_from(point->fault.reason));
        return NULL;
    }
    return collect_samples(decoding, record, point, &samples, &labels);
}

/* ---- the two decoders ---- */

static enum err decode(const struct decode_input *input, struct collect *out,
                       enum otlp_encoding encoding, struct error *error)
{
    struct decoding *decoding = memory_zalloc(sizeof(*decoding));
    decoding->export.sink = (struct otlp_sink){.context = decoding,
                                               .on_resource = on_resource,
                                               .on_scope = on_scope,
                                               .on_metric = on_metric,
                                               .on_point = on_point};
    enum err err =
        otlp_export_decode(&decoding->export, &otlp_signal_metrics, input, out, encoding, error);
    buf_finish(&decoding->name);
    buf_finish(&decoding->labels);
    free(decoding);
    return err;
}

enum err decode_otlp_metrics_json(const struct decode_input *input, struct collect *out,
                                  struct error *error)
{
    return decode(input, out, OTLP_JSON, error);
}

enum err decode_otlp_metrics_protobuf(const struct decode_input *input, struct collect *out,
                                      struct error *error)
{
    return decode(input, out, OTLP_PROTOBUF, error);
}
