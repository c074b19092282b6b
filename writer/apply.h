/*
 * apply: rows -> tables, inside a transaction that is open. Merges equal keys, looks which of them
 * exist, computes what observations cost, copies the unknown ones straight in, changes the known ones through a staging table, and
 * keeps the books. Metric points come after that and merge with nothing (writer/points.h). All in key
 * order, so that writers cannot deadlock. Models follow (writer/model_rows.h). Deletions are last (writer/deletions.h): once a group has
 * committed, nothing is left of what they name. Not thread-safe.
 *
 * ERR_CONFLICT: another writer was faster with a key; run the transaction again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/error.h"
#include "proto/row.h"
#include "writer/books.h"
#include "writer/models.h"
#include "writer/points.h"
#include "writer/session.h"
#include "writer/statements.h"
#include "writer/strays.h"
#include "writer/tally.h"

/* One row of a batch. Everything is borrowed for the call. */
struct apply_row {
    struct slice project;
    int64_t received_us;
    const struct row *row;
    uint64_t _prefix; /* of the first key column: for sorting */
};

struct apply {
    struct session *session; /* borrowed */
    struct statements statements;
    struct arena arena; /* of one call */
    struct books books;
    struct points points;
    struct models models;
    struct buf bytes;             /* of one COPY */
    struct tally_effects effects; /* added up by apply_rows until somebody zeroes them */
    /*
     * False: observations of a trace that is in the group and not in the table are taken for unknown
     * without a look, for a gateway never sends an observation without a row for its trace. Should
     * that be wrong, the primary key says ERR_CONFLICT, and the next try looks.
     */
    bool looks_everywhere;
    struct strays strays; /* of this transaction; whoever begins it says so */
    bool _has_moved;      /* of one call: strays were moved to their traces */
};

void apply_init(struct apply *apply, struct session *session);
void apply_finish(struct apply *apply);

/* Once for each new session, outside a transaction: the staging tables; nothing is known any more. */
MUST_CHECK enum err apply_prepare(struct apply *apply, struct error *error);

/* Sorts rows. Several calls in one transaction see what the earlier ones wrote. */
MUST_CHECK enum err apply_rows(struct apply *apply, struct apply_row *rows, uint32_t count,
                               struct error *error);
