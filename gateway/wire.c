#include "gateway/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <zmq.h>

#include "common/arena.h"
#include "common/clock.h"
#include "common/log.h"
#include "proto/queue.h"

enum {
    /* High-water marks bound messages, not bytes; small ones keep batches here, where any writer
     * can still take them, instead of in front of one that is busy. */
    SEND_HIGH_WATER = 32,
    SEND_BUFFER_BYTES = 256 * 1024,
    RECEIVE_HIGH_WATER = 10000,
    RECEIPT_MAX_BYTES = 64 * 1024 * 1024,
    HEARTBEAT_INTERVAL_MS = 1000,
    HEARTBEAT_TIMEOUT_MS = 3000,
    BIND_RETRY_MS = 100,
};

struct wire {
    void *context;
    void *batches;
    void *receipts;
    zmq_msg_t frame; /* the last one received */
    int lock_fd;     /* ipc only: held as long as the endpoints are ours; -1 otherwise */
};

struct wire_body *wire_body_create(char *data, size_t len, size_t cost, atomic_size_t *bytes_held)
{
    struct wire_body *body = memory_alloc(sizeof(*body));
    body->data = data;
    body->len = len;
    body->cost = cost;
    body->bytes_held = bytes_held;
    atomic_store(&body->_references, 1);
    return body;
}

void wire_body_release(struct wire_body *body)
{
    if (atomic_fetch_sub_explicit(&body->_references, 1, memory_order_acq_rel) == 1) {
        atomic_fetch_sub_explicit(body->bytes_held, body->cost, memory_order_relaxed);
        free(body->data);
        free(body);
    }
}

static void set_int(void *socket, int option, int value)
{
    if (zmq_setsockopt(socket, option, &value, sizeof(value)) != 0) {
        log_event(LOG_WARN, "queue option refused", "option", log_text("%d", option), NULL);
    }
}

static void set_options(struct wire *wire)
{
    void *const both[] = {wire->batches, wire->receipts};
    for (int i = 0; i < 2; i++) {
        set_int(both[i], ZMQ_LINGER, 0);
        set_int(both[i], ZMQ_HEARTBEAT_IVL, HEARTBEAT_INTERVAL_MS);
        set_int(both[i], ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS);
    }
    set_int(wire->batches, ZMQ_IMMEDIATE, 1);
    set_int(wire->batches, ZMQ_SNDHWM, SEND_HIGH_WATER);
    set_int(wire->batches, ZMQ_SNDBUF, SEND_BUFFER_BYTES);
    set_int(wire->receipts, ZMQ_RCVHWM, RECEIVE_HIGH_WATER);
    int64_t largest = RECEIPT_MAX_BYTES;
    if (zmq_setsockopt(wire->receipts, ZMQ_MAXMSGSIZE, &largest, sizeof(largest)) != 0) {
        log_event(LOG_WARN, "queue option refused", "option", "ZMQ_MAXMSGSIZE", NULL);
    }
}

/* Every folder above path, mode 0700 where it has to be made. */
static enum err make_folders(const char *path, struct error *error)
{
    char folder[QUEUE_ENDPOINT_SIZE];
    for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        size_t length = (size_t)(slash - path);
        memcpy(folder, path, length);
        folder[length] = '\0';
        if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
            return error_set(error, ERR_UNAVAILABLE, "cannot make folder %s: %s", folder,
                             strerror(errno));
        }
    }
    return ERR_OK;
}

static bool pause_until_retry(int64_t give_up_ms)
{
    if (clock_monotonic_ms() >= give_up_ms) {
        return false;
    }
    nanosleep(&(struct timespec){.tv_nsec = BIND_RETRY_MS * 1000000L}, NULL);
    return true;
}

/*
 * libzmq removes whatever socket file it finds at an ipc path, a living gateway's too, and removes
 * the path again when it closes. A lock held from before the bind until after the close keeps two
 * gateways from doing that to each other; it dies with its process, however that ends.
 */
