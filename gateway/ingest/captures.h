/*
 * captures: which capture rules hold for which project: its own of the table capture, else the settings'.
 * Made once, then read only: any thread.
 */
#pragma once

#include <stddef.h>

#include "common/error.h"
#include "gateway/config.h"

struct capture; /* gateway/ingest/capture.h */
struct captures;

/* A row of the table; all of it is copied. NULL: as the settings say. */
struct captures_row {
    const char *project;
    const char *mode;
    const char *keys;
    const char *patterns;
};

/*
 * ERR_INVALID: the settings' own rules do not compile. Those of a project that do not are logged, and
 * captures_find refuses the project.
 */
MUST_CHECK enum err captures_create(struct captures **out, const struct config *config,
                                    const struct captures_row *rows, size_t count,
                                    struct error *error);
/* NULL is fine. */
void captures_destroy(struct captures *captures);

/* *out: NULL when everything is kept as it is. ERR_UNAVAILABLE: what may be kept cannot be told. */
MUST_CHECK enum err captures_find(const struct captures *captures, const char *project,
                                  const struct capture **out, struct error *error);
