/* options: defaults, bounds and copies of what callers set. */
#include "client/options.h"

#include <stdlib.h>
#include <string.h>

enum { DURATION_MAX_MS = 86400000, QUEUE_BYTES_MIN = 4096 };

static const struct xtrace_options defaults = {
    .connect_ms = 5000,
    .attempt_ms = 15000,
    .call_ms = 30000,
    .attempts = 4,
    .base_ms = 200,
    .max_ms = 10000,
    .give_up_ms = 300000,
    .queue_bytes = (size_t)16 << 20,
    .batch_records = 200,
    .batch_bytes = (size_t)1 << 20,
    .batch_age_ms = 500,
    .answer_bytes = (size_t)64 << 20,
};
static const char default_url[] = "http://127.0.0.1:8080";

static bool copy_text(char **to, const char *from)
{
    *to = from != NULL ? strdup(from) : NULL;
    return from == NULL || *to != NULL;
}

bool xtrace_options_copy(struct xtrace_options *to, const struct xtrace_options *from)
{
    const struct xtrace_options *source = from != NULL ? from : &defaults;
    *to = *source;
    bool ok = copy_text(&to->url, source->url != NULL ? source->url : default_url);
    ok = copy_text(&to->token, source->token) && ok;
    ok = copy_text(&to->public_key, source->public_key) && ok;
    ok = copy_text(&to->secret_key, source->secret_key) && ok;
    ok = copy_text(&to->ca_file, source->ca_file) && ok;
    if (!ok) {
        xtrace_options_finish(to);
    }
    return ok;
}

void xtrace_options_finish(struct xtrace_options *options)
{
    free(options->url);
    free(options->token);
    free(options->public_key);
    free(options->secret_key);
    free(options->ca_file);
    memset(options, 0, sizeof(*options));
}

enum xtrace_status xtrace_options_create(struct xtrace_options **options)
{
    *options = malloc(sizeof(**options));
    if (*options != NULL && !xtrace_options_copy(*options, NULL)) {
        free(*options);
        *options = NULL;
    }
    return *options != NULL ? XTRACE_OK : XTRACE_NO_MEMORY;
}

void xtrace_options_destroy(struct xtrace_options *options)
{
    if (options != NULL) {
        xtrace_options_finish(options);
        free(options);
    }
}

static enum xtrace_status replace_text(char **text, const char *value)
{
    char *copy;
    if (!copy_text(&copy, value)) {
        return XTRACE_NO_MEMORY;
    }
    free(*text);
    *text = copy;
    return XTRACE_OK;
}

/* Printable ASCII only: it goes into a header line or a URL. */
static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= 0x20 || *text >= 0x7f) {
            return false;
        }
    }
    return true;
}

/* Of "host", "host:80", "[::1]:80", up to a slash. */
static bool has_good_port(const char *host)
{
    const char *end = host + strcspn(host, "/");
    const char *port = end;
    while (port > host && port[-1] >= '0' && port[-1] <= '9') {
        port--;
    }
    if (port == host || port[-1] != ':' || memchr(host, ']', (size_t)(end - host)) > (void *)port) {
        return true;
    }
    long number = strtol(port, NULL, 10);
    return end - port <= 5 && number > 0 && number <= 65535;
}

enum xtrace_status xtrace_options_set_url(struct xtrace_options *options, const char *url)
{
    size_t scheme = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;
    bool has_host = scheme > 0 && url[scheme] != '\0' && url[scheme] != '/';
    if (!has_host || strpbrk(url, "?#@") != NULL || !is_printable(url) ||
        !has_good_port(url + scheme)) {
        return XTRACE_INVALID;
    }
    enum xtrace_status status = replace_text(&options->url, url);
    if (status == XTRACE_OK) {
        for (size_t len = strlen(options->url); options->url[len - 1] == '/'; len--) {
            options->url[len - 1] = '\0';
        }
    }
    return status;
}

