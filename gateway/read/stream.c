/*
 * stream: rows -> JSON through an h2o generator, a piece for each proceed. On the loop only.
 *
 * The stream lives in h2o's pool for the request: when h2o disposes of that (answer sent, or client
 * gone), the stream ends with it and cancels what still runs. HTTP/1.1 does not look at a client
 * while its request waits, so a timer does.
 */
#include "gateway/read/stream.h"

#include <poll.h>

#include "gateway/reply.h"
#include "gateway/server.h"

enum {
    COLLECT_MAX = 64 * 1024, /* an answer up to this size is sent whole, with its length */
    PAUSE_AT = 4 * 1024 * 1024,
    RESUME_AT = 256 * 1024,
};

enum stream_state {
    STREAM_COLLECTING, /* no byte sent yet */
    STREAM_SENDING,
    STREAM_DONE, /* the last piece is with h2o */
};

struct stream {
    h2o_generator_t generator; /* first: h2o hands it back */
    struct request *request;
    const struct stream_format *format;
    void *context;          /* the caller's, for format */
    struct db_query *query; /* NULL once over */
    enum stream_state state;
    struct buf filling;
    struct buf sending; /* h2o reads from it until it proceeds */
    bool is_sending;
    bool must_cut;     /* as soon as h2o is through with sending */
    bool is_head;      /* HEAD: counted, not sent */
    size_t head_bytes; /* of a HEAD answer */
    h2o_timeout_entry_t watch_entry;
};

static void on_row(void *waiter, const PGresult *row);
static void on_done(void *waiter, enum err err, const struct error *error);
static void do_proceed(h2o_generator_t *generator, h2o_req_t *req);
static void do_stop(h2o_generator_t *generator, h2o_req_t *req);
static void on_dispose(void *memory);
static void watch_client(struct stream *stream);
static void on_watch(h2o_timeout_entry_t *entry);

static const struct db_handlers handlers = {on_row, on_done};

void stream_run(struct request *request, const char *sql, bool is_made, int value_count,
                const char *const *values, const struct stream_format *format, void *context)
{
    h2o_req_t *h2o = request->h2o;
    struct stream *stream = h2o_mem_alloc_shared(&h2o->pool, sizeof *stream, on_dispose);
    struct error error;

    *stream =
        (struct stream){.generator = {do_proceed, do_stop},
                        .request = request,
                        .format = format,
                        .context = context,
                        .filling = BUF_EMPTY,
                        .sending = BUF_EMPTY,
                        .is_head = h2o_memis(h2o->method.base, h2o->method.len, H2O_STRLIT("HEAD")),
                        .watch_entry = {.cb = on_watch}};
    enum err err = (is_made ? db_run_made : db_run)(request->worker->db, sql, value_count, values,
                                                    &handlers, stream, &stream->query, &error);
    if (err != ERR_OK) {
        reply_error(request, err, &error);
        return;
    }
    watch_client(stream);
}

static void watch_client(struct stream *stream)
{
    h2o_context_t *context = stream->request->h2o->conn->ctx;

    h2o_timeout_link(context->loop, &context->hundred_ms_timeout, &stream->watch_entry);
}

static void stop_query(struct stream *stream)
{
    if (stream->query != NULL) {
        db_cancel(stream->query);
        stream->query = NULL;
    }
    h2o_timeout_unlink(&stream->watch_entry);
}

/* The client will hear no more; what it got must not look whole. */
static void cut(struct stream *stream)
{
    if (stream->is_sending) {
        stream->must_cut = true;
        return;
    }
    stream->state = STREAM_DONE;
    reply_log(stream->request, stream->request->h2o->res.status);
    h2o_send(stream->request->h2o, NULL, 0, H2O_SEND_STATE_ERROR);
}

static void start_response(struct stream *stream, size_t content_length)
{
    h2o_req_t *h2o = stream->request->h2o;

    h2o->res.status = 200;
    h2o->res.reason = "OK";
    h2o->res.content_length = content_length;
    h2o_add_header(&h2o->pool, &h2o->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("application/json"));
    h2o_start_response(h2o, &stream->generator);
    stream->state = STREAM_SENDING;
}

