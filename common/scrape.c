#include "common/scrape.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <h2o.h>

#include "common/arena.h"
#include "common/clock.h"
#include "common/listen.h"
#include "common/log.h"

enum {
    CONNECTIONS_MAX = 16,
    REQUEST_TIMEOUT_MS = 10000, /* and how long an idle connection is kept */
    BODY_MAX = 1024,
    LAST_TURNS_MS = 500,
};

struct scrape {
    scrape_print print;
    void *context;
    h2o_globalconf_t globalconf;
    h2o_context_t h2o;
    h2o_accept_ctx_t accept;
    h2o_evloop_t *evloop;
    h2o_socket_t *listener;
    h2o_socket_t *stop;
    int listen_fd;
    int stop_fd; /* eventfd */
    bool stopping;
    pthread_t thread;
};

static struct scrape *from_context(h2o_context_t *context)
{
    return H2O_STRUCT_FROM_MEMBER(struct scrape, h2o, context);
}

/* ---- requests ---- */

static void answer(h2o_req_t *req, int status, const char *reason, struct slice body)
{
    req->res.status = status;
    req->res.reason = reason;
    req->res.content_length = body.len;
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("text/plain; version=0.0.4; charset=utf-8"));
    h2o_send_inline(req, body.len > 0 ? body.data : "", body.len);
}

static int on_request(h2o_handler_t *handler, h2o_req_t *req)
{
    const struct scrape *scrape = from_context(req->conn->ctx);
    bool is_read = h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET")) ||
                   h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD"));
    h2o_iovec_t path = req->path_normalized; /* without the query */
    if (!is_read) {
        answer(req, 405, "Method Not Allowed", SLICE_LITERAL("GET only\n"));
    } else if (h2o_memis(path.base, path.len, H2O_STRLIT("/metrics"))) {
        struct buf text = BUF_EMPTY;
        scrape->print(scrape->context, &text);
        answer(req, 200, "OK", buf_slice(&text));
        buf_finish(&text);
    } else if (h2o_memis(path.base, path.len, H2O_STRLIT("/healthz"))) {
        answer(req, 200, "OK", (struct slice){NULL, 0});
    } else {
        answer(req, 404, "Not Found", SLICE_LITERAL("/metrics and /healthz only\n"));
    }
    return 0;
}

/* ---- connections ---- */

static int count_connection(h2o_req_t *req, void *count)
{
    (*(int *)count)++;
    return 0;
}

static int cut(h2o_req_t *req, void *unused)
{
    shutdown(h2o_socket_get_fd(req->conn->callbacks->get_socket(req->conn)), SHUT_RDWR);
    return 0;
}

static int connection_count(struct scrape *scrape)
{
    int count = 0;
    scrape->globalconf.http1.callbacks.foreach_request(&scrape->h2o, count_connection, &count);
    return count;
}

static void on_connection(h2o_socket_t *listener, const char *failed)
{
    struct scrape *scrape = listener->data;
    h2o_socket_t *socket;
    while (failed == NULL && (socket = h2o_evloop_socket_accept(listener)) != NULL) {
        if (connection_count(scrape) < CONNECTIONS_MAX) {
            h2o_accept(&scrape->accept, socket);
        } else {
            h2o_socket_close(socket);
        }
    }
}

static void on_stop(h2o_socket_t *stop, const char *failed)
{
    ((struct scrape *)stop->data)->stopping = true;
    h2o_socket_read_stop(stop);
}

/* ---- the thread ---- */

static h2o_socket_t *watch(struct scrape *scrape, int fd, h2o_socket_cb on_readable)
{
    h2o_socket_t *socket = h2o_evloop_socket_create(scrape->evloop, fd, H2O_SOCKET_FLAG_DONT_READ);
    socket->data = scrape;
    h2o_socket_read_start(socket, on_readable);
    return socket;
}

