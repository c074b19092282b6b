/* sends: the blocking calls that write. */
#include <string.h>

#include "client/client.h"
#include "client/encode.h"

static const char batch_path[] = "/v1/l/batch";
static const char metrics_path[] = "/v1/metrics/batch";

/* Also for a call of the library's own retries: one key, so that no point is added twice. */
static enum xtrace_status post(struct xtrace_exchange *exchange, const char *path,
                               struct xtrace_text *body, struct xtrace_response **response)
{
    char key[XTRACE_ID_SIZE];
    if (path == batch_path) {
        exchange->call.idempotency_key = NULL; /* records merge by id */
    } else if (exchange->call.idempotency_key == NULL) {
        xtrace_new_id(key);
        exchange->call.idempotency_key = key;
    }
    struct xtrace_text target = XTRACE_TEXT_EMPTY;
    xtrace_text_puts(&target, path);
    return xtrace_exchange_perform(exchange, &target, body, response);
}

static bool is_header_value(const char *key)
{
    for (; *key != '\0'; key++) {
        if (*key <= 0x20 || *key >= 0x7f) {
            return false;
        }
    }
    return true;
}

static enum xtrace_status begin(struct xtrace_exchange *exchange, struct xtrace_client *client,
                                const struct xtrace_call *call, struct xtrace_response **response)
{
    enum xtrace_status status = xtrace_exchange_begin(exchange, client, call, response);
    const char *key = exchange->call.idempotency_key;
    if (status == XTRACE_OK && key != NULL && (*key == '\0' || !is_header_value(key))) {
        return xtrace_exchange_fail(exchange, XTRACE_INVALID,
                                    "idempotency_key: printable ASCII without blanks", response);
    }
    return status;
}

/* made: whether the body is one, else why is in error. Takes the body. */
static enum xtrace_status send_body(struct xtrace_client *client, const char *path,
                                    enum xtrace_status made, struct xtrace_text *body,
                                    const struct xtrace_error *error,
                                    const struct xtrace_call *call,
                                    struct xtrace_response **response)
{
    struct xtrace_exchange exchange;
    enum xtrace_status status = begin(&exchange, client, call, response);
    if (status == XTRACE_OK && made == XTRACE_OK) {
        return post(&exchange, path, body, response);
    }
    xtrace_text_finish(body);
    return status == XTRACE_OK ? xtrace_exchange_fail(&exchange, made, error->text, response)
                               : status;
}

enum xtrace_status xtrace_send_batch(struct xtrace_client *client, const struct xtrace_trace *trace,
                                     const struct xtrace_observation *observations, size_t count,
                                     const struct xtrace_call *call,
                                     struct xtrace_response **response)
{
    struct xtrace_error error;
    struct xtrace_text body = XTRACE_TEXT_EMPTY;
    enum xtrace_status made = xtrace_encode_batch(&body, trace, observations, count, &error);
    return send_body(client, batch_path, made, &body, &error, call, response);
}

enum xtrace_status xtrace_send_metrics(struct xtrace_client *client,
                                       const struct xtrace_metric *metrics, size_t count,
                                       const struct xtrace_call *call,
                                       struct xtrace_response **response)
{
    struct xtrace_error error;
    struct xtrace_text body = XTRACE_TEXT_EMPTY;
    enum xtrace_status made = xtrace_encode_metrics(&body, metrics, count, &error);
    return send_body(client, metrics_path, made, &body, &error, call, response);
}

enum xtrace_status xtrace_send_batch_json(struct xtrace_client *client, const char *body,
                                          size_t len, const struct xtrace_call *call,
                                          struct xtrace_response **response)
{
    struct xtrace_text copy = XTRACE_TEXT_EMPTY;
    xtrace_text_append(&copy, body, len);
    return send_body(client, batch_path, XTRACE_OK, &copy, NULL, call, response);
}

enum xtrace_status xtrace_send_metrics_json(struct xtrace_client *client, const char *body,
                                            size_t len, const struct xtrace_call *call,
                                            struct xtrace_response **response)
{
    struct xtrace_text copy = XTRACE_TEXT_EMPTY;
    xtrace_text_append(&copy, body, len);
    return send_body(client, metrics_path, XTRACE_OK, &copy, NULL, call, response);
}
