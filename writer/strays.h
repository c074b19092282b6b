/*
 * strays: rows of observations that do not say to which trace they belong (ROW_NO_TRACE): finds out, by what
 * else is in the group and by what is stored. One that nobody knows goes to a trace with its own id and is
 * remembered; the row that names its trace, whenever it comes, moves what is stored there. So any order
 * of the rows that name it and of those that do not ends in the same rows.
 *
 * It takes a group that runs alone: the other side of the lock that deletions take (deletions.h). A group
 * without such rows costs nothing more as long as nobody is remembered, which its BEGIN looks at;
 * while somebody is, one look that knows whether the group has to run alone. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/error.h"
#include "proto/row.h"
#include "writer/session.h"

struct apply_row; /* writer/apply.h */

struct strays {
    bool are_known; /* somebody is remembered, as it was when the group began */
    bool resolves;  /* this transaction runs alone and has to look at what it finds */
};

static inline bool strays_is_one(const struct row *row)
{
    return row->kind == ROW_OBSERVATION && row->values[OBSERVATION_TRACE_ID].slice.len == 0;
}

/* Does one of the rows (all are observations that name their trace) name that of a remembered one? */
MUST_CHECK enum err strays_look(struct session *session, const struct apply_row *rows,
                                uint32_t count, bool *meets, struct error *error);

/* The rows of a group, and what became of them. */
struct strays_group {
    struct apply_row *rows;
    uint32_t count;
    uint32_t made; /* of count, the last ones: bare traces */
    bool moved;    /* something that is stored has another trace now */
};

/*
 * In a transaction that resolves. Every row of the group has a trace afterwards, and traces that
 * nothing else makes are added: rows may become another array, in the arena.
 */
MUST_CHECK enum err strays_resolve(struct strays *strays, struct session *session,
                                   struct strays_group *group, struct arena *arena,
                                   struct error *error);
