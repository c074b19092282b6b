#include "gateway/ingest/decode_otlp.h"

#include <stdlib.h>

#include "gateway/ingest/otlp_export.h"
#include "gateway/ingest/validate.h"

struct decoding {
    struct otlp_export export;

    /* of the present span */
    int64_t start_us;
    int64_t end_us;
    struct row observation;
    struct row said;    /* of its trace */
    struct row derived; /* likewise */
};

/* What a client calls the columns that a span may get wrong. */
static const char *column_name(const struct row *row, uint32_t column)
{
    static const char *const trace_names[TRACE_COLUMN_COUNT] = {
        [TRACE_USER_ID] = "user.id",
        [TRACE_SESSION_ID] = "session.id",
        [TRACE_TAGS_ADDED] = "langfuse.trace.tags",
        [TRACE_ID] = "traceId",
    };
    static const char *const observation_names[OBSERVATION_COLUMN_COUNT] = {
        [OBSERVATION_TRACE_ID] = "traceId",
        [OBSERVATION_ID] = "spanId",
        [OBSERVATION_MODEL] = "gen_ai.request.model",
        [OBSERVATION_START_TIME] = "startTimeUnixNano",
        [OBSERVATION_END_TIME] = "endTimeUnixNano",
    };
    const char *name = row->kind == ROW_TRACE ? trace_names[column] : observation_names[column];
    return name != NULL ? name : row_tables[row->kind].columns[column].name;
}

/* ---- resource and scope ---- */

static void on_resource(void *context, const struct otlp_resource *resource)
{
    struct decoding *decoding = context;
    decoding->export.resource_fault = resource->fault;
    otlp_view_resource(&decoding->export.view, resource, &decoding->export.resource_arena);
}

static void on_scope(void *context, const struct otlp_scope *scope)
{
    struct decoding *decoding = context;
    decoding->export.scope_fault = scope->fault;
    otlp_view_scope(&decoding->export.view, scope, &decoding->export.scope_arena);
}

/* ---- a span's rows ---- */

/* A time that is missing is the other one; both are now. */
static void set_times(struct decoding *decoding, const struct otlp_span *span)
{
    int64_t start_us = (int64_t)(span->start_ns / 1000);
    int64_t end_us = (int64_t)(span->end_ns / 1000);
    if (start_us == 0) {
        start_us = end_us > 0 ? end_us : decoding->export.input->received_us;
    }
    decoding->start_us = start_us;
    decoding->end_us = end_us > start_us ? end_us : start_us;
}

static void begin_row(struct row *row, enum row_kind kind, int64_t version)
{
    row->kind = kind;
    row->version = version;
    row->present = 0;
}

static void set_payload(struct row *row, uint32_t input, uint32_t output,
                        const struct otlp_payload *payload)
{
    if (payload->input.len > 0) {
        row_set_slice(row, input, payload->input);
    }
    if (payload->output.len > 0) {
        row_set_slice(row, output, payload->output);
    }
}

static void make_observation(struct decoding *decoding, const struct otlp_payload *payload,
                             struct slice environment)
{
    struct otlp_view *view = &decoding->export.view;
    const struct otlp_span *span = view->span;
    struct row *row = &decoding->observation;
    begin_row(row, ROW_OBSERVATION, version_event(decoding->end_us));
    row_set_slice(row, OBSERVATION_TRACE_ID, slice_from(span->trace_id));
    row_set_slice(row, OBSERVATION_ID, slice_from(span->span_id));
    if (span->parent_id[0] != '\0') {
        row_set_slice(row, OBSERVATION_PARENT_OBSERVATION_ID, slice_from(span->parent_id));
    }
    row_set_integer(row, OBSERVATION_START_TIME, decoding->start_us);
    row_set_integer(row, OBSERVATION_END_TIME, decoding->end_us);
    if (environment.len > 0) {
        row_set_slice(row, OBSERVATION_ENVIRONMENT, environment);
    }
    otlp_kind_to_row(view, row);
    otlp_model_to_row(view, decoding->start_us, row);
    view_set_text(row, OBSERVATION_VERSION, otlp_version(view));
    set_payload(row, OBSERVATION_INPUT, OBSERVATION_OUTPUT, payload);
    struct slice metadata = otlp_metadata_of_observation(view);
    if (metadata.len > 0) {
        row_set_slice(row, OBSERVATION_METADATA, metadata);
    }
}

