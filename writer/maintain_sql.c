#include "writer/maintain_sql.h"

/*
 * The whole is one statement, so that marks are removed in the snapshot that the day is computed
 * from. The meaning of each number is contract section 9 with 14.6; gateway/read/metrics_daily.c
 * computes the same live.
 */
const char maintain_sql_roll_up[] =
    "WITH due AS MATERIALIZED ("
    " SELECT project_id, day, day::timestamp AT TIME ZONE 'UTC' AS begins,"
    "  (day + 1)::timestamp AT TIME ZONE 'UTC' AS ends"
    " FROM dirty_days WHERE $1::text <> '' GROUP BY project_id, day"
    " HAVING max(marked_at) < now() - interval '10 seconds'"
    "  AND bool_and(pg_visible_in_snapshot(marked_by, nullif($1::text, '')::pg_snapshot))"
    "  AND pg_snapshot_xmin(pg_current_snapshot())"
    "   >= pg_snapshot_xmax(nullif($1::text, '')::pg_snapshot)"
    " ORDER BY day DESC LIMIT 1),"
    "cleaned AS (DELETE FROM dirty_days d USING due"
    " WHERE d.project_id = due.project_id AND d.day = due.day),"
    "t AS MATERIALIZED (SELECT t.project_id, t.id, t.total_cost FROM due JOIN traces t"
    " ON t.project_id = due.project_id AND t.timestamp >= due.begins AND t.timestamp < due.ends),"
    "o AS MATERIALIZED (SELECT o.trace_id, o.model,"
    "  coalesce(o.type, 'GENERATION') = 'GENERATION' AS is_generation,"
    "  coalesce(o.prompt_tokens, 0)::numeric AS input,"
    "  coalesce(o.completion_tokens, 0)::numeric AS output,"
    "  coalesce(o.total_tokens::numeric,"
    "   coalesce(o.prompt_tokens, 0)::numeric + coalesce(o.completion_tokens, 0)) AS total,"
    "  coalesce(o.total_cost, o.input_cost + o.output_cost, o.input_cost, o.output_cost,"
    "   o.computed_total_cost) AS cost"
    " FROM t JOIN observations o ON o.project_id = t.project_id AND o.trace_id = t.id),"
    "costs AS (SELECT trace_id, sum(cost) AS cost FROM o GROUP BY trace_id),"
    "totals AS (SELECT count(*) AS traces,"
    "  coalesce(sum(coalesce(t.total_cost, costs.cost)), 0) AS cost"
    " FROM t LEFT JOIN costs ON costs.trace_id = t.id),"
    "usage AS MATERIALIZED (SELECT model, sum(input) AS input, sum(output) AS output,"
    "  sum(total) AS total, count(DISTINCT trace_id) AS traces, count(*) AS observations,"
    "  coalesce(sum(cost), 0) AS cost"
    " FROM o WHERE is_generation GROUP BY model),"
    "gone_totals AS (DELETE FROM daily_totals d USING due, totals"
    " WHERE d.project_id = due.project_id AND d.day = due.day AND totals.traces = 0),"
    "gone_usage AS (DELETE FROM daily_usage d USING due"
    " WHERE d.project_id = due.project_id AND d.day = due.day"
    "  AND NOT EXISTS (SELECT FROM usage WHERE usage.model IS NOT DISTINCT FROM d.model)),"
    "new_totals AS (INSERT INTO daily_totals AS d"
    "  (project_id, day, count_traces, count_observations, total_cost)"
    " SELECT due.project_id, due.day, totals.traces, (SELECT count(*) FROM o), totals.cost"
    " FROM due, totals WHERE totals.traces > 0"
    " ON CONFLICT (project_id, day) DO UPDATE SET count_traces = excluded.count_traces,"
    "  count_observations = excluded.count_observations, total_cost = excluded.total_cost),"
    "new_usage AS (INSERT INTO daily_usage (project_id, day, model, input_usage, output_usage,"
    "  total_usage, count_traces, count_observations, total_cost)"
    " SELECT due.project_id, due.day, model, least(input, 9223372036854775807)::bigint,"
    "  least(output, 9223372036854775807)::bigint, least(total, 9223372036854775807)::bigint,"
    "  traces, observations, cost"
    " FROM due, usage"
    " ON CONFLICT (project_id, day, model) DO UPDATE SET input_usage = excluded.input_usage,"
    "  output_usage = excluded.output_usage, total_usage = excluded.total_usage,"
    "  count_traces = excluded.count_traces, count_observations = excluded.count_observations,"
    "  total_cost = excluded.total_cost)"
    " SELECT count(*)::text FROM due";

const char maintain_sql_fold_marks[] =
    "WITH many AS MATERIALIZED (SELECT project_id, day FROM dirty_days"
    "  GROUP BY project_id, day HAVING count(*) > 1),"
    " gone AS (DELETE FROM dirty_days d USING many"
    "  WHERE d.project_id = many.project_id AND d.day = many.day"
    "  RETURNING d.project_id, d.day, d.marked_at),"
    " kept AS (INSERT INTO dirty_days (project_id, day, marked_at)"
    "  SELECT project_id, day, max(marked_at) FROM gone GROUP BY project_id, day RETURNING 1)"
    " SELECT count(*)::text FROM kept";

