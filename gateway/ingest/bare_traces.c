#include "gateway/ingest/bare_traces.h"

#include <stdlib.h>

#include "proto/row.h"

struct run {
    struct slice trace_id; /* in the arena */
    int64_t start_us;      /* of the earliest observation */
    uint32_t record;       /* of it */
    uint32_t environment_record;
    int64_t environment_us;   /* of the earliest one with an environment */
    struct slice environment; /* its, in the arena; of two at once the greater; empty: none */
};

void bare_traces_init(struct bare_traces *traces, struct arena *arena)
{
    *traces = (struct bare_traces){._arena = arena};
}

void bare_traces_finish(struct bare_traces *traces)
{
    buf_finish(&traces->_runs);
}

/* As the writer merges them. */
static void merge(struct run *into, const struct run *from)
{
    if (from->start_us < into->start_us) {
        into->start_us = from->start_us;
        into->record = from->record;
    }
    bool better = into->environment.len == 0 || from->environment_us < into->environment_us ||
                  (from->environment_us == into->environment_us &&
                   slice_compare(from->environment, into->environment) > 0);
    if (from->environment.len > 0 && better) {
        into->environment = from->environment;
        into->environment_us = from->environment_us;
        into->environment_record = from->environment_record;
    }
}

void bare_traces_note(struct bare_traces *traces, uint32_t record, struct slice trace_id,
                      int64_t start_us, struct slice environment)
{
    size_t count = traces->_runs.len / sizeof(struct run);
    struct run *last = count > 0 ? (struct run *)traces->_runs.data + count - 1 : NULL;
    struct run run = {trace_id, start_us, record, record, start_us, environment};
    bool same = last != NULL && slice_equals(last->trace_id, trace_id);
    bool known = same && slice_equals(last->environment, environment);
    run.environment = known ? last->environment : arena_copy(traces->_arena, environment);
    if (same) {
        merge(last, &run);
        return;
    }
    run.trace_id = arena_copy(traces->_arena, trace_id);
    buf_append(&traces->_runs, &run, sizeof(run));
}

static int compare_runs(const void *left, const void *right)
{
    const struct run *a = left;
    const struct run *b = right;
    int order = slice_compare(a->trace_id, b->trace_id);
    return order != 0 ? order : a->record < b->record ? -1 : a->record > b->record;
}

static void collect(const struct run *run, struct collect *out)
{
    struct row row;
    row.kind = ROW_TRACE;
    row.version = version_weak(run->start_us);
    row.present = 0;
    row_set_slice(&row, TRACE_ID, run->trace_id);
    row_set_integer(&row, TRACE_TIMESTAMP, run->start_us);
    bool same = run->environment_us == run->start_us;
    if (run->environment.len > 0 && same) {
        row_set_slice(&row, TRACE_ENVIRONMENT, run->environment);
    }
    collect_row(out, run->record, &row);
    if (run->environment.len > 0 && !same) {
        row.version = version_weak(run->environment_us);
        row_set_integer(&row, TRACE_TIMESTAMP, run->environment_us);
        row_set_slice(&row, TRACE_ENVIRONMENT, run->environment);
        collect_row(out, run->environment_record, &row);
    }
}

void bare_traces_collect(struct bare_traces *traces, struct collect *out)
{
    size_t count = traces->_runs.len / sizeof(struct run);
    struct run *runs = (struct run *)traces->_runs.data;
    if (count == 0) {
        return;
    }
    qsort(runs, count, sizeof(*runs), compare_runs);
    for (size_t first = 0, next; first < count; first = next) {
        struct run run = runs[first];
        for (next = first + 1; next < count && slice_equals(run.trace_id, runs[next].trace_id);
             next++) {
            merge(&run, &runs[next]);
        }
        collect(&run, out);
    }
}
