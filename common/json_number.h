/*
 * json_number: the text of a JSON number, as json_read hands it out, as a number of C. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"

enum { JSON_NUMBER_MAX = 400 /* characters */, JSON_EXPONENT_MAX = 1000 };

/* The number's text as an integer. False when it has a fraction or exponent or leaves int64. */
bool json_number_int64(struct slice number, int64_t *out);
/* The same of 12.0 and 1.2e1; beyond 2^53 only of digits alone. */
bool json_number_whole(struct slice number, int64_t *out);
/* Nearest double; never NaN; false when beyond the double's range, or JSON_NUMBER_MAX. */
bool json_number_double(struct slice number, double *out);
