#include "gateway/dispatch.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/rfc3339.h"
#include "common/utf8.h"
#include "gateway/access.h"
#include "gateway/cors.h"
#include "gateway/limit.h"
#include "gateway/reply.h"
#include "gateway/scope.h"
#include "gateway/server.h"

enum { SEGMENTS_MAX = 8 };

struct segments {
    struct slice texts[SEGMENTS_MAX];
    size_t count;
};

/* ---- matching ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode_segment(struct slice raw, struct arena *arena, struct slice *out)
{
    if (raw.len == 0 || memchr(raw.data, '%', raw.len) == NULL) {
        *out = raw;
        return utf8_valid_prefix(raw) == raw.len;
    }
    char *data = arena_alloc(arena, raw.len);
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.data[i];
        if (c == '%') {
            int high = i + 2 < raw.len ? hex_digit(raw.data[i + 1]) : -1;
            int low = i + 2 < raw.len ? hex_digit(raw.data[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return false;
            }
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0') {
            return false;
        }
        data[len++] = c;
    }
    *out = (struct slice){data, len};
    return utf8_valid_prefix(*out) == len;
}

/* Clients put a path behind a base URL that ends in a slash already: some are not careful enough to see it. */
static struct slice without_double_slash(struct slice path)
{
    while (path.len > 1 && path.data[0] == '/' && path.data[1] == '/') {
        path = (struct slice){path.data + 1, path.len - 1};
    }
    return path;
}

/* Proxies may send the absolute form (RFC 9112 section 3.2.2): its path alone counts. */
static struct slice path_of(struct slice target)
{
    const char *query = memchr(target.data, '?', target.len);
    struct slice path = {target.data, query != NULL ? (size_t)(query - target.data) : target.len};
    static const char *const schemes[] = {"http://", "https://"};
    for (int i = 0; i < 2; i++) {
        size_t length = strlen(schemes[i]);
        if (path.len > length && strncasecmp(path.data, schemes[i], length) == 0) {
            const char *slash = memchr(path.data + length, '/', path.len - length);
            const char *end = path.data + path.len;
            return slash != NULL
                       ? without_double_slash((struct slice){slash, (size_t)(end - slash)})
                       : SLICE_LITERAL("/");
        }
    }
    return without_double_slash(path);
}

static bool split_path(struct slice path, struct arena *arena, struct segments *segments)
{
    segments->count = 0;
    if (path.len == 0 || path.data[0] != '/') {
        return false;
    }
    const char *at = path.data + 1;
    const char *end = path.data + path.len;
    for (;;) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        struct slice raw = {at, (size_t)((slash != NULL ? slash : end) - at)};
        if (segments->count == SEGMENTS_MAX ||
            !decode_segment(raw, arena, &segments->texts[segments->count++])) {
            return false;
        }
        if (slash == NULL) {
            return true;
        }
        at = slash + 1;
    }
}

static bool match_path(const char *pattern, const struct segments *segments,
                       struct slice params[REQUEST_PARAMS_MAX], size_t *count)
{
    size_t param_count = 0;
    const char *at = pattern + 1;
    for (size_t i = 0; i < segments->count; i++) {
        if (at == NULL) {
            return false;
        }
        const char *slash = strchr(at, '/');
        struct slice expected = {at, slash != NULL ? (size_t)(slash - at) : strlen(at)};
        if (expected.len > 0 && expected.data[0] == '{') {
            if (segments->texts[i].len == 0 || param_count == REQUEST_PARAMS_MAX) {
                return false;
            }
            params[param_count++] = segments->texts[i];
        } else if (!slice_equals(expected, segments->texts[i])) {
            return false;
        }
        at = slash != NULL ? slash + 1 : NULL;
    }
    *count = param_count;
    return at == NULL;
}

static bool match_method(const char *method, struct slice asked)
{
    return slice_is(asked, method) || (strcmp(method, "GET") == 0 && slice_is(asked, "HEAD"));
}

