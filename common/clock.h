/*
 * clock: the only calls of the clock. Everything else takes the time as an argument. Thread-safe.
 */
#pragma once

#include <stdint.h>

/* Microseconds since 1970, may jump. For what is stored. */
int64_t clock_wall_us(void);

/* Milliseconds of a clock that never goes back. For deadlines and ages. */
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
