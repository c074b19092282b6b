-- Finding observations without their trace: newest first, and by id; and how many a project has.
--
-- Measured on PostgreSQL 15, two shared cores, 300,000 rows of 1.6 kB in COPYs of 5,000 into a table with the
-- indexes of 0001 and 0003; rows for each second of the backend's CPU time, median of 3, against none of these
-- (90,100): by time 0.79-0.83 with or without what is included (53, with it 80 bytes a row); by time, trace
-- and id 0.85-0.91 (116); id by hash 0.89 (35); (project, id) by btree 0.68 (64); id by btree 0.74 (54). The
-- order of size is what counts, single runs are up to 0.15 apart. Hence hash for ids, and what is included is free.

-- start_time and created_at are included because PostgreSQL counts a range by the index alone only where the
-- columns of an expression are in it too.
CREATE INDEX observations_by_time ON observations (project_id, (coalesce(start_time, created_at)) DESC)
    INCLUDE (start_time, created_at);
CREATE INDEX observations_by_id ON observations USING hash (id);

-- How many observations a project has, as a sum, as trace_counts: each transaction appends what it added.
CREATE TABLE observation_counts (
    project_id text COLLATE "C" NOT NULL,
    observations bigint NOT NULL
);
CREATE INDEX observation_counts_by_project ON observation_counts (project_id) INCLUDE (observations);
-- The indexes above keep writers out until the end of this transaction.
INSERT INTO observation_counts (project_id, observations)
SELECT project_id, count(*) FROM observations GROUP BY project_id;

-- As in 0004, and counts the observations.
CREATE OR REPLACE FUNCTION xtrace_delete_traces(projects text[], ids text[]) RETURNS bigint
    LANGUAGE sql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
AS $$
    WITH wanted AS MATERIALIZED (SELECT DISTINCT p, i FROM unnest(projects, ids) AS w(p, i)),
    gone AS (DELETE FROM traces t USING wanted w WHERE t.project_id = w.p AND t.id = w.i
        RETURNING t.project_id, (t.timestamp AT TIME ZONE 'UTC')::date AS day),
    steps AS (DELETE FROM observations o USING wanted w WHERE o.project_id = w.p AND o.trace_id = w.i
        RETURNING o.project_id),
    marks AS (DELETE FROM scores s USING wanted w WHERE s.project_id = w.p AND s.trace_id = w.i),
    days AS MATERIALIZED (SELECT project_id, day, count(*) AS n FROM gone GROUP BY project_id, day),
    counted AS (INSERT INTO trace_counts (project_id, day, traces) SELECT project_id, day, -n FROM days),
    counted_steps AS (INSERT INTO observation_counts (project_id, observations)
        SELECT project_id, -count(*) FROM steps GROUP BY project_id),
    marked AS (INSERT INTO dirty_days (project_id, day) SELECT project_id, day FROM days)
    SELECT count(*) FROM gone
$$;
