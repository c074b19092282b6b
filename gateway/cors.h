/*
 * cors: what lets pages of any origin call the API (https://fetch.spec.whatwg.org/#http-cors-protocol).
 * Credentials of the browser (cookies) are never allowed: there are none here, and an Authorization
 * header is the page's own to send. On the request's loop only.
 */
#pragma once

#include "gateway/request.h"

/* The headers of every answer; whoever writes an answer by hand adds these lines to its head. */
#define CORS_ANY_ORIGIN "*"
#define CORS_EXPOSED_HEADERS                                                                       \
    "Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id"
#define CORS_HEADER_LINES                                                                          \
    "access-control-allow-origin: " CORS_ANY_ORIGIN "\r\n"                                         \
    "access-control-expose-headers: " CORS_EXPOSED_HEADERS "\r\n"

/* Adds them to an answer that is about to be sent. */
void cors_open(h2o_req_t *h2o);

/* A browser asks what it may send. */
bool cors_is_preflight(const struct request *request);

/* Answers OPTIONS: 204. methods: those of the path, as in Allow. Whatever header the browser asks for
 * it may send: we ignore those that we do not know. */
void cors_answer_options(struct request *request, const char *methods);
