-- How many observations have a type, a level, a name, a version, an environment, hour by hour: the totals of lists
-- that are filtered by one of these, and the hours in which a page of such a list lies.
--
-- Kept as trace_counts is: each transaction appends what it adds and takes away (facet_changes), and one of the writers
-- folds that together now and then (facet_counts). The sum over both is exact in every snapshot. Hours are those of
-- coalesce(start_time, created_at), since 1970.
--
-- Measured on PostgreSQL 15, two shared cores: an index (project, value, time) for one of these columns costs a COPY
-- 10-20 % (migrations/0008_observations.sql); this costs it nothing, for the writer counts in memory, and each
-- transaction some dozens of rows here.

CREATE TABLE facet_counts (
    project_id text COLLATE "C" NOT NULL,
    facet text COLLATE "C" NOT NULL, -- a column of observations
    value text COLLATE "C" NOT NULL,
    hour integer NOT NULL,
    observations bigint NOT NULL,
    PRIMARY KEY (project_id, facet, value, hour)
);
CREATE TABLE facet_changes (
    project_id text COLLATE "C" NOT NULL,
    facet text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    hour integer NOT NULL,
    observations bigint NOT NULL
);
CREATE INDEX facet_changes_by_value ON facet_changes (project_id, facet, value, hour) INCLUDE (observations);

CREATE FUNCTION xtrace_hour(at timestamptz) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN floor(extract(epoch FROM at) / 3600)::integer;

-- What is counted of an observation. Not what is longer than 200 bytes: that would be an index of texts. Readers count
-- such rows themselves (gateway/read/observations_facet.c); writer/facets.c counts new rows by the same rule.
CREATE FUNCTION xtrace_facets(type text, level text, name text, version text, environment text)
    RETURNS TABLE (facet text, value text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT f.facet, f.value
    FROM (VALUES ('type', coalesce(type, 'GENERATION')), ('level', coalesce(level, 'DEFAULT')), ('name', name),
                 ('version', version), ('environment', coalesce(environment, 'default'))) AS f(facet, value)
    WHERE octet_length(f.value) <= 200
$$;

-- Counts all anew; for this migration, and for whoever has changed rows of observations past the writer. Keeps writers
-- out until the end of the transaction.
CREATE FUNCTION xtrace_recount_facets() RETURNS void
    LANGUAGE plpgsql
AS $$
BEGIN
    LOCK TABLE observations IN SHARE MODE;
    DELETE FROM facet_changes;
    DELETE FROM facet_counts;
    INSERT INTO facet_counts (project_id, facet, value, hour, observations)
    SELECT o.project_id, f.facet, f.value, xtrace_hour(coalesce(o.start_time, o.created_at)), count(*)
    FROM observations o, xtrace_facets(o.type, o.level, o.name, o.version, o.environment) f
    GROUP BY 1, 2, 3, 4;
END
$$;
SELECT xtrace_recount_facets();

-- As in 0015, and counts the facets.
CREATE OR REPLACE FUNCTION xtrace_delete_traces(projects text[], ids text[]) RETURNS bigint
    LANGUAGE sql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
AS $$
    WITH wanted AS MATERIALIZED (SELECT DISTINCT p, i FROM unnest(projects, ids) AS w(p, i)),
    gone AS (DELETE FROM traces t USING wanted w WHERE t.project_id = w.p AND t.id = w.i
        RETURNING t.project_id, (t.timestamp AT TIME ZONE 'UTC')::date AS day),
    steps AS (DELETE FROM observations o USING wanted w WHERE o.project_id = w.p AND o.trace_id = w.i
        RETURNING o.project_id, xtrace_hour(coalesce(o.start_time, o.created_at)) AS hour, o.type, o.level, o.name,
                  o.version, o.environment),
    strays AS (DELETE FROM stray_observations s USING wanted w WHERE s.project_id = w.p AND s.id = w.i),
    marks AS (DELETE FROM scores s USING wanted w WHERE s.project_id = w.p AND s.trace_id = w.i
        RETURNING s.project_id),
    days AS MATERIALIZED (SELECT project_id, day, count(*) AS n FROM gone GROUP BY project_id, day),
    counted AS (INSERT INTO trace_counts (project_id, day, traces) SELECT project_id, day, -n FROM days),
    counted_steps AS (INSERT INTO observation_counts (project_id, observations)
        SELECT project_id, -count(*) FROM steps GROUP BY project_id),
    counted_facets AS (INSERT INTO facet_changes (project_id, facet, value, hour, observations)
        SELECT s.project_id, f.facet, f.value, s.hour, -count(*)
        FROM steps s, xtrace_facets(s.type, s.level, s.name, s.version, s.environment) f GROUP BY 1, 2, 3, 4),
    counted_marks AS (INSERT INTO score_counts (project_id, scores)
        SELECT project_id, -count(*) FROM marks GROUP BY project_id),
    marked AS (INSERT INTO dirty_days (project_id, day) SELECT project_id, day FROM days)
    SELECT count(*) FROM gone
$$;
