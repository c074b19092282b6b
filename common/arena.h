/*
 * arena: memory that is freed all at once. One owner, not thread-safe. Allocation dies rather than
 * fails (see buf.h).
 */
#pragma once

#include <stddef.h>

#include "common/slice.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *_chunks; /* newest first */
    size_t used;                 /* bytes handed out since the last reset */
};

#define ARENA_EMPTY ((struct arena){NULL, 0})

void arena_finish(struct arena *arena);

/* Everything handed out is gone; the largest chunk is kept for the next round. */
void arena_reset(struct arena *arena);

/* Aligned for any type; the bytes are not cleared. len 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t len);
void *arena_zalloc(struct arena *arena, size_t len);
struct slice arena_copy(struct arena *arena, struct slice slice);
/* A NUL-terminated copy. */
char *arena_text(struct arena *arena, struct slice slice);

/* malloc and realloc that end the process with a line on stderr when memory is gone. */
void *memory_alloc(size_t len);
void *memory_zalloc(size_t len);
void *memory_resize(void *old, size_t len);
char *memory_text(const char *text);
