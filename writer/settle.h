/*
 * settle: brings a group to its end, whatever PostgreSQL says of it:
 *
 *   committed            -> receipts
 *   conflict             -> again at once, a few times, then as refused
 *   refused, our fault   -> split by batches; a single batch goes to quarantine
 *   unavailable, timeout -> the caller connects again if it must and comes back: then each batch has
 *                           a transaction of its own, so that one that cannot pass does not stop the
 *                           others, and after a few tries it is given up
 *
 * A batch that is given up gets no receipt: its gateway sends it again, or tells its client. Should
 * it come back, it goes last and alone. Not thread-safe.
 */
#pragma once

#include "common/error.h"
#include "writer/accumulate.h"
#include "writer/commit.h"
#include "writer/receive.h"

enum { SETTLE_SUSPECTS = 256 };

struct settle {
    struct commit *commit;                       /* borrowed */
    struct receive *receive;                     /* borrowed */
    uint8_t _suspects[SETTLE_SUSPECTS][ID_SIZE]; /* the last that were given up; a ring */
    uint32_t _suspect_count;
};

void settle_init(struct settle *settle, struct commit *commit, struct receive *receive);

/* ERR_OK: no parcel is WAITING any more and all receipts are sent. ERR_UNAVAILABLE, ERR_TIMEOUT:
 * some are; call again, with one_by_one. */
MUST_CHECK enum err settle_group(struct settle *settle, struct group *group, bool one_by_one,
                                 struct error *error);

/* What is WAITING still is given up. */
void settle_give_up(struct settle *settle, struct group *group, const struct error *error);
