/*
 * The life of a loop: serve until told to stop; drain: no new connections, idle ones end, running
 * requests finish and close theirs; at the deadline what still waits hears 503 and what still
 * moves is cut; gone.
 */
#include "gateway/server.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/id.h"
#include "common/listen.h"
#include "common/log.h"
#include "gateway/books.h"
#include "gateway/cors.h"
#include "gateway/deliver.h"
#include "gateway/discard.h"
#include "gateway/dispatch.h"
#include "gateway/filter.h"
#include "gateway/framing.h"
#include "gateway/health.h"
#include "gateway/intake.h"
#include "gateway/read/db.h"
#include "gateway/reply.h"
#include "gateway/request.h"

enum {
    ACCEPTS_PER_TURN = 16,
    /* Head and body together, and how long an idle connection is kept. */
    REQUEST_TIMEOUT_MS = 30000,
    /* Bodies somewhat over the limit are read, so that the gates can answer in their order. */
    BODY_SLACK_BYTES = 64 * 1024,
    DRAIN_TURN_MS = 20,
    LAST_WORDS_MS = 500, /* for answers after the drain's deadline */
    DB_QUEUE_MAX = 1000, /* reads waiting for a connection of the loop */
    INTAKE_RESERVE_BYTES = 8 * 1024 * 1024,
    /* What a paused connection may bring at once when it is read again; the kernel's own choice
     * grows to many megabytes. Still 2.5 MB/s over 100 ms of distance. */
    RECEIVE_BUFFER_BYTES = 256 * 1024,
    PAUSED_TURN_MS = 10, /* while connections wait for room that another thread may make */
};

struct loop {
    struct worker worker;
    struct server *server;
    h2o_evloop_t *evloop;
    h2o_context_t context;
    h2o_accept_ctx_t accept;
    struct intake *intake;
    bool has_paused;
    int listen_fd;
    h2o_socket_t *listener;
    int stop_fd; /* eventfd */
    h2o_socket_t *stop;
    bool stopping;
    pthread_t thread;
};

struct server {
    struct gateway *gateway;
    h2o_globalconf_t globalconf;
    struct loop *loops;
    int loop_count;
    _Atomic(int64_t) give_up_ms; /* the drain's deadline */
};

/* ---- requests ---- */

struct worker *server_worker(h2o_context_t *context)
{
    return &H2O_STRUCT_FROM_MEMBER(struct loop, context, context)->worker;
}

const struct access_snapshot *server_access(struct worker *worker)
{
    return access_look(worker->gateway->access, &worker->access);
}

static bool is_well_framed(struct request *request)
{
    h2o_req_t *h2o = request->h2o;
    const h2o_socket_t *socket = h2o->conn->callbacks->get_socket(h2o->conn);
    /* h2o drops a request from the connection's buffer only after its answer. */
    struct slice head = {socket->input->bytes, socket->input->size};
    struct error error;
    enum err err = framing_check(head, h2o->version < 0x101, &error);
    if (err == ERR_OK && !intake_is_well_chunked(socket)) {
        err = error_set(&error, ERR_INVALID, "malformed chunk");
    }
    if (err != ERR_OK) {
        h2o->http1_is_persistent = 0; /* nobody knows where the next request begins */
        reply_error(request, err, &error);
    }
    return err == ERR_OK;
}

static int on_request(h2o_handler_t *handler, h2o_req_t *h2o)
{
    struct request *request = request_create(server_worker(h2o->conn->ctx), h2o);
    request_hold(request);
    if (is_well_framed(request)) {
        dispatch(request);
    }
    if (request->h2o != NULL) {
        intake_drop_body(h2o->conn->callbacks->get_socket(h2o->conn), h2o->entity.base,
                         h2o->entity.len);
    }
    request_release(request);
    return 0;
}

/* ---- connections ---- */

static void accept_connection(struct loop *loop, h2o_socket_t *socket)
{
    h2o_accept(&loop->accept, socket);
    intake_watch(loop->intake, socket);
}

