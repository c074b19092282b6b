/*
 * params: query string -> typed, bounded values, by a table of what a resource takes. The first
 * step of the read line. Pure; thread-safe.
 *
 * The string is form-encoded: `+` is a blank. Parameters that the table does not know are ignored,
 * whatever they hold. Wrong are, with the parameter's name in the error: a malformed escape, bytes
 * that are not UTF-8, U+0000, a value that does not parse, a parameter given twice that may not be.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/error.h"
#include "common/slice.h"

enum {
    PARAM_LIMIT_DEFAULT = 50,
    PARAM_LIMIT_MAX = 200,
    PARAM_WIDE_LIMIT_MAX = 1000,
    PARAM_TEXTS_MAX = 1000,
};

enum param_type {
    PARAM_TEXT,       /* const char *: NULL when absent; "" is a value */
    PARAM_TEXTS,      /* struct param_texts: may be given again and again */
    PARAM_TIME,       /* struct param_time: RFC 3339 with an offset */
    PARAM_PAGE,       /* int64_t: 1 when absent, at least 1, at most INT64_MAX */
    PARAM_LIMIT,      /* int64_t: PARAM_LIMIT_DEFAULT when absent, clamped to 1..PARAM_LIMIT_MAX */
    PARAM_WIDE_LIMIT, /* int64_t: the same, clamped to 0..PARAM_WIDE_LIMIT_MAX */
    PARAM_BOOL,       /* struct param_bool: true or false */
    PARAM_NUMBER,     /* struct param_number: finite, as JSON writes it */
};

/* Values in the order given; both arrays in the arena. A client may join several values with commas
 * (older Langfuse SDKs), or mean a comma: parts are the values split at commas, values are whole. */
struct param_texts {
    const char **values;
    size_t count;
    const char **parts; /* the same array as values when no value has a comma */
    size_t part_count;
};

struct param_time {
    bool given;
    int64_t us; /* since 1970 */
};

struct param_bool {
    bool given;
    bool value;
};

struct param_number {
    bool given;
    double value;
};

/* Rows end with a NULL name. */
struct param {
    const char *name;
    enum param_type type;
    size_t offset; /* of the field in the caller's struct */
};

/* query: what follows `?`, or empty. Writes every field of the table; texts live in the arena. */
MUST_CHECK enum err params_read(const struct param *params, struct slice query, struct arena *arena,
                                void *out, struct error *error);

/* What PARAM_NUMBER takes. */
bool param_number_parse(const char *text, double *out);
