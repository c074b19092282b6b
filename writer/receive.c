#include "writer/receive.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/log.h"

enum {
    /* What a stopped or killed writer holds is sent again only after the ack timeout: few. */
    BATCHES_HWM = 16,
    BATCHES_RCVBUF = 256 * 1024,
    RECEIPTS_HWM = 100000,
    LINGER_MS = 1000,
    HEARTBEAT_MS = 1000,
    HEARTBEAT_TIMEOUT_MS = 3000,
    RECONNECT_MS = 100,
    RECONNECT_MAX_MS = 1000,
    FDS_MAX = 4,
};

struct gateway_sockets {
    void *batches;
    void *receipts;
};

struct receive {
    void *context;
    struct gateway_sockets *gateways;
    uint32_t gateway_count;
    uint32_t turn; /* the gateway that is asked first */
    zmq_pollitem_t *items;
};

static enum err set_option(void *socket, int option, int value, struct error *error)
{
    if (zmq_setsockopt(socket, option, &value, sizeof(value)) != 0) {
        return error_set(error, ERR_INTERNAL, "ZeroMQ option %d: %s", option, zmq_strerror(errno));
    }
    return ERR_OK;
}

static enum err connect_socket(void *context, int type, const char *endpoint, void **out,
                               struct error *error)
{
    const struct {
        int option;
        int value;
    } options[] = {
        {ZMQ_LINGER, type == ZMQ_PUSH ? LINGER_MS : 0},
        {type == ZMQ_PUSH ? ZMQ_SNDHWM : ZMQ_RCVHWM, type == ZMQ_PUSH ? RECEIPTS_HWM : BATCHES_HWM},
        {type == ZMQ_PUSH ? ZMQ_SNDTIMEO : ZMQ_RCVBUF, type == ZMQ_PUSH ? 0 : BATCHES_RCVBUF},
        /* A receipt or hello for a gateway that is away would only be stale when it comes back. */
        {ZMQ_IMMEDIATE, 1},
        {ZMQ_RECONNECT_IVL, RECONNECT_MS},
        {ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS},
        {ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS},
        {ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS},
        {ZMQ_HEARTBEAT_TTL, HEARTBEAT_TIMEOUT_MS},
        {ZMQ_IPV6, 1},
    };
    *out = zmq_socket(context, type);
    if (*out == NULL) {
        return error_set(error, ERR_INTERNAL, "ZeroMQ socket: %s", zmq_strerror(errno));
    }
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        enum err err = set_option(*out, options[i].option, options[i].value, error);
        if (err != ERR_OK) {
            return err;
        }
    }
    if (zmq_connect(*out, endpoint) != 0) {
        return error_set(error, ERR_INVALID, "cannot connect to %s: %s", endpoint,
                         zmq_strerror(errno));
    }
    return ERR_OK;
}

enum err receive_open(struct receive **out, const struct queue_endpoints *gateways,
                      uint32_t gateway_count, struct error *error)
{
    struct receive *receive = memory_zalloc(sizeof(*receive));
    receive->context = zmq_ctx_new();
    receive->gateways = memory_zalloc(gateway_count * sizeof(*receive->gateways));
    receive->items = memory_zalloc((gateway_count + FDS_MAX) * sizeof(*receive->items));
    receive->gateway_count = gateway_count;
    enum err err = ERR_OK;
    for (uint32_t i = 0; i < gateway_count && err == ERR_OK; i++) {
        struct gateway_sockets *sockets = &receive->gateways[i];
        err = connect_socket(receive->context, ZMQ_PULL, gateways[i].batches, &sockets->batches,
                             error);
        if (err == ERR_OK) {
            err = connect_socket(receive->context, ZMQ_PUSH, gateways[i].receipts,
                                 &sockets->receipts, error);
        }
    }
    if (err != ERR_OK) {
        receive_close(receive);
        receive = NULL;
    }
    *out = receive;
    return err;
}

