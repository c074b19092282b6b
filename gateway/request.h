/*
 * request: one HTTP request on its way through the gateway, from the route to the answer. It
 * outlives h2o's request when the client leaves first: whoever waits for the database or for a
 * receipt holds a reference and finds h2o == NULL then. Lives on one loop; not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <h2o.h>

#include "common/arena.h"
#include "common/slice.h"

struct worker; /* gateway/server.h: what a loop thread owns */
struct route;  /* gateway/routes.h */

enum { REQUEST_ID_MAX = 128, REQUEST_PROJECT_MAX = 256, REQUEST_PARAMS_MAX = 2 };

/* What the credential allows; gateway/auth.c fills it. */
struct identity {
    char project[REQUEST_PROJECT_MAX]; /* "" before authentication */
    bool scores_only;                  /* public-key Bearer: may only create scores */
};

struct request {
    h2o_req_t *h2o; /* NULL once the client is gone: answer nobody, but finish the work */
    struct worker *worker;
    const struct route *route;
    struct identity identity;
    char id[REQUEST_ID_MAX + 1];             /* X-Request-Id, taken over or made */
    struct slice params[REQUEST_PARAMS_MAX]; /* path parameters, percent-decoded; from arena */
    struct arena arena;                      /* lives as long as the request */
    int64_t started_us;                      /* monotonic */

    /* Runs once on the loop when the client leaves before the answer; may be NULL. The waiter sets
     * it to cancel what it waits for. */
    void (*on_gone)(struct request *request);
    void *waiter; /* whoever waits on behalf of the request; for on_gone */

    uint32_t _references;
};

void request_hold(struct request *request);
void request_release(struct request *request);
