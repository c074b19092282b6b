/*
 * decode_check: what must hold of whatever a decoder makes of a body: the rows unpack, are valid, hold
 * what the writer counts on (texts that PostgreSQL takes, JSON that is JSON), and each record is
 * either stored or refused by name.
 */
#pragma once

#include "common/json_read.h"
#include "common/utf8.h"
#include "gateway/ingest/collect.h"
#include "gateway/ingest/decode.h"
#include "gateway/ingest/validate.h"
#include "proto/batch.h"
#include "tests/fuzz/check.h"

enum { RECORDS_MAX = 50, REFUSALS_MAX = 10 };

static bool is_text(struct slice text)
{
    return utf8_valid_prefix(text) == text.len &&
           (text.len == 0 || memchr(text.data, '\0', text.len) == NULL);
}

static void check_json(struct slice json)
{
    struct arena arena = ARENA_EMPTY;
    struct json_reader reader;
    struct slice copy = arena_copy(&arena, json);
    json_reader_init(&reader, (char *)copy.data, copy.len, JSON_DEPTH_MAX, &arena);
    json_skip(&reader, NULL);
    CHECK(json_end(&reader, NULL) == ERR_OK);
    CHECK(slice_equals(copy, json)); /* nothing was left to repair */
    arena_finish(&arena);
}

static void check_row(const struct row *row, struct arena *arena)
{
    struct violation violation;
    CHECK(validate_row(row, arena, &violation));
    for (uint32_t i = 0; i < row_tables[row->kind].column_count; i++) {
        enum column_type type = row_tables[row->kind].columns[i].type;
        if (row_has(row, i) && type == COLUMN_TEXT) {
            CHECK(is_text(row->values[i].slice));
        }
        if (row_has(row, i) &&
            (type == COLUMN_JSON || type == COLUMN_JSONB || type == COLUMN_TEXTS)) {
            check_json(row->values[i].slice);
        }
    }
}

/* more: what else must hold of each row; may be NULL. */
static void check_rows(const struct collect *collect,
                       void (*more)(const struct row *row, struct arena *arena))
{
    struct arena arena = ARENA_EMPTY;
    struct row *rows;
    CHECK(batch_unpack_rows(buf_slice(&collect->rows), collect->row_count, &arena, &rows, NULL) ==
          ERR_OK);
    for (uint32_t i = 0; i < collect->row_count; i++) {
        check_row(&rows[i], &arena);
        if (more != NULL) {
            more(&rows[i], &arena);
        }
    }
    arena_finish(&arena);
}

static void check_records(const struct collect *collect)
{
    uint32_t stored = 0;
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        stored += collect_count_stored(collect, (enum row_kind)kind);
    }
    CHECK(collect->record_count <= RECORDS_MAX);
    CHECK(stored + collect->refused_count == collect->record_count);
    CHECK(collect->refusal_count ==
          (collect->refused_count < REFUSALS_MAX ? collect->refused_count : REFUSALS_MAX));
    for (uint32_t i = 0; i < collect->refusal_count; i++) {
        struct collect_refusal refusal = collect_refusal(collect, i);
        CHECK(refusal.reason.len > 0 && is_text(refusal.field) && is_text(refusal.id));
    }
}

static void check_decoder(decoder decode, uint32_t max_depth, const uint8_t *data, size_t size,
                          void (*more)(const struct row *row, struct arena *arena))
{
    struct arena scratch = ARENA_EMPTY;
    struct collect collect;
    struct error error = {""};
    char *body = memory_alloc(size);
    memcpy(body, data, size);
    collect_init(&collect, REFUSALS_MAX);
    struct decode_input input = {
        .body = body,
        .len = size,
        .received_us = INT64_C(1750000000000000),
        .max_depth = max_depth,
        .max_records = RECORDS_MAX,
        .scratch = &scratch,
    };
    enum err err = decode(&input, &collect, &error);
    arena_finish(&scratch);
    free(body);
    if (err == ERR_OK) {
        check_rows(&collect, more);
        check_records(&collect);
    } else {
        CHECK((err == ERR_INVALID || err == ERR_TOO_LARGE) && error.text[0] != '\0');
    }
    collect_finish(&collect);
}
