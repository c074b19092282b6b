/*
 * facets: what a transaction adds to facet_changes: how many observations of a type, a level, a name, a version and an
 * environment each hour has won or lost (migrations/0017_facets.sql). New rows are counted here, in memory, and written
 * with the books (writer/books.h); of rows that change, PostgreSQL takes away the old ones and adds the new ones.
 * Not thread-safe.
 */
#pragma once

#include <stdint.h>

#include "common/buf.h"
#include "common/error.h"
#include "writer/merge.h"
#include "writer/session.h"

struct facets_line; /* one facet's value in one hour */

struct facets {
    struct facets_line *_lines;
    uint32_t count;
    uint32_t _capacity;
    uint32_t *_slots; /* 1 + index of a line; 0: free */
    uint32_t _slot_count;
    uint64_t _seed;
};

/* Columns of observations that facets follow from. */
#define FACETS_BIT(column) (UINT64_C(1) << OBSERVATION_##column)
#define FACETS_COLUMNS                                                                             \
    (FACETS_BIT(TYPE) | FACETS_BIT(LEVEL) | FACETS_BIT(NAME) | FACETS_BIT(VERSION) |               \
     FACETS_BIT(ENVIRONMENT) | FACETS_BIT(START_TIME))

void facets_init(struct facets *facets);
void facets_finish(struct facets *facets);
void facets_reset(struct facets *facets);

/* A new observation; what it has of text is borrowed until facets_reset. */
void facets_add(struct facets *facets, const struct merged *observation);

/* Rows of SQL: "INSERT INTO facet_changes ..." from parameters of these numbers (text[], text[], text[], int8[], int8[]). */
enum { FACETS_ARRAYS = 5 };
#define FACETS_SQL_INSERT(project, facet, value, hour, observations)                               \
    "INSERT INTO facet_changes (project_id, facet, value, hour, observations)"                     \
    " SELECT p, f, v, coalesce(nullif(h, " FACETS_HOUR_NOW ")::integer, xtrace_hour(now())), n"    \
    " FROM unnest($" project "::text[], $" facet "::text[], $" value "::text[], $" hour            \
    "::int8[], $" observations "::int8[]) AS f(p, f, v, h, n)"
/* An observation without a start has that of created_at, which is this transaction's. */
#define FACETS_HOUR_NOW "9223372036854775807"

void facets_to_arrays(const struct facets *facets, struct buf arrays[FACETS_ARRAYS]);

/* Adds times (1 or -1) what the rows that the staging table changes count for as they are now. They are locked. */
MUST_CHECK enum err facets_add_staged(struct session *session, int times, struct error *error);
