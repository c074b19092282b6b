/*
 * copy: rows -> the bytes of COPY ... (FORMAT binary). Pure but for the arena; not thread-safe.
 *
 * A tuple is project_id, the kind's columns in proto/row.h's order, event_version, field_versions,
 * metadata_versions, of observations PRICED_COLUMNS of writer/price.h; for staging also ties (bigint) and of
 * observations whether those are to be set. writer/statements.h has the matching SQL.
 */
#pragma once

#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/error.h"
#include "writer/merge.h"

void copy_begin(struct buf *out);
void copy_end(struct buf *out);

/* ERR_REFUSED: a list of texts is not one; nothing is appended then. */
MUST_CHECK enum err copy_row(struct buf *out, struct merged *merged, struct arena *arena,
                             struct error *error);

/* A changed row for the staging table: its key, the columns in changed, NULL for the rest. */
MUST_CHECK enum err copy_change(struct buf *out, struct merged *merged, uint64_t changed,
                                struct arena *arena, struct error *error);
