/*
 * model_conditions: the conditions of a price tier (contract/langfuse.md section 4.7) -> the JSON that the table models
 * holds, checked. Pure.
 */
#pragma once

#include "gateway/ingest/decode.h"
#include "gateway/ingest/model_values.h"

/* The reader stands before the array. *out is empty when there are none, else text in input's scratch. */
MUST_CHECK enum err model_read_conditions(struct json_reader *reader,
                                          const struct decode_input *input,
                                          const struct model_where *tier, struct slice *out,
                                          struct error *error);
