#include "gateway/intake.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/arena.h"
#include "gateway/chunks.h"
#include "gateway/framing.h"
#include "gateway/head.h"

enum {
    LARGE_BODY = 64 * 1024, /* smaller ones are not worth a system call */
    TURN_AWAY_EVERY_MS = 100,
};

struct intake {
    struct intake_gauge *gauge;
    struct intake_limits limits;
    bool is_released;
    int64_t turned_away_ms; /* when that was last looked for */
    h2o_linklist_t paused;  /* by link, oldest first */
    h2o_linklist_t handed;  /* by link: h2o has a request, or will start to read by itself */
};

/*
 * reading --too much--> paused --room--> reading
 *    |                    |                 ^
 *    |                    +--no patience--> turned away, closed
 *    +--h2o stops reading--> handed --------+  h2o starts again (next request, after "100 Continue")
 */
enum state { READING, PAUSED, HANDED };

enum part {
    PART_HEAD,
    PART_CHUNKED,
    PART_OTHER, /* a body that is not chunked, or nobody knows */
};

struct connection {
    struct intake *intake;
    h2o_socket_t *socket; /* NULL once closed */
    h2o_socket_cb h2o_read;
    h2o_linklist_t link;
    enum state state;
    size_t charged;
    int64_t held_since_ms; /* when intake_turn first saw this request paused; 0: not yet */
    enum part part;
    struct chunks chunks;
    bool is_leader;
    bool in_read; /* closing must leave the struct to on_read */
};

static void on_read(h2o_socket_t *socket, const char *failed);

static size_t others(const struct intake *intake)
{
    return intake->limits.others(intake->limits.context);
}

static bool is_over(const struct intake *intake)
{
    size_t bytes = atomic_load(&intake->gauge->bytes);
    return !intake->is_released && bytes > intake->limits.reserve &&
           bytes + others(intake) > intake->limits.budget;
}

/* A large body counts twice: the batch that is packed from it is about as long, and both are there
 * until intake_drop_body. */
static size_t weight(size_t bytes)
{
    return bytes < LARGE_BODY ? bytes : 2 * bytes;
}

static void charge(struct connection *connection, size_t bytes)
{
    bytes = weight(bytes);
    atomic_size_t *gauge = &connection->intake->gauge->bytes;
    atomic_fetch_add(gauge, bytes - connection->charged); /* wraps as it should */
    connection->charged = bytes;
}

static void resign(struct connection *connection)
{
    if (connection->is_leader) {
        connection->is_leader = false;
        atomic_store(&connection->intake->gauge->has_leader, false);
    }
}

static bool become_leader(struct connection *connection)
{
    const struct intake *intake = connection->intake;
    if (!connection->is_leader && others(intake) < intake->limits.reserve) {
        connection->is_leader = !atomic_exchange(&intake->gauge->has_leader, true);
    }
    return connection->is_leader;
}

/* The one place where state changes. */
static void enter(struct connection *connection, enum state state)
{
    struct intake *intake = connection->intake;
    if (connection->state != READING) {
        h2o_linklist_unlink(&connection->link);
    }
    connection->state = state;
    if (state == PAUSED) {
        h2o_linklist_insert(&intake->paused, &connection->link);
        h2o_socket_read_stop(connection->socket);
    } else if (state == HANDED) {
        resign(connection);
        connection->held_since_ms = 0;
        h2o_linklist_insert(&intake->handed, &connection->link);
    } else {
        h2o_socket_read_start(connection->socket, on_read);
    }
}

/* Looks at what was just read before h2o decodes it in place. */
static void follow(struct connection *connection)
{
    const h2o_socket_t *socket = connection->socket;
    struct slice input = {socket->input->bytes, socket->input->size};
    size_t known = input.len - socket->bytes_read;
    if (connection->part == PART_HEAD) {
        size_t head_len = framing_head_len(input, known);
        if (head_len == 0) {
            return;
        }
        struct slice head = {input.data, head_len};
        connection->part = framing_is_coded(head) ? PART_CHUNKED : PART_OTHER;
        connection->chunks = (struct chunks){0};
        known = head_len;
    }
    if (connection->part == PART_CHUNKED) {
        chunks_feed(&connection->chunks, (struct slice){input.data + known, input.len - known});
    }
}

bool intake_is_well_chunked(const h2o_socket_t *socket)
{
    const struct connection *connection = socket->on_close.data;
    return connection->part != PART_CHUNKED || connection->chunks.state != CHUNKS_BAD;
}

/* What follows is that h2o sees a read that failed, and closes its side. */
static void turn_away(struct connection *connection, enum err err, const struct error *error)
{
    const struct intake *intake = connection->intake;
    int fd = fcntl(h2o_socket_get_fd(connection->socket), F_DUPFD_CLOEXEC, 0);
    if (fd >= 0) {
        intake->limits.turn_away(intake->limits.context, fd, err, error);
    }
}

