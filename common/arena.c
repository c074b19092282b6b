#include "common/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_MIN = 16 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t used;
    size_t capacity;
    alignas(max_align_t) char data[];
};

static void *must_have(void *memory)
{
    if (memory == NULL) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *memory_alloc(size_t len)
{
    return must_have(malloc(len > 0 ? len : 1));
}

void *memory_zalloc(size_t len)
{
    return must_have(calloc(1, len > 0 ? len : 1));
}

void *memory_resize(void *old, size_t len)
{
    return must_have(realloc(old, len > 0 ? len : 1));
}

char *memory_text(const char *text)
{
    return must_have(strdup(text));
}

void arena_finish(struct arena *arena)
{
    while (arena->_chunks != NULL) {
        struct arena_chunk *chunk = arena->_chunks;
        arena->_chunks = chunk->next;
        free(chunk);
    }
    arena->used = 0;
}

void arena_reset(struct arena *arena)
{
    struct arena_chunk *kept = NULL;
    while (arena->_chunks != NULL) {
        struct arena_chunk *chunk = arena->_chunks;
        arena->_chunks = chunk->next;
        if (kept == NULL || chunk->capacity > kept->capacity) {
            free(kept);
            kept = chunk;
        } else {
            free(chunk);
        }
    }
    if (kept != NULL) {
        kept->next = NULL;
        kept->used = 0;
    }
    arena->_chunks = kept;
    arena->used = 0;
}

void *arena_alloc(struct arena *arena, size_t len)
{
    size_t align = alignof(max_align_t);
    len = (len + align - 1) & ~(align - 1);
    struct arena_chunk *chunk = arena->_chunks;
    if (chunk == NULL || chunk->capacity - chunk->used < len) {
        /* Doubling keeps the number of chunks small, so that one reset soon fits a whole round. */
        size_t capacity = chunk == NULL ? CHUNK_MIN : chunk->capacity * 2;
        if (capacity < len) {
            capacity = len;
        }
        chunk = memory_alloc(sizeof(*chunk) + capacity);
        *chunk = (struct arena_chunk){.next = arena->_chunks, .capacity = capacity};
        arena->_chunks = chunk;
    }
    void *memory = chunk->data + chunk->used;
    chunk->used += len;
    arena->used += len;
    return memory;
}

void *arena_zalloc(struct arena *arena, size_t len)
{
    return memset(arena_alloc(arena, len), 0, len);
}

struct slice arena_copy(struct arena *arena, struct slice slice)
{
    char *data = arena_alloc(arena, slice.len);
    if (slice.len > 0) {
        memcpy(data, slice.data, slice.len);
    }
    return (struct slice){data, slice.len};
}

char *arena_text(struct arena *arena, struct slice slice)
{
    char *text = arena_alloc(arena, slice.len + 1);
    if (slice.len > 0) {
        memcpy(text, slice.data, slice.len);
    }
    text[slice.len] = '\0';
    return text;
}
