/*
 * sessions_sql: what the statements about sessions and runs have in common. `t` is a row of traces, `o`
 * one of observations; $1 is the project.
 */
#pragma once

#include "gateway/read/traces_sql.h"

/* clang-format off */

/* An id that an application keeps in metadata: turn_id, run_id. Numbers count as their text. Longer ones
 * are not in the index of migrations/0003_sessions.sql, and not found. */
#define SQL_METADATA_ID_IS(row, key, parameter)                                                    \
    "(" row ".metadata ->> '" key "' = " parameter                                                 \
    " AND octet_length(" row ".metadata ->> '" key "') <= 800)"

/* Sums over observations, for SQL_TOTALS. */
#define SQL_SUMS                                                                                   \
    "count(*) AS observations, count(*) FILTER (WHERE o.level = 'ERROR') AS errors,"               \
    " sum(o.prompt_tokens) AS input, sum(o.completion_tokens) AS output,"                          \
    " sum(" SQL_TOTAL_TOKENS ") AS total, sum(" SQL_OBSERVATION_COST ") AS cost"

/* Members of a session's or a run's object; `s` has traces, and SQL_SUMS once more summed up. */
#define SQL_TOTALS                                                                                 \
    "'countTraces', s.traces, 'countObservations', s.observations, 'countErrors', s.errors,"       \
    " 'promptTokens', " SQL_INT64("coalesce(s.input, 0)") ","                                      \
    " 'completionTokens', " SQL_INT64("coalesce(s.output, 0)") ","                                 \
    " 'totalTokens', " SQL_INT64("coalesce(s.total, 0)") ", 'totalCost', coalesce(s.cost, 0)"
#define SQL_SUMMED_UP                                                                              \
    "coalesce(sum(o.observations), 0) AS observations, coalesce(sum(o.errors), 0) AS errors,"      \
    " sum(o.input) AS input, sum(o.output) AS output, sum(o.total) AS total"

/* When a step was last heard of, and the order of the latest first. */
#define SQL_STEP_TIME    "coalesce(greatest(o.start_time, o.end_time), o.created_at)"
#define SQL_LATEST_FIRST SQL_STEP_TIME " DESC, o.created_at DESC, o.id DESC"

/* How a step stands: in its own words (metadata.status), else by its level and whether it has ended. */
#define SQL_STATUS                                                                                 \
    "CASE WHEN o.id IS NULL THEN NULL"                                                             \
    " WHEN jsonb_typeof(o.metadata -> 'status') = 'string' THEN o.metadata ->> 'status'"           \
    " WHEN o.level = 'ERROR' THEN 'error'"                                                         \
    " WHEN o.start_time IS NOT NULL AND o.end_time IS NULL AND o.type IS DISTINCT FROM 'EVENT'"    \
    " THEN 'running' ELSE 'success' END"

/* The latest step's object; `o` may be all null. */
#define SQL_LATEST(trace_id)                                                                       \
    "json_build_object('traceId', " trace_id ", 'observationId', o.id, 'name', o.name,"            \
    " 'type', CASE WHEN o.id IS NOT NULL THEN coalesce(o.type, 'GENERATION') END,"                 \
    " 'stepType', o.metadata ->> 'step_type', 'status', " SQL_STATUS ","                           \
    " 'level', CASE WHEN o.id IS NOT NULL THEN coalesce(o.level, 'DEFAULT') END,"                  \
    " 'statusMessage', o.status_message, 'timestamp', " READ_SQL_TIME(SQL_STEP_TIME) ")"

/* clang-format on */
