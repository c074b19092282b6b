/* http: idle connections and the retry loop. */
#include "client/http.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "client/retry.h"
#include "client/system.h"

enum { IDLE_MAX = 8 /* connections kept for later calls */ };

struct xtrace_http {
    const struct xtrace_options *options; /* the client's */
    pthread_mutex_t mutex;
    pthread_cond_t closed;
    bool is_closed;
    size_t idle_count;
    struct xtrace_connection *idle[IDLE_MAX];
};

enum xtrace_status xtrace_http_create(struct xtrace_http **out,
                                      const struct xtrace_options *options)
{
    struct xtrace_http *http = calloc(1, sizeof(*http));
    *out = http;
    if (http == NULL) {
        return XTRACE_NO_MEMORY;
    }
    http->options = options;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&http->mutex, NULL);
    pthread_cond_init(&http->closed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return XTRACE_OK;
}

void xtrace_http_destroy(struct xtrace_http *http)
{
    if (http == NULL) {
        return;
    }
    for (size_t i = 0; i < http->idle_count; i++) {
        xtrace_connection_destroy(http->idle[i]);
    }
    pthread_cond_destroy(&http->closed);
    pthread_mutex_destroy(&http->mutex);
    free(http);
}

void xtrace_http_close(struct xtrace_http *http)
{
    pthread_mutex_lock(&http->mutex);
    http->is_closed = true;
    pthread_cond_broadcast(&http->closed);
    pthread_mutex_unlock(&http->mutex);
}

static struct xtrace_connection *borrow(struct xtrace_http *http)
{
    pthread_mutex_lock(&http->mutex);
    struct xtrace_connection *connection =
        http->idle_count > 0 ? http->idle[--http->idle_count] : NULL;
    pthread_mutex_unlock(&http->mutex);
    return connection != NULL ? connection : xtrace_connection_create(http->options);
}

static void give_back(struct xtrace_http *http, struct xtrace_connection *connection)
{
    pthread_mutex_lock(&http->mutex);
    if (http->idle_count < IDLE_MAX) {
        http->idle[http->idle_count++] = connection;
        connection = NULL;
    }
    pthread_mutex_unlock(&http->mutex);
    xtrace_connection_destroy(connection);
}

/* Waits until then; false when the client was closed meanwhile or before. */
static bool wait_until(struct xtrace_http *http, int64_t at_ms)
{
    struct timespec at = {(time_t)(at_ms / 1000), (long)(at_ms % 1000) * 1000000};
    pthread_mutex_lock(&http->mutex);
    while (!http->is_closed && xtrace_monotonic_ms() < at_ms) {
        pthread_cond_timedwait(&http->closed, &http->mutex, &at);
    }
    bool is_open = !http->is_closed;
    pthread_mutex_unlock(&http->mutex);
    return is_open;
}

enum xtrace_status xtrace_http_call(struct xtrace_http *http, const struct xtrace_request *request,
                                    uint32_t timeout_ms, uint32_t attempts,
                                    struct xtrace_response *response)
{
    struct xtrace_retry retry = {http->options->base_ms, http->options->max_ms};
    int64_t next_ms = xtrace_monotonic_ms();
    int64_t deadline_ms = next_ms + timeout_ms;
    struct xtrace_connection *connection = borrow(http);
    if (connection == NULL) {
        return xtrace_response_fail(response, XTRACE_NO_MEMORY, "no memory for a connection");
    }
    do {
        if (!wait_until(http, next_ms)) {
            (void)xtrace_response_fail(response, XTRACE_CLOSED, "the client was shut down");
            break;
        }
        int64_t now_ms = xtrace_monotonic_ms();
        xtrace_connection_try(connection, request, deadline_ms > now_ms ? deadline_ms - now_ms : 1,
                              response);
        next_ms = xtrace_monotonic_ms() + (int64_t)xtrace_retry_wait_ms(retry, response->attempts,
                                                                        response->retry_after_ms,
                                                                        xtrace_random_u32());
    } while (response->is_retryable && response->attempts < attempts && next_ms < deadline_ms);
    give_back(http, connection);
    return response->status;
}
