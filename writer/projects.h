/*
 * projects: the subcommands that add and list projects. Not thread-safe.
 */
#pragma once

#include <stdio.h>

#include "common/error.h"
#include "writer/session.h"

/* What "project add" is asked for; its texts are the caller's. */
struct project_order {
    const char *id;
    const char *name; /* NULL: as the id */
};

/* argv: the words behind "project add". ERR_INVALID: they are not as they must be. */
MUST_CHECK enum err project_order_read(int argc, char **argv, struct project_order *order,
                                       struct error *error);

/* ERR_CONFLICT: it is there already. */
MUST_CHECK enum err projects_add(struct session *session, const struct project_order *order,
                                 struct error *error);

/* A line for each: id, name, time of creation, number of keys that open it. */
MUST_CHECK enum err projects_list(struct session *session, FILE *out, struct error *error);

/* ERR_NOT_FOUND: there is no such project. */
MUST_CHECK enum err projects_check(struct session *session, const char *project,
                                   struct error *error);
