/*
 * quarantine: rows that can never be written. A batch that PostgreSQL refuses is taken apart row by
 * row (those of one record stay together), in one transaction with savepoints: what is good is written, the culprits go to dead_letters
 * with the reason, and the batch id is recorded with both. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/error.h"
#include "writer/accumulate.h"
#include "writer/commit.h"

/*
 * STORED (with refused set) or DUPLICATE afterwards. conflicts_refuse: a conflict that never goes
 * away counts as a refusal. On any error nothing has been written and the parcel is WAITING still.
 */
MUST_CHECK enum err quarantine_parcel(struct commit *commit, struct parcel *parcel,
                                      struct arena *arena, bool conflicts_refuse,
                                      struct error *error);

/* Sets refused of a parcel whose batch (or that of its key) was committed before, from dead_letters: its
 * gateway may not have heard. */
MUST_CHECK enum err quarantine_recall(struct session *session, struct parcel *parcel,
                                      struct arena *arena, struct error *error);
