/* encode: a table of fields a struct, and one function that walks it. */
#include "client/encode.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client/json.h"
#include "client/status.h"
#include "client/system.h"

enum field_kind { TEXT, REQUIRED_TEXT, JSON, TIME, NUMBER, INTEGER, FLAG };

struct field {
    const char *name; /* on the wire */
    enum field_kind kind;
    size_t offset;
};

#define TRACE(name, kind, member)                                                                  \
    {                                                                                              \
        name, kind, offsetof(struct xtrace_trace, member)                                          \
    }
static const struct field trace_fields[] = {
    TRACE("id", REQUIRED_TEXT, id),
    TRACE("timestamp", TIME, timestamp_us),
    TRACE("name", TEXT, name),
    TRACE("userId", TEXT, user_id),
    TRACE("sessionId", TEXT, session_id),
    TRACE("release", TEXT, release),
    TRACE("version", TEXT, version),
    TRACE("environment", TEXT, environment),
    TRACE("externalId", TEXT, external_id),
    TRACE("input", JSON, input_json),
    TRACE("input", TEXT, input_text),
    TRACE("output", JSON, output_json),
    TRACE("output", TEXT, output_text),
    TRACE("metadata", JSON, metadata_json),
    TRACE("public", FLAG, is_public),
    TRACE("bookmarked", FLAG, is_bookmarked),
    TRACE("latency", NUMBER, latency_s),
    TRACE("totalCost", NUMBER, total_cost),
};

#define OBSERVATION(name, kind, member)                                                            \
    {                                                                                              \
        name, kind, offsetof(struct xtrace_observation, member)                                    \
    }
static const struct field observation_fields[] = {
    OBSERVATION("id", REQUIRED_TEXT, id),
    OBSERVATION("traceId", REQUIRED_TEXT, trace_id),
    OBSERVATION("parentObservationId", TEXT, parent_id),
    OBSERVATION("type", TEXT, type),
    OBSERVATION("name", TEXT, name),
    OBSERVATION("startTime", TIME, start_us),
    OBSERVATION("endTime", TIME, end_us),
    OBSERVATION("completionStartTime", TIME, completion_start_us),
    OBSERVATION("model", TEXT, model),
    OBSERVATION("modelId", TEXT, model_id),
    OBSERVATION("modelParameters", JSON, model_parameters_json),
    OBSERVATION("input", JSON, input_json),
    OBSERVATION("input", TEXT, input_text),
    OBSERVATION("output", JSON, output_json),
    OBSERVATION("output", TEXT, output_text),
    OBSERVATION("usage", JSON, usage_json),
    OBSERVATION("metadata", JSON, metadata_json),
    OBSERVATION("level", TEXT, level),
    OBSERVATION("statusMessage", TEXT, status_message),
    OBSERVATION("promptId", TEXT, prompt_id),
    OBSERVATION("promptName", TEXT, prompt_name),
    OBSERVATION("promptVersion", TEXT, prompt_version),
    OBSERVATION("unit", TEXT, unit),
    OBSERVATION("environment", TEXT, environment),
    OBSERVATION("promptTokens", INTEGER, prompt_tokens),
    OBSERVATION("completionTokens", INTEGER, completion_tokens),
    OBSERVATION("totalTokens", INTEGER, total_tokens),
    OBSERVATION("inputPrice", NUMBER, input_price),
    OBSERVATION("outputPrice", NUMBER, output_price),
    OBSERVATION("totalPrice", NUMBER, total_price),
    OBSERVATION("calculatedInputCost", NUMBER, calculated_input_cost),
    OBSERVATION("calculatedOutputCost", NUMBER, calculated_output_cost),
    OBSERVATION("calculatedTotalCost", NUMBER, calculated_total_cost),
    OBSERVATION("latency", NUMBER, latency_s),
    OBSERVATION("timeToFirstToken", NUMBER, time_to_first_token_s),
};

enum { TRACE_FIELDS = sizeof(trace_fields) / sizeof(trace_fields[0]) };
enum { OBSERVATION_FIELDS = sizeof(observation_fields) / sizeof(observation_fields[0]) };

