/*
 * deletions: rows of ROW_DELETION -> what they name is gone, with all that belongs to it, and the books know.
 * Whoever runs it holds the lock of traces alone (deletions_lock_sql): other groups, which hold its
 * shared side, neither add to a trace that is being deleted nor wait for each other. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "writer/session.h"

struct apply_row;     /* writer/apply.h */
struct tally_effects; /* writer/tally.h */

/* BEGIN and the lock: the shared side, or for a group that must run alone the other. */
extern const char deletions_begin_shared[];
extern const char deletions_begin_alone[];

/* Inside the transaction; all rows are ROW_DELETION. A row that finds nothing is fine. */
MUST_CHECK enum err deletions_write(struct session *session, const struct apply_row *rows,
                                    uint32_t count, struct tally_effects *effects,
                                    struct error *error);