static void on_connection(h2o_socket_t *listener, const char *failed)
{
    struct loop *loop = listener->data;
    for (int i = 0; failed == NULL && i < ACCEPTS_PER_TURN; i++) {
        h2o_socket_t *socket = h2o_evloop_socket_accept(listener);
        if (socket == NULL) {
            return;
        }
        accept_connection(loop, socket);
    }
}

static int count_connection(h2o_req_t *req, void *count)
{
    (*(size_t *)count)++;
    return 0;
}

static size_t connection_count(struct loop *loop)
{
    size_t count = 0;
    loop->context.globalconf->http1.callbacks.foreach_request(&loop->context, count_connection,
                                                              &count);
    return count;
}

/* The reading side ends: h2o still reads and answers a request that is already here, then closes.
 */
static int end_if_idle(h2o_req_t *req, void *unused)
{
    h2o_socket_t *socket = req->conn->callbacks->get_socket(req->conn);
    if (req->input.method.base == NULL && socket->input->size == 0) {
        shutdown(h2o_socket_get_fd(socket), SHUT_RD);
    }
    return 0;
}

static int cut(h2o_req_t *req, void *unused)
{
    h2o_socket_t *socket = req->conn->callbacks->get_socket(req->conn);
    shutdown(h2o_socket_get_fd(socket), SHUT_RDWR);
    return 0;
}

static void for_each_connection(struct loop *loop, int (*visit)(h2o_req_t *, void *))
{
    loop->context.globalconf->http1.callbacks.foreach_request(&loop->context, visit, NULL);
}

/* ---- a loop ---- */

static void on_stop(h2o_socket_t *stop, const char *failed)
{
    ((struct loop *)stop->data)->stopping = true;
    h2o_socket_read_stop(stop);
}

/* EINTR and the like make a turn end early: the next one goes on. */
static void turn(struct loop *loop, int32_t wait_ms)
{
    if (loop->has_paused && wait_ms > PAUSED_TURN_MS) {
        wait_ms = PAUSED_TURN_MS;
    }
    (void)h2o_evloop_run(loop->evloop, wait_ms);
    loop->has_paused = intake_turn(loop->intake, clock_monotonic_ms());
}

static size_t batch_bytes(void *context)
{
    const struct loop *loop = context;
    return deliver_in_flight_bytes(loop->server->gateway->deliver);
}