static void end_connections(struct scrape *scrape)
{
    int64_t give_up_ms = clock_monotonic_ms() + LAST_TURNS_MS;
    while (connection_count(scrape) > 0 && clock_monotonic_ms() < give_up_ms) {
        scrape->globalconf.http1.callbacks.foreach_request(&scrape->h2o, cut, NULL);
        (void)h2o_evloop_run(scrape->evloop, 10);
    }
}

static void *run(void *argument)
{
    struct scrape *scrape = argument;
    scrape->evloop = h2o_evloop_create();
    h2o_context_init(&scrape->h2o, scrape->evloop, &scrape->globalconf);
    scrape->accept = (h2o_accept_ctx_t){.ctx = &scrape->h2o, .hosts = scrape->globalconf.hosts};
    scrape->listener = watch(scrape, scrape->listen_fd, on_connection);
    scrape->stop = watch(scrape, scrape->stop_fd, on_stop);
    while (!scrape->stopping) {
        (void)h2o_evloop_run(scrape->evloop, INT32_MAX); /* EINTR: the next turn goes on */
    }
    h2o_socket_close(scrape->listener);
    h2o_socket_close(scrape->stop);
    end_connections(scrape);
    if (connection_count(scrape) == 0) {
        (void)h2o_evloop_run(scrape->evloop, 0); /* closed sockets are freed in the next turn */
        h2o_multithread_queue_t *queue = scrape->h2o.queue;
        h2o_context_dispose(&scrape->h2o);
        free(queue); /* h2o 2.2.5 forgets it */
        h2o_evloop_destroy(scrape->evloop);
    } /* else they are in h2o's hands until the process ends, which is next */
    return NULL;
}

/* ---- the program's side ---- */

static void configure(struct scrape *scrape)
{
    h2o_globalconf_t *globalconf = &scrape->globalconf;
    h2o_config_init(globalconf);
    globalconf->server_name = h2o_iovec_init(H2O_STRLIT("xtrace"));
    globalconf->http1.req_timeout = REQUEST_TIMEOUT_MS;
    globalconf->http1.upgrade_to_http2 = 0;
    globalconf->http2.callbacks.request_shutdown = NULL;
    globalconf->max_request_entity_size = BODY_MAX;
    h2o_hostconf_t *host =
        h2o_config_register_host(globalconf, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_create_handler(&host->fallback_path, sizeof(h2o_handler_t))->on_req = on_request;
}

static enum err open_listener(const char *address, int *fd, struct error *error)
{
    char actual[LISTEN_ADDRESS_SIZE];
    enum err err = listen_open(address, 1, fd, actual, error);
    if (err == ERR_OK && !listen_is_private(*fd)) {
        close(*fd);
        err = error_set(error, ERR_INVALID,
                        "%s is neither a loopback nor a private address, and needs no credentials",
                        address);
    }
    if (err != ERR_OK) {
        error_context(error, "XTRACE_METRICS_ADDR");
        return err;
    }
    log_event(LOG_INFO, "metrics", "address", actual, NULL);
    return ERR_OK;
}

enum err scrape_open(struct scrape **out, const char *address, scrape_print print, void *context,
                     struct error *error)
{
    int fd;
    enum err err = open_listener(address, &fd, error);
    if (err != ERR_OK) {
        return err;
    }
    struct scrape *scrape = memory_zalloc(sizeof(*scrape));
    scrape->print = print;
    scrape->context = context;
    scrape->listen_fd = fd;
    scrape->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    configure(scrape);
    if (scrape->stop_fd < 0 || pthread_create(&scrape->thread, NULL, run, scrape) != 0) {
        abort(); /* nothing to go on with, as with memory */
    }
    *out = scrape;
    return ERR_OK;
}

void scrape_close(struct scrape *scrape)
{
    if (scrape == NULL) {
        return;
    }
    eventfd_write(scrape->stop_fd, 1);
    pthread_join(scrape->thread, NULL);
    h2o_config_dispose(&scrape->globalconf);
    free(scrape);
}
