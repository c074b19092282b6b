/* client: the handle, background calls, and the frame of the blocking ones. */
#include "client/client.h"

#include <stdlib.h>
#include <unistd.h>

#include "client/encode.h"
#include "client/status.h"
#include "client/system.h"

struct xtrace_client {
    struct xtrace_options options;
    struct xtrace_http *http;
    struct xtrace_queue *queue;
    pid_t pid; /* threads and locks are good in this process only */
};

/* What an encoder takes: the record's own type is behind the pointer. */
typedef enum xtrace_status (*encoder)(struct xtrace_text *out, const void *record,
                                      struct xtrace_error *error);

static bool is_forked(const struct xtrace_client *client)
{
    return client->pid != getpid();
}

static void free_client(struct xtrace_client *client)
{
    xtrace_queue_destroy(client->queue);
    xtrace_http_destroy(client->http);
    xtrace_options_finish(&client->options);
    free(client);
}

enum xtrace_status xtrace_client_create(struct xtrace_client **out,
                                        const struct xtrace_options *options,
                                        struct xtrace_error *error)
{
    *out = NULL;
    struct xtrace_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return xtrace_fail(error, XTRACE_NO_MEMORY, "no memory");
    }
    client->pid = getpid();
    if (!xtrace_options_copy(&client->options, options) ||
        xtrace_http_create(&client->http, &client->options) != XTRACE_OK ||
        xtrace_queue_create(&client->queue, &client->options) != XTRACE_OK) {
        free_client(client);
        return xtrace_fail(error, XTRACE_NO_MEMORY, "no memory");
    }
    *out = client;
    return xtrace_fail(error, XTRACE_OK, "%s", "");
}

enum xtrace_status xtrace_client_flush(struct xtrace_client *client, uint32_t timeout_ms)
{
    return is_forked(client) ? XTRACE_CLOSED : xtrace_queue_flush(client->queue, timeout_ms);
}

enum xtrace_status xtrace_client_shutdown(struct xtrace_client *client, uint32_t timeout_ms)
{
    if (is_forked(client)) {
        return XTRACE_CLOSED;
    }
    xtrace_http_close(client->http);
    return xtrace_queue_close(client->queue, timeout_ms);
}

void xtrace_client_destroy(struct xtrace_client *client)
{
    if (client == NULL || is_forked(client)) {
        return;
    }
    (void)xtrace_client_shutdown(client, 0);
    free_client(client);
}

enum xtrace_status xtrace_client_stats(struct xtrace_client *client, struct xtrace_stats *stats)
{
    size_t size = stats->size;
    struct xtrace_stats own = xtrace_stats_init();
    if (size < sizeof(own)) {
        return XTRACE_INVALID;
    }
    if (is_forked(client)) {
        return XTRACE_CLOSED;
    }
    xtrace_queue_stats(client->queue, &own);
    *stats = own;
    stats->size = size;
    return XTRACE_OK;
}

/* ---- background ------------------------------------------------------------------------------ */

static enum xtrace_status enqueue(struct xtrace_client *client, enum xtrace_lane lane,
                                  bool is_trace, encoder encode, const void *record,
                                  struct xtrace_error *error)
{
    (void)xtrace_fail(error, XTRACE_OK, "%s", "");
    if (is_forked(client)) {
        return xtrace_fail(error, XTRACE_CLOSED, "this process was forked: make a new client");
    }
    struct xtrace_text json = XTRACE_TEXT_EMPTY;
    enum xtrace_status status = encode(&json, record, error);
    if (status == XTRACE_OK) {
        status = xtrace_queue_add(client->queue, lane, is_trace, json.data, json.len);
        if (status != XTRACE_OK) {
            (void)xtrace_fail(error, status, "%s", xtrace_status_text(status));
        }
    }
    xtrace_text_finish(&json);
    return status;
}

static enum xtrace_status encode_trace(struct xtrace_text *out, const void *record,
                                       struct xtrace_error *error)
{
    return xtrace_encode_trace(out, record, error);
}

