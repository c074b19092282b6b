/*
 * A body of POST /v1/metrics/batch. What the decoder packs unpacks and is valid, its labels have one
 * spelling, and each record is either stored or refused by name.
 */
#include <math.h>

#include "common/utf8.h"
#include "gateway/ingest/decode_metrics.h"
#include "gateway/ingest/labels.h"
#include "gateway/ingest/validate.h"
#include "proto/batch.h"
#include "tests/fuzz/check.h"

enum { RECORDS_MAX = 50, REFUSALS_MAX = 10, DEPTH_MAX = 32 };

static bool is_text(struct slice text)
{
    return utf8_valid_prefix(text) == text.len &&
           (text.len == 0 || memchr(text.data, '\0', text.len) == NULL);
}

/* Canonical labels are canonical. */
static void check_labels(struct slice labels, struct arena *arena)
{
    struct buf again = BUF_EMPTY;
    struct labels_fault fault;
    struct slice copy = arena_copy(arena, labels);
    CHECK(is_text(labels));
    CHECK(labels_canonical(copy, arena, &again, &fault));
    CHECK(slice_equals(buf_slice(&again), labels));
    buf_finish(&again);
}

static void check_rows(const struct collect *collect)
{
    struct arena arena = ARENA_EMPTY;
    struct row *rows;
    struct violation violation;
    CHECK(batch_unpack_rows(buf_slice(&collect->rows), collect->row_count, &arena, &rows, NULL) ==
          ERR_OK);
    for (uint32_t i = 0; i < collect->row_count; i++) {
        CHECK(rows[i].kind == ROW_METRIC && validate_row(&rows[i], &arena, &violation));
        CHECK(is_text(rows[i].values[METRIC_NAME].slice));
        CHECK(isfinite(rows[i].values[METRIC_VALUE].real));
        check_labels(rows[i].values[METRIC_LABELS].slice, &arena);
    }
    arena_finish(&arena);
}

static void check_refusals(const struct collect *collect)
{
    CHECK(collect->record_count <= RECORDS_MAX);
    CHECK(collect_count_stored(collect, ROW_METRIC) == collect->row_count);
    CHECK(collect->row_count + collect->refused_count == collect->record_count);
    for (uint32_t i = 0; i < collect->refusal_count; i++) {
        struct collect_refusal refusal = collect_refusal(collect, i);
        CHECK(refusal.reason.len > 0 && is_text(refusal.field));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
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
        .max_depth = DEPTH_MAX,
        .max_records = RECORDS_MAX,
        .scratch = &scratch,
    };
    enum err err = decode_metrics(&input, &collect, &error);
    arena_finish(&scratch);
    free(body);
    if (err == ERR_OK) {
        check_rows(&collect);
        check_refusals(&collect);
    } else {
        CHECK((err == ERR_INVALID || err == ERR_TOO_LARGE) && error.text[0] != '\0');
    }
    collect_finish(&collect);
    return 0;
}
