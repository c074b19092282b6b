/*
 * decode_batch: JSON of POST /v1/l/batch -> rows (contract/xtrace.md sections 5 and 14). One pass
 * over the body. Second step of the ingest line; pure.
 *
 * A record that cannot be stored is refused by itself: not an object, an id that is no UUID, a field
 * of another type, a rule of validate.h. Records are called "trace" and "observations[3]".
 *
 * Versions count upwards from received_us, one microsecond a stored row, so that of two records for
 * one row in a request the later wins. They must not count down from it: then the first records of
 * a long request would lose to a request that was committed milliseconds before it came. A commit
 * takes longer than a microsecond a row, so what a client sends after the answer is later all the
 * same.
 */
#pragma once

#include "gateway/ingest/decode.h"

MUST_CHECK enum err decode_batch(const struct decode_input *input, struct collect *out,
                                 struct error *error);
