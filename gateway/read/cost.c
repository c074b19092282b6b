/*
 * cost: one statement. writer/price.c has the rules that it repeats: usage is the map, or else the counts of what
 * goes in and out; kinds are priced by their exact names; a price of the total is the price of all.
 */
#include "gateway/read/cost.h"

#include "gateway/read/read.h"
#include "gateway/read/traces_sql.h"

/* Static SQL is longer than what ISO C promises to take. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* clang-format off */

/* The newest, where several traces have one of that id. */
#define SQL_FOUND                                                                                  \
    "o AS MATERIALIZED (SELECT * FROM observations WHERE project_id = $1 AND id IN ($2, $3, $4)"   \
    "  ORDER BY id = $2 DESC, coalesce(start_time, created_at) DESC, trace_id LIMIT 1)"

#define SQL_PRICE_ROW                                                                              \
    "m AS MATERIALIZED (SELECT m.* FROM o JOIN models m ON m.id = o.priced_model_id"               \
    "  AND m.project_id IN (o.project_id, '') ORDER BY m.project_id DESC LIMIT 1)"

#define SQL_USED                                                                                   \
    "u AS MATERIALIZED (SELECT e.key, e.value::numeric AS quantity FROM o, jsonb_each(CASE"        \
    "  WHEN jsonb_typeof(o.usage_details) = 'object' AND o.usage_details <> '{}'"                  \
    "  THEN o.usage_details ELSE jsonb_strip_nulls(jsonb_build_object('input', o.prompt_tokens,"   \
    "   'output', o.completion_tokens, 'total', o.total_tokens)) END) e"                           \
    "  WHERE e.value::text ~ '^[0-9]{1,19}$' AND e.value::numeric <= 1000000000000000000)"

/* What a condition looks at, as it is. */
#define SQL_ACTUAL                                                                                 \
    "CASE WHEN c.value ? 'usageDetailPattern' THEN (SELECT to_jsonb(coalesce(sum(u.quantity), 0))" \
    "  FROM u WHERE CASE WHEN (c.value ->> 'caseSensitive')::boolean"                              \
    "   THEN u.key ~ (c.value ->> 'usageDetailPattern')"                                           \
    "   ELSE u.key ~* (c.value ->> 'usageDetailPattern') END)"                                     \
    " WHEN c.value ->> 'source' = 'metadata' THEN o.metadata -> (c.value ->> 'key')"               \
    " ELSE o.model_parameters::jsonb -> (c.value ->> 'key') END"

#define SQL_TIERS                                                                                  \
    "t AS MATERIALIZED (SELECT t.value ->> 'id' = o.pricing_tier_id AS is_chosen,"                 \
    "  t.value -> 'prices' AS prices, coalesce((t.value ->> 'isDefault')::boolean, false)"         \
    "   AS is_default, (t.value -> 'priority') AS priority, t.value ->> 'id' AS id,"               \
    "  t.value ->> 'name' AS name, coalesce((SELECT jsonb_agg(c.value"                             \
    "    || jsonb_build_object('actual', " SQL_ACTUAL ") ORDER BY c.n)"                            \
    "   FROM jsonb_array_elements(t.value -> 'conditions') WITH ORDINALITY AS c(value, n)), '[]')" \
    "   AS conditions"                                                                             \
    "  FROM o, m, jsonb_array_elements(m.pricing_tiers) AS t)"

/* price is null where the tier has none. */
#define SQL_ITEMS                                                                                  \
    "i AS MATERIALIZED (SELECT u.key, u.quantity, CASE WHEN"                                       \
    "  jsonb_typeof(t.prices -> u.key) = 'number' THEN (t.prices ->> u.key)::numeric END AS price" \
    "  FROM u, t WHERE t.is_chosen)"

/* Of given costs there are none. */
#define SQL_SUM                                                                                    \
    "s AS (SELECT coalesce(max(i.quantity * i.price) FILTER (WHERE i.key = 'total'),"              \
    "  sum(i.quantity * i.price)) AS total, bool_or(i.key = 'total' AND i.price IS NOT NULL)"      \
    "  AS is_of_total, count(*) FILTER (WHERE i.key <> 'total') AS kinds FROM i)"

#define SQL_IS_GIVEN                                                                               \
    "(o.total_cost IS NOT NULL OR o.input_cost IS NOT NULL OR o.output_cost IS NOT NULL"           \
    " OR o.cost_details <> '{}')"

