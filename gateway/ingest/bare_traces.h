/*
 * bare_traces: the bare traces of one request whose observations have starts of their own (OTLP,
 * ingestion): timestamp and environment of each trace's earliest observation, at version_weak. So that
 * a trace can be read as soon as anything of it is known. Not thread-safe.
 */
#pragma once

#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/slice.h"
#include "gateway/ingest/collect.h"

struct bare_traces {
    struct arena *_arena; /* the caller's */
    struct buf _runs;     /* of consecutive observations of one trace */
};

void bare_traces_init(struct bare_traces *traces, struct arena *arena);
void bare_traces_finish(struct bare_traces *traces);

/* A stored observation of record; environment is empty when it has none. Both are copied when they
 * have to last. */
void bare_traces_note(struct bare_traces *traces, uint32_t record, struct slice trace_id,
                      int64_t start_us, struct slice environment);

/* Collects one row for each trace, two when another observation than the earliest is the first to
 * name an environment. */
void bare_traces_collect(struct bare_traces *traces, struct collect *out);