/* The shortest of the spellings that read back as the same number, with the C locale's decimal point
 * whatever the process has set. */
static void put_number(struct xtrace_text *out, double value)
{
    char digits[40];
    double back = 0;
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof(digits), "%.*g", precision, value);
        if (sscanf(digits, "%lf", &back) == 1 && back == value) {
            break;
        }
    }
    bool in_point = false;
    for (const char *at = digits; *at != '\0'; at++) {
        bool is_point = strchr("0123456789+-e", *at) == NULL;
        if (!is_point || !in_point) {
            xtrace_text_append(out, is_point ? "." : at, 1);
        }
        in_point = is_point;
    }
}

static void put_key(struct xtrace_text *out, const char *name)
{
    bool first = out->failed || out->len == 0 || out->data[out->len - 1] == '{';
    xtrace_text_puts(out, first ? "\"" : ",\"");
    xtrace_text_puts(out, name);
    xtrace_text_puts(out, "\":");
}

static enum xtrace_status put_text(struct xtrace_text *out, const struct field *field,
                                   const char *value, struct xtrace_error *error)
{
    bool is_missing = value == NULL || *value == '\0';
    if (field->kind == REQUIRED_TEXT && is_missing) {
        return xtrace_fail(error, XTRACE_INVALID, "%s: required", field->name);
    }
    if (value == NULL) {
        return XTRACE_OK;
    }
    if (field->kind != JSON) {
        put_key(out, field->name);
        xtrace_text_put_json(out, value, strlen(value));
        return XTRACE_OK;
    }
    if (!xtrace_json_is_valid(value, strlen(value), XTRACE_JSON_PAYLOAD_DEPTH)) {
        return xtrace_fail(error, XTRACE_INVALID, "%s: not one JSON value of at most %d levels",
                           field->name, XTRACE_JSON_PAYLOAD_DEPTH);
    }
    put_key(out, field->name);
    xtrace_text_puts(out, value);
    return XTRACE_OK;
}

static enum xtrace_status put_time(struct xtrace_text *out, const char *name, int64_t time_us,
                                   struct xtrace_error *error)
{
    put_key(out, name);
    xtrace_text_puts(out, "\"");
    if (!xtrace_text_put_time(out, time_us)) {
        return xtrace_fail(error, XTRACE_INVALID, "%s: not within the years 1 to 9999", name);
    }
    xtrace_text_puts(out, "\"");
    return XTRACE_OK;
}

static enum xtrace_status put_real(struct xtrace_text *out, const char *name, double value,
                                   struct xtrace_error *error)
{
    if (isinf(value)) {
        return xtrace_fail(error, XTRACE_INVALID, "%s: not finite", name);
    }
    if (!isnan(value)) {
        put_key(out, name);
        put_number(out, value);
    }
    return XTRACE_OK;
}

static enum xtrace_status put_field(struct xtrace_text *out, const struct field *field,
                                    const void *record, struct xtrace_error *error)
{
    const void *at = (const char *)record + field->offset;
    int64_t integer;
    enum xtrace_flag flag;
    switch (field->kind) {
    case TIME:
        memcpy(&integer, at, sizeof(integer));
        return integer == 0 ? XTRACE_OK : put_time(out, field->name, integer, error);
    case INTEGER:
        memcpy(&integer, at, sizeof(integer));
        if (integer != XTRACE_UNSET_INTEGER) {
            put_key(out, field->name);
            xtrace_text_printf(out, "%lld", (long long)integer);
        }
        return XTRACE_OK;
    case FLAG:
        memcpy(&flag, at, sizeof(flag));
        if (flag != XTRACE_FLAG_UNSET) {
            put_key(out, field->name);
            xtrace_text_puts(out, flag == XTRACE_YES ? "true" : "false");
        }
        return XTRACE_OK;
    case NUMBER:
        return put_real(out, field->name, *(const double *)at, error);
    default:
        return put_text(out, field, *(const char *const *)at, error);
    }
}

