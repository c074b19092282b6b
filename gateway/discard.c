#include "gateway/discard.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/arena.h"

struct discard {
    h2o_socket_t *socket;
    h2o_linklist_t link;
    h2o_timeout_entry_t timer;
    struct worker *worker;
    size_t thrown_away;
};

static void on_readable(h2o_socket_t *socket, const char *failed);
static void on_timeout(h2o_timeout_entry_t *timer);

void discard_start(struct worker *worker, int fd)
{
    if (worker->discarding_count == DISCARD_MAX) {
        close(fd);
        return;
    }
    worker->discarding_count++;
    shutdown(fd, SHUT_WR);
    struct discard *discard = memory_zalloc(sizeof(*discard));
    discard->worker = worker;
    discard->timer.cb = on_timeout;
    discard->socket =
        h2o_evloop_socket_create(worker->context->loop, fd, H2O_SOCKET_FLAG_DONT_READ);
    discard->socket->data = discard;
    h2o_linklist_insert(&worker->discarding, &discard->link);
    h2o_timeout_link(worker->context->loop, &worker->discard_timeout, &discard->timer);
    h2o_socket_read_start(discard->socket, on_readable);
}

static void finish(struct discard *discard)
{
    discard->worker->discarding_count--;
    h2o_linklist_unlink(&discard->link);
    h2o_timeout_unlink(&discard->timer);
    h2o_socket_close(discard->socket);
    free(discard);
}

static void on_readable(h2o_socket_t *socket, const char *failed)
{
    struct discard *discard = socket->data;
    static __thread char scratch[64 * 1024];
    /* A few reads a turn, so that one fast sender does not hold the loop. */
    for (int i = 0; i < 8; i++) {
        ssize_t got = read(h2o_socket_get_fd(socket), scratch, sizeof(scratch));
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (got <= 0) {
            finish(discard);
            return;
        }
        discard->thrown_away += (size_t)got;
        if (discard->thrown_away > DISCARD_BYTES_MAX) {
            finish(discard);
            return;
        }
    }
}

static void on_timeout(h2o_timeout_entry_t *timer)
{
    finish(H2O_STRUCT_FROM_MEMBER(struct discard, timer, timer));
}

void discard_stop(struct worker *worker)
{
    while (!h2o_linklist_is_empty(&worker->discarding)) {
        finish(H2O_STRUCT_FROM_MEMBER(struct discard, link, worker->discarding.next));
    }
}
