/*
 * traces_sql: what the statements over traces and observations have in common: pieces of static SQL
 * text. `t` is a row of traces, `o` one of observations; $1 is the project.
 */
#pragma once

#include "gateway/read/read.h"

/* When an observation began: what orders them, and an index has (migrations/0008_observations.sql). */
#define SQL_OBSERVATION_START "coalesce(o.start_time, o.created_at)"

/* An end before the start reads as the start. */
#define SQL_OBSERVATION_END                                                                        \
    "CASE WHEN o.end_time < o.start_time THEN o.start_time ELSE o.end_time END"

/* Without a parent; or a tracer said that its spans begin here, whatever the parent is. */
#define SQL_IS_ROOT                                                                                \
    "(o.parent_observation_id IS NULL"                                                             \
    " OR o.metadata -> 'attributes' ->> 'langfuse.internal.is_app_root' IS NOT DISTINCT FROM "     \
    "'true'"                                                                                       \
    " OR o.metadata -> 'attributes' ->> 'langfuse.internal.as_root' IS NOT DISTINCT FROM 'true')"

/* In seconds. */
#define SQL_OBSERVATION_LATENCY                                                                    \
    "coalesce(o.latency, xtrace_seconds(o.start_time, " SQL_OBSERVATION_END "))"
#define SQL_OBSERVATION_FIRST_TOKEN                                                                \
    "coalesce(o.time_to_first_token, xtrace_seconds(o.start_time, o.completion_start_time))"

/* Seconds from the first start to the last end, and the cost, over a trace's observations; the cost
 * of one as the view xtrace.observations has it. */
#define SQL_OBSERVATION_COST                                                                       \
    "coalesce(o.total_cost, o.input_cost + o.output_cost, o.input_cost, o.output_cost,"            \
    " o.computed_total_cost)"
#define SQL_TRACE_LATENCY "xtrace_seconds(min(o.start_time), max(" SQL_OBSERVATION_END "))"
#define SQL_TRACE_COST    "sum(" SQL_OBSERVATION_COST ")"

/* A short name is looked up in the index of short names. */
#define SQL_NAME_IS(parameter)                                                                     \
    "(" parameter "::text IS NULL OR (t.name = " parameter                                         \
    " AND (octet_length(t.name) <= 800 OR octet_length(" parameter ") > 800)))"

/* Tags as sent, or where they may have been joined with commas, the values between. */
#define SQL_HAS_TAGS(parts, whole)                                                                 \
    "(" parts "::text[] IS NULL OR t.all_tags @> " parts " OR t.all_tags @> " whole "::text[])"

#define SQL_ENVIRONMENT_IN(parameter)                                                              \
    "(" parameter "::text[] IS NULL OR t.environment = ANY(" parameter ")"                         \
    " OR (t.environment IS NULL AND 'default' = ANY(" parameter ")))"

/* Members of a trace's object but for input, output, metadata, latency, totalCost, observations and
 * scores. */
/* clang-format off */
#define SQL_TRACE_CORE                                                                             \
    "'id', t.id, 'timestamp', " READ_SQL_TIME("t.timestamp")                                       \
    ", 'name', t.name, 'sessionId', t.session_id, 'userId', t.user_id, 'release', t.release,"      \
    " 'version', t.version, 'externalId', t.external_id,"                                          \
    " 'environment', coalesce(t.environment, 'default'), 'tags', t.all_tags,"                      \
    " 'public', coalesce(t.public, false), 'bookmarked', coalesce(t.bookmarked, false),"           \
    " 'projectId', t.project_id,"                                                                  \
    " 'htmlPath', '/project/' || t.project_id || '/traces/' || t.id, 'createdAt', "                \
    READ_SQL_TIME("t.created_at") ", 'updatedAt', " READ_SQL_TIME("t.updated_at")
/* clang-format on */