void receive_close(struct receive *receive)
{
    if (receive == NULL) {
        return;
    }
    for (uint32_t i = 0; i < receive->gateway_count; i++) {
        if (receive->gateways[i].batches != NULL) {
            zmq_close(receive->gateways[i].batches);
        }
        if (receive->gateways[i].receipts != NULL) {
            zmq_close(receive->gateways[i].receipts);
        }
    }
    while (zmq_ctx_term(receive->context) != 0 && errno == EINTR) {
    }
    free(receive->gateways);
    free(receive->items);
    free(receive);
}

uint32_t receive_gateway_count(const struct receive *receive)
{
    return receive->gateway_count;
}

void message_finish(struct message *message)
{
    zmq_msg_close(&message->header);
    zmq_msg_close(&message->body);
}

/* Passes what is left of a message; returns whether there was anything. */
static bool drop_rest(void *socket, const zmq_msg_t *last)
{
    bool more = zmq_msg_more(last) != 0;
    bool dropped = more;
    while (more) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        more = zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&frame) != 0;
        zmq_msg_close(&frame);
    }
    return dropped;
}

enum taken { TAKEN_NOTHING, TAKEN_MESSAGE, TAKEN_REFUSE };

static enum taken take_from(void *socket, struct message *message)
{
    zmq_msg_init(&message->header);
    zmq_msg_init(&message->body);
    if (zmq_msg_recv(&message->header, socket, ZMQ_DONTWAIT) < 0) {
        message_finish(message);
        return TAKEN_NOTHING;
    }
    /* ZeroMQ delivers all frames of a message or none. */
    bool good = zmq_msg_more(&message->header) != 0 &&
                zmq_msg_recv(&message->body, socket, ZMQ_DONTWAIT) >= 0 &&
                !drop_rest(socket, &message->body);
    if (!good) {
        log_event(LOG_WARN, "message of a wrong shape dropped", NULL);
        message_finish(message);
        return TAKEN_REFUSE;
    }
    return TAKEN_MESSAGE;
}

bool receive_take(struct receive *receive, struct message *message)
{
    for (uint32_t tried = 0; tried < receive->gateway_count;) {
        uint32_t gateway = receive->turn;
        receive->turn = (receive->turn + 1) % receive->gateway_count;
        switch (take_from(receive->gateways[gateway].batches, message)) {
        case TAKEN_MESSAGE:
            message->gateway = gateway;
            return true;
        case TAKEN_REFUSE:
            tried = 0;
            break;
        case TAKEN_NOTHING:
            tried++;
            break;
        }
    }
    return false;
}

bool receive_send(struct receive *receive, uint32_t gateway, struct slice frame)
{
    void *socket = receive->gateways[gateway].receipts;
    int sent;
    do {
        sent = zmq_send(socket, frame.data, frame.len, ZMQ_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

void receive_wait(struct receive *receive, struct pollfd *fds, uint32_t fd_count, bool batches,
                  int timeout_ms)
{
    assert(fd_count <= FDS_MAX);
    zmq_pollitem_t *items = receive->items;
    int used = 0;
    int places[FDS_MAX];
    for (uint32_t i = 0; i < fd_count; i++) {
        fds[i].revents = 0;
        places[i] = -1;
        if (fds[i].fd >= 0) {
            short events = (short)((fds[i].events & POLLIN ? ZMQ_POLLIN : 0) |
                                   (fds[i].events & POLLOUT ? ZMQ_POLLOUT : 0));
            places[i] = used;
            items[used++] = (zmq_pollitem_t){.fd = fds[i].fd, .events = events};
        }
    }
    for (uint32_t i = 0; batches && i < receive->gateway_count; i++) {
        items[used++] =
            (zmq_pollitem_t){.socket = receive->gateways[i].batches, .events = ZMQ_POLLIN};
    }
    if (zmq_poll(items, used, timeout_ms) <= 0) {
        return;
    }
    for (uint32_t i = 0; i < fd_count; i++) {
        if (places[i] >= 0) {
            short got = items[places[i]].revents;
            fds[i].revents =
                (short)((got & ZMQ_POLLIN ? POLLIN : 0) | (got & ZMQ_POLLOUT ? POLLOUT : 0) |
                        (got & ZMQ_POLLERR ? POLLERR : 0));
        }
    }
}
