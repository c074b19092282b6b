/*
 * texts: a JSON array of strings (COLUMN_TEXTS) as a list. Memory is the arena's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/slice.h"

struct texts {
    struct slice *values;
    uint32_t count;
};

/* False (and an empty list) when json is anything else. */
bool texts_parse(struct slice json, struct arena *arena, struct texts *out);

/* As PostgreSQL compares text[] COLLATE "C". */
int texts_compare(const struct texts *a, const struct texts *b);

/* Each text once, sorted bytewise, as a JSON array. */
struct slice texts_union(const struct texts *a, const struct texts *b, struct arena *arena);
