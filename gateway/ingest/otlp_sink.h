/*
 * otlp_sink: where the readers of OTLP put what they read, and what they read it with. Resource and
 * scope of a span come before it. Called in the order of the body, from the reader's thread.
 */
#pragma once

#include <stdint.h>

#include "common/arena.h"
#include "common/error.h"
#include "gateway/ingest/otlp_span.h"

struct otlp_sink {
    void *context;
    /* Each is valid until the next one of its kind; what a span holds only during the call. */
    void (*on_resource)(void *context, const struct otlp_resource *resource);
    void (*on_scope)(void *context, const struct otlp_scope *scope);
    /* NULL, or why no more spans are taken (static): the reader ends with ERR_TOO_LARGE then. */
    const char *(*on_span)(void *context, struct otlp_span *span);

    struct arena *resource_arena; /* the reader resets each before it reads the next of its kind */
    struct arena *scope_arena;
    struct arena *span_arena;
};
