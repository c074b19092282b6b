/*
 * reply: the one place where an enum err becomes a status and a JSON body. Every function answers
 * the request exactly once and does nothing when the client is gone. On the request's loop only.
 *
 * Error body: {"message": text, "code": CODE, "error": NAME}. code as contract/xtrace.md section 3
 * (BAD_REQUEST, UNAUTHORIZED, NOT_FOUND, ...), error as Langfuse names it.
 */
#pragma once

#include <stdint.h>

#include "common/buf.h"
#include "common/error.h"
#include "common/slice.h"
#include "gateway/request.h"

/* HTTP status of an error. ERR_OK -> 200. */
int reply_status(enum err err);
/* The words that go with a status. */
const char *reply_reason(int status);

/* error's text is the message, except for ERR_INTERNAL: its text is logged and the client reads
 * "Internal Error". ERR_BUSY and ERR_UNAVAILABLE carry Retry-After: 1. error may be NULL. */
void reply_error(struct request *request, enum err err, const struct error *error);

/* The same with further members for the object: extra is `"key":value,...` as JSON text, or empty.
 */
void reply_error_with(struct request *request, enum err err, const struct error *error,
                      struct slice extra);

/* Whole body, content-type application/json; charset is not sent. body is copied. */
void reply_json(struct request *request, int status, struct slice body);

/* The same for another type of content, which is static. */
void reply_text(struct request *request, int status, const char *type, struct slice body);

/* 204. */
void reply_no_content(struct request *request);

/* Adds a header to the answer that is about to be sent; name lower-case and static, value copied.
 */
void reply_header(struct request *request, const char *name, const char *value);

/* One line a request at debug, called by whoever finishes an answer (reply and read/stream). */
void reply_log(struct request *request, int status);

/* The pieces, for answers to requests that never became a struct request (gateway/filter.c). */
void reply_error_body(struct buf *body, enum err err, const struct error *error,
                      struct slice extra);
void reply_log_h2o(const h2o_req_t *h2o, const char *id, int status, int64_t duration_us);
