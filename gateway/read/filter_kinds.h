/*
 * filter_kinds: what a condition of a `filter` may say: its types, the columns that each is for, and the SQL of its
 * operators. Part of filter (gateway/read/filter.h has the table). Pure; thread-safe.
 */
#pragma once

#include <stdbool.h>

#include "common/slice.h"
#include "gateway/read/filter.h"

enum filter_value {
    VALUE_TEXT,
    VALUE_TEXTS,
    VALUE_NUMBER,
    VALUE_TIME,
    VALUE_BOOL,
    VALUE_NONE,
};

/* In sql, {x} stands for the column, or the value at its key, and {v} for the bound value. */
struct filter_relation {
    const char *name;
    const char *sql;
    bool is_equality;   /* can use an index of short texts */
    bool takes_nothing; /* there is no {v}, whatever the condition has as its value */
};

struct filter_kind {
    const char *name;
    unsigned columns; /* bits: the filter_type that it is for */
    bool has_key;
    enum filter_value value;
    const struct filter_relation *relations;
};

/* NULL: not for such a column; *is_known: for others it is. */
const struct filter_kind *filter_kind(struct slice name, enum filter_type type, bool *is_known);
/* NULL: there is none of that name. */
const struct filter_relation *filter_relation(const struct filter_kind *kind, struct slice name);
