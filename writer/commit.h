/*
 * commit: one transaction for a group: batch ids and idempotency keys (what is known is skipped), rows,
 * books, COMMIT.
 *
 * Writers do not deadlock: ids go in sorted, then keys, then every lock on a row that exists is taken
 * in key order, then rows are inserted in key order. Whoever waits in one of these steps waits for
 * somebody in the same step or a later one, and further on in its order. A group with deletions runs
 * alone: the lock that says so comes before everything else.
 *
 * An unknown outcome of COMMIT is harmless: the group runs again and its ids tell. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "writer/accumulate.h"
#include "writer/apply.h"
#include "writer/session.h"

struct commit {
    struct session *session; /* borrowed */
    struct tally *tally;     /* borrowed */
    struct apply apply;
    struct buf bytes;
    struct apply_row *rows;
    uint32_t row_capacity;
};

void commit_init(struct commit *commit, struct session *session, struct tally *tally);
void commit_finish(struct commit *commit);

/* Connects and prepares the session. */
MUST_CHECK enum err commit_connect(struct commit *commit, struct error *error);

/*
 * Parcels [begin, end) of the group that are WAITING, in one transaction; STORED or DUPLICATE
 * afterwards. On any error nothing has been written (but see above for ERR_UNAVAILABLE) and they
 * are WAITING still.
 */
MUST_CHECK enum err commit_parcels(struct commit *commit, struct group *group, uint32_t begin,
                                   uint32_t end, struct error *error);

/* Opens the transaction and says of each parcel whether its id and its key are new; the caller ends it, with
 * commit_end if all went well. */
MUST_CHECK enum err commit_begin(struct commit *commit, struct parcel **parcels, uint32_t count,
                                 bool *is_new, struct error *error);

/* COMMIT; errors as session_commit. Then apply's effects count. */
MUST_CHECK enum err commit_end(struct commit *commit, struct error *error);

/* The rows [begin, end) of a parcel, for apply_rows. Valid until the next call. */
struct apply_row *commit_parcel_rows(struct commit *commit, const struct parcel *parcel,
                                     uint32_t begin, uint32_t end);
