-- Deleting traces and what belongs to them.

-- Every group of rows is written under the shared side of this lock, every deletion under the other: a
-- group that has looked a trace up must not add to it when it has gone.
CREATE FUNCTION xtrace_lock_traces() RETURNS void
    LANGUAGE sql RETURN pg_advisory_xact_lock(132347298702185);

-- Deletes traces with their observations and scores, and books it; answers how many traces there were.
-- The caller holds xtrace_lock_traces() since an earlier statement.
CREATE FUNCTION xtrace_delete_traces(projects text[], ids text[]) RETURNS bigint
    LANGUAGE sql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
AS $$
    WITH wanted AS MATERIALIZED (SELECT DISTINCT p, i FROM unnest(projects, ids) AS w(p, i)),
    gone AS (DELETE FROM traces t USING wanted w WHERE t.project_id = w.p AND t.id = w.i
        RETURNING t.project_id, (t.timestamp AT TIME ZONE 'UTC')::date AS day),
    steps AS (DELETE FROM observations o USING wanted w WHERE o.project_id = w.p AND o.trace_id = w.i),
    marks AS (DELETE FROM scores s USING wanted w WHERE s.project_id = w.p AND s.trace_id = w.i),
    days AS MATERIALIZED (SELECT project_id, day, count(*) AS n FROM gone GROUP BY project_id, day),
    counted AS (INSERT INTO trace_counts (project_id, day, traces) SELECT project_id, day, -n FROM days),
    marked AS (INSERT INTO dirty_days (project_id, day) SELECT project_id, day FROM days)
    SELECT count(*) FROM gone
$$;
