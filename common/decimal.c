#include "common/decimal.h"

#include <assert.h>
#include <stdint.h>

/*
 * A number is looked at in place. Its digits, without the point, have indexes 0, 1, ...; digit i
 * stands for 10^(top - i). first and last are the outermost digits that are not zero.
 */
struct decimal {
    const char *digits; /* borrowed; the point may lie within */
    int64_t point;      /* index of the first digit after the point */
    int64_t top;
    int64_t first, last;
    int64_t scale; /* digits after the point as written, exponent included; 0 at least */
    bool negative;
    bool zero;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t count_digits(const char *at, const char *end)
{
    const char *begin = at;
    while (at < end && is_digit(*at)) {
        at++;
    }
    return (size_t)(at - begin);
}

static char digit_at(const struct decimal *decimal, int64_t index)
{
    return decimal->digits[index < decimal->point ? index : index + 1];
}

/* "e-7" at the end of a number; cut off far beyond what is storable. */
static bool parse_exponent(const char *at, const char *end, int64_t *out)
{
    enum { ENOUGH = 1000000 };
    *out = 0;
    if (at == end) {
        return true;
    }
    if (*at != 'e' && *at != 'E') {
        return false;
    }
    at++;
    bool negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    size_t count = count_digits(at, end);
    if (count == 0 || at + count != end) {
        return false;
    }
    for (; at < end && *out < ENOUGH; at++) {
        *out = *out * 10 + (*at - '0');
    }
    *out = negative ? -*out : *out;
    return true;
}

/* False when text is not a JSON number. */
static bool parse(struct slice text, struct decimal *decimal)
{
    const char *at = text.data;
    const char *end = text.len > 0 ? at + text.len : at;
    int64_t exponent;
    decimal->negative = at < end && *at == '-';
    at += decimal->negative;

    decimal->digits = at;
    size_t whole = count_digits(at, end);
    if (whole == 0 || (whole > 1 && *at == '0')) {
        return false;
    }
    at += whole;
    size_t fraction = 0;
    if (at < end && *at == '.') {
        fraction = count_digits(at + 1, end);
        if (fraction == 0) {
            return false;
        }
        at += 1 + fraction;
    }
    if (!parse_exponent(at, end, &exponent)) {
        return false;
    }
    decimal->point = (int64_t)whole;
    decimal->top = (int64_t)whole - 1 + exponent;
    decimal->scale = (int64_t)fraction - exponent;
    decimal->scale = decimal->scale > 0 ? decimal->scale : 0;
    decimal->first = 0;
    decimal->last = (int64_t)(whole + fraction) - 1;
    while (decimal->first <= decimal->last && digit_at(decimal, decimal->first) == '0') {
        decimal->first++;
    }
    while (decimal->last > decimal->first && digit_at(decimal, decimal->last) == '0') {
        decimal->last--;
    }
    decimal->zero = decimal->first > decimal->last;
    return true;
}

bool decimal_is_storable(struct slice number)
{
    struct decimal decimal;
    if (!parse(number, &decimal)) {
        return false;
    }
    return decimal.zero || (decimal.top - decimal.first < DECIMAL_INTEGER_DIGITS_MAX &&
                            decimal.last - decimal.top <= DECIMAL_FRACTION_DIGITS_MAX);
}

static int64_t floor_quarter(int64_t power)
{
    return power >= 0 ? power / 4 : -((3 - power) / 4);
}

/* The base-10000 digit of 10000^group. */
static uint16_t group_value(const struct decimal *decimal, int64_t group)
{
    int value = 0;
    for (int64_t power = group * 4 + 3; power >= group * 4; power--) {
        int64_t index = decimal->top - power;
        bool within = index >= decimal->first && index <= decimal->last;
        value = value * 10 + (within ? digit_at(decimal, index) - '0' : 0);
    }
    return (uint16_t)value;
}

void decimal_append_binary(struct buf *buf, struct slice number)
{
    enum { SIGN_NEGATIVE = 0x4000 };
    struct decimal decimal;
    bool valid = parse(number, &decimal);
    assert(valid);
    (void)valid;
    /* Zeros behind the last storable digit are not worth showing. */
    int64_t scale =
        decimal.scale < DECIMAL_FRACTION_DIGITS_MAX ? decimal.scale : DECIMAL_FRACTION_DIGITS_MAX;
    int64_t weight = decimal.zero ? 0 : floor_quarter(decimal.top - decimal.first);
    int64_t lowest = decimal.zero ? 1 : floor_quarter(decimal.top - decimal.last);
    buf_append_be16(buf, (uint16_t)(weight - lowest + 1));
    buf_append_be16(buf, (uint16_t)weight);
    buf_append_be16(buf, decimal.negative && !decimal.zero ? SIGN_NEGATIVE : 0);
    buf_append_be16(buf, (uint16_t)scale);
    for (int64_t group = weight; group >= lowest; group--) {
        buf_append_be16(buf, group_value(&decimal, group));
    }
}