/* The rows stay without columns when the span says nothing of its trace. */
static void make_trace(struct decoding *decoding, const struct otlp_payload *payload,
                       struct slice environment)
{
    struct otlp_view *view = &decoding->export.view;
    begin_row(&decoding->said, ROW_TRACE, version_event(decoding->end_us));
    begin_row(&decoding->derived, ROW_TRACE, version_weak(decoding->start_us));
    if (view->root || otlp_is_trace_update(view)) {
        row_set_slice(&decoding->said, TRACE_ID, slice_from(view->span->trace_id));
        otlp_trace_to_row(view, &decoding->said);
    }
    if (!view->root) {
        return;
    }
    if (environment.len > 0) {
        row_set_slice(&decoding->said, TRACE_ENVIRONMENT, environment);
    }
    row_set_slice(&decoding->derived, TRACE_ID, slice_from(view->span->trace_id));
    row_set_integer(&decoding->derived, TRACE_TIMESTAMP, decoding->start_us);
    set_payload(&decoding->derived, TRACE_INPUT, TRACE_OUTPUT, payload);
    if (row_has(&decoding->observation, OBSERVATION_NAME)) {
        row_set_slice(&decoding->derived, TRACE_NAME,
                      decoding->observation.values[OBSERVATION_NAME].slice);
    }
}

static bool is_good(struct decoding *decoding, const struct row *row, struct otlp_fault *fault)
{
    struct violation violation;
    if (row->present == 0 || validate_row(row, &decoding->export.item_arena, &violation)) {
        return true;
    }
    otlp_fault_set(fault, column_name(row, violation.column), violation.reason);
    return false;
}

static void make_rows(struct decoding *decoding, struct otlp_fault *fault)
{
    struct otlp_view *view = &decoding->export.view;
    struct slice environment = otlp_environment(view);
    struct otlp_payload payload = otlp_payload_find(view);
    make_observation(decoding, &payload, environment);
    make_trace(decoding, &payload, environment);
    (void)(is_good(decoding, &decoding->observation, fault) &&
           is_good(decoding, &decoding->said, fault) &&
           is_good(decoding, &decoding->derived, fault));
}

static void check_ids(const struct otlp_span *span, struct otlp_fault *fault)
{
    static const char missing[] = "missing, or all zero";
    if (span->trace_id[0] == '\0') {
        otlp_fault_set(fault, "traceId", missing);
    }
    if (span->span_id[0] == '\0') {
        otlp_fault_set(fault, "spanId", missing);
    }
}

static void collect_if_any(struct decoding *decoding, uint32_t record, const struct row *row)
{
    if (row->present != 0) {
        collect_row(decoding->export.out, record, row);
    }
}

static const char *on_span(void *context, struct otlp_span *span)
{
    struct decoding *decoding = context;
    struct otlp_export *export = &decoding->export;
    struct otlp_fault fault = span->fault;
    if (export->item_count == export->input->max_records) {
        return "too many spans in one request (XTRACE_MAX_RECORDS)";
    }
    if (otlp_export_is_too_long(export)) {
        return export->signal->too_long;
    }
    uint32_t record = collect_record(export->out, "spans", export->item_count++, ROW_OBSERVATION,
                                     slice_from(span->span_id));
    check_ids(span, &fault);
    otlp_export_add_faults(export, &fault);
    if (fault.reason == NULL) {
        otlp_view_span(&export->view, span, &export->item_arena);
        set_times(decoding, span);
        make_rows(decoding, &fault);
    }
    if (fault.reason != NULL) {
        collect_refuse(export->out, record, slice_from(fault.field), slice_from(fault.reason));
        return NULL;
    }
    struct slice environment = {NULL, 0};
    if (row_has(&decoding->observation, OBSERVATION_ENVIRONMENT)) {
        environment = decoding->observation.values[OBSERVATION_ENVIRONMENT].slice;
    }
    collect_row(export->out, record, &decoding->observation);
    collect_if_any(decoding, record, &decoding->said);
    collect_if_any(decoding, record, &decoding->derived);
    bare_traces_note(&export->traces, record, slice_from(span->trace_id), decoding->start_us,
                     environment);
    return NULL;
}

/* ---- the two decoders ---- */

static enum err decode(const struct decode_input *input, struct collect *out,
                       enum otlp_encoding encoding, struct error *error)
{
    struct decoding *decoding = memory_zalloc(sizeof(*decoding));
    decoding->export.sink = (struct otlp_sink){
        .context = decoding, .on_resource = on_resource, .on_scope = on_scope, .on_span = on_span};
    enum err err =
        otlp_export_decode(&decoding->export, &otlp_signal_spans, input, out, encoding, error);
    free(decoding);
    return err;
}

enum err decode_otlp_json(const struct decode_input *input, struct collect *out,
                          struct error *error)
{
    return decode(input, out, OTLP_JSON, error);
}

enum err decode_otlp_protobuf(const struct decode_input *input, struct collect *out,
                              struct error *error)
{
    return decode(input, out, OTLP_PROTOBUF, error);
}
