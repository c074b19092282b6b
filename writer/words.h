/*
 * words: the words of a subcommand: what stands in place, and options behind "--". Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

/* A row of a subcommand's options; the table ends with a NULL name. */
struct word_option {
    const char *name;   /* with its dashes */
    const char **value; /* the next word goes here; NULL: the option has none */
    bool *given;        /* may be NULL */
};

/* Fills places with exactly count words; "--" ends the options. ERR_INVALID names what is wrong. */
MUST_CHECK enum err words_read(int argc, char **argv, const struct word_option *options,
                               const char **places, int count, struct error *error);
