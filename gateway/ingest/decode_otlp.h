/*
 * decode_otlp: an OTLP export of spans -> rows (contract/langfuse.md section 3, contract/xtrace.md
 * sections 11 and 14). Second step of the ingest line; pure.
 *
 *   otlp_json | otlp_protobuf -> otlp_span -> the rules (otlp_view.h) -> rows
 *
 * A span that cannot be stored is refused by itself, as "spans[n]" in the order of the body.
 *
 * Every version comes from the span's own times, so that any split, order and repetition of the
 * same spans ends in the same rows:
 *   observation    version_event(end)
 *   trace, as said version_event(end): a root and any span with trace attributes; user, session,
 *                  tags, metadata, ..., and the name, input and output that are meant for the trace
 *   trace, derived version_weak(start): name, input and output of a root, which any of the above
 *                  beats and which the earliest root of a trace decides
 *   trace, bare    version_weak(start): timestamp and environment of the earliest span
 */
#pragma once

#include "gateway/ingest/decode.h"

MUST_CHECK enum err decode_otlp_json(const struct decode_input *input, struct collect *out,
                                     struct error *error);
MUST_CHECK enum err decode_otlp_protobuf(const struct decode_input *input, struct collect *out,
                                         struct error *error);
