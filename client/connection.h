/*
 * connection: one attempt of one request over libcurl. Belongs to one thread at a time.
 */
#pragma once

#include "client/options.h"
#include "client/response.h"

struct xtrace_connection;

struct xtrace_request {
    const char *target; /* path and query, beginning with '/' */
    const char *body;   /* NULL: GET; otherwise POST of JSON */
    size_t body_len;
    const char *idempotency_key; /* may be NULL */
};

/* options are borrowed and must outlive it. NULL: no memory. */
struct xtrace_connection *xtrace_connection_create(const struct xtrace_options *options);
void xtrace_connection_destroy(struct xtrace_connection *connection);

/* One attempt of at most timeout_ms (at least 1). Fills response and counts the attempt. */
void xtrace_connection_try(struct xtrace_connection *connection,
                           const struct xtrace_request *request, int64_t timeout_ms,
                           struct xtrace_response *response);

/* From any thread: an attempt that runs at that time (xtrace_monotonic_ms), or later, ends with
 * XTRACE_CLOSED. */
void xtrace_connection_abort_at(struct xtrace_connection *connection, int64_t at_ms);
