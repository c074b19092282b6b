/*
 * decode_deletion: which traces (or which score or model) to delete -> rows of ROW_DELETION (contract/langfuse.md
 * sections 4.1, 4.5 and 4.7). A UUID deletes it under each of its spellings, as a read finds it under each.
 * Second step of the ingest line; pure.
 */
#pragma once

#include "gateway/ingest/decode.h"

enum { DECODE_DELETION_IDS_MAX = 1000 };

/* {"traceIds": ["...", ...]}. ERR_INVALID names the one that is wrong; then nothing is to be deleted. */
MUST_CHECK enum err decode_deletion(const struct decode_input *input, struct collect *out,
                                    struct error *error);

/* One id as it stands in a path; target as in proto/row.h. One that nothing can have collects
 * nothing. */
void decode_deletion_path(const char *target, struct slice id, int64_t received_us,
                          struct collect *out);
