/*
 * rfc3339: times on the wire. Microseconds since 1970-01-01T00:00:00Z, proleptic Gregorian. Pure.
 * Source: RFC 3339 section 5.6; leap second :60 is taken as the next second.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"

/* What PostgreSQL's timestamptz holds and RFC 3339 can write: years 0001 to 9999. */
#define RFC3339_MIN_US INT64_C(-62135596800000000)
#define RFC3339_MAX_US INT64_C(253402300799999999)

/*
 * A date, then T, t or one blank, then a time with Z, z or an offset +hh:mm. Fractions of any
 * length are cut to microseconds. Whole minutes may come without seconds, as Java prints them.
 * No date-only, no missing offset, no epoch numbers: false.
 */
bool rfc3339_parse(struct slice text, int64_t *out_us);

enum { RFC3339_SIZE = 32 };
/* "2026-01-01T00:00:00.000001Z", always six digits of fraction; NUL-terminated; returns the length.
 * us must lie within the bounds above. */
size_t rfc3339_format(int64_t us, char out[RFC3339_SIZE]);
