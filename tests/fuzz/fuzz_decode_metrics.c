/* A body of POST /v1/metrics/batch. Beside what holds of all: labels have one spelling. */
#include <math.h>

#include "gateway/ingest/decode_metrics.h"
#include "gateway/ingest/labels.h"
#include "tests/fuzz/decode_check.h"

static void check_point(const struct row *row, struct arena *arena)
{
    struct buf again = BUF_EMPTY;
    struct labels_fault fault;
    struct slice labels = row->values[METRIC_LABELS].slice;
    CHECK(row->kind == ROW_METRIC && isfinite(row->values[METRIC_VALUE].real));
    CHECK(labels_canonical(arena_copy(arena, labels), arena, &again, &fault));
    CHECK(slice_equals(buf_slice(&again), labels));
    buf_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_decoder(decode_metrics, 32, data, size, check_point);
    return 0;
}
