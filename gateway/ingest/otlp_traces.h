/*
 * otlp_traces: the bare traces of one export: timestamp and environment of each trace's earliest
 * span. One request's; not thread-safe.
 */
#pragma once

#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/slice.h"
#include "gateway/ingest/collect.h"

struct otlp_traces {
    struct arena *_arena; /* the caller's */
    struct buf _runs;     /* of consecutive spans of one trace */
};

void otlp_traces_init(struct otlp_traces *traces, struct arena *arena);
void otlp_traces_finish(struct otlp_traces *traces);

/* A stored span of record; environment is empty when it has none. Both are copied when they have to
 * last. */
void otlp_traces_note(struct otlp_traces *traces, uint32_t record, struct slice trace_id,
                      int64_t start_us, struct slice environment);

/* Collects one row for each trace, two when another span than the earliest is the first to name an
 * environment. */
void otlp_traces_collect(struct otlp_traces *traces, struct collect *out);
