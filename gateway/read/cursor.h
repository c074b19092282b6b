/*
 * cursor: where a page ended, as the client brings it back: the time and the ids of its last row. Opaque to
 * clients: URL-safe base64 of the parts in CURSOR_TEXT. Pure; thread-safe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/error.h"

/* SQL for the text of a cursor: microseconds, then each id behind a carriage return, which no id holds.
 * ids: one or more CURSOR_SQL_ID. */
#define CURSOR_SQL_ID(id) " || chr(13) || " id
#define CURSOR_SQL(time, ids)                                                                      \
    "translate(encode(convert_to((extract(epoch FROM " time ") * 1000000)::bigint::text" ids       \
    ", 'UTF8'), 'base64'), '+/=' || chr(10), '-_')"

/* ids: count of them, in the arena. ERR_INVALID: no cursor of ours. */
MUST_CHECK enum err cursor_read(const char *text, struct arena *arena, int64_t *time_us,
                                const char **ids, size_t count, struct error *error);
