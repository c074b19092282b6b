/*
 * otlp_build: what both readers of OTLP need to fill a span: growing arrays, bounds, hex digits,
 * base64, texts that PostgreSQL takes. Not thread-safe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "gateway/ingest/otlp_span.h"

/* What is being read: a resource, a scope or a span. */
struct otlp_build {
    struct arena *arena;      /* of what is read */
    struct otlp_fault *fault; /* of what is read; the first one stays */
    const char *field;        /* static: the present field, for faults; NULL: none */
    uint32_t value_count;     /* attributes and elements so far */
    size_t control_count;     /* characters that JSON writes six times as long */
};

/* A new item of size bytes at the end of an OTLP_LIST of such, zeroed. */
void *otlp_list_add(void *list, size_t size, struct arena *arena);

void otlp_build_fail(struct otlp_build *build, const char *reason);

/* Counts one more value; false: there are too many, which is a fault. */
bool otlp_build_count(struct otlp_build *build);

/* Adds an attribute unless it says nothing. */
void otlp_build_attribute(struct otlp_build *build, struct attributes *list,
                          const struct attribute *attribute);

/* Beyond OTLP_CONTROLS_MAX control characters of what is read: a fault, for it is no text.
 * text itself when it is valid UTF-8 without U+0000; else a copy in which U+FFFD stands for each
 * byte that is not. */
struct slice otlp_build_text(struct otlp_build *build, struct slice text);

struct slice otlp_build_base64(struct otlp_build *build, struct slice bytes);

/* Sets id (2 * size + 1 bytes) to lower-case hex digits, or to "" when bytes are none or all zero.
 * Any other size is a fault. */
void otlp_build_id(struct otlp_build *build, struct slice bytes, size_t size, char *id);

/* The same from hex digits of any case. */
void otlp_build_hex_id(struct otlp_build *build, struct slice hex, size_t size, char *id);
