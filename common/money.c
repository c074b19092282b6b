#include "common/money.h"

#include <assert.h>

enum { LIMB_DIGITS = 9, FRACTION_LIMBS = MONEY_FRACTION_DIGITS / LIMB_DIGITS };

static const uint64_t BASE = 1000000000;
/* Far beyond what any digit may stand for. */
static const int64_t EXPONENT_ENOUGH = 1000000;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* digit * 10^power, which is to be less than 10^digits_max. */
static bool put_digit(struct money *money, char digit, int64_t power, int digits_max)
{
    if (digit == '0') {
        return true;
    }
    if (power >= digits_max || power < -MONEY_FRACTION_DIGITS) {
        return false;
    }
    uint64_t place = (uint64_t)(power + MONEY_FRACTION_DIGITS);
    uint32_t value = (uint32_t)(digit - '0');
    for (uint64_t i = 0; i < place % LIMB_DIGITS; i++) {
        value *= 10;
    }
    money->limbs[place / LIMB_DIGITS] += value;
    return true;
}

static bool parse_exponent(const char *at, const char *end, int64_t *out)
{
    bool negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    bool good = at < end;
    for (*out = 0; at < end; at++) {
        good = good && is_digit(*at);
        *out = *out < EXPONENT_ENOUGH ? *out * 10 + (*at - '0') : *out;
    }
    *out = negative ? -*out : *out;
    return good;
}

static bool parse(struct slice number, int digits_max, struct money *out)
{
    const char *at = number.data;
    const char *end = number.len > 0 ? at + number.len : at;
    const char *mantissa_end = at;
    const char *point = NULL;
    int64_t exponent = 0;
    *out = (struct money){{0}};
    for (; mantissa_end < end && (is_digit(*mantissa_end) || *mantissa_end == '.');
         mantissa_end++) {
        if (*mantissa_end == '.') {
            if (point != NULL) {
                return false;
            }
            point = mantissa_end;
        }
    }
    if (mantissa_end == at || point == at ||
        (mantissa_end < end && *mantissa_end != 'e' && *mantissa_end != 'E') ||
        (mantissa_end < end && !parse_exponent(mantissa_end + 1, end, &exponent))) {
        return false;
    }
    const char *whole_end = point != NULL ? point : mantissa_end;
    for (const char *c = at; c < mantissa_end; c++) {
        if (c == point) {
            continue;
        }
        int64_t power = c < whole_end ? whole_end - c - 1 : whole_end - c;
        if (!put_digit(out, *c, power + exponent, digits_max)) {
            return false;
        }
    }
    return true;
}

bool money_parse(struct slice number, struct money *out)
{
    return parse(number, MONEY_PRICE_DIGITS_MAX, out);
}

bool money_parse_amount(struct slice number, struct money *out)
{
    return parse(number, MONEY_AMOUNT_DIGITS_MAX, out);
}

struct money money_times(const struct money *price, int64_t count)
{
    struct money product = {{0}};
    uint64_t rest = (uint64_t)count;
    for (int shift = 0; rest > 0; shift++, rest /= BASE) {
        uint64_t carry = 0;
        for (int i = 0; i + shift < MONEY_LIMBS; i++) {
            uint64_t sum =
                product.limbs[i + shift] + (uint64_t)price->limbs[i] * (rest % BASE) + carry;
            product.limbs[i + shift] = (uint32_t)(sum % BASE);
            carry = sum / BASE;
        }
        assert(carry == 0);
    }
    return product;
}

void money_add(struct money *sum, const struct money *more)
{
    uint32_t carry = 0;
    for (int i = 0; i < MONEY_LIMBS; i++) {
        uint32_t limb = sum->limbs[i] + more->limbs[i] + carry;
        carry = limb >= BASE;
        sum->limbs[i] = carry != 0 ? limb - (uint32_t)BASE : limb;
    }
    assert(carry == 0);
}

/* Not by printf, with which it took a third of the writer's time. */
static void print_limb(struct buf *out, uint32_t limb, int width)
{
    char digits[LIMB_DIGITS];
    int at = LIMB_DIGITS;
    do {
        digits[--at] = (char)('0' + limb % 10);
        limb /= 10;
    } while (limb > 0);
    while (at > LIMB_DIGITS - width) {
        digits[--at] = '0';
    }
    buf_append(out, digits + at, (size_t)(LIMB_DIGITS - at));
}

void money_print(const struct money *money, struct buf *out)
{
    int top = MONEY_LIMBS - 1;
    while (top > FRACTION_LIMBS && money->limbs[top] == 0) {
        top--;
    }
    print_limb(out, money->limbs[top], 1);
    for (int i = top - 1; i >= FRACTION_LIMBS; i--) {
        print_limb(out, money->limbs[i], LIMB_DIGITS);
    }
    size_t whole = out->len;
    buf_append_char(out, '.');
    for (int i = FRACTION_LIMBS - 1; i >= 0; i--) {
        print_limb(out, money->limbs[i], LIMB_DIGITS);
    }
    while (out->data[out->len - 1] == '0') {
        out->len--;
    }
    if (out->len == whole + 1) {
        out->len = whole;
    }
}