/* The send buffer of a client that is still sending is empty: the answer fits. */
static void turn_away(void *context, int fd, enum err err, const struct error *error)
{
    struct loop *loop = context;
    uint8_t random[ID_SIZE];
    char id[HEX_TEXT_SIZE + 1];
    id_random(random);
    id_hex(random, id);
    struct buf body = BUF_EMPTY;
    struct buf answer = BUF_EMPTY;
    reply_error_body(&body, err, error, (struct slice){NULL, 0});
    buf_printf(&answer,
               "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: %zu\r\n"
               "content-type: application/json\r\n%sx-request-id: %s\r\n" CORS_HEADER_LINES "\r\n",
               reply_status(err), reply_reason(reply_status(err)), body.len,
               err == ERR_UNAVAILABLE ? "retry-after: 1\r\n" : "", id);
    buf_append_slice(&answer, buf_slice(&body));
    if (send(fd, answer.data, answer.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        log_event(LOG_DEBUG, "turned away without an answer", "request", id, NULL);
    }
    buf_finish(&body);
    buf_finish(&answer);
    books_request(loop->server->gateway->books, NULL, reply_status(err), 0);
    discard_start(&loop->worker, fd);
}

static void loop_open(struct loop *loop)
{
    struct gateway *gateway = loop->server->gateway;
    const struct config *config = gateway->config;
    struct worker *worker = &loop->worker;
    loop->evloop = h2o_evloop_create();
    h2o_context_init(&loop->context, loop->evloop, &loop->server->globalconf);
    loop->accept =
        (h2o_accept_ctx_t){.ctx = &loop->context, .hosts = loop->server->globalconf.hosts};
    worker->gateway = gateway;
    worker->context = &loop->context;
    h2o_linklist_init_anchor(&worker->discarding);
    h2o_timeout_init(loop->evloop, &worker->probe_timeout, HEALTH_DATABASE_TIMEOUT_MS);
    h2o_timeout_init(loop->evloop, &worker->discard_timeout, DISCARD_MS);
    worker->db =
        db_open(&loop->context, &(struct db_options){
                                    .url = config->database_url,
                                    .connections = (uint32_t)config->db_connections,
                                    .queue_max = DB_QUEUE_MAX,
                                    .statement_timeout_ms = (uint32_t)config->query_timeout_ms,
                                    .wait_timeout_ms = (uint32_t)config->query_timeout_ms,
                                    .books = gateway->books,
                                });
    struct intake_limits limits = {
        .budget = (size_t)config->max_in_flight_bytes / 2, /* buffers that grow take more */
        .reserve = INTAKE_RESERVE_BYTES,
        .others = batch_bytes,
        .patience_ms = config->write_deadline_ms,
        .turn_away = turn_away,
        .context = loop,
    };
    loop->intake = intake_open(&gateway->gauge, &limits);
    worker->port = deliver_port_open(gateway->deliver, &loop->context);
    loop->stop = h2o_evloop_socket_create(loop->evloop, loop->stop_fd, H2O_SOCKET_FLAG_DONT_READ);
    loop->stop->data = loop;
    h2o_socket_read_start(loop->stop, on_stop);
    loop->listener =
        h2o_evloop_socket_create(loop->evloop, loop->listen_fd, H2O_SOCKET_FLAG_DONT_READ);
    loop->listener->data = loop;
    h2o_socket_read_start(loop->listener, on_connection);
}

/* Whoever has connected already gets an answer. */
static void stop_listening(struct loop *loop)
{
    h2o_socket_t *socket;
    while ((socket = h2o_evloop_socket_accept(loop->listener)) != NULL) {
        accept_connection(loop, socket);
    }
    h2o_socket_read_stop(loop->listener);
    h2o_socket_close(loop->listener);
}

static void run_until_empty(struct loop *loop, int64_t give_up_ms)
{
    while (connection_count(loop) > 0 && clock_monotonic_ms() < give_up_ms) {
        for_each_connection(loop, end_if_idle);
        turn(loop, DRAIN_TURN_MS);
    }
}

static void loop_drain(struct loop *loop)
{
    stop_listening(loop);
    discard_stop(&loop->worker);
    h2o_context_request_shutdown(&loop->context);
    run_until_empty(loop, atomic_load(&loop->server->give_up_ms));

    size_t left = connection_count(loop);
    deliver_port_close(loop->worker.port); /* who still waits hears 503 */
    db_close(loop->worker.db);
    if (left > 0) {
        log_event(LOG_WARN, "drain deadline passed", "connections", log_text("%zu", left), NULL);
        intake_release(loop->intake);
        turn(loop, 0);
        for_each_connection(loop, cut);
        run_until_empty(loop, clock_monotonic_ms() + LAST_WORDS_MS);
    }
}

static void loop_close(struct loop *loop)
{
    discard_stop(&loop->worker);
    h2o_socket_close(loop->stop);
    turn(loop, 0); /* closed sockets are freed in the next turn */
    h2o_timeout_dispose(loop->evloop, &loop->worker.probe_timeout);
    h2o_timeout_dispose(loop->evloop, &loop->worker.discard_timeout);
    h2o_multithread_queue_t *queue = loop->context.queue;
    h2o_context_dispose(&loop->context);
    free(queue); /* h2o 2.2.5 forgets it */
    h2o_evloop_destroy(loop->evloop);
    intake_close(loop->intake);
}

static void *loop_run(void *argument)
{
    struct loop *loop = argument;
    loop_open(loop);
    while (!loop->stopping) {
        turn(loop, INT32_MAX);
    }
    loop_drain(loop);
    if (connection_count(loop) == 0) {
        loop_close(loop);
    } /* else they are in h2o's hands until the process ends, which is next */
    access_view_finish(&loop->worker.access);
    return NULL;
}

/* ---- the server ---- */

static void configure(struct server *server)
{
    const struct config *config = server->gateway->config;
    h2o_globalconf_t *globalconf = &server->globalconf;
    /* Large bodies stay in memory, where gateway/intake.c bounds them: users' data have no business
     * in files under /tmp, and a full disk none in what is served. */
    h2o_socket_buffer_mmap_settings.threshold = SIZE_MAX;
    h2o_config_init(globalconf);
    globalconf->server_name = h2o_iovec_init(H2O_STRLIT("xtrace"));
    globalconf->http1.req_timeout = REQUEST_TIMEOUT_MS;
    globalconf->http1.upgrade_to_http2 = 0;
    /* Without HTTP/2 there is nothing to shut down, only a timer that would outlive the loop. */
    globalconf->http2.callbacks.request_shutdown = NULL;
    globalconf->max_request_entity_size = (size_t)config->max_request_body_bytes + BODY_SLACK_BYTES;
    h2o_hostconf_t *host =
        h2o_config_register_host(globalconf, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    /* h2o's own path map is by prefix: one handler takes everything, gateway/dispatch.c decides. */
    h2o_handler_t *handler = h2o_create_handler(&host->fallback_path, sizeof(*handler));
    handler->on_req = on_request;
    filter_register(&host->fallback_path, config);
}

static int processor_count(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

static void start_loops(struct server *server, const int *fds)
{
    for (int i = 0; i < server->loop_count; i++) {
        struct loop *loop = &server->loops[i];
        loop->server = server;
        loop->listen_fd = fds[i];
        int receive_bytes = RECEIVE_BUFFER_BYTES; /* connections inherit it */
        setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
        loop->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (loop->stop_fd < 0 || pthread_create(&loop->thread, NULL, loop_run, loop) != 0) {
            perror("starting a loop");
            abort(); /* nothing to go on with, as with memory */
        }
    }
}

enum err server_open(struct server **out, struct gateway *gateway, struct error *error)
{
    int count = gateway->config->threads > 0 ? (int)gateway->config->threads : processor_count();
    int *fds = memory_alloc((size_t)count * sizeof(*fds));
    char address[LISTEN_ADDRESS_SIZE];
    enum err err = listen_open(gateway->config->bind_addr, count, fds, address, error);
    if (err == ERR_OK) {
        struct server *server = memory_zalloc(sizeof(*server));
        server->gateway = gateway;
        server->loop_count = count;
        server->loops = memory_zalloc((size_t)count * sizeof(*server->loops));
        configure(server);
        start_loops(server, fds);
        log_event(LOG_INFO, "listening", "address", address, "threads", log_text("%d", count),
                  "queue", gateway->config->queue, NULL);
        *out = server;
    } else {
        error_context(error, "BIND_ADDR");
    }
    free(fds);
    return err;
}

void server_close(struct server *server, uint32_t drain_ms)
{
    if (server == NULL) {
        return;
    }
    atomic_store(&server->give_up_ms, clock_monotonic_ms() + drain_ms);
    for (int i = 0; i < server->loop_count; i++) {
        eventfd_write(server->loops[i].stop_fd, 1);
    }
    for (int i = 0; i < server->loop_count; i++) {
        pthread_join(server->loops[i].thread, NULL);
    }
    h2o_config_dispose(&server->globalconf);
    free(server->loops);
    free(server);
}

/* h2o 2.2.5 keeps freed buffers for each thread and has no call that frees them: they are lost with
 * the thread. Read by LeakSanitizer alone. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:h2o_mem_alloc_recycle\n";
}
