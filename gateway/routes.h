/*
 * routes: THE table. Method, path, handler, who may call, rate, size: checked before a handler
 * runs (gateway/dispatch.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gateway/request.h"

/* What a credential must have of enum scope: one of the bits, else it is 403. */
enum route_access {
    ACCESS_OPEN = 0, /* no credentials */
    /* Reads of what the project has; writes that add to it; what takes from it or changes how it is
     * seen. */
    ACCESS_READ = SCOPE_READ,
    ACCESS_INGEST = SCOPE_INGEST,
    ACCESS_MANAGE = SCOPE_MANAGE,
    /* Open to who may ingest, and to public keys: the handler looks at identity.scores_only. */
    ACCESS_SCORES = SCOPE_SCORES,
    /* What clients call to see whether a key is good. */
    ACCESS_CHECK = SCOPE_READ | SCOPE_INGEST,
    /* Numbers of the whole gateway. */
    ACCESS_OPERATE = SCOPE_OPERATE,
    /* Beside one of the above: open under XTRACE_ALLOW_UNAUTHENTICATED_COMPAT. */
    ACCESS_COMPAT = 1 << 8,
};

/* Answers now or later. The body (request->h2o->entity) is gone when it returns. */
typedef void (*route_handler)(struct request *request);

struct route {
    const char *method; /* "GET" answers HEAD too */
    const char *path;   /* segments; "{id}" takes one percent-decoded segment as a parameter */
    route_handler handler;
    unsigned access; /* enum route_access */
    bool rate_limited;
    bool has_body; /* else a body is ignored */
};

/* Ends with a NULL method. */
extern const struct route routes[];
