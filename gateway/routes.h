/*
 * routes: THE table. Method, path, handler, who may call, rate, size: checked before a handler
 * runs (gateway/dispatch.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gateway/request.h"

enum route_access {
    ACCESS_OPEN,    /* no credentials */
    ACCESS_PROJECT, /* Bearer token or key pair */
    ACCESS_COMPAT,  /* as ACCESS_PROJECT, open under XTRACE_ALLOW_UNAUTHENTICATED_COMPAT */
};

/* Answers now or later. The body (request->h2o->entity) is gone when it returns. */
typedef void (*route_handler)(struct request *request);

struct route {
    const char *method; /* "GET" answers HEAD too */
    const char *path;   /* segments; "{id}" takes one percent-decoded segment as a parameter */
    route_handler handler;
    enum route_access access;
    bool rate_limited;
    bool has_body; /* else a body is ignored */
};

/* Ends with a NULL method. */
extern const struct route routes[];
