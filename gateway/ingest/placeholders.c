#include "gateway/ingest/placeholders.h"

#include <stdlib.h>

#include "proto/row.h"

/* A client mostly sends the observations of one trace together, so runs are few. Equal traces are
 * found by sorting: unlike a hash table, it takes no longer for ids that were chosen to collide. */
struct run {
    struct slice trace_id;    /* in the arena */
    struct slice environment; /* in the arena; empty: none so far */
    uint32_t record;          /* of the first observation; runs of one trace sort by it */
};

void placeholders_init(struct placeholders *placeholders, struct arena *arena)
{
    *placeholders = (struct placeholders){._arena = arena};
}

void placeholders_finish(struct placeholders *placeholders)
{
    buf_finish(&placeholders->_runs);
}

void placeholders_reset(struct placeholders *placeholders)
{
    buf_reset(&placeholders->_runs);
}

static size_t count_runs(const struct placeholders *placeholders)
{
    return placeholders->_runs.len / sizeof(struct run);
}

void placeholders_note(struct placeholders *placeholders, uint32_t record, struct slice trace_id,
                       struct slice environment)
{
    size_t count = count_runs(placeholders);
    struct run *last = count > 0 ? (struct run *)placeholders->_runs.data + count - 1 : NULL;
    if (last == NULL || !slice_equals(last->trace_id, trace_id)) {
        struct run run = {.trace_id = arena_copy(placeholders->_arena, trace_id), .record = record};
        buf_append(&placeholders->_runs, &run, sizeof(run));
        last = (struct run *)placeholders->_runs.data + count;
    }
    if (last->environment.len == 0 && environment.len > 0) {
        last->environment = arena_copy(placeholders->_arena, environment);
    }
}

static int compare_runs(const void *left, const void *right)
{
    const struct run *a = left;
    const struct run *b = right;
    int order = slice_compare(a->trace_id, b->trace_id);
    return order != 0 ? order : a->record < b->record ? -1 : a->record > b->record;
}

static void collect_placeholder(const struct run *run, struct slice environment,
                                int64_t received_us, struct collect *out)
{
    struct row row;
    row.kind = ROW_TRACE;
    row.version = version_weak(received_us);
    row.present = 0;
    row_set_slice(&row, TRACE_ID, run->trace_id);
    if (environment.len > 0) {
        row_set_slice(&row, TRACE_ENVIRONMENT, environment);
    }
    collect_row(out, run->record, &row);
}

void placeholders_collect(struct placeholders *placeholders, struct slice known,
                          int64_t received_us, struct collect *out)
{
    size_t count = count_runs(placeholders);
    if (count == 0) {
        return;
    }
    struct run *runs = (struct run *)placeholders->_runs.data;
    qsort(runs, count, sizeof(*runs), compare_runs);
    for (size_t first = 0, next; first < count; first = next) {
        struct slice environment = runs[first].environment;
        for (next = first + 1;
             next < count && slice_equals(runs[first].trace_id, runs[next].trace_id); next++) {
            environment = environment.len > 0 ? environment : runs[next].environment;
        }
        if (!slice_equals(runs[first].trace_id, known)) {
            collect_placeholder(&runs[first], environment, received_us, out);
        }
    }
}
