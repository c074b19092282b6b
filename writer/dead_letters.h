/*
 * dead_letters: the subcommands on rows that PostgreSQL refused. Answers are lines on out.
 */
#pragma once

#include <stdio.h>

#include "common/error.h"
#include "writer/session.h"

/* Newest first: id, time, project, kind, record id, replayed or not, reason. */
MUST_CHECK enum err dead_letters_list(struct session *session, FILE *out, struct error *error);

/* With the row's columns, one a line. ERR_NOT_FOUND: no such id. */
MUST_CHECK enum err dead_letters_show(struct session *session, const char *id, FILE *out,
                                      struct error *error);

/* Writes the row again as a batch of its own and marks it replayed; id NULL: all that are not yet.
 * ERR_REFUSED: one or more were refused again (and say so on out). */
MUST_CHECK enum err dead_letters_replay(struct session *session, const char *id, FILE *out,
                                        struct error *error);
