/*
 * money: exact amounts of USD: prices, and prices times counts. Fixed point; nothing is ever rounded. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/slice.h"

enum {
    MONEY_PRICE_DIGITS_MAX = 9,   /* of a price, before the point */
    MONEY_AMOUNT_DIGITS_MAX = 30, /* of an amount that a client gives */
    MONEY_FRACTION_DIGITS = 36,   /* behind the point */
    MONEY_LIMBS = 8,
};

/* What a price may be times what a count may be, summed up over all kinds of tokens, stays far from the
 * end: 36 digits before the point. */
struct money {
    uint32_t limbs[MONEY_LIMBS]; /* base 10^9, the lowest first; the first four are the fraction */
};

/* number: JSON number text. False: negative, or more digits than a price may have (leading zeros and zeros at
 * the end do not count). */
bool money_parse(struct slice number, struct money *out);

/* The same with the digits of an amount: to be added, a million of them at most, never to be multiplied. */
bool money_parse_amount(struct slice number, struct money *out);

/* count: 0 to 10^18; of a price. */
struct money money_times(const struct money *price, int64_t count);

void money_add(struct money *sum, const struct money *more);

/* As a JSON number without exponent and without zeros at the end. */
void money_print(const struct money *money, struct buf *out);
