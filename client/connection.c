/* connection: one attempt over libcurl, which keeps the socket for the next one. */
#include "client/connection.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "client/system.h"

enum { POLL_MAX_MS = 1000, RETRY_AFTER_MAX_S = 86400 };

struct xtrace_connection {
    const struct xtrace_options *options; /* the client's */
    CURL *easy;
    CURLM *multi; /* owns the socket, so that it is used again */
    _Atomic int64_t abort_at_ms;
    char words[CURL_ERROR_SIZE];
};

/* The one thing a process does once: libcurl keeps it until the process ends. */
static void init_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Writing to a socket that the server has closed must not end the application, and TLS writes without
 * MSG_NOSIGNAL: SIGPIPE waits while libcurl works, and is taken away if it came meanwhile. */
struct pipe_guard {
    sigset_t before;
    bool was_pending;
};

static bool is_pipe_pending(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

static struct pipe_guard guard_pipe(void)
{
    struct pipe_guard guard;
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    guard.was_pending = is_pipe_pending();
    pthread_sigmask(SIG_BLOCK, &pipe_only, &guard.before);
    return guard;
}

static void unguard_pipe(const struct pipe_guard *guard)
{
    if (!guard->was_pending && is_pipe_pending()) {
        sigset_t pipe_only;
        sigemptyset(&pipe_only);
        sigaddset(&pipe_only, SIGPIPE);
        struct timespec at_once = {0, 0};
        (void)sigtimedwait(&pipe_only, NULL, &at_once);
    }
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}

static size_t on_body(char *data, size_t size, size_t count, void *closure)
{
    struct xtrace_response *response = closure;
    size_t len = size * count;
    if (response->body.len + len > response->max_body) {
        response->is_too_large = true;
        return 0;
    }
    xtrace_text_append(&response->body, data, len);
    return response->body.failed ? 0 : len;
}

static bool set_credentials(CURL *easy, const struct xtrace_options *options)
{
    if (options->public_key == NULL) {
        return true; /* the token is one of the headers */
    }
    return curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERNAME, options->public_key) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PASSWORD, options->secret_key) == CURLE_OK;
}

/* What is the same for all requests. */
static bool set_up(struct xtrace_connection *connection)
{
    CURL *easy = connection->easy;
    const struct xtrace_options *options = connection->options;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, connection->words);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    bool ok =
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "") == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_USERAGENT, "xtrace-client/" XTRACE_VERSION) == CURLE_OK &&
        set_credentials(easy, options);
#if LIBCURL_VERSION_NUM >= 0x075500
    ok = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK && ok;
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    if (options->ca_file != NULL) {
        ok = curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file) == CURLE_OK && ok;
    }
    return ok;
}

struct xtrace_connection *xtrace_connection_create(const struct xtrace_options *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_curl);
    struct xtrace_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        return NULL;
    }
    connection->options = options;
    atomic_init(&connection->abort_at_ms, INT64_MAX);
    connection->easy = curl_easy_init();
    connection->multi = curl_multi_init();
    if (connection->easy == NULL || connection->multi == NULL || !set_up(connection)) {
        xtrace_connection_destroy(connection);
        return NULL;
    }
    return connection;
}

void xtrace_connection_destroy(struct xtrace_connection *connection)
{
    if (connection != NULL) {
        struct pipe_guard guard = guard_pipe(); /* TLS says goodbye */
        curl_easy_cleanup(connection->easy);
        curl_multi_cleanup(connection->multi);
        unguard_pipe(&guard);
        free(connection);
    }
}

void xtrace_connection_abort_at(struct xtrace_connection *connection, int64_t at_ms)
{
    atomic_store(&connection->abort_at_ms, at_ms);
    curl_multi_wakeup(connection->multi);
}

static bool add_header(struct curl_slist **headers, const char *name, const char *value)
{
    struct xtrace_text line = XTRACE_TEXT_EMPTY;
    xtrace_text_printf(&line, "%s%s", name, value);
    struct curl_slist *longer = line.failed ? NULL : curl_slist_append(*headers, line.data);
    xtrace_text_finish(&line);
    if (longer == NULL) {
        return false;
    }
    *headers = longer;
    return true;
}

static bool add_headers(struct curl_slist **headers, const struct xtrace_options *options,
                        const struct xtrace_request *request)
{
    bool ok = add_header(headers, "Accept: application/json", "");
    if (request->body != NULL) {
        /* No "Expect: 100-continue": it costs a second against servers that ignore it. */
        ok = ok && add_header(headers, "Content-Type: application/json", "") &&
             add_header(headers, "Expect:", "");
    }
    if (options->token != NULL) {
        ok = ok && add_header(headers, "Authorization: Bearer ", options->token);
    }
    if (request->idempotency_key != NULL) {
        ok = ok && add_header(headers, "Idempotency-Key: ", request->idempotency_key);
    }
    return ok;
}

