/* response: an answer's status and body -> what the caller wants to know. */
#include "client/response.h"

#include <stdlib.h>
#include <string.h>

#include "client/json.h"
#include "client/status.h"

struct xtrace_response *xtrace_response_create(size_t max_body)
{
    struct xtrace_response *response = calloc(1, sizeof(*response));
    if (response != NULL) {
        response->max_body = max_body;
    }
    return response;
}

void xtrace_response_reset(struct xtrace_response *response)
{
    for (size_t i = 0; i < response->refused_count; i++) {
        free(response->refused[i].path);
        free(response->refused[i].id);
        free(response->refused[i].message);
    }
    free(response->refused);
    free(response->message);
    free(response->code);
    xtrace_text_finish(&response->body);
    *response =
        (struct xtrace_response){.attempts = response->attempts, .max_body = response->max_body};
}

void xtrace_response_destroy(struct xtrace_response *response)
{
    if (response != NULL) {
        xtrace_response_reset(response);
        free(response);
    }
}

enum xtrace_status xtrace_response_fail(struct xtrace_response *response, enum xtrace_status status,
                                        const char *words)
{
    response->status = status;
    response->is_retryable = false;
    return xtrace_fail(&response->local, status, "%s", words);
}

static enum xtrace_status status_of(int http_status)
{
    switch (http_status) {
    case 401:
    case 403:
        return XTRACE_UNAUTHORIZED;
    case 404:
    case 405:
        return XTRACE_NOT_FOUND;
    case 408:
        return XTRACE_TIMEOUT;
    case 429:
        return XTRACE_BUSY;
    case 502:
    case 503:
    case 504:
        return XTRACE_UNAVAILABLE;
    default:
        return http_status >= 500   ? XTRACE_SERVER_ERROR
               : http_status >= 400 ? XTRACE_REFUSED
               : http_status >= 300 ? XTRACE_PROTOCOL
                                    : XTRACE_OK;
    }
}

static bool is_retryable(int http_status)
{
    return http_status == 408 || http_status == 429 ||
           (http_status >= 500 && http_status != 501 && http_status != 505);
}

/* The text of a member; "" when it is none. NULL: no memory. */
static char *member_text(struct xtrace_slice object, const char *name)
{
    struct xtrace_slice value = xtrace_json_find(object, name);
    return value.data != NULL && *value.data == '"' ? xtrace_json_string(value) : strdup("");
}

static size_t count_elements(struct xtrace_slice array)
{
    struct xtrace_json_walk walk;
    struct xtrace_slice value;
    size_t count = 0;
    if (xtrace_json_enter(&walk, array, '[')) {
        while (xtrace_json_next(&walk, NULL, &value)) {
            count++;
        }
    }
    return count;
}

static bool read_refused(struct xtrace_response *response, struct xtrace_slice errors)
{
    size_t count = count_elements(errors);
    if (count == 0) {
        return true;
    }
    response->refused = calloc(count, sizeof(*response->refused));
    if (response->refused == NULL) {
        return false;
    }
    struct xtrace_json_walk walk;
    struct xtrace_slice value;
    (void)xtrace_json_enter(&walk, errors, '[');
    while (response->refused_count < count && xtrace_json_next(&walk, NULL, &value)) {
        struct xtrace_refused *refused = &response->refused[response->refused_count++];
        refused->path = member_text(value, "path");
        refused->id = member_text(value, "id");
        refused->message = member_text(value, "message");
        if (refused->path == NULL || refused->id == NULL || refused->message == NULL) {
            return false;
        }
    }
    return true;
}

static void read_stored(struct xtrace_response *response, struct xtrace_slice stored)
{
    struct xtrace_json_walk walk;
    struct xtrace_slice value;
    response->has_stored = xtrace_json_enter(&walk, stored, '{');
    while (response->has_stored && xtrace_json_next(&walk, NULL, &value)) {
        /* The slice ends at a character that is no digit: the body is NUL-terminated. */
        response->stored += strtoull(value.data, NULL, 10);
    }
}

void xtrace_response_read(struct xtrace_response *response)
{
    response->status = status_of(response->http_status);
    response->is_retryable = is_retryable(response->http_status);
    if (response->status == XTRACE_OK) {
        return; /* pages of traces have none of what follows, and may be long */
    }
    if (response->status == XTRACE_PROTOCOL) {
        (void)xtrace_fail(&response->local, XTRACE_PROTOCOL,
                          "HTTP %d: a redirect, which is not followed: is the URL right?",
                          response->http_status);
        return;
    }
    struct xtrace_slice body = {NULL, 0};
    if (response->body.data != NULL) {
        body = xtrace_json_parse(response->body.data, response->body.len);
    }
    response->message = member_text(body, "message");
    response->code = member_text(body, "code");
    if (response->message != NULL && *response->message == '\0') {
        (void)xtrace_fail(&response->local, response->status, "HTTP %d without a message",
                          response->http_status);
    }
    read_stored(response, xtrace_json_find(body, "stored"));
    bool ok = read_refused(response, xtrace_json_find(body, "errors"));
    if (!ok || response->message == NULL || response->code == NULL) {
        (void)xtrace_response_fail(response, XTRACE_NO_MEMORY, "no memory for the answer");
    }
}

const char *xtrace_response_body(const struct xtrace_response *response, size_t *len)
{
    if (len != NULL) {
        *len = response->body.len;
    }
    return response->body.data != NULL ? response->body.data : "";
}

int xtrace_response_http_status(const struct xtrace_response *response)
{
    return response->http_status;
}

const char *xtrace_response_message(const struct xtrace_response *response)
{
    if (response->local.text[0] != '\0') {
        return response->local.text;
    }
    return response->message != NULL ? response->message : xtrace_status_text(response->status);
}

const char *xtrace_response_code(const struct xtrace_response *response)
{
    return response->code != NULL ? response->code : "";
}

uint32_t xtrace_response_attempts(const struct xtrace_response *response)
{
    return response->attempts;
}

uint64_t xtrace_response_retry_after_ms(const struct xtrace_response *response)
{
    return response->retry_after_ms;
}

size_t xtrace_response_refusal_count(const struct xtrace_response *response)
{
    return response->refused_count;
}

bool xtrace_response_refusal(const struct xtrace_response *response, size_t index,
                             struct xtrace_refusal *refusal)
{
    if (index >= response->refused_count) {
        return false;
    }
    const struct xtrace_refused *refused = &response->refused[index];
    *refusal = (struct xtrace_refusal){refused->path, refused->id, refused->message};
    return true;
}
