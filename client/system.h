/*
 * system: the only calls of the clock and of the random pool, and the check of the structs that
 * callers hand in. Thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds of a clock that never goes back. */
int64_t xtrace_monotonic_ms(void);

uint32_t xtrace_random_u32(void);

/*
 * Copies a caller's struct, which begins with its size, over own, which has its defaults already: a
 * struct of a later version is cut, so that what this version knows is taken. False when size was
 * never set or is smaller than least, the size of the first version.
 */
bool xtrace_take_struct(void *own, size_t own_size, size_t least, const void *theirs);
