#include "decoded.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/ingest/decode_batch.h"
#include "proto/batch.h"

void decoded_open(struct decoded *decoded, const char *text, size_t len)
{
    decoded_open_by(decoded, decode_batch, text, len);
}

void decoded_open_by(struct decoded *decoded, decoder decode, const char *text, size_t len)
{
    struct arena scratch = ARENA_EMPTY;
    *decoded = (struct decoded){.arena = ARENA_EMPTY};
    /* Exactly as long as the text, so that the sanitizer sees a step too far. */
    decoded->text = memory_alloc(len);
    memcpy(decoded->text, text, len);
    struct decode_input input = {
        .body = decoded->text,
        .len = len,
        .received_us = DECODED_RECEIVED_US,
        .max_depth = DECODED_DEPTH_MAX,
        .max_records = DECODED_RECORDS_MAX,
        .scratch = &scratch,
    };
    collect_init(&decoded->collect, 4);
    decoded->err = decode(&input, &decoded->collect, &decoded->error);
    arena_finish(&scratch);
    memset(decoded->text, 'x', len); /* nothing may still point there */
    if (decoded->err == ERR_OK) {
        struct error error;
        enum err err =
            batch_unpack_rows(buf_slice(&decoded->collect.rows), decoded->collect.row_count,
                              &decoded->arena, &decoded->rows, &error);
        if (err != ERR_OK) {
            fprintf(stderr, "does not unpack: %s\n", error.text);
            abort();
        }
    }
}

void decoded_close(struct decoded *decoded)
{
    collect_finish(&decoded->collect);
    arena_finish(&decoded->arena);
    free(decoded->text);
}

const char *decoded_value(struct decoded *decoded, const struct row *row, uint32_t column)
{
    char text[64];
    if (!row_has(row, column)) {
        return NULL;
    }
    switch (row_tables[row->kind].columns[column].type) {
    case COLUMN_TIME:
    case COLUMN_INT:
    case COLUMN_BOOL:
        snprintf(text, sizeof(text), "%" PRId64, row->values[column].integer);
        return arena_text(&decoded->arena, slice_from(text));
    case COLUMN_FLOAT:
        snprintf(text, sizeof(text), "%.17g", row->values[column].real);
        return arena_text(&decoded->arena, slice_from(text));
    default:
        return arena_text(&decoded->arena, row->values[column].slice);
    }
}

const struct row *decoded_row(const struct decoded *decoded, enum row_kind kind, const char *id)
{
    uint32_t column = kind == ROW_TRACE ? (uint32_t)TRACE_ID : (uint32_t)OBSERVATION_ID;
    for (uint32_t i = 0; decoded->err == ERR_OK && i < decoded->collect.row_count; i++) {
        if (decoded->rows[i].kind == kind && slice_is(decoded->rows[i].values[column].slice, id)) {
            return &decoded->rows[i];
        }
    }
    return NULL;
}

const char *decoded_refusal(struct decoded *decoded, uint32_t index)
{
    if (index >= decoded->collect.refusal_count) {
        return NULL;
    }
    struct collect_refusal refusal = collect_refusal(&decoded->collect, index);
    struct buf text = BUF_EMPTY;
    collect_refusal_path(&refusal, &text);
    buf_append_text(&text, ": ");
    buf_append_slice(&text, refusal.reason);
    const char *copy = arena_text(&decoded->arena, buf_slice(&text));
    buf_finish(&text);
    return copy;
}
