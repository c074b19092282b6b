/*
 * decoded: runs a decoder on a text and unpacks what it made, for tests.
 */
#pragma once

#include <stdint.h>

#include "common/arena.h"
#include "common/error.h"
#include "gateway/ingest/collect.h"
#include "gateway/ingest/decode.h"
#include "proto/row.h"

#define TRACE_A       "0a000000-0000-4000-8000-000000000001"
#define TRACE_B       "0b000000-0000-4000-8000-000000000002"
#define OBSERVATION_A "1a000000-0000-4000-8000-000000000001"
#define OBSERVATION_B "1b000000-0000-4000-8000-000000000002"

#define DECODED_RECEIVED_US INT64_C(1750000000000000)

enum { DECODED_RECORDS_MAX = 8, DECODED_DEPTH_MAX = 16 };

struct decoded {
    enum err err;
    struct error error;
    struct collect collect;
    struct row *rows; /* collect.row_count of them, in arena */
    struct arena arena;
    char *text; /* what the decoder read and wrote to */
};

/* decode_batch. */
void decoded_open(struct decoded *decoded, const char *text, size_t len);
void decoded_open_by(struct decoded *decoded, decoder decode, const char *text, size_t len);
void decoded_close(struct decoded *decoded);

/* The value as text; NULL when it is absent. */
const char *decoded_value(struct decoded *decoded, const struct row *row, uint32_t column);

/* The one row of that kind and id; NULL when there is none. */
const struct row *decoded_row(const struct decoded *decoded, enum row_kind kind, const char *id);

/* "observations[3].startTime: not a ..." of a listed refusal; NULL when there is none. */
const char *decoded_refusal(struct decoded *decoded, uint32_t index);
