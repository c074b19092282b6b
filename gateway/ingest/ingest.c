#include "gateway/ingest/ingest_format.h"

#include <stdlib.h>

#include <openssl/sha.h>

#include "common/clock.h"
#include "common/crash.h"
#include "common/id.h"
#include "gateway/books.h"
#include "gateway/deliver.h"
#include "gateway/ingest/capture.h"
#include "gateway/ingest/collect.h"
#include "gateway/ingest/decode_deletion.h"
#include "gateway/ingest/inflate.h"
#include "gateway/ingest/media.h"
#include "gateway/reply.h"
#include "gateway/server.h"
#include "proto/batch.h"

enum {
    ROWS_RESERVE_MAX = 64 * 1024,
    IDEMPOTENCY_KEY_MAX = 255,
};

/* A request on the line. Small while it waits: the rows are the delivery's. */
struct ingest {
    struct request *request; /* held */
    const struct ingest_format *format;
    int64_t received_us;
    uint8_t key[BATCH_KEY_SIZE]; /* of the Idempotency-Key */
    bool has_key;
    struct collect collect;
    uint32_t sent[ROW_KIND_COUNT]; /* records; what the books must hear the end of */
};

static void send_on(struct ingest *ingest, enum err err, struct error *error);
static void on_checked(void *waiter, enum err err, const struct error *error);
static void on_receipt(void *waiter, enum err err, const struct receipt *receipt);
static void finish(struct ingest *ingest, enum err err, const struct error *error);

/* ---- the steps up to where it waits ---- */

static enum err check_media(const struct ingest *ingest, enum coding *coding, struct error *error)
{
    struct request *request = ingest->request;
    if (!ingest->format->is_media(request_header(request, H2O_TOKEN_CONTENT_TYPE))) {
        return error_set(error, ERR_UNSUPPORTED, "Content-Type must be %s", ingest->format->media);
    }
    if (!media_coding(request_header(request, H2O_TOKEN_CONTENT_ENCODING), coding)) {
        reply_header(request, "accept-encoding", "gzip, deflate, identity");
        return error_set(error, ERR_UNSUPPORTED,
                         "Content-Encoding must be gzip, deflate or identity");
    }
    return ERR_OK;
}

static enum err take_key(struct ingest *ingest, struct error *error)
{
    const h2o_headers_t *headers = &ingest->request->h2o->headers;
    ssize_t at = h2o_find_header_by_str(headers, H2O_STRLIT("idempotency-key"), -1);
    ingest->has_key = ingest->format->takes_key && at != -1;
    if (!ingest->has_key) {
        return ERR_OK;
    }
    h2o_iovec_t key = headers->entries[at].value;
    bool is_good = key.len >= 1 && key.len <= IDEMPOTENCY_KEY_MAX;
    for (size_t i = 0; i < key.len && is_good; i++) {
        is_good = key.base[i] > ' ' && key.base[i] <= '~';
    }
    if (!is_good) {
        return error_set(error, ERR_INVALID,
                         "Idempotency-Key must be 1 to 255 visible ASCII characters");
    }
    SHA256((const unsigned char *)key.base, key.len, ingest->key);
    return ERR_OK;
}

/* Hashed twice, so that no header makes the same key. */
static void make_key(struct ingest *ingest, struct slice body)
{
    uint8_t hash[SHA256_DIGEST_LENGTH];
    if (ingest->format->makes_key && !ingest->has_key) {
        SHA256((const unsigned char *)body.data, body.len, hash);
        SHA256(hash, sizeof(hash), ingest->key);
        ingest->has_key = true;
    }
}

/* Whether it fits is deliver's to say; when nothing fits, the work before that is saved. */
static enum err check_budget(const struct gateway *gateway, struct error *error)
{
    if (deliver_in_flight_bytes(gateway->deliver) < (size_t)gateway->config->max_in_flight_bytes) {
        return ERR_OK;
    }
    return error_set(error, ERR_BUSY, "too many writes wait for their commit, try again");
}

/* By the rules of the credential's project. Nothing may be kept while nobody knows whether it has some. */
static enum err begin_capture(struct ingest *ingest, struct error *error)
{
    struct request *request = ingest->request;
    const struct access_snapshot *snapshot = server_access(request->worker);
    const struct capture *capture = NULL;
    if (!snapshot->is_loaded) {
        return error_set(error, ERR_UNAVAILABLE,
                         "what this project keeps could not be read yet, try again");
    }
    enum err err = captures_find(snapshot->captures, request->identity.project, &capture, error);
    if (err == ERR_OK) {
        ingest->collect.capture = capture_begin(capture);
    }
    return err;
}

