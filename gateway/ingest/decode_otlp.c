#include "gateway/ingest/decode_otlp.h"

#include <stdlib.h>

#include "gateway/ingest/bare_traces.h"
#include "gateway/ingest/otlp_json.h"
#include "gateway/ingest/otlp_protobuf.h"
#include "gateway/ingest/otlp_view.h"
#include "gateway/ingest/validate.h"

/* Each span repeats its resource and scope, and a root its input and output: a body must not become
 * more than twice as long and this. */
enum { GROWTH_MAX = 24 * 1024 * 1024 };

static const char too_long[] =
    "the spans with their resource are too long for one request, send fewer at once";

/* The memory of a span is as long as the span only. */
struct decoding {
    const struct decode_input *input;
    struct collect *out;
    struct otlp_view view;
    struct bare_traces traces;
    struct otlp_fault resource_fault;
    struct otlp_fault scope_fault;
    struct otlp_sink sink;
    struct arena resource_arena;
    struct arena scope_arena;
    struct arena span_arena;
    uint32_t span_count;

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
    decoding->resource_fault = resource->fault;
    otlp_view_resource(&decoding->view, resource, &decoding->resource_arena);
}

static void on_scope(void *context, const struct otlp_scope *scope)
{
    struct decoding *decoding = context;
    decoding->scope_fault = scope->fault;
    otlp_view_scope(&decoding->view, scope, &decoding->scope_arena);
}

/* ---- a span's rows ---- */

/* A time that is missing is the other one; both are now. */
static void set_times(struct decoding *decoding, const struct otlp_span *span)
{
    int64_t start_us = (int64_t)(span->start_ns / 1000);
    int64_t end_us = (int64_t)(span->end_ns / 1000);
    if (start_us == 0) {
        start_us = end_us > 0 ? end_us : decoding->input->received_us;
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
    struct otlp_view *view = &decoding->view;
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
    struct otlp_view *view = &decoding->view;
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
    if (row->present == 0 || validate_row(row, &decoding->span_arena, &violation)) {
        return true;
    }
    otlp_fault_set(fault, column_name(row, violation.column), violation.reason);
    return false;
}

static void make_rows(struct decoding *decoding, struct otlp_fault *fault)
{
    struct otlp_view *view = &decoding->view;
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
        collect_row(decoding->out, record, row);
    }
}

static bool is_too_long(const struct decoding *decoding)
{
    return decoding->out->rows.len > 2 * decoding->input->len + GROWTH_MAX;
}

static const char *on_span(void *context, struct otlp_span *span)
{
    struct decoding *decoding = context;
    struct otlp_fault fault = span->fault;
    if (decoding->span_count == decoding->input->max_records) {
        return "too many spans in one request (XTRACE_MAX_RECORDS)";
    }
    if (is_too_long(decoding)) {
        return too_long;
    }
    uint32_t record = collect_record(decoding->out, "spans", decoding->span_count++,
                                     ROW_OBSERVATION, slice_from(span->span_id));
    check_ids(span, &fault);
    otlp_fault_set(&fault, decoding->resource_fault.field, decoding->resource_fault.reason);
    otlp_fault_set(&fault, decoding->scope_fault.field, decoding->scope_fault.reason);
    if (fault.reason == NULL) {
        otlp_view_span(&decoding->view, span, &decoding->span_arena);
        set_times(decoding, span);
        make_rows(decoding, &fault);
    }
    if (fault.reason != NULL) {
        collect_refuse(decoding->out, record, slice_from(fault.field), slice_from(fault.reason));
        return NULL;
    }
    struct slice environment = {NULL, 0};
    if (row_has(&decoding->observation, OBSERVATION_ENVIRONMENT)) {
        environment = decoding->observation.values[OBSERVATION_ENVIRONMENT].slice;
    }
    collect_row(decoding->out, record, &decoding->observation);
    collect_if_any(decoding, record, &decoding->said);
    collect_if_any(decoding, record, &decoding->derived);
    bare_traces_note(&decoding->traces, record, slice_from(span->trace_id), decoding->start_us,
                     environment);
    return NULL;
}

/* ---- the two decoders ---- */

static struct decoding *begin(const struct decode_input *input, struct collect *out)
{
    struct decoding *decoding = memory_zalloc(sizeof(*decoding));
    decoding->input = input;
    decoding->out = out;
    decoding->sink = (struct otlp_sink){
        .context = decoding,
        .on_resource = on_resource,
        .on_scope = on_scope,
        .on_span = on_span,
        .resource_arena = &decoding->resource_arena,
        .scope_arena = &decoding->scope_arena,
        .item_arena = &decoding->span_arena,
    };
    bare_traces_init(&decoding->traces, input->scratch);
    return decoding;
}

static enum err end(struct decoding *decoding, enum err err, struct error *error)
{
    if (err == ERR_OK) {
        bare_traces_collect(&decoding->traces, decoding->out);
        err = is_too_long(decoding) ? error_set(error, ERR_TOO_LARGE, "%s", too_long) : ERR_OK;
    }
    bare_traces_finish(&decoding->traces);
    buf_finish(&decoding->view.text);
    arena_finish(&decoding->resource_arena);
    arena_finish(&decoding->scope_arena);
    arena_finish(&decoding->span_arena);
    free(decoding);
    return err;
}

enum err decode_otlp_json(const struct decode_input *input, struct collect *out,
                          struct error *error)
{
    struct decoding *decoding = begin(input, out);
    return end(decoding,
               otlp_json_read(&otlp_signal_spans, input->body, input->len, input->max_depth,
                              input->scratch, &decoding->sink, error),
               error);
}

enum err decode_otlp_protobuf(const struct decode_input *input, struct collect *out,
                              struct error *error)
{
    struct decoding *decoding = begin(input, out);
    struct slice body = {input->body, input->len};
    return end(decoding, otlp_protobuf_read(&otlp_signal_spans, body, &decoding->sink, error),
               error);
}
