/*
 * lookup: which rows exist already, with what merging needs to know of them: versions, which columns
 * are set, the timestamp, metadata and other jsonb where the incoming row has any, and what costs are
 * computed from where it may change them. All other values stay unread. Runs inside the transaction; not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/error.h"
#include "writer/merge.h"
#include "writer/session.h"
#include "writer/statements.h"

/* A key of a group: what came in, and what is stored. */
struct entry {
    struct merged incoming;
    struct merged *stored;    /* NULL: not there */
    uint64_t changed;         /* columns of stored that incoming changed */
    bool is_changed;          /* there is something to write */
    int64_t old_timestamp_us; /* stored before the merge; 0 where the kind has none */
};

/*
 * Sets stored of each entry (all of one kind, in key order). locked: FOR UPDATE, so that what is
 * found stays so until the end of the transaction. conditions: costs depend on model parameters and metadata too.
 */
MUST_CHECK enum err lookup_rows(struct session *session, const struct statements *statements,
                                struct entry **entries, uint32_t count, bool locked,
                                bool conditions, struct arena *arena, struct error *error);

/* A trace's identity, and its timestamp once looked up. */
struct trace_time {
    struct slice project;
    struct slice id;
    bool is_known;
    int64_t timestamp_us;
};

/* Timestamps of traces; those not there stay unknown. */
MUST_CHECK enum err lookup_times(struct session *session, struct trace_time *times, uint32_t count,
                                 struct error *error);
