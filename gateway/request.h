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

enum {
    REQUEST_ID_MAX = 128,
    REQUEST_PROJECT_MAX = 256,
    REQUEST_PARAMS_MAX = 2,
    REQUEST_CREDENTIAL_SIZE = 32,
};

/* What a credential may do; gateway/routes.h says what a route needs. */
enum scope {
    SCOPE_READ = 1,
    SCOPE_INGEST = 2,
    SCOPE_SCORES = 4, /* create scores; who may ingest may do that */
    SCOPE_MANAGE = 8,
    SCOPE_OPERATE = 16, /* the environment's credentials alone */
};

/* Whose credential it is; gateway/auth.c fills it. */
struct identity {
    char project[REQUEST_PROJECT_MAX];           /* "" before authentication */
    unsigned scopes;                             /* enum scope */
    bool scores_only;                            /* of all that can be sent, only scores */
    uint8_t credential[REQUEST_CREDENTIAL_SIZE]; /* a digest that stands for it; the limit's key */
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

    /* Runs once on the loop, with h2o == NULL, when the client leaves before the answer is
     * complete; may be NULL. The waiter sets it to cancel what it waits for. gateway/reply.h
     * clears it when it answers; who answers by other means clears it himself. */
    void (*on_gone)(struct request *request);
    void *waiter; /* whoever waits on behalf of the request; for on_gone */

    uint32_t _references;
};

/* Runs on the loop. The request's first reference belongs to h2o's side and goes with it. Puts
 * X-Request-Id into the answer's headers. */
struct request *request_create(struct worker *worker, h2o_req_t *h2o);

void request_hold(struct request *request);
void request_release(struct request *request);

/* What follows the target's `?`, or empty. */
struct slice request_query(const struct request *request);

/* A header's value, of several the first; empty when absent. */
struct slice request_header(const struct request *request, const h2o_token_t *name);

/* The header "x-langfuse-NAME"; some clients spell it with underscores. False: absent, and out is empty. */
bool request_langfuse_header(const struct request *request, const char *name, struct slice *out);

/* The client's X-Request-Id when it is 1-128 visible ASCII characters, else a new one. */
void request_choose_id(const h2o_req_t *h2o, char id[REQUEST_ID_MAX + 1]);
