/*
 * dispatch: finds the route of a request and opens the gates to it in the order of
 * contract/xtrace.md section 2: route and method, credentials, rate, body size. On the request's
 * loop.
 */
#pragma once

#include "common/arena.h"
#include "common/slice.h"
#include "gateway/request.h"
#include "gateway/routes.h"

/* Answers the request or has its route's handler do so. */
void dispatch(struct request *request);

enum { DISPATCH_ALLOW_SIZE = 64 };

enum match {
    MATCH_ROUTE,
    MATCH_NOTHING,      /* no route of that path */
    MATCH_OTHER_METHOD, /* allow names the path's methods */
    MATCH_OPTIONS,      /* likewise; no row of the table, every path has it */
};

/*
 * Pure. target: the request's path as it came, query included. Segments are percent-decoded after
 * splitting at '/', so that %2F can be part of one. A segment that does not decode to UTF-8 without
 * U+0000 matches nothing. params live in the arena.
 */
enum match dispatch_match(const struct route *table, struct slice method, struct slice target,
                          struct arena *arena, const struct route **route,
                          struct slice params[REQUEST_PARAMS_MAX], char allow[DISPATCH_ALLOW_SIZE]);
