/*
 * settings: rows of a table -> fields of a struct, from the environment. The same table writes
 * --help and is read by the test that looks for each key in the docs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/error.h"

enum setting_type {
    SETTING_TEXT,   /* const char *; NULL when unset and without a default; owned by the struct */
    SETTING_SECRET, /* the same, never printed */
    SETTING_INT,    /* int64_t, min..max; a value that does not parse is an error */
    SETTING_WORD,   /* an enum: the place among words, any case; has a default */
    SETTING_BOOL,   /* bool: 1 true yes on / 0 false no off, any case */
};

struct setting {
    const char *key;  /* environment variable */
    const char *also; /* another variable read when key is unset; or NULL */
    enum setting_type type;
    size_t offset;        /* offsetof the field */
    const char *fallback; /* default as text; NULL: none */
    bool required;
    bool lenient; /* SETTING_INT: a value that does not parse gives the default, with a warning */
    int64_t min, max;         /* SETTING_INT */
    const char *const *words; /* SETTING_WORD: NULL ends them */
    const char *help;         /* one sentence, units included */
};

/* Rows end with a NULL key. An empty value counts as unset. On ERR_INVALID the error names the
 * setting in one line: "DATABASE_URL is required: PostgreSQL connection string". */
MUST_CHECK enum err settings_read(const struct setting *rows, void *config, struct error *error);

/* Frees the texts. */
void settings_finish(const struct setting *rows, void *config);

/* The lines of --help: key, default, help. */
void settings_print(const struct setting *rows, FILE *out);
