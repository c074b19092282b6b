/*
 * decode_metrics: JSON of POST /v1/metrics/batch -> points (contract/xtrace.md sections 10 and 14).
 * One pass over the body. Second step of the ingest line; pure.
 *
 * A point that cannot be stored is refused by itself: not an object, a field missing or of another
 * type, a label that is no string, a rule of validate.h or labels.h. Records are called "metrics[3]".
 */
#pragma once

#include "gateway/ingest/decode.h"

MUST_CHECK enum err decode_metrics(const struct decode_input *input, struct collect *out,
                                   struct error *error);
