/*
 * decode_model: a model and its prices (contract/langfuse.md section 4.7) -> a row of ROW_MODEL, and into
 * collect's note the model as the API shows it. Second step of the ingest line; pure. What only PostgreSQL knows,
 * whether patterns are good and the name is free, check.c asks.
 */
#pragma once

#include "gateway/ingest/decode.h"

enum {
    DECODE_MODEL_PATTERN_MAX = 1000, /* bytes */
    DECODE_MODEL_TIERS_MAX = 50,
    DECODE_MODEL_CONDITIONS_MAX = 20,
    DECODE_MODEL_VALUES_MAX = 100, /* of a condition */
    DECODE_MODEL_PRICES_MAX = 200,
    DECODE_MODEL_KEY_MAX = 200, /* bytes of kinds, keys and names of tiers */
};

/* ERR_INVALID names what is wrong. */
MUST_CHECK enum err decode_model(const struct decode_input *input, struct collect *out,
                                 struct error *error);
