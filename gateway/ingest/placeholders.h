/*
 * placeholders: bare traces for observations whose trace is not in the same request, so that a trace
 * can be read as soon as anything of it is known. Their rows carry version_weak and give way to
 * everything that is sent for the trace. One request's; not thread-safe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/slice.h"
#include "gateway/ingest/collect.h"

struct placeholders {
    struct arena *_arena; /* the caller's */
    struct buf _runs;     /* struct run: of consecutive observations of one trace */
};

void placeholders_init(struct placeholders *placeholders, struct arena *arena);
void placeholders_finish(struct placeholders *placeholders);
void placeholders_reset(struct placeholders *placeholders);

/* An observation of record belongs to the trace. environment is empty when it has none. Both are
 * copied when they have to last. */
void placeholders_note(struct placeholders *placeholders, uint32_t record, struct slice trace_id,
                       struct slice environment);

/* Collects one row for each distinct trace but known (empty: none), with the environment of its
 * first observation that has one; the row's record is that of its first observation. */
void placeholders_collect(struct placeholders *placeholders, struct slice known,
                          int64_t received_us, struct collect *out);
