/*
 * decode: what every decoder (decode_batch and its siblings) is given and gives back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/error.h"
#include "gateway/ingest/collect.h"

struct decode_input {
    char *body; /* inflated; the caller's. JSON decoders write to it (common/json_read.h) */
    size_t len;
    int64_t received_us;   /* wall clock when the request was complete; versions are made of it */
    uint32_t max_depth;    /* of JSON */
    uint32_t max_records;  /* XTRACE_MAX_RECORDS */
    bool scores_only;      /* the credential may create scores and nothing else */
    struct arena *scratch; /* the caller's; nothing in out borrows from it or from body */
};

/*
 * Validates and packs what can be stored into out, which is empty before, and lists the refused
 * records there. ERR_INVALID: nothing can be told apart in this body; ERR_TOO_LARGE: more than
 * max_records. out is of no use then.
 */
typedef enum err (*decoder)(const struct decode_input *input, struct collect *out,
                            struct error *error);
