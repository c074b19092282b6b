/*
 * otlp_json: an ExportTraceServiceRequest in OTLP/JSON -> spans. Ids are hex digits or arrays of
 * bytes; 64-bit integers and nanoseconds strings or numbers; unknown members are passed over.
 * Not thread-safe.
 *
 * ERR_INVALID: not JSON, or resourceSpans, scopeSpans or spans have another shape; what came before
 * must not be used then. A span, resource or scope that is wrong inside is a fault of its own.
 * ERR_TOO_LARGE: the sink took no more.
 */
#pragma once

#include "common/error.h"
#include "gateway/ingest/otlp_sink.h"

/* Writes to body (common/json_read.h). scratch: for the call. */
MUST_CHECK enum err otlp_json_read(char *body, size_t len, uint32_t max_depth,
                                   struct arena *scratch, const struct otlp_sink *sink,
                                   struct error *error);
