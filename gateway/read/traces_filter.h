/*
 * traces_filter: the `filter` of the list of traces -> conditions, and where they are on sums over a trace's
 * observations, the join that has those. `t` is a row of traces; $1 is the project. Pure.
 */
#pragma once

#include "common/buf.h"
#include "gateway/read/read.h"

/*
 * After the values of the list's statement, of which those give way that a condition replaces. is_narrowed: simple
 * parameters say which traces, too. Appends to conditions; *sums is static.
 */
MUST_CHECK enum err traces_filter(struct read *read, const char *filter, bool is_narrowed,
                                  struct buf *conditions, const char **sums, struct error *error);
