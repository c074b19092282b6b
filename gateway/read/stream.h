/*
 * stream: rows -> JSON, the last step of the read line. Runs a statement and answers the request
 * with what a format makes of its rows: at once and with a length when it is small, else piece by
 * piece as the client takes it, with the database held back meanwhile. On the request's loop only.
 *
 * An error before the first byte is a JSON error; after it the connection is cut, so that nobody
 * takes half an answer for a whole one. A client that leaves has its statement cancelled.
 */
#pragma once

#include "common/buf.h"
#include "common/error.h"
#include "gateway/read/db.h"
#include "gateway/request.h"

struct stream_format {
    /* Appends what the row adds to the answer; the first row's part opens it. */
    void (*on_row)(void *context, struct buf *out, const PGresult *row);
    /* Appends the rest after the last row. Other than ERR_OK (no such thing: ERR_NOT_FOUND) only if
     * on_row has appended nothing. */
    enum err (*on_end)(void *context, struct buf *out, struct error *error);
};

/* Answers the request, now or later. context must live as long as the request; the rest as db_run, or
 * db_run_made for a statement that is. */
void stream_run(struct request *request, const char *sql, bool is_made, int value_count,
                const char *const *values, const struct stream_format *format, void *context);
