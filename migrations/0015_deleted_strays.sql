-- As in 0014, and of strays (0010) in the traces that go nobody has to think any more.
CREATE OR REPLACE FUNCTION xtrace_delete_traces(projects text[], ids text[]) RETURNS bigint
    LANGUAGE sql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
AS $$
    WITH wanted AS MATERIALIZED (SELECT DISTINCT p, i FROM unnest(projects, ids) AS w(p, i)),
    gone AS (DELETE FROM traces t USING wanted w WHERE t.project_id = w.p AND t.id = w.i
        RETURNING t.project_id, (t.timestamp AT TIME ZONE 'UTC')::date AS day),
    steps AS (DELETE FROM observations o USING wanted w WHERE o.project_id = w.p AND o.trace_id = w.i
        RETURNING o.project_id),
    strays AS (DELETE FROM stray_observations s USING wanted w WHERE s.project_id = w.p AND s.id = w.i),
    marks AS (DELETE FROM scores s USING wanted w WHERE s.project_id = w.p AND s.trace_id = w.i
        RETURNING s.project_id),
    days AS MATERIALIZED (SELECT project_id, day, count(*) AS n FROM gone GROUP BY project_id, day),
    counted AS (INSERT INTO trace_counts (project_id, day, traces) SELECT project_id, day, -n FROM days),
    counted_steps AS (INSERT INTO observation_counts (project_id, observations)
        SELECT project_id, -count(*) FROM steps GROUP BY project_id),
    counted_marks AS (INSERT INTO score_counts (project_id, scores)
        SELECT project_id, -count(*) FROM marks GROUP BY project_id),
    marked AS (INSERT INTO dirty_days (project_id, day) SELECT project_id, day FROM days)
    SELECT count(*) FROM gone
$$;
