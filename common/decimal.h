/*
 * decimal: exact decimal numbers (costs, prices) as text, from JSON to PostgreSQL's numeric. Pure.
 */
#pragma once

#include <stdbool.h>

#include "common/buf.h"
#include "common/slice.h"

enum { DECIMAL_INTEGER_DIGITS_MAX = 30, DECIMAL_FRACTION_DIGITS_MAX = 60 };

/* number: JSON number text, exponent allowed. False when it needs more digits than the bounds above
 * (leading and trailing zeros do not count). */
bool decimal_is_storable(struct slice number);

/* The binary form of numeric (PostgreSQL numeric_send: ndigits, weight, sign, dscale, base-10000
 * digits), without a length word. number must be storable. */
void decimal_append_binary(struct buf *buf, struct slice number);
