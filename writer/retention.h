/*
 * retention: the subcommands that say how long a project keeps its data. What they say is in the table
 * retention; writer/maintain.c acts on it. Not thread-safe.
 */
#pragma once

#include <stdio.h>

#include "common/error.h"
#include "writer/session.h"

/* A line for each project and kind: its own days, or "default". */
MUST_CHECK enum err retention_list(struct session *session, FILE *out, struct error *error);

/* days: a whole number, 0 for ever; "default" takes the project's own away. ERR_INVALID, ERR_NOT_FOUND: such a
 * kind, number or project there is not. */
MUST_CHECK enum err retention_set(struct session *session, const char *project, const char *kind,
                                  const char *days, struct error *error);
