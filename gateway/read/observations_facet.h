/*
 * observations_facet: lists of observations of one type, level, name or version, of some environments, or of all, with a
 * range of time or without. The books (facet_counts and facet_changes, migrations/0017_facets.sql) know how many there are in
 * each hour: so the total is a sum, and a page looks only into the hours in which it lies.
 */
#pragma once

#include "common/buf.h"
#include "gateway/read/params.h"

/* What the list is of. Values are numbers of bound ones. */
struct observations_facet {
    const char
        *name; /* as in the books; of all observations "type" (migrations/0018_all_facets.sql) */
    int value; /* text, or text[] of an environment; 0: all */
    bool is_list;
    int from; /* timestamptz; 0: not given */
    int to;
};

/* Longer ones are not in the books. */
enum { OBSERVATIONS_FACET_MAX = 200 };

/* Appends "WITH hours ..., total ..., placed ..." for the WHERE of observations_from. limit and offset: numbers of
 * bound values. */
void observations_facet_begin(const struct observations_facet *facet, struct slice from, int limit,
                              int offset, struct buf *sql);
/* Appends the SELECT of the page's keys. */
void observations_facet_page(struct slice from, int limit, int offset, struct buf *sql);
