/*
 * scores_sql: the objects of scores, as pieces of static SQL text: one definition for every reader. `s` is a
 * row of scores, `t` the trace it is of, which may be all null; $1 is the project.
 *
 * A type shows its value in its own way, whatever the row has: NUMERIC a number; BOOLEAN 0 or 1 and its word;
 * CATEGORICAL and CORRECTION a text and the number 0, there being no configurations of scores; TEXT a text
 * and no number at all.
 */
#pragma once

#include "gateway/read/read.h"

/* clang-format off */
#define SQL_SCORE_TYPE                                                                             \
    "coalesce(s.data_type, CASE WHEN s.string_value IS NULL THEN 'NUMERIC' ELSE 'CATEGORICAL' END)"
#define SQL_SCORE_SOURCE      "coalesce(s.source, 'API')"
#define SQL_SCORE_ENVIRONMENT "coalesce(s.environment, 'default')"

#define SQL_SCORE_NUMBER                                                                           \
    "CASE " SQL_SCORE_TYPE " WHEN 'TEXT' THEN NULL WHEN 'CORRECTION' THEN 0"                       \
    " WHEN 'CATEGORICAL' THEN coalesce(s.value, 0) ELSE s.value END"
#define SQL_SCORE_STRING                                                                           \
    "CASE " SQL_SCORE_TYPE " WHEN 'NUMERIC' THEN NULL"                                             \
    " WHEN 'BOOLEAN' THEN CASE WHEN s.value = 0 THEN 'False' WHEN s.value IS NOT NULL THEN 'True' END" \
    " ELSE coalesce(s.string_value, '') END"

#define SQL_SCORE_CORE                                                                             \
    "'id', s.id, 'projectId', s.project_id, 'traceId', s.trace_id,"                                \
    " 'observationId', s.observation_id, 'sessionId', s.session_id,"                               \
    " 'datasetRunId', s.dataset_run_id, 'name', s.name, 'source', " SQL_SCORE_SOURCE ","           \
    " 'dataType', " SQL_SCORE_TYPE ", 'stringValue', " SQL_SCORE_STRING ","                        \
    " 'comment', s.comment, 'configId', s.config_id, 'queueId', s.queue_id,"                       \
    " 'authorUserId', NULL, 'metadata', s.metadata, 'environment', " SQL_SCORE_ENVIRONMENT ","     \
    " 'timestamp', " READ_SQL_TIME("s.timestamp")                                                  \
    ", 'createdAt', " READ_SQL_TIME("s.created_at")                                                \
    ", 'updatedAt', " READ_SQL_TIME("s.updated_at")

/* more: further members, with a comma before each. */
#define SQL_SCORE_WITH(more)                                                                       \
    "CASE WHEN s.data_type = 'TEXT' THEN json_build_object(" SQL_SCORE_CORE more ")"               \
    " ELSE json_build_object(" SQL_SCORE_CORE ", 'value', " SQL_SCORE_NUMBER more ") END"

/* The object of versions 1 and 2. */
#define SQL_SCORE SQL_SCORE_WITH("")

/* What lists tell of the trace. */
#define SQL_SCORE_TRACE                                                                            \
    "json_build_object('userId', t.user_id, 'tags', coalesce(t.all_tags, '{}'),"                   \
    " 'environment', coalesce(t.environment, 'default'), 'sessionId', t.session_id)"
/* clang-format on */
