#include "gateway/filter.h"

#include <fcntl.h>
#include <string.h>

#include "gateway/books.h"
#include "gateway/cors.h"
#include "gateway/discard.h"
#include "gateway/reply.h"
#include "gateway/request.h"
#include "gateway/server.h"

struct filter {
    h2o_filter_t super;
    const struct config *config;
};

/* Sends another body than the one that comes. */
struct replacement {
    h2o_ostream_t super;
    h2o_iovec_t body;
};

struct closing {
    h2o_req_t *req;
};

static void send_replacement(h2o_ostream_t *self, h2o_req_t *req, h2o_iovec_t *pieces,
                             size_t piece_count, h2o_send_state_t state)
{
    struct replacement *replacement = (struct replacement *)self;
    h2o_ostream_send_next(self, req, &replacement->body, 1, state);
}

/* h2o is through with the answer and closes the connection next. */
static void on_answered(void *memory)
{
    struct closing *closing = memory;
    h2o_conn_t *connection = closing->req->conn;
    h2o_socket_t *socket = connection->callbacks->get_socket(connection);
    int fd = fcntl(h2o_socket_get_fd(socket), F_DUPFD_CLOEXEC, 0);
    if (fd >= 0) {
        discard_start(server_worker(connection->ctx), fd);
    }
}

static void describe(const struct filter *filter, const h2o_req_t *req, struct buf *body)
{
    struct error error;
    enum err err = ERR_INVALID;
    switch (req->res.status) {
    case 413:
        err = error_set(&error, ERR_TOO_LARGE, "request body is larger than %lld bytes",
                        (long long)filter->config->max_request_body_bytes);
        break;
    case 417:
        error_set(&error, err, "unknown Expect header");
        break;
    default:
        error_set(&error, err,
                  "malformed request: broken Content-Length, Transfer-Encoding or "
                  "chunk");
    }
    reply_error_body(body, err, &error, (struct slice){NULL, 0});
}

/* An answer that no handler made. */
static void replace(const struct filter *filter, h2o_req_t *req, h2o_ostream_t ***slot)
{
    char id[REQUEST_ID_MAX + 1];
    request_choose_id(req, id);
    reply_log_h2o(req, id, req->res.status, 0);
    books_request(server_worker(req->conn->ctx)->gateway->books, NULL, req->res.status, 0);

    struct buf body = BUF_EMPTY;
    describe(filter, req, &body);
    h2o_iovec_t copy = h2o_strdup(&req->pool, body.data, body.len);
    buf_finish(&body);

    req->res.headers.size = 0;
    req->res.content_length = copy.len;
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("application/json"));
    h2o_add_header_by_str(&req->pool, &req->res.headers, H2O_STRLIT("x-request-id"), 0, NULL,
                          h2o_strdup(&req->pool, id, SIZE_MAX).base, strlen(id));
    struct closing *closing = h2o_mem_alloc_shared(&req->pool, sizeof(*closing), on_answered);
    closing->req = req;

    if (!h2o_memis(req->input.method.base, req->input.method.len, H2O_STRLIT("HEAD"))) {
        struct replacement *replacement =
            (struct replacement *)h2o_add_ostream(req, sizeof(*replacement), *slot);
        replacement->super.do_send = send_replacement;
        replacement->body = copy;
        *slot = &replacement->super.next;
    }
}

static void on_setup_ostream(h2o_filter_t *self, h2o_req_t *req, h2o_ostream_t **slot)
{
    if (h2o_find_header_by_str(&req->res.headers, H2O_STRLIT("x-request-id"), -1) == -1) {
        replace((struct filter *)self, req, &slot);
    }
    cors_open(req);
    bool endless = req->res.content_length == SIZE_MAX && req->version < 0x101;
    if (endless || req->conn->ctx->shutdown_requested) {
        req->http1_is_persistent = 0;
    }
    h2o_setup_next_ostream(req, slot);
}

void filter_register(h2o_pathconf_t *pathconf, const struct config *config)
{
    struct filter *filter = (struct filter *)h2o_create_filter(pathconf, sizeof(*filter));
    filter->super.on_setup_ostream = on_setup_ostream;
    filter->config = config;
}