/* Payloads are JSON text and come back as they were sent. */
#define SQL_TRACE_IO "'input', t.input::json, 'output', t.output::json, 'metadata', t.metadata"

/* A prompt's version as the number that it should be. */
#define SQL_PROMPT_VERSION                                                                         \
    "CASE WHEN o.prompt_version ~ '^[+-]?[0-9]{1,18}$' THEN o.prompt_version::bigint END"

/* Maps of an observation; `c` is SQL_OBSERVATION_SUMS. A protocol that sends usage as a map (usage_details is
 * never null then) sends costs as one too: nothing sent is an empty map, not zeros. */
#define SQL_USAGE_DETAILS                                                                          \
    "coalesce(o.usage_details::json,"                                                              \
    " json_build_object('input', c.input, 'output', c.output, 'total', c.total))"
#define SQL_COST_DETAILS                                                                           \
    "coalesce(o.cost_details::json, (CASE WHEN o.usage_details IS NULL"                            \
    " THEN '{\"input\":0,\"output\":0,\"total\":0}'::jsonb || o.computed_cost_details"             \
    " ELSE o.computed_cost_details END)::json,"                                                    \
    " CASE WHEN o.usage_details IS NULL THEN json_build_object('input', coalesce(o.input_cost, "   \
    "0), 'output', coalesce(o.output_cost, 0), 'total', coalesce(c.cost, 0)) ELSE '{}'::json END)"

/* Such a protocol counts tokens, unless it says otherwise. */
#define SQL_UNIT "coalesce(o.unit, CASE WHEN o.usage_details IS NOT NULL THEN 'TOKENS' END)"

/* Input or output as text: what was said is JSON text and comes back as it was sent; else what log records
 * said of it. */
#define SQL_PAYLOAD(side)                                                                          \
    "CASE WHEN o." side " IS NOT NULL THEN o." side                                                \
    " WHEN o.metadata ? 'logRecords' THEN xtrace_logged(o.metadata, '" side "') END"

/* A payload as the text that it was: a string without its quotes, anything else as JSON. */
#define SQL_AS_TEXT(payload)                                                                       \
    "CASE WHEN starts_with(" payload ", '\"') THEN " payload "::json #>> '{}'"                     \
    " ELSE " payload " END"

/* What the client said, else what prices make of it; `pr` is of SQL_OBSERVATION_SUMS too. */
#define SQL_MODEL_ID            "coalesce(o.model_id, o.priced_model_id)"
#define SQL_PRICE(column, kind) "coalesce(" column ", (pr.prices ->> '" kind "')::numeric)"
#define SQL_INPUT_PRICE         SQL_PRICE("o.input_price", "input")
#define SQL_OUTPUT_PRICE        SQL_PRICE("o.output_price", "output")
#define SQL_TOTAL_PRICE         SQL_PRICE("o.total_price", "total")
/* Kinds of tokens whose names contain the word. */
#define SQL_COST_OF(column, word)                                                                  \
    "coalesce(" column ", (SELECT sum(k.value::numeric)"                                           \
    " FROM jsonb_each_text(coalesce(o.cost_details, o.computed_cost_details)) k"                   \
    " WHERE k.key LIKE '%" word "%'))"
#define SQL_INPUT_COST  SQL_COST_OF("o.input_cost", "input")
#define SQL_OUTPUT_COST SQL_COST_OF("o.output_cost", "output")

/* An observation's object; `o` may be of any relation with the columns of observations. 43 members:
 * json_build_object takes 50. */
