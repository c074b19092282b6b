/*
 * otlp_export: what the decoders of spans, metrics and log records have in common: the memory of an
 * export that is read, the faults of what stands around its items, the traces that these imply, and
 * how much may become of it. Not thread-safe.
 */
#pragma once

#include "gateway/ingest/bare_traces.h"
#include "gateway/ingest/decode.h"
#include "gateway/ingest/otlp_signal.h"
#include "gateway/ingest/otlp_view.h"

enum otlp_encoding { OTLP_JSON, OTLP_PROTOBUF };

struct otlp_export {
    const struct decode_input *input;
    struct collect *out;
    const struct otlp_signal *signal;
    struct otlp_sink sink;
    struct otlp_view view; /* of the present resource, scope and item */
    struct bare_traces traces;
    struct otlp_fault resource_fault;
    struct otlp_fault scope_fault;
    uint32_t item_count;
    struct arena resource_arena;
    struct arena scope_arena;
    struct arena metric_arena;
    struct arena item_arena; /* as long as an item only */
};

/* Each item repeats its resource and scope, and some of them their input and output: a body must not
 * become more than twice as long and a fixed number of bytes. */
bool otlp_export_is_too_long(const struct otlp_export *export);

/* Adds the faults of the resource and of the scope, which are those of all their items. */
void otlp_export_add_faults(const struct otlp_export *export, struct otlp_fault *fault);

/* Reads the body, and then collects the bare traces that were noted. export is zeroed but for the
 * callbacks of the sink and their context; nothing of it is of use afterwards. Errors as otlp_json and
 * otlp_protobuf have them; ERR_TOO_LARGE also when it became too long. */
MUST_CHECK enum err otlp_export_decode(struct otlp_export *export, const struct otlp_signal *signal,
                                       const struct decode_input *input, struct collect *out,
                                       enum otlp_encoding encoding, struct error *error);