const char maintain_sql_fold_counts[] =
    "WITH many AS MATERIALIZED (SELECT project_id, day FROM trace_counts"
    "  GROUP BY project_id, day HAVING count(*) > 1 OR sum(traces) = 0),"
    " gone AS (DELETE FROM trace_counts c USING many"
    "  WHERE c.project_id = many.project_id AND c.day = many.day"
    "  RETURNING c.project_id, c.day, c.traces),"
    " kept AS (INSERT INTO trace_counts (project_id, day, traces)"
    "  SELECT project_id, day, sum(traces) FROM gone GROUP BY project_id, day"
    "  HAVING sum(traces) <> 0 RETURNING 1),"
    " many_observations AS MATERIALIZED (SELECT project_id FROM observation_counts"
    "  GROUP BY project_id HAVING count(*) > 1 OR sum(observations) = 0),"
    " gone_observations AS (DELETE FROM observation_counts c USING many_observations many"
    "  WHERE c.project_id = many.project_id RETURNING c.project_id, c.observations),"
    " kept_observations AS (INSERT INTO observation_counts (project_id, observations)"
    "  SELECT project_id, sum(observations) FROM gone_observations GROUP BY project_id"
    "  HAVING sum(observations) <> 0),"
    " many_scores AS MATERIALIZED (SELECT project_id FROM score_counts"
    "  GROUP BY project_id HAVING count(*) > 1 OR sum(scores) = 0),"
    " gone_scores AS (DELETE FROM score_counts c USING many_scores many"
    "  WHERE c.project_id = many.project_id RETURNING c.project_id, c.scores),"
    " kept_scores AS (INSERT INTO score_counts (project_id, scores)"
    "  SELECT project_id, sum(scores) FROM gone_scores GROUP BY project_id"
    "  HAVING sum(scores) <> 0)"
    " SELECT count(*)::text FROM kept";

const char maintain_sql_fold_facets[] =
    "WITH gone AS (DELETE FROM facet_changes"
    "  RETURNING project_id, facet, value, hour, observations),"
    " sums AS (SELECT project_id, facet, value, hour, sum(observations)::bigint AS n"
    "  FROM gone GROUP BY project_id, facet, value, hour),"
    " kept AS (INSERT INTO facet_counts AS c (project_id, facet, value, hour, observations)"
    "  SELECT project_id, facet, value, hour, n FROM sums WHERE n <> 0"
    "  ON CONFLICT (project_id, facet, value, hour)"
    "   DO UPDATE SET observations = c.observations + excluded.observations RETURNING 1)"
    " SELECT count(*)::text FROM kept";

const char maintain_sql_prune[] =
    "WITH gone AS (DELETE FROM ingest_batches WHERE batch_id IN (SELECT batch_id"
    "  FROM ingest_batches WHERE committed_at < now() - interval '1 day' LIMIT 10000)"
    "  RETURNING 1),"
    " keys AS (DELETE FROM idempotency_keys WHERE (project_id, key_hash) IN"
    "  (SELECT project_id, key_hash FROM idempotency_keys"
    "   WHERE created_at < now() - interval '1 day' LIMIT 10000) RETURNING 1),"
    " empty AS (DELETE FROM facet_counts WHERE ctid = ANY (ARRAY("
    "  SELECT ctid FROM facet_counts WHERE observations = 0 LIMIT 10000)) RETURNING 1)"
    " SELECT (greatest((SELECT count(*) FROM gone), (SELECT count(*) FROM keys),"
    "  (SELECT count(*) FROM empty)) / 10000)::text"
    " WHERE xtrace_make_metric_days(ARRAY(SELECT (now() AT TIME ZONE 'UTC')::date + d"
    "  FROM generate_series(0, 2) AS d)) >= 0";

/* Each answers how often it did all that it may do at once. */
const char maintain_sql_retire_traces[] = "SELECT (xtrace_retire_traces($1::int, 500) / 500)::text";
const char maintain_sql_drop_partition[] = "SELECT xtrace_drop_metric_partition($1::int)::text";
const char maintain_sql_retire_points[] =
    "SELECT (xtrace_retire_points($1::int, 5000) > 0)::int::text";
const char maintain_sql_retire_series[] = "SELECT (xtrace_retire_series($1::int, 500) / 500)::text";

/* Ids are in the order of time, near enough: only the oldest are looked at. */
const char maintain_sql_retire_letters[] =
    "WITH gone AS (DELETE FROM dead_letters WHERE id IN (SELECT id FROM (SELECT id, created_at"
    "   FROM dead_letters WHERE $1::int > 0 ORDER BY id LIMIT 1000) AS oldest"
    "  WHERE created_at < now() - make_interval(days => $1::int)) RETURNING 1)"
    " SELECT (count(*) / 1000)::text FROM gone";

const char maintain_sql_snapshot[] = "SELECT pg_current_snapshot()::text";