/* A pair of _json and _text that are both set would be one key twice. */
static enum xtrace_status check_pair(const char *name, const char *json, const char *text,
                                     struct xtrace_error *error)
{
    return json != NULL && text != NULL
               ? xtrace_fail(error, XTRACE_INVALID, "%s: both as JSON and as text", name)
               : XTRACE_OK;
}

static enum xtrace_status put_fields(struct xtrace_text *out, const struct field *fields,
                                     size_t count, const void *record, struct xtrace_error *error)
{
    enum xtrace_status status = XTRACE_OK;
    for (size_t i = 0; i < count && status == XTRACE_OK; i++) {
        status = put_field(out, &fields[i], record, error);
    }
    return status;
}

/* What ends every record: memory may have run out anywhere before. */
static enum xtrace_status finish(const struct xtrace_text *out, enum xtrace_status status,
                                 struct xtrace_error *error)
{
    return status == XTRACE_OK && out->failed ? xtrace_fail(error, XTRACE_NO_MEMORY, "no memory")
                                              : status;
}

static enum xtrace_status put_tags(struct xtrace_text *out, const struct xtrace_trace *trace,
                                   struct xtrace_error *error)
{
    if (trace->tag_count == 0) {
        return XTRACE_OK;
    }
    put_key(out, "tags");
    for (size_t i = 0; i < trace->tag_count; i++) {
        if (trace->tags[i] == NULL) {
            return xtrace_fail(error, XTRACE_INVALID, "tags[%zu]: NULL", i);
        }
        xtrace_text_puts(out, i == 0 ? "[" : ",");
        xtrace_text_put_json(out, trace->tags[i], strlen(trace->tags[i]));
    }
    xtrace_text_puts(out, "]");
    return XTRACE_OK;
}

enum xtrace_status xtrace_encode_trace(struct xtrace_text *out, const struct xtrace_trace *theirs,
                                       struct xtrace_error *error)
{
    struct xtrace_trace trace = xtrace_trace_init();
    if (!xtrace_take_struct(&trace, sizeof(trace), sizeof(trace), theirs)) {
        return xtrace_fail(error, XTRACE_INVALID, "trace: begin with xtrace_trace_init()");
    }
    enum xtrace_status status = check_pair("input", trace.input_json, trace.input_text, error);
    if (status == XTRACE_OK) {
        status = check_pair("output", trace.output_json, trace.output_text, error);
    }
    xtrace_text_puts(out, "{");
    if (status == XTRACE_OK) {
        status = put_fields(out, trace_fields, TRACE_FIELDS, &trace, error);
    }
    if (status == XTRACE_OK) {
        status = put_tags(out, &trace, error);
    }
    xtrace_text_puts(out, "}");
    return finish(out, status, error);
}

enum xtrace_status xtrace_encode_observation(struct xtrace_text *out,
                                             const struct xtrace_observation *theirs,
                                             struct xtrace_error *error)
{
    struct xtrace_observation o = xtrace_observation_init();
    if (!xtrace_take_struct(&o, sizeof(o), sizeof(o), theirs)) {
        return xtrace_fail(error, XTRACE_INVALID,
                           "observation: begin with xtrace_observation_init()");
    }
    enum xtrace_status status = check_pair("input", o.input_json, o.input_text, error);
    if (status == XTRACE_OK) {
        status = check_pair("output", o.output_json, o.output_text, error);
    }
    xtrace_text_puts(out, "{");
    if (status == XTRACE_OK) {
        status = put_fields(out, observation_fields, OBSERVATION_FIELDS, &o, error);
    }
    xtrace_text_puts(out, "}");
    return finish(out, status, error);
}

void xtrace_encode_labels(struct xtrace_text *out, const struct xtrace_label *labels, size_t count)
{
    xtrace_text_puts(out, "{");
    for (size_t i = 0; i < count; i++) {
        xtrace_text_puts(out, i == 0 ? "" : ",");
        xtrace_text_put_json(out, labels[i].key, strlen(labels[i].key));
        xtrace_text_puts(out, ":");
        xtrace_text_put_json(out, labels[i].value, strlen(labels[i].value));
    }
    xtrace_text_puts(out, "}");
}