static enum err decode(struct ingest *ingest, struct slice body, struct error *error)
{
    const struct config *config = ingest->request->worker->gateway->config;
    struct arena scratch = ARENA_EMPTY;
    struct decode_input input = {
        .body = (char *)body.data,
        .len = body.len,
        .received_us = ingest->received_us,
        .max_depth = (uint32_t)config->max_json_depth,
        .max_records = (uint32_t)config->max_records,
        .scores_only = ingest->request->identity.scores_only,
        .scratch = &scratch,
    };
    make_key(ingest, body);
    /* Rows are about as long as the text they come from. */
    buf_reserve(&ingest->collect.rows, body.len < ROWS_RESERVE_MAX ? body.len : ROWS_RESERVE_MAX);
    enum err err = begin_capture(ingest, error);
    if (err == ERR_OK) {
        err = ingest->format->decode(&input, &ingest->collect, error);
    }
    capture_end(ingest->collect.capture);
    ingest->collect.capture = NULL;
    arena_finish(&scratch);
    if (err == ERR_OK && ingest->collect.row_count > BATCH_ROWS_MAX) {
        return error_set(error, ERR_TOO_LARGE, "more than %d rows in one request", BATCH_ROWS_MAX);
    }
    return err;
}

/* h2o's buffer is this request's alone, so decoders may write to it. */
static enum err decode_body(struct ingest *ingest, enum coding coding, struct error *error)
{
    const struct config *config = ingest->request->worker->gateway->config;
    h2o_iovec_t entity = ingest->request->h2o->entity;
    struct slice body = {entity.base, entity.len};
    if (coding == CODING_IDENTITY) {
        return decode(ingest, body, error);
    }
    struct buf inflated = BUF_EMPTY;
    enum err err =
        inflate_body(coding, body, (size_t)config->max_request_body_bytes, &inflated, error);
    if (err == ERR_OK) {
        err = decode(ingest, buf_slice(&inflated), error);
    }
    buf_finish(&inflated);
    return err;
}

/* ---- the books ---- */

static struct books *books_of(const struct ingest *ingest)
{
    return ingest->request->worker->gateway->books;
}

static void book_sender(const struct ingest *ingest)
{
    struct slice name;
    struct slice version;
    struct slice integration;
    request_langfuse_header(ingest->request, "sdk-name", &name);
    request_langfuse_header(ingest->request, "sdk-version", &version);
    request_langfuse_header(ingest->request, "sdk-integration", &integration);
    senders_note(&books_of(ingest)->senders, name, version, integration);
}

static void book_decoded(struct ingest *ingest)
{
    const char *project = ingest->request->identity.project;
    uint32_t all[ROW_KIND_COUNT];
    uint32_t refused[ROW_KIND_COUNT];
    collect_count(&ingest->collect, all, ingest->sent);
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        refused[kind] = all[kind] - ingest->sent[kind];
    }
    books_receive(books_of(ingest), project, all);
    metric_add(&books_of(ingest)->logs_ignored, ingest->collect.ignored_count);
    books_settle(books_of(ingest), project, BOOKS_REFUSED, refused);
}

/* The end of what was sent; what has been refused since then was so by the database. */
static void book_end(struct ingest *ingest, enum books_outcome outcome)
{
    const char *project = ingest->request->identity.project;
    uint32_t all[ROW_KIND_COUNT];
    uint32_t good[ROW_KIND_COUNT];
    uint32_t dead[ROW_KIND_COUNT];
    collect_count(&ingest->collect, all, good);
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        dead[kind] = ingest->sent[kind] - good[kind];
    }
    books_settle(books_of(ingest), project, BOOKS_DEAD_LETTERED, dead);
    books_settle(books_of(ingest), project, outcome, good);
}

/* ---- on ---- */