/* clang-format off */
#define SQL_OBSERVATION                                                                            \
    "json_build_object('id', o.id, 'traceId', o.trace_id, 'projectId', o.project_id,"              \
    " 'type', coalesce(o.type, 'GENERATION'), 'name', o.name, 'startTime', "                       \
    READ_SQL_TIME(SQL_OBSERVATION_START) ", 'endTime', "                                           \
    READ_SQL_TIME(SQL_OBSERVATION_END) ", 'completionStartTime', "                                 \
    READ_SQL_TIME("o.completion_start_time")                                                       \
    ", 'model', o.model, 'modelParameters', coalesce(o.model_parameters, '{}')::json,"             \
    " 'input', (" SQL_PAYLOAD("input") ")::json, 'output', (" SQL_PAYLOAD("output")                \
    ")::json, 'metadata', o.metadata,"                                                             \
    " 'version', o.version, 'level', coalesce(o.level, 'DEFAULT'),"                                \
    " 'statusMessage', o.status_message, 'parentObservationId', o.parent_observation_id,"          \
    " 'promptId', o.prompt_id, 'promptName', o.prompt_name,"                                       \
    " 'promptVersion', " SQL_PROMPT_VERSION ","                                                    \
    " 'modelId', " SQL_MODEL_ID ", 'inputPrice', " SQL_INPUT_PRICE ","                           \
    " 'outputPrice', " SQL_OUTPUT_PRICE ", 'totalPrice', " SQL_TOTAL_PRICE ","                     \
    " 'calculatedInputCost', pr.input_cost, 'calculatedOutputCost', pr.output_cost,"               \
    " 'calculatedTotalCost', c.cost,"                                                              \
    " 'usagePricingTierId', o.pricing_tier_id, 'usagePricingTierName', o.pricing_tier_name,"       \
    " 'latency', " SQL_OBSERVATION_LATENCY ", 'timeToFirstToken', " SQL_OBSERVATION_FIRST_TOKEN "," \
    " 'promptTokens', c.input, 'completionTokens', c.output, 'totalTokens', c.total,"              \
    " 'unit', " SQL_UNIT ","                                                                       \
    " 'usage', json_build_object('input', c.input, 'output', c.output, 'total', c.total,"          \
    " 'unit', " SQL_UNIT ", 'inputCost', pr.input_cost, 'outputCost', pr.output_cost,"             \
    " 'totalCost', c.cost), 'usageDetails', " SQL_USAGE_DETAILS ","                                \
    " 'costDetails', " SQL_COST_DETAILS ","                                                        \
    " 'environment', coalesce(o.environment, 'default'), 'createdAt', "                            \
    READ_SQL_TIME("o.created_at") ", 'updatedAt', " READ_SQL_TIME("o.updated_at") ")"
/* clang-format on */

/* A sum of counts that need not fit in 64 bits, as a number that does. */
#define SQL_INT64(sum) "least(" sum ", 9223372036854775807)"

/* Tokens of an observation: the total as given, else what its parts add up to. */
#define SQL_TOTAL_TOKENS                                                                           \
    "coalesce(o.total_tokens, coalesce(o.prompt_tokens, 0)::numeric"                               \
    " + coalesce(o.completion_tokens, 0))"

/* What SQL_OBSERVATION needs beside `o`. */
#define SQL_OBSERVATION_SUMS                                                                       \
    "LATERAL (SELECT coalesce(o.prompt_tokens, 0) AS input,"                                       \
    " coalesce(o.completion_tokens, 0) AS output, " SQL_INT64(                                     \
        SQL_TOTAL_TOKENS) " AS total, " SQL_OBSERVATION_COST " AS cost) c, " SQL_PRICES

/* Once for each row: OFFSET keeps the planner from computing them wherever they are shown. */
#define SQL_PRICES                                                                                 \
    "LATERAL (SELECT " SQL_INPUT_COST " AS input_cost, " SQL_OUTPUT_COST " AS output_cost,"        \
    " (SELECT jsonb_path_query_first(m.pricing_tiers, '$[*] ? (@.isDefault == true).prices')"      \
    "  FROM models m WHERE m.id = o.priced_model_id AND m.project_id IN (o.project_id, '')"        \
    "  ORDER BY m.project_id DESC LIMIT 1) AS prices OFFSET 0) pr"
