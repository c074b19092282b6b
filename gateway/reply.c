#include "gateway/reply.h"

#include <string.h>

#include "common/clock.h"
#include "common/json_write.h"
#include "common/log.h"

struct answer {
    int status;
    const char *reason;
    const char *code;    /* contract/xtrace.md section 3 */
    const char *error;   /* Langfuse's name */
    const char *message; /* when the error has no text */
    bool retry;          /* Retry-After: 1 */
};

static const struct answer answers[ERR_COUNT] = {
    [ERR_OK] = {200, "OK", "OK", "", "", false},
    [ERR_INVALID] = {400, "Bad Request", "BAD_REQUEST", "InvalidRequestError", "Bad Request",
                     false},
    [ERR_UNAUTHORIZED] = {401, "Unauthorized", "UNAUTHORIZED", "UnauthorizedError", "Unauthorized",
                          false},
    [ERR_FORBIDDEN] = {403, "Forbidden", "FORBIDDEN", "ForbiddenError", "Forbidden", false},
    [ERR_NOT_FOUND] = {404, "Not Found", "NOT_FOUND", "LangfuseNotFoundError", "Not Found", false},
    [ERR_METHOD] = {405, "Method Not Allowed", "METHOD_NOT_ALLOWED", "MethodNotAllowedError",
                    "Method Not Allowed", false},
    [ERR_TOO_LARGE] = {413, "Payload Too Large", "PAYLOAD_TOO_LARGE", "PayloadTooLargeError",
                       "Payload Too Large", false},
    [ERR_UNSUPPORTED] = {415, "Unsupported Media Type", "UNSUPPORTED_MEDIA_TYPE",
                         "UnsupportedMediaTypeError", "Unsupported Media Type", false},
    [ERR_TOO_HEAVY] = {422, "Unprocessable Content", "UNPROCESSABLE_CONTENT",
                       "UnprocessableContentError", "The query asks for too much", false},
    [ERR_BUSY] = {429, "Too Many Requests", "TOO_MANY_REQUESTS", "TooManyRequestsError",
                  "Too Many Requests", true},
    [ERR_UNAVAILABLE] = {503, "Service Unavailable", "SERVICE_UNAVAILABLE",
                         "ServiceUnavailableError", "Service Unavailable", true},
    [ERR_CONFLICT] = {500, "Internal Server Error", "INTERNAL_ERROR", "InternalServerError",
                      "Internal Error", false},
    [ERR_REFUSED] = {400, "Bad Request", "BAD_REQUEST", "InvalidRequestError", "Bad Request",
                     false},
    [ERR_TIMEOUT] = {503, "Service Unavailable", "SERVICE_UNAVAILABLE", "ServiceUnavailableError",
                     "The query took too long", true},
    [ERR_INTERNAL] = {500, "Internal Server Error", "INTERNAL_ERROR", "InternalServerError",
                      "Internal Error", false},
};

int reply_status(enum err err)
{
    return err < ERR_COUNT ? answers[err].status : 500;
}

const char *reply_reason(int status)
{
    for (int i = 0; i < ERR_COUNT; i++) {
        if (answers[i].status == status) {
            return answers[i].reason;
        }
    }
    return status == 202 ? "Accepted" : status == 207 ? "Multi-Status" : "Status";
}

/* A text that was cut to fit may end within a character. */
static struct slice whole_characters(const char *text)
{
    struct slice slice = slice_from(text);
    if (slice.len + 1 < sizeof(((struct error *)NULL)->text)) {
        return slice;
    }
    size_t start = slice.len; /* of the last character */
    while (start > 0 && (text[start - 1] & 0xC0) == 0x80) {
        start--;
    }
    if (start > 0 && (text[start - 1] & 0x80) != 0) {
        slice.len = start - 1;
    }
    return slice;
}

