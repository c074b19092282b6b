/*
 * client: the handle and what every blocking call of it goes through.
 */
#pragma once

#include "client/http.h"
#include "client/queue.h"

/* One call: made ready by client_begin, ended by client_perform. */
struct xtrace_exchange {
    struct xtrace_client *client;
    struct xtrace_call call;
    struct xtrace_response *response;
};

/* Checks the client and the call and makes the response. On anything but XTRACE_OK the exchange is
 * over and *response is set as xtrace.h promises. response may be NULL. */
enum xtrace_status xtrace_exchange_begin(struct xtrace_exchange *exchange,
                                         struct xtrace_client *client,
                                         const struct xtrace_call *call,
                                         struct xtrace_response **response);

/* Ends it without a request. status is not XTRACE_OK; words as in xtrace_response_fail. */
enum xtrace_status xtrace_exchange_fail(struct xtrace_exchange *exchange, enum xtrace_status status,
                                        const char *words, struct xtrace_response **response);

/* target and body are taken and freed; a target or body that failed for memory ends it so. body may
 * be NULL: GET. */
enum xtrace_status xtrace_exchange_perform(struct xtrace_exchange *exchange,
                                           struct xtrace_text *target, struct xtrace_text *body,
                                           struct xtrace_response **response);
