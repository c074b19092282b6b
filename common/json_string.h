/*
 * json_string: the inside of JSON strings, for json_read.c only: validation, patching, unescaping.
 * Pure.
 */
#pragma once

#include <stdbool.h>

#include "common/arena.h"
#include "common/slice.h"

/*
 * Passes a string from behind its opening quote to behind its closing one. NULL when it is not
 * valid: then *wrong says why and *wrong_at where. *escaped: it holds escapes. What PostgreSQL
 * cannot hold is replaced in the text (json_read.h).
 */
char *json_string_pass(char *at, char *end, bool *escaped, const char **wrong, char **wrong_at);

/* The bytes of a string that was passed, without its quotes. The result lies in the arena. */
struct slice json_string_unescape(struct slice inside, struct arena *arena);
