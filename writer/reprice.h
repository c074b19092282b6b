/*
 * reprice: the subcommand that applies the prices of now to observations that are stored. Page by page in the order
 * of the primary key, a short transaction each, only what comes out differently is locked and written; the days of
 * its traces are marked for the roll-up. Beside running writers; stopped at any moment, it may be run again.
 * Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "common/error.h"
#include "writer/session.h"

/* NULL: all. from and to: RFC 3339 times, or dates; of the observation's start, both inclusive. */
struct reprice_order {
    const char *project;
    const char *from;
    const char *to;
    const char *model;
    bool dry_run; /* tells what would change, and changes nothing */
};

/* ERR_INVALID names the word that is wrong. */
MUST_CHECK enum err reprice_order_read(int argc, char **argv, struct reprice_order *out,
                                       struct error *error);

MUST_CHECK enum err reprice_run(struct session *session, const struct reprice_order *order,
                                FILE *out, struct error *error);