/* As gateway/ingest/otlp_model.c stores it. */
#define SQL_IS_INSIDE "o.cost_details = '{}' AND NOT " SQL_IS_GIVEN

#define SQL_REASON                                                                                 \
    "CASE WHEN " SQL_IS_GIVEN " THEN 'the client gave the cost, so none is computed'"              \
    " WHEN " SQL_IS_INSIDE " THEN 'its cost is that of the calls inside it'"                       \
    " WHEN o.model IS NULL THEN 'the observation names no model'"                                  \
    " WHEN o.priced_model_id IS NULL THEN 'no price row matched the model'"                        \
    " WHEN NOT EXISTS (SELECT FROM u) THEN 'no usage was given'"                                   \
    " WHEN o.pricing_tier_id IS NULL THEN 'no tier of the price row holds'"                        \
    " WHEN o.computed_total_cost IS NULL THEN 'none of the kinds of usage has a price'"            \
    " WHEN s.is_of_total THEN 'the tokens in total times their price'"                             \
    " ELSE 'the sum of each kind of usage times its price' END"

#define SQL_TIER_REASON                                                                            \
    "CASE WHEN NOT t.is_default THEN 'the first tier by priority of which all conditions hold'"    \
    " WHEN (SELECT count(*) FROM t) = 1 THEN 'the only tier'"                                      \
    " ELSE 'the conditions of no other tier hold' END"

static const char sql_explain[] =
    "WITH " SQL_FOUND ", " SQL_PRICE_ROW ", " SQL_USED ", " SQL_TIERS ", " SQL_ITEMS ", " SQL_SUM
    " SELECT json_build_object('observationId', o.id, 'traceId', o.trace_id, 'model', o.model,"
    "  'source', CASE WHEN " SQL_IS_GIVEN " THEN 'given'"
    "   WHEN o.computed_total_cost IS NOT NULL THEN 'computed' ELSE 'none' END,"
    "  'reason', " SQL_REASON ","
    "  'totalCost', " SQL_OBSERVATION_COST ","
    "  'given', CASE WHEN " SQL_IS_GIVEN " THEN json_build_object('inputCost', o.input_cost,"
    "   'outputCost', o.output_cost, 'totalCost', o.total_cost, 'costDetails', o.cost_details) END,"
    "  'computedCost', o.computed_total_cost,"
    "  'price', (SELECT json_build_object('id', m.id, 'modelName', m.model_name,"
    "    'matchPattern', m.match_pattern,"
    "    'source', CASE WHEN m.project_id = '' THEN 'built-in' ELSE 'own' END,"
    "    'startDate', " READ_SQL_TIME("m.start_date") ", 'createdAt', " READ_SQL_TIME("m.created_at") ","
    "    'deletedAt', " READ_SQL_TIME("m.deleted_at") ", 'unit', m.unit) FROM m),"
    "  'date', " READ_SQL_TIME("coalesce(o.start_time, o.created_at)") ","
    "  'tier', (SELECT json_build_object('id', t.id, 'name', t.name, 'isDefault', t.is_default,"
    "    'priority', t.priority, 'reason', " SQL_TIER_REASON ", 'conditions', t.conditions)"
    "    FROM t WHERE t.is_chosen LIMIT 1),"
    "  'otherTiers', coalesce((SELECT json_agg(json_build_object('id', t.id, 'name', t.name,"
    "    'isDefault', t.is_default, 'priority', t.priority, 'conditions', t.conditions))"
    "    FROM t WHERE t.is_chosen IS NOT TRUE AND o.pricing_tier_id IS NOT NULL), '[]'),"
    "  'items', coalesce((SELECT json_agg(json_build_object('kind', i.key, 'quantity', i.quantity,"
    "    'price', i.price, 'cost', trim_scale(i.quantity * i.price)) ORDER BY i.key = 'total', i.key)"
    "    FROM i WHERE i.price IS NOT NULL), '[]'),"
    "  'unpriced', coalesce((SELECT json_agg(json_build_object('kind', i.key,"
    "    'quantity', i.quantity) ORDER BY i.key) FROM i WHERE i.price IS NULL AND i.quantity > 0"
    "    AND (i.key <> 'total' OR s.kinds = 0) AND s.is_of_total IS NOT TRUE), '[]'),"
    "  'total', trim_scale(s.total))"
    " FROM o, s";
/* clang-format on */

void cost_explain(struct request *request)
{
    read_run_static(request, sql_explain, READ_PATH_UUID, &read_object_format);
}
