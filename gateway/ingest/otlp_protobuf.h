/*
 * otlp_protobuf: an ExportTraceServiceRequest in protobuf -> spans. The wire format is read directly:
 * protobuf-c recurses without a bound (a nested AnyValue of 394 KB crashes it), cuts strings at NUL
 * and takes invalid UTF-8, so that what is left of it after scanning for all that is less than this.
 * Not thread-safe.
 *
 * ERR_INVALID: the message, a ResourceSpans or a ScopeSpans is broken; what came before must not
 * be used then. A broken span, resource or scope is a fault of its own. ERR_TOO_LARGE: the sink took
 * no more.
 */
#pragma once

#include "common/error.h"
#include "gateway/ingest/otlp_sink.h"

MUST_CHECK enum err otlp_protobuf_read(struct slice body, const struct otlp_sink *sink,
                                       struct error *error);
