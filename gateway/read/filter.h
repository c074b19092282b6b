/*
 * filter: the `filter` parameter of the Langfuse API -> conditions of a statement. Step of the read
 * line, called by a resource's bind. Pure; thread-safe.
 *
 *     [{"type":"string","column":"name","operator":"contains","value":"chat"},
 *      {"type":"stringObject","column":"metadata","key":"tenant","operator":"=","value":"acme"}]
 *
 * | type                              | operators                                                      |
 * |---|---|
 * | string, stringObject              | = contains, does not contain, starts with, ends with, matches  |
 * | stringObject                      | is set, is not set                                             |
 * | stringOptions                     | any of, none of                                                |
 * | arrayOptions, categoryOptions     | any of, none of; arrayOptions all of                           |
 * | number, numberObject              | = < > <= >=                                                    |
 * | datetime                          | < > <= >=                                                      |
 * | boolean, booleanObject            | = <>                                                           |
 * | null (any column)                 | is null, is not null                                           |
 *
 * Operators and their SQL: filter_kinds.h. `matches` is `contains` whatever the case, but for metadata.
 * Else comparison is bytewise. A row without a value meets `does not contain`, `none of` and `<>`, and no other
 * condition but `is null` and `is not set`. The conditions must all hold.
 *
 * Text of the request goes nowhere but into bound values: the SQL consists of pieces from here and of the
 * resource's columns.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/error.h"

struct read; /* gateway/read/read.h */

/* Columns are bits of a mask. A condition binds at most two values, so a resource has 28 for itself. */
enum { FILTER_COLUMNS_MAX = 64, FILTER_CONDITIONS_MAX = 50, FILTER_OPTIONS_MAX = 1000 };

enum filter_type {
    FILTER_TEXT,
    FILTER_NUMBER,
    FILTER_TIME,
    FILTER_BOOL,
    FILTER_TEXTS,  /* text[] */
    FILTER_OBJECT, /* jsonb; conditions name a key of it */
    FILTER_LISTS,  /* the same, whose members are lists of strings */
    /* Text with an index of those up to 800 bytes, whose condition is octet_length(...) <= 800. */
    FILTER_SHORT_TEXT,
};

/* A name may be there for several types: a condition is then of the column that its own type is for. */
struct filter_column {
    const char *name; /* found whatever its case, and with or without `_`, `-` and blanks */
    enum filter_type type;
    const char *sql; /* static expression */
};

/* Appends " AND (<form>)" to sql, where {v} in form, which is static, stands for the value bound last. */
void filter_add(const struct read *read, const char *form, struct buf *sql);

/*
 * Appends " AND (...)" for each condition to sql and binds its values, after those that are bound already.
 * json: the list as text; NULL: no conditions. *mask: bit i says that columns[i] was filtered, so it takes
 * precedence over the simple parameter of that column. ERR_INVALID names the condition.
 */
MUST_CHECK enum err filter_append(struct read *read, const char *json,
                                  const struct filter_column *columns, size_t count,
                                  struct buf *sql, uint64_t *mask, struct error *error);
