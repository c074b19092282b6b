#include "gateway/request.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/id.h"
#include "gateway/books.h"
#include "gateway/server.h"

static bool is_id(h2o_iovec_t value)
{
    if (value.len == 0 || value.len > REQUEST_ID_MAX) {
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (value.base[i] < '!' || value.base[i] > '~') {
            return false;
        }
    }
    return true;
}

void request_choose_id(const h2o_req_t *h2o, char id[REQUEST_ID_MAX + 1])
{
    ssize_t at = h2o_find_header_by_str(&h2o->headers, H2O_STRLIT("x-request-id"), -1);
    if (at != -1 && is_id(h2o->headers.entries[at].value)) {
        h2o_iovec_t value = h2o->headers.entries[at].value;
        memcpy(id, value.base, value.len);
        id[value.len] = '\0';
        return;
    }
    uint8_t random[ID_SIZE];
    id_random(random);
    id_hex(random, id);
}

struct slice request_query(const struct request *request)
{
    const h2o_req_t *h2o = request->h2o;
    if (h2o->query_at == SIZE_MAX) {
        return (struct slice){"", 0};
    }
    size_t at = h2o->query_at + 1;
    return (struct slice){h2o->path.base + at, h2o->path.len - at};
}

struct slice request_header(const struct request *request, const h2o_token_t *name)
{
    const h2o_headers_t *headers = &request->h2o->headers;
    ssize_t at = h2o_find_header(headers, name, -1);
    if (at == -1) {
        return (struct slice){NULL, 0};
    }
    return (struct slice){headers->entries[at].value.base, headers->entries[at].value.len};
}

bool request_langfuse_header(const struct request *request, const char *name, struct slice *out)
{
    enum { SIZE = 64 };
    const h2o_headers_t *headers = &request->h2o->headers;
    char text[SIZE];
    size_t len = (size_t)snprintf(text, sizeof(text), "x-langfuse-%s", name);
    assert(len < sizeof(text));
    ssize_t at = h2o_find_header_by_str(headers, text, len, -1);
    for (char *c = text; at == -1 && *c != '\0'; c++) {
        *c = *c == '-' ? '_' : *c;
    }
    if (at == -1) {
        at = h2o_find_header_by_str(headers, text, len, -1);
    }
    *out = at == -1
               ? (struct slice){NULL, 0}
               : (struct slice){headers->entries[at].value.base, headers->entries[at].value.len};
    return at != -1;
}

/* h2o clears the request's pool: the answer is complete or the client is gone. */
static void on_pool_cleared(void *memory)
{
    struct request *request = *(struct request **)memory;
    books_request(request->worker->gateway->books, request->route, request->h2o->res.status,
                  clock_monotonic_us() - request->started_us);
    request->h2o = NULL;
    if (request->on_gone != NULL) {
        void (*on_gone)(struct request *) = request->on_gone;
        request->on_gone = NULL;
        on_gone(request);
    }
    request_release(request);
}

struct request *request_create(struct worker *worker, h2o_req_t *h2o)
{
    struct request *request = memory_zalloc(sizeof(*request));
    request->h2o = h2o;
    request->worker = worker;
    request->arena = ARENA_EMPTY;
    request->started_us = clock_monotonic_us();
    request->_references = 1;
    struct request **slot =
        h2o_mem_alloc_shared(&h2o->pool, sizeof(struct request *), on_pool_cleared);
    *slot = request;
    request_choose_id(h2o, request->id);
    h2o_add_header_by_str(&h2o->pool, &h2o->res.headers, H2O_STRLIT("x-request-id"), 0, NULL,
                          h2o_strdup(&h2o->pool, request->id, SIZE_MAX).base, strlen(request->id));
    return request;
}

void request_hold(struct request *request)
{
    request->_references++;
}

void request_release(struct request *request)
{
    if (--request->_references == 0) {
        arena_finish(&request->arena);
        free(request);
    }
}