static enum xtrace_status encode_observation(struct xtrace_text *out, const void *record,
                                             struct xtrace_error *error)
{
    return xtrace_encode_observation(out, record, error);
}

static enum xtrace_status encode_metric(struct xtrace_text *out, const void *record,
                                        struct xtrace_error *error)
{
    return xtrace_encode_metric(out, record, error);
}

enum xtrace_status xtrace_enqueue_trace(struct xtrace_client *client,
                                        const struct xtrace_trace *trace,
                                        struct xtrace_error *error)
{
    return enqueue(client, XTRACE_LANE_RECORDS, true, encode_trace, trace, error);
}

enum xtrace_status xtrace_enqueue_observation(struct xtrace_client *client,
                                              const struct xtrace_observation *observation,
                                              struct xtrace_error *error)
{
    return enqueue(client, XTRACE_LANE_RECORDS, false, encode_observation, observation, error);
}

enum xtrace_status xtrace_enqueue_metric(struct xtrace_client *client,
                                         const struct xtrace_metric *metric,
                                         struct xtrace_error *error)
{
    return enqueue(client, XTRACE_LANE_METRICS, false, encode_metric, metric, error);
}

/* ---- the frame of blocking calls ------------------------------------------------------------- */

/* Hands the response over, or frees it when nobody wants it. */
static enum xtrace_status end(struct xtrace_exchange *exchange, enum xtrace_status status,
                              struct xtrace_response **response)
{
    if (response != NULL) {
        *response = exchange->response;
    } else {
        xtrace_response_destroy(exchange->response);
    }
    exchange->response = NULL;
    return status;
}

enum xtrace_status xtrace_exchange_begin(struct xtrace_exchange *exchange,
                                         struct xtrace_client *client,
                                         const struct xtrace_call *call,
                                         struct xtrace_response **response)
{
    *exchange = (struct xtrace_exchange){.client = client, .call = xtrace_call_init()};
    if (response != NULL) {
        *response = NULL;
    }
    if (is_forked(client)) {
        return XTRACE_CLOSED;
    }
    exchange->response = xtrace_response_create(client->options.answer_bytes);
    if (exchange->response == NULL) {
        return XTRACE_NO_MEMORY;
    }
    struct xtrace_call *own = &exchange->call;
    if (call != NULL && !xtrace_take_struct(own, sizeof(*own), sizeof(*own), call)) {
        return xtrace_exchange_fail(exchange, XTRACE_INVALID, "call: begin with xtrace_call_init()",
                                    response);
    }
    own->timeout_ms = own->timeout_ms != 0 ? own->timeout_ms : client->options.call_ms;
    own->attempts = own->attempts != 0 ? own->attempts : client->options.attempts;
    return XTRACE_OK;
}

enum xtrace_status xtrace_exchange_fail(struct xtrace_exchange *exchange, enum xtrace_status status,
                                        const char *words, struct xtrace_response **response)
{
    return end(exchange, xtrace_response_fail(exchange->response, status, words), response);
}

enum xtrace_status xtrace_exchange_perform(struct xtrace_exchange *exchange,
                                           struct xtrace_text *target, struct xtrace_text *body,
                                           struct xtrace_response **response)
{
    bool has_failed = target->failed || (body != NULL && body->failed);
    enum xtrace_status status;
    if (has_failed) {
        status = xtrace_response_fail(exchange->response, XTRACE_NO_MEMORY, "no memory");
    } else {
        struct xtrace_request request = {
            .target = target->data,
            .body = body != NULL ? body->data : NULL,
            .body_len = body != NULL ? body->len : 0,
            .idempotency_key = exchange->call.idempotency_key,
        };
        status = xtrace_http_call(exchange->client->http, &request, exchange->call.timeout_ms,
                                  exchange->call.attempts, exchange->response);
    }
    xtrace_text_finish(target);
    if (body != NULL) {
        xtrace_text_finish(body);
    }
    return end(exchange, status, response);
}