static enum err deliver(struct ingest *ingest, struct error *error)
{
    struct delivery delivery;
    struct buf header = BUF_EMPTY;
    id_random(delivery.id);
    struct batch_header fields = {
        .project = slice_from(ingest->request->identity.project),
        .received_us = ingest->received_us,
        .row_count = ingest->collect.row_count,
        .key = {(const char *)ingest->key, ingest->has_key ? BATCH_KEY_SIZE : 0},
    };
    memcpy(fields.id, delivery.id, ID_SIZE);
    batch_pack_header(&header, &fields);
    delivery.header = buf_take(&header, &delivery.header_len);
    delivery.body = buf_take(&ingest->collect.rows, &delivery.body_len);
    enum err err = deliver_send(ingest->request->worker->port, &delivery, on_receipt, ingest);
    if (err != ERR_OK) {
        free(delivery.header);
        free(delivery.body);
        error_set(error, err, "too many writes wait for their commit, try again");
    }
    return err;
}

static struct ingest *begin(struct request *request, const struct ingest_format *format)
{
    struct ingest *ingest = memory_zalloc(sizeof(*ingest));
    ingest->request = request;
    ingest->format = format;
    ingest->received_us = clock_wall_us();
    collect_init(&ingest->collect, format->max_refusals);
    request_hold(request);
    return ingest;
}

/* The question before the rest, where there is one. */
static void go_on(struct ingest *ingest, enum err err, struct error *error)
{
    if (err == ERR_OK && ingest->format->check != NULL) {
        ingest->format->check(ingest->request, &ingest->collect, on_checked, ingest);
    } else {
        send_on(ingest, err, error);
    }
}

static void on_checked(void *waiter, enum err err, const struct error *error)
{
    struct error copy = *error;
    send_on(waiter, err, &copy);
}

static void send_on(struct ingest *ingest, enum err err, struct error *error)
{
    if (err == ERR_OK) {
        book_decoded(ingest);
        crash_point("decoded");
    }
    if (err == ERR_OK && ingest->collect.row_count > 0) {
        err = deliver(ingest, error);
        if (err == ERR_OK) {
            return; /* on_receipt goes on */
        }
        book_end(ingest, BOOKS_REJECTED);
    }
    finish(ingest, err, error);
}

/* A client that leaves does not stop the batch; then nobody is answered. */
void ingest_run(struct request *request, const struct ingest_format *format)
{
    struct error error = {""};
    enum coding coding;
    struct ingest *ingest = begin(request, format);
    book_sender(ingest);
    enum err err = check_media(ingest, &coding, &error);
    if (err == ERR_OK) {
        err = take_key(ingest, &error);
    }
    if (err == ERR_OK) {
        err = check_budget(request->worker->gateway, &error);
    }
    if (err == ERR_OK) {
        err = decode_body(ingest, coding, &error);
    }
    go_on(ingest, err, &error);
}

void ingest_run_deletion(struct request *request, const struct ingest_format *format,
                         const char *target)
{
    struct error error = {""};
    struct ingest *ingest = begin(request, format);
    enum err err = check_budget(request->worker->gateway, &error);
    if (err == ERR_OK) {
        decode_deletion_path(target, request->params[0], ingest->received_us, &ingest->collect);
    }
    go_on(ingest, err, &error);
}

/* ---- after the receipt ---- */

static void on_receipt(void *waiter, enum err err, const struct receipt *receipt)
{
    struct ingest *ingest = waiter;
    struct error error = {""};
    if (err == ERR_UNAVAILABLE) {
        error_set(&error, err, "the write was not confirmed in time, it is safe to send it again");
    }
    for (uint32_t i = 0; err == ERR_OK && i < receipt->refused_count; i++) {
        collect_refuse_row(&ingest->collect, receipt->refused[i].row, receipt->refused[i].reason);
    }
    book_end(ingest, err != ERR_OK                           ? BOOKS_ABANDONED
                     : receipt->outcome == RECEIPT_DUPLICATE ? BOOKS_DUPLICATE
                                                             : BOOKS_STORED);
    crash_point("before_reply");
    finish(ingest, err, &error);
}

static void finish(struct ingest *ingest, enum err err, const struct error *error)
{
    struct request *request = ingest->request;
    if (err == ERR_OK) {
        ingest->format->answer(request, &ingest->collect);
    } else if (ingest->format->answer_error != NULL) {
        ingest->format->answer_error(request, err, error);
    } else {
        reply_error(request, err, error);
    }
    collect_finish(&ingest->collect);
    free(ingest);
    request_release(request);
}
