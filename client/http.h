/*
 * http: a blocking call: attempts over a connection until one settles it. Thread-safe; each call has
 * a connection of its own, up to eight are kept for later ones.
 */
#pragma once

#include "client/connection.h"

struct xtrace_http;

/* options are borrowed and must outlive it. */
enum xtrace_status xtrace_http_create(struct xtrace_http **out,
                                      const struct xtrace_options *options);
void xtrace_http_destroy(struct xtrace_http *http);

/* Calls that wait for their next attempt return XTRACE_CLOSED, as do all later ones. */
void xtrace_http_close(struct xtrace_http *http);

/* Tries until it succeeds, cannot succeed, or timeout_ms or attempts are used up. Returns
 * response->status. */
enum xtrace_status xtrace_http_call(struct xtrace_http *http, const struct xtrace_request *request,
                                    uint32_t timeout_ms, uint32_t attempts,
                                    struct xtrace_response *response);