void reply_error_body(struct buf *body, enum err err, const struct error *error, struct slice extra)
{
    const struct answer *answer = &answers[err < ERR_COUNT ? err : ERR_INTERNAL];
    /* What went wrong inside is for the log only. */
    bool has_text = error != NULL && error->text[0] != '\0' && answer->status != 500;
    buf_append_text(body, "{\"message\":");
    json_write_string(body, whole_characters(has_text ? error->text : answer->message));
    buf_printf(body, ",\"code\":\"%s\",\"error\":\"%s\"", answer->code, answer->error);
    if (extra.len > 0) {
        buf_append_char(body, ',');
        buf_append_slice(body, extra);
    }
    buf_append_char(body, '}');
}

void reply_error(struct request *request, enum err err, const struct error *error)
{
    reply_error_with(request, err, error, (struct slice){NULL, 0});
}

void reply_error_with(struct request *request, enum err err, const struct error *error,
                      struct slice extra)
{
    const struct answer *answer = &answers[err < ERR_COUNT ? err : ERR_INTERNAL];
    if (answer->status == 500) {
        log_event(LOG_ERROR, "request failed", "request", request->id, "error", err_name(err),
                  "reason", error != NULL ? error->text : "", NULL);
    }
    if (request->h2o == NULL) {
        return;
    }
    const h2o_headers_t *headers = &request->h2o->res.headers;
    if (answer->retry && h2o_find_header_by_str(headers, H2O_STRLIT("retry-after"), -1) == -1) {
        reply_header(request, "retry-after", "1");
    }
    struct buf body = BUF_EMPTY;
    reply_error_body(&body, err, error, extra);
    reply_json(request, answer->status, buf_slice(&body));
    buf_finish(&body);
}

void reply_json(struct request *request, int status, struct slice body)
{
    reply_text(request, status, "application/json", body);
}

void reply_text(struct request *request, int status, const char *type, struct slice body)
{
    request->on_gone = NULL;
    h2o_req_t *h2o = request->h2o;
    if (h2o == NULL) {
        return;
    }
    h2o->res.status = status;
    h2o->res.reason = reply_reason(status);
    h2o->res.content_length = body.len;
    if (body.len > 0) {
        h2o_add_header(&h2o->pool, &h2o->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL, type,
                       strlen(type));
    }
    reply_log(request, status);
    h2o_send_inline(h2o, body.len > 0 ? body.data : "", body.len);
}

/* Without a length, which 204 must not have (RFC 9110 section 8.6); h2o keeps the connection. */
void reply_no_content(struct request *request)
{
    request->on_gone = NULL;
    h2o_req_t *h2o = request->h2o;
    if (h2o == NULL) {
        return;
    }
    h2o->res.status = 204;
    h2o->res.reason = "No Content";
    reply_log(request, 204);
    h2o_send_inline(h2o, "", 0);
}

void reply_header(struct request *request, const char *name, const char *value)
{
    h2o_req_t *h2o = request->h2o;
    if (h2o != NULL) {
        h2o_iovec_t copy = h2o_strdup(&h2o->pool, value, SIZE_MAX);
        h2o_add_header_by_str(&h2o->pool, &h2o->res.headers, name, strlen(name), 1, NULL, copy.base,
                              copy.len);
    }
}

void reply_log(struct request *request, int status)
{
    if (!log_is_enabled(LOG_DEBUG) || request->h2o == NULL) {
        return;
    }
    reply_log_h2o(request->h2o, request->id, status, clock_monotonic_us() - request->started_us);
}

void reply_log_h2o(const h2o_req_t *h2o, const char *id, int status, int64_t duration_us)
{
    const char *query = memchr(h2o->path.base, '?', h2o->path.len);
    size_t path_len = query != NULL ? (size_t)(query - h2o->path.base) : h2o->path.len;
    log_event(LOG_DEBUG, "request", "method",
              log_text("%.*s", (int)h2o->method.len, h2o->method.base), "path",
              log_text("%.*s", path_len < 500 ? (int)path_len : 500, h2o->path.base), "status",
              log_text("%d", status), "ms", log_text("%.3f", (double)duration_us / 1000), "request",
              id, NULL);
}
