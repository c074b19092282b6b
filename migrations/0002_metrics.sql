-- Metrics: a series for each name and label set, and its points in partitions by time.

-- labels is what a client sent, key by key. labels_hash is the SHA-256 of its canonical text (JSON
-- without blanks, keys sorted bytewise): an index entry has no room for the labels themselves.
CREATE TABLE metric_series (
    project_id text COLLATE "C" NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    name text COLLATE "C" NOT NULL,
    environment text COLLATE "C" NOT NULL DEFAULT 'default',
    labels jsonb COMPRESSION lz4 NOT NULL DEFAULT '{}',
    labels_hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, id),
    UNIQUE (project_id, name, environment, labels_hash)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
-- A label may tell a million series of a name apart (trace_id).
CREATE INDEX metric_series_by_label ON metric_series USING gin (labels jsonb_path_ops);

-- Ids are unique over all projects, so points carry nothing else. No foreign key: see
-- metric_series_state. Append-only; the same point twice is two points.
CREATE TABLE metric_points (
    series_id bigint NOT NULL,
    ts timestamptz NOT NULL,
    value double precision NOT NULL
) PARTITION BY RANGE (ts);
CREATE INDEX metric_points_by_series ON metric_points (series_id, ts) INCLUDE (value);

-- Times that are surely wrong do not make partitions.
CREATE TABLE metric_points_early PARTITION OF metric_points
    FOR VALUES FROM (MINVALUE) TO ('2000-01-01 00:00:00+00');
CREATE TABLE metric_points_late PARTITION OF metric_points
    FOR VALUES FROM ('2100-01-01 00:00:00+00') TO (MAXVALUE);

-- Makes the partitions that these days (UTC) lack; answers how many. Days of the last 400 and the
-- next 31 get one each; another gets what is free around it of its year, so that points from all
-- over the calendar make few. The name says what a partition covers: metric_points_20260101_20260102
-- (from, to).
--
-- A partition is attached, not created in place: that waits for no reader and no writer. There is no
-- default partition, for it would have to be locked and searched each time.
CREATE FUNCTION xtrace_make_metric_days(days date[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    wanted date;
    begins date;
    ends date;
    made integer := 0;
    partition text;
BEGIN
    FOR wanted IN SELECT DISTINCT d FROM unnest(days) AS d
                  WHERE d >= date '2000-01-01' AND d < date '2100-01-01' ORDER BY d LOOP
        CONTINUE WHEN EXISTS (SELECT FROM metric_partitions p WHERE p.begins <= wanted AND p.ends > wanted);
        -- One at a time; the next statement sees what the one before us has made.
        PERFORM pg_advisory_xact_lock(132347298702183);
        CONTINUE WHEN EXISTS (SELECT FROM metric_partitions p WHERE p.begins <= wanted AND p.ends > wanted);
        IF wanted BETWEEN today - 400 AND today + 31 THEN
            begins := wanted;
            ends := wanted + 1;
        ELSE
            SELECT greatest(date_trunc('year', wanted)::date, max(p.ends)) INTO begins
            FROM metric_partitions p WHERE p.ends <= wanted;
            SELECT least((date_trunc('year', wanted) + interval '1 year')::date, min(p.begins)) INTO ends
            FROM metric_partitions p WHERE p.begins > wanted;
        END IF;
        partition := format('metric_points_%s_%s', to_char(begins, 'YYYYMMDD'), to_char(ends, 'YYYYMMDD'));
        EXECUTE format('CREATE TABLE %I (LIKE metric_points INCLUDING ALL)'
                       ' WITH (autovacuum_vacuum_insert_scale_factor = 0.1)', partition);
        EXECUTE format('ALTER TABLE metric_points ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                       partition, begins, ends);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;

-- The partitions by days; those at both ends are not among them.
CREATE VIEW metric_partitions AS
SELECT c.oid::regclass AS partition, to_date(split_part(c.relname, '_', 3), 'YYYYMMDD') AS begins,
       to_date(split_part(c.relname, '_', 4), 'YYYYMMDD') AS ends
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'metric_points'::regclass AND c.relname ~ '^metric_points_\d{8}_\d{8}$';

-- Writers keep ids of series in memory. Each group holds the shared side of a lock until it has
-- committed and looks whether the generation is still the one that its ids are of. Whoever takes a
-- series away, by whatever statement, waits for the groups that may be using it and starts a new
-- generation. To delete those without points, begin the transaction with
-- xtrace_lock_metric_series(): a statement that looks for points must begin after the last of those
-- groups has ended.
CREATE TABLE metric_series_state (
    generation uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO metric_series_state DEFAULT VALUES;

CREATE FUNCTION xtrace_lock_metric_series() RETURNS void
    LANGUAGE sql RETURN pg_advisory_xact_lock(132347298702184);

CREATE FUNCTION xtrace_change_metric_series() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM xtrace_lock_metric_series();
    UPDATE metric_series_state SET generation = gen_random_uuid();
    RETURN NULL;
END
$$;
CREATE TRIGGER metric_series_change BEFORE DELETE OR UPDATE OR TRUNCATE ON metric_series
    FOR EACH STATEMENT EXECUTE FUNCTION xtrace_change_metric_series();

-- What ids of series are good for until the end of the transaction. The table's own id is part of
-- it: a dump that was restored in place has the old generation and other series. Volatile, so that
-- what is read comes after the lock.
CREATE FUNCTION xtrace_metric_generation() RETURNS text LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(132347298702184);
    RETURN (SELECT generation::text FROM metric_series_state) || ' '
        || to_regclass('metric_series')::oid::text;
END
$$;

-- Idempotency-Key headers of a day (SHA-256), written in the transaction that stored the points.
CREATE TABLE idempotency_keys (
    project_id text COLLATE "C" NOT NULL,
    key_hash bytea NOT NULL,
    batch_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, key_hash)
);
CREATE INDEX idempotency_keys_by_time ON idempotency_keys USING brin (created_at) WITH (pages_per_range = 16);

-- The supported way to read with SQL.
CREATE VIEW xtrace.metrics AS
SELECT s.project_id, s.name, s.labels, s.environment, p.ts AS timestamp, p.value
FROM metric_series s JOIN metric_points p ON p.series_id = s.id;

-- Only a writer makes partitions.
REVOKE EXECUTE ON FUNCTION xtrace_make_metric_days(date[]) FROM PUBLIC;