static enum err take_lock(struct wire *wire, const char *queue, int64_t give_up_ms,
                          struct error *error)
{
    static const char scheme[] = "ipc://";
    if (strncmp(queue, scheme, strlen(scheme)) != 0) {
        return ERR_OK;
    }
    const char *path = queue + strlen(scheme);
    enum err err = make_folders(path, error);
    if (err != ERR_OK) {
        return err;
    }
    char lock[QUEUE_ENDPOINT_SIZE];
    snprintf(lock, sizeof(lock), "%s.lock", path);
    wire->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (wire->lock_fd < 0) {
        return error_set(error, ERR_UNAVAILABLE, "cannot open %s: %s", lock, strerror(errno));
    }
    while (flock(wire->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        if (!pause_until_retry(give_up_ms)) {
            return error_set(error, ERR_UNAVAILABLE, "another gateway is using the queue %s", path);
        }
    }
    return ERR_OK;
}

static enum err bind_endpoint(void *socket, const char *endpoint, int64_t give_up_ms,
                              struct error *error)
{
    while (zmq_bind(socket, endpoint) != 0) {
        if (errno != EADDRINUSE || !pause_until_retry(give_up_ms)) {
            return error_set(error, ERR_UNAVAILABLE, "cannot bind the queue to %s: %s", endpoint,
                             zmq_strerror(errno));
        }
    }
    return ERR_OK;
}

static enum err open_sockets(struct wire *wire, struct error *error)
{
    wire->context = zmq_ctx_new();
    if (wire->context != NULL) {
        wire->batches = zmq_socket(wire->context, ZMQ_PUSH);
        wire->receipts = zmq_socket(wire->context, ZMQ_PULL);
    }
    if (wire->batches == NULL || wire->receipts == NULL) {
        return error_set(error, ERR_UNAVAILABLE, "cannot open the queue: %s", zmq_strerror(errno));
    }
    set_options(wire);
    return ERR_OK;
}

enum err wire_open(struct wire **out, const char *queue, int patience_ms, struct error *error)
{
    int64_t give_up_ms = clock_monotonic_ms() + patience_ms;
    struct queue_endpoints endpoints;
    enum err err = queue_parse(queue, &endpoints, error);
    if (err != ERR_OK) {
        return err;
    }
    struct wire *wire = memory_zalloc(sizeof(*wire));
    wire->lock_fd = -1;
    zmq_msg_init(&wire->frame);
    err = take_lock(wire, queue, give_up_ms, error);
    if (err != ERR_OK) {
        goto fail;
    }
    err = open_sockets(wire, error);
    if (err != ERR_OK) {
        goto fail;
    }
    /* Receipts first: a writer that can take a batch can already answer it. */
    err = bind_endpoint(wire->receipts, endpoints.receipts, give_up_ms, error);
    if (err != ERR_OK) {
        goto fail;
    }
    err = bind_endpoint(wire->batches, endpoints.batches, give_up_ms, error);
    if (err != ERR_OK) {
        goto fail;
    }
    *out = wire;
    return ERR_OK;

fail:
    wire_close(wire);
    return err;
}

void wire_close(struct wire *wire)
{
    if (wire == NULL) {
        return;
    }
    zmq_msg_close(&wire->frame);
    if (wire->batches != NULL) {
        zmq_close(wire->batches);
    }
    if (wire->receipts != NULL) {
        zmq_close(wire->receipts);
    }
    while (wire->context != NULL && zmq_ctx_term(wire->context) != 0 && errno == EINTR) {
    }
    if (wire->lock_fd >= 0) {
        close(wire->lock_fd);
    }
    free(wire);
}

static void on_message_done(void *data, void *body)
{
    wire_body_release(body);
}

bool wire_send(struct wire *wire, struct slice header, struct wire_body *body)
{
    if (zmq_send(wire->batches, header.data, header.len, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0) {
        return false;
    }
    zmq_msg_t message;
    /* Release: what was written to the body is seen by whoever lets go of this reference. */
    atomic_fetch_add_explicit(&body->_references, 1, memory_order_release);
    if (zmq_msg_init_data(&message, body->data, body->len, on_message_done, body) != 0) {
        abort(); /* out of memory */
    }
    if (zmq_msg_send(&message, wire->batches, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&message);
        return false;
    }
    return true;
}

bool wire_receive(struct wire *wire, struct slice *frame)
{
    if (zmq_msg_recv(&wire->frame, wire->receipts, ZMQ_DONTWAIT) < 0) {
        return false;
    }
    *frame = (struct slice){zmq_msg_data(&wire->frame), zmq_msg_size(&wire->frame)};
    return true;
}

void wire_wait(struct wire *wire, int wake_fd, bool want_send, long timeout_ms)
{
    zmq_pollitem_t items[] = {
        {.socket = wire->receipts, .events = ZMQ_POLLIN},
        {.fd = wake_fd, .events = ZMQ_POLLIN},
        {.socket = wire->batches, .events = ZMQ_POLLOUT},
    };
    zmq_poll(items, want_send ? 3 : 2, timeout_ms); /* EINTR is just an early return */
}