enum xtrace_status xtrace_encode_metric(struct xtrace_text *out, const struct xtrace_metric *theirs,
                                        struct xtrace_error *error)
{
    struct xtrace_metric metric = xtrace_metric_init();
    if (!xtrace_take_struct(&metric, sizeof(metric), sizeof(metric), theirs)) {
        return xtrace_fail(error, XTRACE_INVALID, "metric: begin with xtrace_metric_init()");
    }
    if (metric.name == NULL || *metric.name == '\0') {
        return xtrace_fail(error, XTRACE_INVALID, "name: required");
    }
    if (!isfinite(metric.value)) {
        return xtrace_fail(error, XTRACE_INVALID, "value: required and finite");
    }
    for (size_t i = 0; i < metric.label_count; i++) {
        if (metric.labels[i].key == NULL || metric.labels[i].value == NULL) {
            return xtrace_fail(error, XTRACE_INVALID, "labels[%zu]: key or value is NULL", i);
        }
    }
    xtrace_text_puts(out, "{\"name\":");
    xtrace_text_put_json(out, metric.name, strlen(metric.name));
    if (metric.label_count > 0) {
        put_key(out, "labels");
        xtrace_encode_labels(out, metric.labels, metric.label_count);
    }
    put_key(out, "value");
    put_number(out, metric.value);
    int64_t time_us = metric.timestamp_us != 0 ? metric.timestamp_us : xtrace_now_us();
    enum xtrace_status status = put_time(out, "timestamp", time_us, error);
    xtrace_text_puts(out, "}");
    return finish(out, status, error);
}

/* "observations[3].startTime: ..." */
static enum xtrace_status fail_at(struct xtrace_error *error, enum xtrace_status status,
                                  const char *list, size_t index, const struct xtrace_error *inner)
{
    return xtrace_fail(error, status, "%s[%zu].%s", list, index, inner->text);
}

enum xtrace_status xtrace_encode_batch(struct xtrace_text *out, const struct xtrace_trace *trace,
                                       const struct xtrace_observation *observations, size_t count,
                                       struct xtrace_error *error)
{
    struct xtrace_error inner = {""};
    xtrace_text_puts(out, "{");
    if (trace != NULL) {
        xtrace_text_puts(out, "\"trace\":");
        enum xtrace_status status = xtrace_encode_trace(out, trace, &inner);
        if (status != XTRACE_OK) {
            return xtrace_fail(error, status, "trace.%s", inner.text);
        }
        xtrace_text_puts(out, ",");
    }
    xtrace_text_puts(out, "\"observations\":[");
    const char *at = (const char *)observations;
    for (size_t i = 0; i < count; i++, at += observations->size) {
        xtrace_text_puts(out, i == 0 ? "" : ",");
        enum xtrace_status status =
            xtrace_encode_observation(out, (const struct xtrace_observation *)at, &inner);
        if (status != XTRACE_OK) {
            return fail_at(error, status, "observations", i, &inner);
        }
    }
    xtrace_text_puts(out, "]}");
    return finish(out, XTRACE_OK, error);
}

enum xtrace_status xtrace_encode_metrics(struct xtrace_text *out,
                                         const struct xtrace_metric *metrics, size_t count,
                                         struct xtrace_error *error)
{
    struct xtrace_error inner = {""};
    xtrace_text_puts(out, "{\"metrics\":[");
    const char *at = (const char *)metrics;
    for (size_t i = 0; i < count; i++, at += metrics->size) {
        xtrace_text_puts(out, i == 0 ? "" : ",");
        enum xtrace_status status =
            xtrace_encode_metric(out, (const struct xtrace_metric *)at, &inner);
        if (status != XTRACE_OK) {
            return fail_at(error, status, "metrics", i, &inner);
        }
    }
    xtrace_text_puts(out, "]}");
    return finish(out, XTRACE_OK, error);
}