enum xtrace_status xtrace_options_set_token(struct xtrace_options *options, const char *token)
{
    if (*token == '\0' || !is_printable(token)) {
        return XTRACE_INVALID;
    }
    enum xtrace_status status = replace_text(&options->token, token);
    if (status == XTRACE_OK) {
        (void)replace_text(&options->public_key, NULL);
        (void)replace_text(&options->secret_key, NULL);
    }
    return status;
}

enum xtrace_status xtrace_options_set_keys(struct xtrace_options *options, const char *public_key,
                                           const char *secret_key)
{
    /* Basic credentials end the user name at the first colon. */
    if (*public_key == '\0' || strchr(public_key, ':') != NULL) {
        return XTRACE_INVALID;
    }
    char *public_copy = strdup(public_key);
    char *secret_copy = strdup(secret_key);
    if (public_copy == NULL || secret_copy == NULL) {
        free(public_copy);
        free(secret_copy);
        return XTRACE_NO_MEMORY;
    }
    free(options->public_key);
    free(options->secret_key);
    options->public_key = public_copy;
    options->secret_key = secret_copy;
    return replace_text(&options->token, NULL);
}

enum xtrace_status xtrace_options_set_ca_file(struct xtrace_options *options, const char *path)
{
    return *path == '\0' ? XTRACE_INVALID : replace_text(&options->ca_file, path);
}

static bool is_duration(uint32_t ms)
{
    return ms >= 1 && ms <= DURATION_MAX_MS;
}

enum xtrace_status xtrace_options_set_timeouts(struct xtrace_options *options, uint32_t connect_ms,
                                               uint32_t attempt_ms, uint32_t call_ms)
{
    if (!is_duration(connect_ms) || !is_duration(attempt_ms) || !is_duration(call_ms)) {
        return XTRACE_INVALID;
    }
    options->connect_ms = connect_ms;
    options->attempt_ms = attempt_ms;
    options->call_ms = call_ms;
    return XTRACE_OK;
}

enum xtrace_status xtrace_options_set_retry(struct xtrace_options *options, uint32_t attempts,
                                            uint32_t base_ms, uint32_t max_ms, uint32_t give_up_ms)
{
    if (attempts == 0 || !is_duration(base_ms) || !is_duration(max_ms) || base_ms > max_ms ||
        give_up_ms > DURATION_MAX_MS) {
        return XTRACE_INVALID;
    }
    options->attempts = attempts;
    options->base_ms = base_ms;
    options->max_ms = max_ms;
    options->give_up_ms = give_up_ms;
    return XTRACE_OK;
}

enum xtrace_status xtrace_options_set_queue_bytes(struct xtrace_options *options, size_t max_bytes)
{
    if (max_bytes < QUEUE_BYTES_MIN) {
        return XTRACE_INVALID;
    }
    options->queue_bytes = max_bytes;
    return XTRACE_OK;
}

enum xtrace_status xtrace_options_set_batch(struct xtrace_options *options, uint32_t max_records,
                                            size_t max_bytes, uint32_t max_age_ms)
{
    if (max_records == 0 || max_bytes == 0 || max_age_ms > DURATION_MAX_MS) {
        return XTRACE_INVALID;
    }
    options->batch_records = max_records;
    options->batch_bytes = max_bytes;
    options->batch_age_ms = max_age_ms;
    return XTRACE_OK;
}

enum xtrace_status xtrace_options_set_max_answer_bytes(struct xtrace_options *options,
                                                       size_t max_bytes)
{
    if (max_bytes == 0) {
        return XTRACE_INVALID;
    }
    options->answer_bytes = max_bytes;
    return XTRACE_OK;
}

enum xtrace_status xtrace_options_set_on_lost(struct xtrace_options *options,
                                              xtrace_on_lost on_lost, void *closure)
{
    options->on_lost = on_lost;
    options->on_lost_closure = closure;
    return XTRACE_OK;
}
