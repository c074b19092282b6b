/*
 * validate: the rules that hold for a row whatever protocol it came by, so that PostgreSQL takes
 * what the gateway passes on. Third step of the ingest line; every decoder calls it on each row
 * before it packs it. Pure; not thread-safe only in that the arena is one owner's.
 *
 *   ids             present, not empty, at most ROW_ID_MAX bytes, no carriage return
 *   what is indexed at most ROW_ID_MAX bytes (user, session, external id, model, a tag)
 *   metric names    not empty, at most ROW_ID_MAX bytes
 *   short texts     at most ROW_NAME_MAX bytes
 *   tags            at most ROW_TAGS_MAX
 *   token counts    0 to VALIDATE_TOKENS_MAX
 *   times           within common/rfc3339.h's bounds
 *   numbers         finite; decimals within common/decimal.h's bounds
 *
 * Payloads (input, output, metadata, ...) and status messages are bounded by the body alone: what
 * the JSON reader passes, PostgreSQL takes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "proto/row.h"

/* One quintillion: the sum of two of them is still far from the end of a bigint. */
#define VALIDATE_TOKENS_MAX INT64_C(1000000000000000000)

#define VALIDATE_NO_INDEX UINT32_MAX

/* The first rule that a row breaks. The decoder knows what the client calls the column. */
struct violation {
    uint32_t column;
    uint32_t index;     /* of the tag; VALIDATE_NO_INDEX when the value as a whole is meant */
    const char *reason; /* static; for people, without payload */
};

/* False: violation says why. The arena is used for unescaping tags. */
bool validate_row(const struct row *row, struct arena *arena, struct violation *violation);
