/*
 * otlp_paths: attributes whose names are paths (gen_ai.prompt.0.content) -> the JSON value that they
 * describe. Not thread-safe.
 */
#pragma once

#include "common/arena.h"
#include "common/buf.h"
#include "gateway/ingest/otlp_names.h"

/*
 * Appends the value of all attributes of the group and marks them used; false, and nothing is
 * appended, when there are none. Numbered members become an array, with null in the gaps; gaps of a
 * value are OTLP_PATH_GAPS_MAX in all, an array that would need more stays an object of its numbers.
 * A path's segments beyond OTLP_PATH_SEGMENTS_MAX are one.
 */
enum { OTLP_PATH_GAPS_MAX = 10000, OTLP_PATH_SEGMENTS_MAX = 16 };

bool otlp_paths_print(struct attributes *attributes, enum otlp_group group, struct arena *arena,
                      struct buf *out);
