/*
 * number: compares JSON numbers by value, whatever their length. Pure.
 */
#pragma once

#include "common/slice.h"

/* <0, 0, >0. Both must be JSON number texts of at most JSON_NUMBER_MAX characters. */
int number_compare(struct slice a, struct slice b);

/* Digits after the point that PostgreSQL's numeric keeps of it (1.50 -> 2, 15e-1 -> 1). */
int number_scale(struct slice number);
