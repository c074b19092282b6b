#include "writer/series.h"

#include <stdlib.h>

#include "writer/hash.h"

enum { PARTS = 4, SIZE_MIN = 1024 };

struct series_entry {
    uint64_t hash;
    int64_t id;       /* 0: free */
    const char *text; /* the parts one after the other */
    uint32_t lens[PARTS];
};

static void get_parts(const struct series_key *key, struct slice parts[PARTS])
{
    parts[0] = key->project;
    parts[1] = key->name;
    parts[2] = key->environment;
    parts[3] = key->labels;
}

static uint64_t hash_parts(const struct series *series, const struct slice parts[PARTS])
{
    uint64_t hash = series->_seed;
    for (int i = 0; i < PARTS; i++) {
        hash = hash_slice(hash, parts[i]);
    }
    return hash;
}

static void half_finish(struct series_half *half)
{
    free(half->entries);
    arena_finish(&half->arena);
    *half = (struct series_half){.arena = ARENA_EMPTY};
}

void series_init(struct series *series)
{
    *series = (struct series){._young = {.arena = ARENA_EMPTY}, ._old = {.arena = ARENA_EMPTY}};
    series->_seed = hash_seed();
}

void series_finish(struct series *series)
{
    series_forget(series);
}

void series_forget(struct series *series)
{
    half_finish(&series->_young);
    half_finish(&series->_old);
}

static bool is_key(const struct series_entry *entry, uint64_t hash, const struct slice parts[PARTS])
{
    if (entry->hash != hash) {
        return false;
    }
    const char *at = entry->text;
    for (int i = 0; i < PARTS; i++) {
        if (!slice_equals((struct slice){at, entry->lens[i]}, parts[i])) {
            return false;
        }
        at += entry->lens[i];
    }
    return true;
}

static const struct series_entry *half_find(const struct series_half *half, uint64_t hash,
                                            const struct slice parts[PARTS])
{
    if (half->size == 0) {
        return NULL;
    }
    uint32_t mask = half->size - 1;
    for (uint32_t slot = (uint32_t)hash & mask; half->entries[slot].id != 0;
         slot = (slot + 1) & mask) {
        if (is_key(&half->entries[slot], hash, parts)) {
            return &half->entries[slot];
        }
    }
    return NULL;
}

static void put_entry(struct series_half *half, const struct series_entry *entry)
{
    uint32_t mask = half->size - 1;
    uint32_t slot = (uint32_t)entry->hash & mask;
    while (half->entries[slot].id != 0) {
        slot = (slot + 1) & mask;
    }
    half->entries[slot] = *entry;
}

static void make_room(struct series_half *half)
{
    if (half->count < half->size / 2) {
        return;
    }
    struct series_entry *before = half->entries;
    uint32_t size = half->size;
    half->size = size == 0 ? SIZE_MIN : size * 2;
    half->entries = memory_zalloc(half->size * sizeof(*half->entries));
    for (uint32_t i = 0; i < size; i++) {
        if (before[i].id != 0) {
            put_entry(half, &before[i]);
        }
    }
    free(before);
}

static void put(struct series *series, uint64_t hash, const struct slice parts[PARTS], int64_t id)
{
    struct series_half *young = &series->_young;
    if (young->count == SERIES_HALF_MAX || young->arena.used > SERIES_HALF_BYTES_MAX) {
        half_finish(&series->_old);
        series->_old = *young;
        *young = (struct series_half){.arena = ARENA_EMPTY};
    }
    make_room(young);
    struct series_entry entry = {.hash = hash, .id = id};
    size_t len = 0;
    for (int i = 0; i < PARTS; i++) {
        entry.lens[i] = (uint32_t)parts[i].len;
        len += parts[i].len;
    }
    char *text = arena_alloc(&young->arena, len);
    entry.text = text;
    for (int i = 0; i < PARTS; i++) {
        if (parts[i].len > 0) {
            memcpy(text, parts[i].data, parts[i].len);
        }
        text += parts[i].len;
    }
    put_entry(young, &entry);
    young->count++;
}

int64_t series_find(struct series *series, const struct series_key *key)
{
    struct slice parts[PARTS];
    get_parts(key, parts);
    uint64_t hash = hash_parts(series, parts);
    const struct series_entry *entry = half_find(&series->_young, hash, parts);
    if (entry != NULL) {
        return entry->id;
    }
    entry = half_find(&series->_old, hash, parts);
    if (entry == NULL) {
        return 0;
    }
    int64_t id = entry->id; /* put may forget the half that it is in */
    put(series, hash, parts, id);
    return id;
}

void series_put(struct series *series, const struct series_key *key, int64_t id)
{
    struct slice parts[PARTS];
    get_parts(key, parts);
    put(series, hash_parts(series, parts), parts, id);
}
