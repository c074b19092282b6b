#include "writer/number.h"

#include <stdbool.h>
#include <stdint.h>

#include "common/json_read.h"

/* 0.digits * 10^point, without zeros at either end; no digits: zero. */
struct parts {
    bool negative;
    int digit_count;
    int64_t point;
    int fraction; /* digits written after the point */
    int64_t exponent;
    char digits[JSON_NUMBER_MAX];
};

static const char *read_digits(const char *at, const char *end, struct parts *parts)
{
    bool after_point = false;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            after_point = true;
            continue;
        }
        parts->fraction += after_point ? 1 : 0;
        parts->point += after_point ? 0 : 1;
        if (parts->digit_count == 0 && *at == '0') {
            parts->point--;
        } else if (parts->digit_count < JSON_NUMBER_MAX) {
            parts->digits[parts->digit_count++] = *at;
        }
    }
    while (parts->digit_count > 0 && parts->digits[parts->digit_count - 1] == '0') {
        parts->digit_count--;
    }
    return at;
}

static void split(struct slice number, struct parts *parts)
{
    const char *at = number.data;
    const char *end = at + number.len;
    parts->negative = at < end && *at == '-';
    parts->digit_count = 0;
    parts->point = 0;
    parts->fraction = 0;
    parts->exponent = 0;
    at = read_digits(at + parts->negative, end, parts);
    if (at < end) {
        at++;
        bool down = at < end && *at == '-';
        at += at < end && (*at == '-' || *at == '+');
        for (; at < end && parts->exponent < 1000000; at++) {
            parts->exponent = parts->exponent * 10 + (*at - '0');
        }
        parts->exponent = down ? -parts->exponent : parts->exponent;
    }
    parts->point += parts->exponent;
    if (parts->digit_count == 0) {
        parts->negative = false;
        parts->point = 0;
    }
}

static int compare_magnitude(const struct parts *a, const struct parts *b)
{
    if (a->digit_count == 0 || b->digit_count == 0) {
        return (a->digit_count > 0) - (b->digit_count > 0);
    }
    if (a->point != b->point) {
        return a->point < b->point ? -1 : 1;
    }
    return slice_compare((struct slice){a->digits, (size_t)a->digit_count},
                         (struct slice){b->digits, (size_t)b->digit_count});
}

int number_compare(struct slice a, struct slice b)
{
    struct parts left;
    struct parts right;
    split(a, &left);
    split(b, &right);
    if (left.negative != right.negative) {
        return left.negative ? -1 : 1;
    }
    int order = compare_magnitude(&left, &right);
    return left.negative ? -order : order;
}

int number_scale(struct slice number)
{
    struct parts parts;
    split(number, &parts);
    int64_t scale = parts.fraction - parts.exponent;
    return scale > 0 ? (int)scale : 0;
}