static void add_method(char allow[DISPATCH_ALLOW_SIZE], const char *method)
{
    size_t used = strlen(allow);
    snprintf(allow + used, DISPATCH_ALLOW_SIZE - used, "%s%s%s", used > 0 ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

enum match dispatch_match(const struct route *table, struct slice method, struct slice target,
                          struct arena *arena, const struct route **route,
                          struct slice params[REQUEST_PARAMS_MAX], char allow[DISPATCH_ALLOW_SIZE])
{
    struct segments segments;
    allow[0] = '\0';
    if (!split_path(path_of(target), arena, &segments)) {
        return MATCH_NOTHING;
    }
    for (const struct route *row = table; row->method != NULL; row++) {
        size_t param_count;
        if (!match_path(row->path, &segments, params, &param_count)) {
            continue;
        }
        if (match_method(row->method, method)) {
            *route = row;
            for (size_t i = 0; i < param_count; i++) {
                params[i] = arena_copy(arena, params[i]);
            }
            return MATCH_ROUTE;
        }
        add_method(allow, row->method);
    }
    if (allow[0] == '\0') {
        return MATCH_NOTHING;
    }
    add_method(allow, "OPTIONS");
    return slice_is(method, "OPTIONS") ? MATCH_OPTIONS : MATCH_OTHER_METHOD;
}

/* ---- the gates ---- */

/* A browser that may not ask does not hear why: preflights of what is not here are answered too. */
static void refuse_path(struct request *request, struct slice path)
{
    struct error error;
    if (scope_is_elsewhere(path) && cors_is_preflight(request)) {
        cors_answer_options(request, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        return;
    }
    reply_error(request, scope_describe(path, &error), &error);
}

static bool pass_route(struct request *request)
{
    const h2o_req_t *h2o = request->h2o;
    struct slice target = {h2o->path.base, h2o->path.len};
    char allow[DISPATCH_ALLOW_SIZE];
    switch (dispatch_match(request->worker->gateway->routes,
                           (struct slice){h2o->method.base, h2o->method.len}, target,
                           &request->arena, &request->route, request->params, allow)) {
    case MATCH_ROUTE:
        return true;
    case MATCH_OPTIONS:
        cors_answer_options(request, allow);
        return false;
    case MATCH_OTHER_METHOD:
        reply_header(request, "allow", allow);
        reply_error(request, ERR_METHOD, NULL);
        return false;
    case MATCH_NOTHING:
        break;
    }
    refuse_path(request, path_of(target));
    return false;
}

static bool pass_scope(struct request *request)
{
    if ((request->identity.scopes & request->route->access) != 0) {
        return true;
    }
    struct error error;
    error_set(&error, ERR_FORBIDDEN, "%s",
              request->identity.scopes == SCOPE_SCORES ? "this key may only create scores"
                                                       : "this key may not do that");
    reply_error(request, ERR_FORBIDDEN, &error);
    return false;
}

/* A key of a table that could not be read yet may well be good: its client must not give up. */
static void refuse_credentials(struct request *request, bool for_good)
{
    struct error error;
    if (for_good) {
        reply_error(request, ERR_UNAUTHORIZED, NULL);
    } else {
        error_set(&error, ERR_UNAVAILABLE, "keys could not be read yet, try again");
        reply_error(request, ERR_UNAVAILABLE, &error);
    }
}

static bool pass_access(struct request *request)
{
    const struct access_snapshot *snapshot = server_access(request->worker);
    unsigned access = request->route->access;
    if (access == ACCESS_OPEN) {
        return true;
    }
    struct slice authorization = request_header(request, H2O_TOKEN_AUTHORIZATION);
    if (auth_check(snapshot->auth, authorization, clock_wall_us(), &request->identity) == ERR_OK) {
        return pass_scope(request);
    }
    if ((access & ACCESS_COMPAT) != 0 && auth_is_compat_open(snapshot->auth)) {
        auth_fill_anonymous(snapshot->auth, &request->identity);
        return true;
    }
    refuse_credentials(request, snapshot->is_loaded || !auth_is_well_formed(authorization));
    return false;
}

static void reply_header_integer(struct request *request, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%lld", (long long)value);
    reply_header(request, name, text);
}

/* The body of contract/xtrace.md section 4. */
static void refuse_rate(struct request *request, int64_t retry_after_s)
{
    int64_t reset_us = clock_wall_us() + retry_after_s * 1000000;
    char reset_at[RFC3339_SIZE];
    rfc3339_format(reset_us, reset_at);
    char extra[128];
    int length = snprintf(extra, sizeof(extra),
                          "\"data\":null,\"meta\":{\"rate_limit\":{\"remaining\":0,"
                          "\"reset_at\":\"%s\"}}",
                          reset_at);
    reply_header_integer(request, "retry-after", retry_after_s);
    reply_header_integer(request, "x-ratelimit-limit",
                         request->worker->gateway->config->rate_limit_burst);
    reply_header_integer(request, "x-ratelimit-remaining", 0);
    reply_header_integer(request, "x-ratelimit-reset", (reset_us + 999999) / 1000000);
    reply_error_with(request, ERR_BUSY, NULL, (struct slice){extra, (size_t)length});
}

static bool pass_rate(struct request *request)
{
    int64_t retry_after_s;
    if (!request->route->rate_limited ||
        limit_take(request->worker->gateway->limit, request->identity.credential,
                   clock_monotonic_us(), &retry_after_s)) {
        return true;
    }
    refuse_rate(request, retry_after_s);
    return false;
}

static bool pass_size(struct request *request)
{
    int64_t most = request->worker->gateway->config->max_request_body_bytes;
    if (!request->route->has_body || request->h2o->entity.len <= (size_t)most) {
        return true;
    }
    struct error error;
    error_set(&error, ERR_TOO_LARGE, "request body is larger than %lld bytes", (long long)most);
    reply_error(request, ERR_TOO_LARGE, &error);
    return false;
}

void dispatch(struct request *request)
{
    if (pass_route(request) && pass_access(request) && pass_rate(request) && pass_size(request)) {
        request->route->handler(request);
    }
}