/* Hands the filled buffer to h2o. */
static void send_piece(struct stream *stream)
{
    struct buf sent = stream->sending;
    bool is_last = stream->query == NULL;

    stream->sending = stream->filling;
    stream->filling = sent;
    buf_reset(&stream->filling);
    stream->is_sending = true;
    h2o_iovec_t piece = h2o_iovec_init(stream->sending.data, stream->sending.len);
    if (is_last) {
        stream->state = STREAM_DONE;
        reply_log(stream->request, 200);
    }
    h2o_send(stream->request->h2o, &piece, 1,
             is_last ? H2O_SEND_STATE_FINAL : H2O_SEND_STATE_IN_PROGRESS);
}

static void on_row(void *waiter, const PGresult *row)
{
    struct stream *stream = waiter;

    stream->format->on_row(stream->context, &stream->filling, row);
    if (stream->is_head && stream->filling.len > COLLECT_MAX) {
        stream->head_bytes += stream->filling.len;
        buf_reset(&stream->filling);
    } else if (stream->state == STREAM_COLLECTING && stream->filling.len > COLLECT_MAX) {
        start_response(stream, SIZE_MAX);
        send_piece(stream);
    } else if (stream->state == STREAM_SENDING && !stream->is_sending) {
        send_piece(stream);
    } else if (stream->state == STREAM_SENDING && stream->filling.len >= PAUSE_AT) {
        db_pause(stream->query);
    }
}

static void do_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    struct stream *stream = (struct stream *)generator;

    stream->is_sending = false;
    if (stream->must_cut) {
        cut(stream);
        return;
    }
    if (stream->filling.len > 0 || stream->query == NULL) {
        send_piece(stream);
    }
    if (stream->query != NULL && stream->filling.len < RESUME_AT) {
        db_resume(stream->query);
    }
}

static void answer_head(struct stream *stream)
{
    start_response(stream, stream->head_bytes + stream->filling.len);
    stream->state = STREAM_DONE;
    reply_log(stream->request, 200);
    h2o_send(stream->request->h2o, NULL, 0, H2O_SEND_STATE_FINAL);
}

static void on_done(void *waiter, enum err err, const struct error *error)
{
    struct stream *stream = waiter;
    struct error own;

    stream->query = NULL;
    h2o_timeout_unlink(&stream->watch_entry);
    if (err == ERR_OK) {
        err = stream->format->on_end(stream->context, &stream->filling, &own);
        error = &own;
    }
    if (err == ERR_TIMEOUT) { /* not 503: clients would send the same query again */
        err = error_set(&own, ERR_TOO_HEAVY,
                        "%s: choose a shorter range of time, more filters or a smaller page",
                        error->text);
        error = &own;
    }
    if (err != ERR_OK && stream->state == STREAM_COLLECTING) {
        stream->state = STREAM_DONE;
        reply_error(stream->request, err, error);
    } else if (err != ERR_OK) {
        cut(stream);
    } else if (stream->is_head) {
        answer_head(stream);
    } else if (stream->state == STREAM_COLLECTING) {
        start_response(stream, stream->filling.len);
        send_piece(stream);
    } else if (!stream->is_sending) {
        send_piece(stream);
    }
}

/* h2o: the client left after the answer had begun. */
static void do_stop(h2o_generator_t *generator, h2o_req_t *req)
{
    struct stream *stream = (struct stream *)generator;

    stream->state = STREAM_DONE;
    stop_query(stream);
}

static bool client_has_left(h2o_req_t *h2o)
{
    if (h2o->version >= 0x200) {
        return false; /* h2o sees it by itself */
    }
    h2o_socket_t *socket = h2o->conn->callbacks->get_socket(h2o->conn);
    struct pollfd fd = {.fd = h2o_socket_get_fd(socket), .events = POLLRDHUP};
    return poll(&fd, 1, 0) > 0 && (fd.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static void on_watch(h2o_timeout_entry_t *entry)
{
    struct stream *stream = H2O_STRUCT_FROM_MEMBER(struct stream, watch_entry, entry);
    h2o_req_t *h2o = stream->request->h2o;

    if (!client_has_left(h2o)) {
        watch_client(stream);
        return;
    }
    stop_query(stream);
    h2o->http1_is_persistent = 0;
    if (stream->state == STREAM_COLLECTING) {
        struct error error;
        stream->state = STREAM_DONE;
        reply_error(stream->request,
                    error_set(&error, ERR_UNAVAILABLE, "the client closed the connection"), &error);
    } else {
        cut(stream);
    }
}

static void on_dispose(void *memory)
{
    struct stream *stream = memory;

    stop_query(stream);
    buf_finish(&stream->filling);
    buf_finish(&stream->sending);
}
