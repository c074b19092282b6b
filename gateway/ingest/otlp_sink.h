/*
 * otlp_sink: where the readers of OTLP put what they read, and what they read it with. Resource and
 * scope of an item (a span, a data point, a log record) come before it. Called in the order of the
 * body, from the reader's thread.
 */
#pragma once

#include <stdint.h>

#include "common/arena.h"
#include "common/error.h"
#include "gateway/ingest/otlp_log.h"
#include "gateway/ingest/otlp_metric.h"
#include "gateway/ingest/otlp_span.h"

struct otlp_sink {
    void *context;
    /* Each is valid until the next one of its kind; what an item holds only during the call. */
    void (*on_resource)(void *context, const struct otlp_resource *resource);
    void (*on_scope)(void *context, const struct otlp_scope *scope);

    /* Of the signal that is read; the others are NULL. They give NULL, or why no more items are taken
     * (static): the reader ends with ERR_TOO_LARGE then. */
    const char *(*on_span)(void *context, struct otlp_span *span);
    void (*on_metric)(void *context, const struct otlp_metric *metric); /* before its points */
    const char *(*on_point)(void *context, struct otlp_point *point);
    const char *(*on_log)(void *context, struct otlp_log *log);

    struct arena *resource_arena; /* the reader resets each before it reads the next of its kind */
    struct arena *scope_arena;
    struct arena *metric_arena;
    struct arena *item_arena;
};
