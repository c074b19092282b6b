/*
 * otlp_json: an export in OTLP/JSON -> spans, metrics or log records, as the signal says. Ids are hex
 * digits or arrays of bytes; 64-bit integers and nanoseconds strings or numbers; unknown members are passed over.
 * Not thread-safe.
 *
 * ERR_INVALID: not JSON, or resourceSpans, scopeSpans or spans (resourceMetrics, ...) have another
 * shape; what came before must not be used then. An item, resource or scope that is wrong inside is a
 * fault of its own; what is nested too deeply in it, and numbers that are too long, are texts.
 * ERR_TOO_LARGE: the sink took no more.
 */
#pragma once

#include "common/error.h"
#include "gateway/ingest/otlp_signal.h"

/* Writes to body (common/json_read.h). scratch: for the call. */
MUST_CHECK enum err otlp_json_read(const struct otlp_signal *signal, char *body, size_t len,
                                   uint32_t max_depth, struct arena *scratch,
                                   const struct otlp_sink *sink, struct error *error);
