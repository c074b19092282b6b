/*
 * response: what came of one request. Made and filled by http.c; read through xtrace.h. One owner.
 */
#pragma once

#include "client/text.h"
#include "client/xtrace.h"

struct xtrace_refused {
    char *path; /* each owned, never NULL */
    char *id;
    char *message;
};

struct xtrace_response {
    enum xtrace_status status;
    bool is_retryable; /* the same request may succeed later */
    int http_status;   /* 0: no whole answer */
    uint32_t attempts;
    uint64_t retry_after_ms;
    struct xtrace_text body;
    size_t max_body; /* a longer one is cut and is_too_large */
    bool is_too_large;
    struct xtrace_error local; /* what went wrong on this side; "" when message says it */
    char *message;             /* the server's; NULL when it sent none */
    char *code;
    struct xtrace_refused *refused;
    size_t refused_count;
    bool has_stored; /* the server said how many records it took */
    uint64_t stored;
};

struct xtrace_response *xtrace_response_create(size_t max_body);

/* Forgets the last attempt; attempts and max_body stay. */
void xtrace_response_reset(struct xtrace_response *response);

/* A call that came to nothing before it was sent. */
enum xtrace_status xtrace_response_fail(struct xtrace_response *response, enum xtrace_status status,
                                        const char *words);

/* A whole answer is there: status, message, code and refusals from http_status and the body. */
void xtrace_response_read(struct xtrace_response *response);
