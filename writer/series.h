/*
 * series: the ids of metric series that the writer remembers, so that no point costs a look into the
 * table. Bounded: what was not asked for lately is forgotten. Only ids that are committed may be put
 * in. Pure; not thread-safe.
 */
#pragma once

#include <stdint.h>

#include "common/arena.h"
#include "common/slice.h"

struct series_key {
    struct slice project;
    struct slice name;
    struct slice environment;
    struct slice labels; /* canonical JSON text */
};

enum { SERIES_HALF_MAX = 100000, SERIES_HALF_BYTES_MAX = 32 * 1024 * 1024 };

struct series_entry;

/* Open addressing; keys lie in the arena. */
struct series_half {
    struct series_entry *entries; /* size of them; NULL while size is 0 */
    uint32_t size;                /* a power of two */
    uint32_t count;
    struct arena arena;
};

/* When the younger half is full, it becomes the older one, and what was there is forgotten. */
struct series {
    struct series_half _young;
    struct series_half _old;
    uint64_t _seed;
};

void series_init(struct series *series);
void series_finish(struct series *series);

void series_forget(struct series *series);

/* 0: not known. */
int64_t series_find(struct series *series, const struct series_key *key);
/* Copies the key. Must not be known yet; id is not 0. */
void series_put(struct series *series, const struct series_key *key, int64_t id);
