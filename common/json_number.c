#include "common/json_number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool json_number_int64(struct slice number, int64_t *out)
{
    bool negative = number.len > 0 && number.data[0] == '-';
    int64_t value = 0;
    if (number.len == (size_t)negative) {
        return false;
    }
    for (size_t i = negative; i < number.len; i++) {
        int digit = number.data[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value)) {
            return false;
        }
    }
    /* Counted downwards, where int64 reaches further. */
    if (!negative && value == INT64_MIN) {
        return false;
    }
    *out = negative ? value : -value;
    return true;
}

bool json_number_double(struct slice number, double *out)
{
    char text[JSON_NUMBER_MAX + 1];
    if (number.len == 0 || number.len > JSON_NUMBER_MAX) {
        return false;
    }
    memcpy(text, number.data, number.len);
    text[number.len] = '\0';
    char *end;
    double value = strtod(text, &end);
    if (end != text + number.len || !isfinite(value)) {
        return false;
    }
    *out = value;
    return true;
}

bool json_number_whole(struct slice number, int64_t *out)
{
    const double most = 9007199254740992.0;
    double value;
    if (json_number_int64(number, out)) {
        return true;
    }
    if (!json_number_double(number, &value) || value < -most || value > most ||
        (double)(int64_t)value != value) {
        return false;
    }
    *out = (int64_t)value;
    return true;
}
