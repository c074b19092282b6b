/*
 * capture: the subcommands that say what a project keeps of what it is sent. What they say is in the table
 * capture; the gateways act on it within about a second. Not thread-safe.
 */
#pragma once

#include <stdio.h>

#include "common/error.h"
#include "writer/session.h"

/* A line for each project: id, mode, keys, patterns; "default": what the gateways' settings say. project NULL:
 * all of them. ERR_NOT_FOUND: there is no such project. */
MUST_CHECK enum err capture_list(struct session *session, const char *project, FILE *out,
                                 struct error *error);

/* what: "mode", "keys" or "patterns". value: as in XTRACE_CAPTURE, XTRACE_REDACT_KEYS and
 * XTRACE_REDACT_PATTERNS, "" for no keys and patterns, "default" takes the project's own away. ERR_INVALID,
 * ERR_NOT_FOUND: such a mode, pattern or project there is not. */
MUST_CHECK enum err capture_set(struct session *session, const char *project, const char *what,
                                const char *value, struct error *error);
