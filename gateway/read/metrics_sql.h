/*
 * metrics_sql: a parsed metrics query -> one statement and its values. Second step of the metrics routes.
 * Pure; thread-safe.
 *
 *     WITH groups AS MATERIALIZED (SELECT <time>, <dimensions>, <aggregates> FROM <view and joins>
 *         WHERE <project, range, filters> GROUP BY ...),
 *     rows AS (groups, and those buckets of time that have none)
 *     SELECT json_build_object(...) AS row, NULL::json AS meta FROM rows ORDER BY ... LIMIT ...
 *
 * The range includes both its ends. Buckets are filled from that of the first instant to that of the last
 * one before toTimestamp; a filled row has null for every dimension, and 0 where nothing was counted or
 * summed up. Without orderBy: by time, then by the first metric, greatest first; what is equal goes by the
 * dimensions. Null comes last in any order.
 */
#pragma once

#include "common/buf.h"
#include "common/error.h"
#include "gateway/read/metrics_parse.h"

struct read; /* gateway/read/read.h */

/* Appends to sql and binds what follows $1, which is bound already: the project. ERR_INVALID names the
 * filter's condition that is wrong. */
MUST_CHECK enum err metrics_sql(struct read *read, const struct metrics_request *request,
                                struct buf *sql, struct error *error);
