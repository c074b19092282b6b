/*
 * limit: a token bucket for each credential, as GCRA (one theoretical arrival time a bucket).
 * Thread-safe; bounded memory. Time is an argument.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct limit;

enum { LIMIT_KEY_SIZE = 32, LIMIT_KEYS_MAX = 10000, LIMIT_TOP = 20 };

/* Since the limit was created. */
struct limit_stats {
    uint64_t allowed;
    uint64_t rejected;
    uint32_t top_count;
    struct {
        uint8_t key[LIMIT_KEY_SIZE];
        uint64_t rejected;
    } top[LIMIT_TOP]; /* those rejected most often, the most first */
};

/* qps a second sustained, burst at once. Returns NULL, which limits nothing, when either is 0. */
struct limit *limit_create(int64_t qps, int64_t burst);
/* NULL is fine. */
void limit_destroy(struct limit *limit);

/* now_us: a clock that never goes back. False: too many; *retry_after_s (at least 1) is when the
 * next one may come. limit may be NULL. */
bool limit_take(struct limit *limit, const uint8_t key[LIMIT_KEY_SIZE], int64_t now_us,
                int64_t *retry_after_s);

/* limit may be NULL: all zero. */
void limit_read_stats(struct limit *limit, struct limit_stats *out);