/* While h2o waits for a head, what it has of it is what lies in the buffer. */
static bool is_good_head(struct connection *connection)
{
    const h2o_socket_t *socket = connection->socket;
    struct slice head = {socket->input->bytes, socket->input->size};
    struct error error;
    enum err err = head_check(head, head.len - socket->bytes_read, &error);
    if (err != ERR_OK) {
        turn_away(connection, err, &error);
    }
    return err == ERR_OK;
}

static void on_read(h2o_socket_t *socket, const char *failed)
{
    struct connection *connection = socket->on_close.data;
    if (failed == NULL && connection->part == PART_HEAD && !is_good_head(connection)) {
        failed = "malformed head";
    }
    if (failed == NULL) {
        follow(connection);
    }
    connection->in_read = true;
    connection->h2o_read(socket, failed);
    connection->in_read = false;
    if (connection->socket == NULL) {
        free(connection);
        return;
    }
    charge(connection, socket->input->size);
    if (socket->_cb.read != on_read) {
        enter(connection, HANDED);
    } else if (is_over(connection->intake) && !become_leader(connection)) {
        enter(connection, PAUSED);
    }
}

static void on_close(void *data)
{
    struct connection *connection = data;
    charge(connection, 0);
    atomic_fetch_sub(&connection->intake->gauge->connections, 1);
    resign(connection);
    if (connection->state != READING) {
        h2o_linklist_unlink(&connection->link);
    }
    connection->socket = NULL;
    if (!connection->in_read) {
        free(connection);
    }
}

struct intake *intake_open(struct intake_gauge *gauge, const struct intake_limits *limits)
{
    struct intake *intake = memory_zalloc(sizeof(*intake));
    intake->gauge = gauge;
    intake->limits = *limits;
    h2o_linklist_init_anchor(&intake->paused);
    h2o_linklist_init_anchor(&intake->handed);
    return intake;
}

void intake_close(struct intake *intake)
{
    free(intake);
}

void intake_watch(struct intake *intake, h2o_socket_t *socket)
{
    struct connection *connection = memory_zalloc(sizeof(*connection));
    connection->intake = intake;
    connection->socket = socket;
    connection->h2o_read = socket->_cb.read;
    socket->on_close.cb = on_close;
    socket->on_close.data = connection;
    atomic_fetch_add(&intake->gauge->connections, 1);
    enter(connection, READING);
}

void intake_drop_body(h2o_socket_t *socket, char *body, size_t len)
{
    struct connection *connection = socket->on_close.data;
    if (connection == NULL || len < LARGE_BODY) {
        return;
    }
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = ((uintptr_t)body + page - 1) & ~(page - 1);
    uintptr_t end = ((uintptr_t)body + len) & ~(page - 1);
    if (end > first && madvise((void *)first, end - first, MADV_DONTNEED) == 0) {
        charge(connection, connection->socket->input->size - (end - first));
    }
}

/* h2o reads again when an answer is sent; then the connection is ours to watch again. */
static void watch_again(struct intake *intake)
{
    h2o_linklist_t *next;
    for (h2o_linklist_t *link = intake->handed.next; link != &intake->handed; link = next) {
        next = link->next;
        struct connection *connection = H2O_STRUCT_FROM_MEMBER(struct connection, link, link);
        if (connection->socket->_cb.read != NULL) {
            connection->h2o_read = connection->socket->_cb.read;
            charge(connection, connection->socket->input->size);
            if (connection->socket->input->size == 0) {
                connection->part = PART_HEAD;
            } /* else it goes on with a body (100 Continue), or began within the last read */
            enter(connection, READING);
        }
    }
}

void intake_release(struct intake *intake)
{
    intake->is_released = true;
}

static void turn_away_impatient(struct intake *intake, int64_t now_ms)
{
    if (now_ms - intake->turned_away_ms < TURN_AWAY_EVERY_MS) {
        return;
    }
    intake->turned_away_ms = now_ms;
    h2o_linklist_t *next;
    for (h2o_linklist_t *link = intake->paused.next; link != &intake->paused; link = next) {
        next = link->next;
        struct connection *connection = H2O_STRUCT_FROM_MEMBER(struct connection, link, link);
        if (connection->held_since_ms == 0) {
            connection->held_since_ms = now_ms;
        } else if (now_ms - connection->held_since_ms >= intake->limits.patience_ms) {
            struct error error;
            enum err err =
                error_set(&error, ERR_UNAVAILABLE,
                          "no room for a body of this size before the deadline, try again");
            turn_away(connection, err, &error);
            connection->h2o_read(connection->socket, "held back for too long");
        }
    }
}

bool intake_turn(struct intake *intake, int64_t now_ms)
{
    watch_again(intake);
    turn_away_impatient(intake, now_ms);
    while (!h2o_linklist_is_empty(&intake->paused)) {
        struct connection *oldest =
            H2O_STRUCT_FROM_MEMBER(struct connection, link, intake->paused.next);
        bool over = is_over(intake);
        if (over && !become_leader(oldest)) {
            return true;
        }
        enter(oldest, READING);
        if (!intake->is_released) {
            return !h2o_linklist_is_empty(&intake->paused); /* what it reads shows next time */
        }
    }
    return false;
}
