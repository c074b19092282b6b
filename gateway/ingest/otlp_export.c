#include "gateway/ingest/otlp_export.h"

#include "gateway/ingest/otlp_json.h"
#include "gateway/ingest/otlp_protobuf.h"

enum { GROWTH_MAX = 24 * 1024 * 1024 };

static void open_export(struct otlp_export *export, const struct otlp_signal *signal,
                        const struct decode_input *input, struct collect *out)
{
    export->signal = signal;
    export->input = input;
    export->out = out;
    export->sink.resource_arena = &export->resource_arena;
    export->sink.scope_arena = &export->scope_arena;
    export->sink.metric_arena = &export->metric_arena;
    export->sink.item_arena = &export->item_arena;
    bare_traces_init(&export->traces, input->scratch);
}

static void close_export(struct otlp_export *export)
{
    bare_traces_finish(&export->traces);
    buf_finish(&export->view.text);
    arena_finish(&export->resource_arena);
    arena_finish(&export->scope_arena);
    arena_finish(&export->metric_arena);
    arena_finish(&export->item_arena);
}

bool otlp_export_is_too_long(const struct otlp_export *export)
{
    return export->out->rows.len > 2 * export->input->len + GROWTH_MAX;
}

void otlp_export_add_faults(const struct otlp_export *export, struct otlp_fault *fault)
{
    otlp_fault_set(fault, export->resource_fault.field, export->resource_fault.reason);
    otlp_fault_set(fault, export->scope_fault.field, export->scope_fault.reason);
}

static enum err read_body(const struct otlp_export *export, enum otlp_encoding encoding,
                          struct error *error)
{
    const struct decode_input *input = export->input;
    if (encoding == OTLP_PROTOBUF) {
        struct slice body = {input->body, input->len};
        return otlp_protobuf_read(export->signal, body, &export->sink, error);
    }
    return otlp_json_read(export->signal, input->body, input->len, input->max_depth, input->scratch,
                          &export->sink, error);
}

enum err otlp_export_decode(struct otlp_export *export, const struct otlp_signal *signal,
                            const struct decode_input *input, struct collect *out,
                            enum otlp_encoding encoding, struct error *error)
{
    open_export(export, signal, input, out);
    enum err err = read_body(export, encoding, error);
    if (err == ERR_OK) {
        bare_traces_collect(&export->traces, out);
        err = otlp_export_is_too_long(export)
                  ? error_set(error, ERR_TOO_LARGE, "%s", signal->too_long)
                  : ERR_OK;
    }
    close_export(export);
    return err;
}
