/*
 * settle: brings a group to its end, whatever PostgreSQL says of it:
 *
 *   committed           -> receipts
 *   conflict            -> again at once, a few times, then as refused
 *   refused, our fault  -> split by batches; a single batch goes to quarantine
 *   unavailable, timeout -> stays WAITING; the caller connects again and comes back
 *
 * A batch that cannot be settled even alone is given up: its gateway sends it again or tells its
 * client. Not thread-safe.
 */
#pragma once

#include "common/error.h"
#include "writer/accumulate.h"
#include "writer/commit.h"
#include "writer/receive.h"

/* ERR_OK: no parcel is WAITING any more and all receipts are sent. one_by_one: each batch in a
 * transaction of its own, so that one that breaks the database does not stop the others. */
MUST_CHECK enum err settle_group(struct commit *commit, struct receive *receive,
                                 struct group *group, bool one_by_one, struct error *error);
