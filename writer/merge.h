/*
 * merge: the one place that knows how two rows of a key become one. Column by column the greater
 * version wins, a tie goes to the greater value; metadata and sets as proto/row.h says. Commutative,
 * associative, idempotent: the same for rows of a group and for rows that are stored already.
 * Memory is the arena's; values borrow from the rows. Not thread-safe.
 */
#pragma once

#include <stdint.h>

#include "common/arena.h"
#include "proto/row.h"
#include "writer/metadata.h"

struct priced; /* writer/price.h */

struct merged {
    enum row_kind kind;
    struct slice project;
    int64_t event_version; /* the greatest of all rows in it */
    uint64_t present;      /* bit i: column i has a value */
    uint64_t unread;       /* of present: the value is in the table and was not fetched */
    uint64_t ties;         /* against an unread value of the same version: SQL takes the greater */
    struct value values[ROW_COLUMNS_MAX];
    int64_t versions[ROW_COLUMNS_MAX];
    /* Once looked at; then values[metadata] is stale. NULL: values[metadata] is the JSON text. */
    const struct metadata *metadata;
    int64_t created_us;          /* of an observation that is stored; 0: not yet */
    const struct priced *priced; /* what an observation costs; NULL: as it is stored */
};

/*
 * A row by itself. A trace or score without a timestamp gets received_us as one, at
 * version_weak(received_us). Sets are sorted, each text once.
 */
void merge_begin(struct merged *out, const struct row *row, struct slice project,
                 int64_t received_us, struct arena *arena);

/* Merges from into into; returns the columns of into that changed. Whether event_version grew is
 * for the caller to see. from must have no unread values. */
uint64_t merge_add(struct merged *into, const struct merged *from, struct arena *arena);

/* Order by project and key columns, bytewise, as the primary keys sort. Both of one kind. */
int merge_compare_keys(const struct merged *a, const struct merged *b);

/* Everything in it was made up (version_weak): a placeholder. */
bool merge_is_placeholder(const struct merged *merged);

/* The column of the kind that merges as metadata; every kind has one. */
uint32_t merge_metadata_column(enum row_kind kind);
/* The column "timestamp"; -1 where there is none. */
int merge_timestamp_column(enum row_kind kind);

/* Makes sure that metadata is a tree; the column must be present and not unread. */
const struct metadata *merge_metadata(struct merged *merged, struct arena *arena);

/* {version, mask} pairs of the columns that do not have event_version, greatest version first. out
 * has room for 2 * ROW_COLUMNS_MAX; returns how many were written: 0 is SQL null. */
uint32_t merge_pack_versions(struct merged *merged, struct arena *arena, int64_t *out);

/* Sets versions of all columns from what is stored. */
void merge_unpack_versions(struct merged *merged, const int64_t *pairs, uint32_t count);
