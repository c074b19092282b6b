/*
 * metrics_members: the JSON of a query of the metrics routes, before anybody knows what it means: the texts of its
 * members, and how they are read. Pure; thread-safe.
 */
#pragma once

#include <stdbool.h>

#include "common/arena.h"
#include "common/error.h"
#include "common/json_read.h"
#include "common/slice.h"

/* JSON texts without blanks around; NULL when absent or null. */
struct metrics_members {
    struct slice view;
    struct slice dimensions;
    struct slice metrics;
    struct slice filters;
    struct slice time_dimension;
    struct slice from;
    struct slice to;
    struct slice order_by;
    struct slice config;
};

/* ERR_INVALID: the text is not a JSON object. What is found is in the arena. */
MUST_CHECK enum err metrics_find_members(struct metrics_members *members, const char *json,
                                         struct arena *arena, struct error *error);

/* Of a text that was found. */
struct json_reader metrics_reader(struct arena *arena, struct slice raw);

/* False: it is absent, or no string. */
bool metrics_string(struct arena *arena, struct slice raw, struct slice *out);

/* Two members of an object that stands before the reader; absent and null leave a slice NULL. False: it is
 * no object. */
bool metrics_pair(struct json_reader *reader, const char *first, struct slice *first_raw,
                  const char *second, struct slice *second_raw);

/* A word of the request as a message may show it: not all of a long one. */
struct slice metrics_shown(struct slice word);