/* False without memory. */
static bool set_request(struct xtrace_connection *connection, const struct xtrace_request *request,
                        struct curl_slist **headers)
{
    CURL *easy = connection->easy;
    struct xtrace_text url = XTRACE_TEXT_EMPTY;
    xtrace_text_printf(&url, "%s%s", connection->options->url, request->target);
    bool ok = !url.failed && curl_easy_setopt(easy, CURLOPT_URL, url.data) == CURLE_OK &&
              add_headers(headers, connection->options, request) &&
              curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers) == CURLE_OK;
    xtrace_text_finish(&url);
    if (request->body != NULL) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
    } else {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    return ok;
}

/* Turns libcurl's crank until the request is done; *code is its result. False: aborted. */
static bool perform(struct xtrace_connection *connection, CURLcode *code)
{
    *code = CURLE_OUT_OF_MEMORY;
    for (;;) {
        int running = 0;
        if (curl_multi_perform(connection->multi, &running) != CURLM_OK) {
            return true;
        }
        if (running == 0) {
            int left;
            CURLMsg *message = curl_multi_info_read(connection->multi, &left);
            if (message != NULL) {
                *code = message->data.result;
            }
            return true;
        }
        int64_t left_ms = atomic_load(&connection->abort_at_ms) - xtrace_monotonic_ms();
        if (left_ms <= 0) {
            return false;
        }
        int wait_ms = left_ms < POLL_MAX_MS ? (int)left_ms : POLL_MAX_MS;
        curl_multi_poll(connection->multi, NULL, 0, wait_ms, NULL);
    }
}

static enum xtrace_status status_of(CURLcode code, bool *is_retryable)
{
    *is_retryable = false;
    switch (code) {
    case CURLE_OUT_OF_MEMORY:
        return XTRACE_NO_MEMORY;
    case CURLE_URL_MALFORMAT:
        return XTRACE_INVALID;
    case CURLE_UNSUPPORTED_PROTOCOL: /* also an answer that is no HTTP */
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return XTRACE_PROTOCOL;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return XTRACE_UNREACHABLE;
    case CURLE_OPERATION_TIMEDOUT:
        *is_retryable = true;
        return XTRACE_TIMEOUT;
    default:
        *is_retryable = true;
        return XTRACE_UNREACHABLE;
    }
}

static void read_result(struct xtrace_connection *connection, CURLcode code,
                        struct xtrace_response *response)
{
    if (response->is_too_large) {
        (void)xtrace_response_fail(response, XTRACE_PROTOCOL, "the answer is larger than allowed");
    } else if (response->body.failed) {
        (void)xtrace_response_fail(response, XTRACE_NO_MEMORY, "no memory for the answer");
    } else if (code != CURLE_OK) {
        const char *words =
            *connection->words != '\0' ? connection->words : curl_easy_strerror(code);
        bool is_retryable;
        (void)xtrace_response_fail(response, status_of(code, &is_retryable), words);
        response->is_retryable = is_retryable;
    } else {
        long http_status = 0;
        curl_off_t retry_after_s = 0;
        curl_easy_getinfo(connection->easy, CURLINFO_RESPONSE_CODE, &http_status);
        curl_easy_getinfo(connection->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
        response->http_status = (int)http_status;
        if (retry_after_s > 0) {
            retry_after_s = retry_after_s < RETRY_AFTER_MAX_S ? retry_after_s : RETRY_AFTER_MAX_S;
            response->retry_after_ms = (uint64_t)retry_after_s * 1000;
        }
        xtrace_response_read(response);
    }
}

void xtrace_connection_try(struct xtrace_connection *connection,
                           const struct xtrace_request *request, int64_t timeout_ms,
                           struct xtrace_response *response)
{
    const struct xtrace_options *options = connection->options;
    CURL *easy = connection->easy;
    struct curl_slist *headers = NULL;
    struct pipe_guard guard = guard_pipe();
    xtrace_response_reset(response);
    response->attempts++;
    connection->words[0] = '\0';
    int64_t attempt_ms = timeout_ms < options->attempt_ms ? timeout_ms : options->attempt_ms;
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)attempt_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_ms);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, response);
    if (!set_request(connection, request, &headers) ||
        curl_multi_add_handle(connection->multi, easy) != CURLM_OK) {
        (void)xtrace_response_fail(response, XTRACE_NO_MEMORY, "no memory for the request");
    } else {
        CURLcode code;
        if (perform(connection, &code)) {
            read_result(connection, code, response);
        } else {
            (void)xtrace_response_fail(response, XTRACE_CLOSED, "the client was shut down");
        }
        curl_multi_remove_handle(connection->multi, easy);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    unguard_pipe(&guard);
}
