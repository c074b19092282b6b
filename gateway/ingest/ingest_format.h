/*
 * ingest_format: what sets a protocol apart, and the line that its requests go. For ingest_format.c,
 * which has the protocols; ingest.c has the line.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gateway/ingest/check.h"
#include "gateway/ingest/decode.h"
#include "gateway/request.h"

struct ingest_format {
    bool (*is_media)(struct slice content_type);
    const char *media; /* for the message to others */
    decoder decode;
    uint32_t max_refusals; /* remembered for the answer */
    /* Answers the request; all that was not refused is durable. */
    void (*answer)(struct request *request, const struct collect *collect);
    bool takes_key; /* Idempotency-Key: for records that do not merge */
    /* Answers where nothing was stored; NULL: reply_error. */
    void (*answer_error)(struct request *request, enum err err, const struct error *error);
    /* Asks the database before anything is sent on; NULL: there is nothing to ask. */
    void (*check)(struct request *request, const struct collect *collect, check_done done,
                  void *waiter);
    bool makes_key; /* without one the body is its own key: an exporter that sends a body again
                     * tries again, for what is measured anew has other times */
};

/* From the body to the answer. A client that leaves does not stop the batch; then nobody is answered. */
void ingest_run(struct request *request, const struct ingest_format *format);

/* The same of what the path names: decode_deletion_path has the targets. */
void ingest_run_deletion(struct request *request, const struct ingest_format *format,
                         const char *target);
