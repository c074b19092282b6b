-- Observations of which nobody has said to which trace they belong. They are in traces with their own ids; a
-- row that names the trace moves them there, whenever it comes (writer/strays.h).
CREATE TABLE stray_observations (
    project_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    PRIMARY KEY (project_id, id)
);

-- Moves those of the ids that are strays to the trace that is named for them (the first, where there are several)
-- and takes away the bare traces that they were in; answers how many were strays. The caller holds
-- xtrace_lock_traces() since an earlier statement, and books the days of the traces that it moves them to.
CREATE FUNCTION xtrace_move_strays(projects text[], ids text[], traces text[]) RETURNS bigint
    LANGUAGE sql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
AS $$
    WITH wanted AS MATERIALIZED (SELECT p, i, min(t COLLATE "C") AS t
        FROM unnest(projects, ids, traces) AS w(p, i, t) GROUP BY p, i),
    named AS (DELETE FROM stray_observations s USING wanted w WHERE s.project_id = w.p AND s.id = w.i
        RETURNING w.p, w.i, w.t),
    moved AS (UPDATE observations o SET trace_id = n.t, updated_at = now() FROM named n
        WHERE o.project_id = n.p AND o.trace_id = n.i AND o.id = n.i AND n.t <> n.i
          AND NOT EXISTS (SELECT FROM observations e WHERE e.project_id = n.p AND e.trace_id = n.t AND e.id = n.i)
        RETURNING n.p, n.i),
    -- Of a trace that has only been made up there is no version above those of proto/row.h's version_weak.
    gone AS (DELETE FROM traces t USING moved m WHERE t.project_id = m.p AND t.id = m.i
          AND t.event_version < -2305843009213693952
          AND NOT EXISTS (SELECT FROM observations o WHERE o.project_id = m.p AND o.trace_id = m.i AND o.id <> m.i)
        RETURNING t.project_id, (t.timestamp AT TIME ZONE 'UTC')::date AS day),
    counted AS (INSERT INTO trace_counts (project_id, day, traces)
        SELECT project_id, day, -count(*) FROM gone GROUP BY project_id, day),
    marked AS (INSERT INTO dirty_days (project_id, day) SELECT DISTINCT t.project_id,
            (t.timestamp AT TIME ZONE 'UTC')::date
        FROM moved m JOIN traces t ON t.project_id = m.p AND t.id = m.i)
    SELECT count(*) FROM named
$$;
