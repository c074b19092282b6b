#include "gateway/uploads.h"

#include <inttypes.h>

#include "common/json_read.h"
#include "gateway/ingest/inflate.h"
#include "gateway/ingest/media.h"
#include "gateway/reply.h"
#include "gateway/server.h"

enum {
    BODY_MAX = 64 * 1024, /* of an announcement, inflated */
    ID_LEN = 22,
    HASH_LEN = 44, /* SHA-256 in base64 */
    TEXT_MAX = 800,
};

struct announcement {
    struct slice trace_id;
    struct slice observation_id;
    struct slice field;
    struct slice content_type;
    struct slice hash;
    int64_t content_length;
};

/* ---- reading ---- */

static enum err read_text(struct json_reader *reader, const char *key, struct slice *out,
                          struct error *error)
{
    if (json_string(reader, out) || json_failed(reader) || json_null(reader)) {
        return ERR_OK; /* a failed reader is json_end's to tell */
    }
    return error_set(error, ERR_INVALID, "%s: not a string", key);
}

static enum err read_length(struct json_reader *reader, const char *key, int64_t *out,
                            struct error *error)
{
    struct slice number;
    if (json_number(reader, &number) && json_number_whole(number, out)) {
        return ERR_OK;
    }
    return json_failed(reader) ? ERR_OK : error_set(error, ERR_INVALID, "%s: not an integer", key);
}

static enum err read_member(struct json_reader *reader, struct slice key, struct announcement *out,
                            struct error *error)
{
    const struct {
        const char *key;
        struct slice *text;
    } texts[] = {
        {"traceId", &out->trace_id}, {"observationId", &out->observation_id},
        {"field", &out->field},      {"contentType", &out->content_type},
        {"sha256Hash", &out->hash},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (slice_is(key, texts[i].key)) {
            return read_text(reader, texts[i].key, texts[i].text, error);
        }
    }
    if (slice_is(key, "contentLength")) {
        return read_length(reader, "contentLength", &out->content_length, error);
    }
    json_skip(reader, NULL);
    return ERR_OK;
}

static enum err read_announcement(struct json_reader *reader, struct announcement *out,
                                  struct error *error)
{
    struct slice key;
    enum err err = json_body_begin(reader, error);
    while (err == ERR_OK && json_object_next(reader, &key)) {
        err = read_member(reader, key, out, error);
    }
    return err == ERR_OK ? json_end(reader, error) : err;
}

/* ---- checking ---- */

static enum err check_text(const char *key, struct slice text, bool required, struct error *error)
{
    if (required && text.len == 0) {
        return error_set(error, ERR_INVALID, "%s: missing, or empty", key);
    }
    if (text.len > TEXT_MAX) {
        return error_set(error, ERR_INVALID, "%s: longer than %d bytes", key, TEXT_MAX);
    }
    return ERR_OK;
}

static bool is_field(struct slice field)
{
    return slice_is(field, "input") || slice_is(field, "output") || slice_is(field, "metadata");
}

/* SHA-256 in base64, in either alphabet. */
static bool is_hash(struct slice hash)
{
    if (hash.len != HASH_LEN || hash.data[HASH_LEN - 1] != '=') {
        return false;
    }
    for (size_t i = 0; i < HASH_LEN - 1; i++) {
        char c = hash.data[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!is_letter && !(c >= '0' && c <= '9') && strchr("+/-_", c) == NULL) {
            return false;
        }
    }
    return true;
}

static enum err check_announcement(const struct announcement *announcement, struct error *error)
{
    enum err err = check_text("traceId", announcement->trace_id, true, error);
    if (err == ERR_OK) {
        err = check_text("observationId", announcement->observation_id, false, error);
    }
    if (err == ERR_OK) {
        err = check_text("contentType", announcement->content_type, true, error);
    }
    if (err == ERR_OK && !is_field(announcement->field)) {
        err = error_set(error, ERR_INVALID, "field: not input, output or metadata");
    }
    if (err == ERR_OK && announcement->content_length < 1) {
        err = error_set(error, ERR_INVALID, "contentLength: missing, or not positive");
    }
    if (err == ERR_OK && !is_hash(announcement->hash)) {
        err = error_set(error, ERR_INVALID, "sha256Hash: not a SHA-256 in base64");
    }
    return err;
}

/* ---- the line ---- */

/* body: the request's own bytes, or what they inflate to, in inflated. */
static enum err open_body(struct request *request, struct buf *inflated, struct slice *body,
                          struct error *error)
{
    *body = (struct slice){request->h2o->entity.base, request->h2o->entity.len};
    enum coding coding;
    if (!media_is_json(request_header(request, H2O_TOKEN_CONTENT_TYPE))) {
        return error_set(error, ERR_UNSUPPORTED, "Content-Type must be application/json");
    }
    if (!media_coding(request_header(request, H2O_TOKEN_CONTENT_ENCODING), &coding)) {
        return error_set(error, ERR_UNSUPPORTED,
                         "Content-Encoding must be gzip, deflate or identity");
    }
    if (coding != CODING_IDENTITY) {
        enum err err = inflate_body(coding, *body, BODY_MAX, inflated, error);
        if (err != ERR_OK) {
            return err;
        }
        *body = buf_slice(inflated);
    }
    if (body->len > BODY_MAX) {
        return error_set(error, ERR_TOO_LARGE, "larger than %d bytes", BODY_MAX);
    }
    return ERR_OK;
}

static void reply_kept(struct request *request, struct slice hash)
{
    char id[ID_LEN + 1] = {0};
    for (size_t i = 0; i < ID_LEN; i++) {
        id[i] = hash.data[i] == '+' ? '-' : hash.data[i] == '/' ? '_' : hash.data[i];
    }
    struct buf body = BUF_EMPTY;
    buf_printf(&body, "{\"mediaId\":\"%s\",\"uploadUrl\":null}", id);
    reply_json(request, 200, buf_slice(&body));
    buf_finish(&body);
}

void uploads_announce(struct request *request)
{
    const struct config *config = request->worker->gateway->config;
    struct buf inflated = BUF_EMPTY;
    struct slice body;
    struct error error;
    struct announcement announcement = {0};
    enum err err = open_body(request, &inflated, &body, &error);
    if (err == ERR_OK) {
        struct json_reader reader;
        json_reader_init(&reader, (char *)body.data, body.len, (uint32_t)config->max_json_depth,
                         &request->arena);
        err = read_announcement(&reader, &announcement, &error);
    }
    if (err == ERR_OK) {
        err = check_announcement(&announcement, &error);
    }
    if (err == ERR_OK) {
        reply_kept(request, announcement.hash);
    } else {
        reply_error(request, err, &error);
    }
    buf_finish(&inflated);
}

void uploads_missing(struct request *request)
{
    struct error error;
    enum err err = error_set(&error, ERR_NOT_FOUND, "xtrace keeps no media");
    reply_error(request, err, &error);
}
