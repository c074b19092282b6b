/*
 * usage: token counts and costs as clients spell them (contract/langfuse.md section 2.5) -> one map
 * each, and the sums that lists and daily need. Pure; all slices borrow from what was given.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/slice.h"
#include "proto/row.h"

enum { USAGE_KEYS_MAX = 64, USAGE_KEY_MAX = 200 };

/* More keys than USAGE_KEYS_MAX, longer ones than USAGE_KEY_MAX bytes and counts beyond validate.h's
 * bound are left out. */
struct usage {
    uint32_t count;
    struct usage_entry {
        struct slice key;
        int64_t tokens; /* not negative */
    } entries[USAGE_KEYS_MAX];
};

/* Replaces, or adds at the end. Negative ones are left out. */
void usage_set(struct usage *usage, struct slice key, int64_t tokens);

/* -1: absent. */
int64_t usage_get(const struct usage *usage, const char *key);

/* Takes the tokens of part out of those of whole, down to 0; nothing when either is absent. */
void usage_subtract(struct usage *usage, const char *whole, const char *part);

/* An object of the forms OpenAI chat, OpenAI responses, or free; anything but an object: none. It
 * has been validated. */
void usage_read(struct usage *usage, struct slice json, struct arena *arena);

/* Adds a total of all where none is given. */
void usage_add_total(struct usage *usage);

/* Sum of all keys that contain the word: "input", "output". -1: there is none. */
int64_t usage_sum(const struct usage *usage, const char *word);

/* Sets usage_details, {} when empty, and the three sums. */
void usage_to_row(const struct usage *usage, struct arena *arena, struct row *row);

struct costs {
    uint32_t count;
    struct costs_entry {
        struct slice key;
        struct slice amount; /* JSON number text, storable, not negative */
    } entries[USAGE_KEYS_MAX];
};

void costs_set(struct costs *costs, struct slice key, struct slice amount);

/* An object of numbers; what is no number or negative is left out. It has been validated. */
void costs_read(struct costs *costs, struct slice json, struct arena *arena);

/* Adds the total where only input and output (or one of them) are given. */
void costs_add_total(struct costs *costs, struct arena *arena);

/* Sets cost_details, and the three sums where there is a total: the parts of other maps need not be all of
 * it. Nothing when there are no costs. */
void costs_to_row(const struct costs *costs, struct arena *arena, struct row *row);
