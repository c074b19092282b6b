/*
 * otlp_protobuf: an export in protobuf -> spans, metrics or log records, as the signal says. The wire format is read directly:
 * protobuf-c recurses without a bound (a nested AnyValue of 394 KB crashes it), cuts strings at NUL
 * and takes invalid UTF-8, so that what is left of it after scanning for all that is less than this.
 * Not thread-safe.
 *
 * ERR_INVALID: the message, or one of the two around the items (ResourceSpans, ScopeSpans), is broken;
 * what came before must not be used then. A broken item, resource or scope is a fault of its own.
 * ERR_TOO_LARGE: the sink took no more.
 */
#pragma once

#include "common/error.h"
#include "gateway/ingest/otlp_signal.h"

MUST_CHECK enum err otlp_protobuf_read(const struct otlp_signal *signal, struct slice body,
                                       const struct otlp_sink *sink, struct error *error);
