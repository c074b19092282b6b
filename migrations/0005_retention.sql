-- What age retires: traces one by one, metrics by partitions.

-- How many days a project keeps what it has: kind is 'traces' or 'metrics', 0 days is for ever. A project
-- without a row has what the writers' settings say.
CREATE TABLE retention (
    project_id text COLLATE "C" NOT NULL,
    kind text NOT NULL CHECK (kind IN ('traces', 'metrics')),
    days integer NOT NULL CHECK (days BETWEEN 0 AND 36500),
    PRIMARY KEY (project_id, kind)
);

-- The writers' settings are the default_days; at_most bounds what one call deletes.

-- Answers how many traces it deleted: fewer than at_most when nothing is left to do.
CREATE FUNCTION xtrace_retire_traces(default_days integer, at_most integer) RETURNS integer
    LANGUAGE plpgsql
AS $$
DECLARE
    due_project text;
    due_before timestamptz;
    due_ids text[];
BEGIN
    SELECT p.id, now() - make_interval(days => coalesce(r.days, default_days)) INTO due_project, due_before
    FROM projects p LEFT JOIN retention r ON r.project_id = p.id AND r.kind = 'traces'
    WHERE coalesce(r.days, default_days) > 0 AND EXISTS (SELECT FROM traces t WHERE t.project_id = p.id
        AND t.timestamp < now() - make_interval(days => coalesce(r.days, default_days)))
    LIMIT 1;
    IF due_project IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM xtrace_lock_traces();
    SELECT array_agg(id) INTO due_ids FROM (SELECT t.id FROM traces t
        WHERE t.project_id = due_project AND t.timestamp < due_before ORDER BY t.timestamp, t.id LIMIT at_most) due;
    IF due_ids IS NULL THEN
        RETURN 0;
    END IF;
    RETURN xtrace_delete_traces(array_fill(due_project, ARRAY[cardinality(due_ids)]), due_ids);
END
$$;

-- The days of each project that has metrics; projects without a row in retention are one: NULL.
CREATE FUNCTION xtrace_metric_days_kept(default_days integer) RETURNS TABLE (project_id text, days integer)
    LANGUAGE sql STABLE
AS $$
    SELECT r.project_id, r.days FROM retention r WHERE r.kind = 'metrics'
    UNION ALL SELECT NULL, default_days
$$;

-- Drops the oldest partition of points that no project keeps any more; answers whether it did. It gives way to
-- readers that hold the table for long.
CREATE FUNCTION xtrace_drop_metric_partition(default_days integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '500ms'
AS $$
DECLARE
    due regclass;
BEGIN
    SELECT p.partition INTO due FROM metric_partitions p
    WHERE p.ends <= (SELECT (now() AT TIME ZONE 'UTC')::date - max(k.days) FROM xtrace_metric_days_kept(default_days) k
                     HAVING min(k.days) > 0)
    ORDER BY p.ends LIMIT 1;
    IF due IS NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format('DROP TABLE %s', due);
    RETURN 1;
EXCEPTION WHEN lock_not_available THEN
    RETURN 0;
END
$$;

-- Deletes points that their project keeps for less time than others, so that they are in partitions that stay;
-- answers how many.
CREATE FUNCTION xtrace_retire_points(default_days integer, at_most integer) RETURNS integer
    LANGUAGE plpgsql SET timezone = 'UTC'
AS $$
DECLARE
    kept record;
    part regclass;
    gone integer;
BEGIN
    FOR kept IN SELECT k.project_id, now() - make_interval(days => k.days) AS since
                FROM xtrace_metric_days_kept(default_days) k
                WHERE k.days > 0 AND EXISTS (SELECT FROM xtrace_metric_days_kept(default_days) o
                                             WHERE o.days = 0 OR o.days > k.days) LOOP
        FOR part IN SELECT p.partition FROM metric_partitions p WHERE p.begins < kept.since ORDER BY p.begins LOOP
            EXECUTE format('DELETE FROM %1$s WHERE ctid = ANY (ARRAY(SELECT p.ctid'
                           ' FROM metric_series s JOIN %1$s p ON p.series_id = s.id WHERE p.ts < $1'
                           ' AND (s.project_id = $2 OR $2 IS NULL AND NOT EXISTS (SELECT FROM retention r'
                           '  WHERE r.project_id = s.project_id AND r.kind = ''metrics'')) LIMIT $3))', part)
                USING kept.since, kept.project_id, at_most;
            GET DIAGNOSTICS gone = ROW_COUNT;
            IF gone > 0 THEN
                RETURN gone;
            END IF;
        END LOOP;
    END LOOP;
    RETURN 0;
END
$$;

-- Where the search for series without points goes on.
CREATE TABLE retention_state (
    series_after bigint NOT NULL DEFAULT 0
);
INSERT INTO retention_state DEFAULT VALUES;
CREATE INDEX metric_series_by_id ON metric_series (id);

-- Looks at the next at_most series and deletes those that have lost all their points; answers how many it
-- looked at. Groups with points wait only when there are such.
CREATE FUNCTION xtrace_retire_series(default_days integer, at_most integer) RETURNS integer
    LANGUAGE plpgsql
AS $$
DECLARE
    seen bigint[];
    lost bigint[];
BEGIN
    IF (SELECT max(k.days) FROM xtrace_metric_days_kept(default_days) k) = 0 THEN
        RETURN 0;
    END IF;
    SELECT array_agg(id) INTO seen FROM (SELECT s.id FROM metric_series s
        WHERE s.id > (SELECT series_after FROM retention_state) ORDER BY s.id LIMIT at_most) s;
    UPDATE retention_state SET series_after = coalesce((SELECT max(i) FROM unnest(seen) AS i), 0);
    -- A new series may have points only in a transaction that is still open.
    SELECT array_agg(s.id) INTO lost FROM metric_series s
    WHERE s.id = ANY(seen) AND s.created_at < now() - interval '1 hour'
      AND NOT EXISTS (SELECT FROM metric_points p WHERE p.series_id = s.id);
    IF lost IS NOT NULL THEN
        PERFORM xtrace_lock_metric_series();
        DELETE FROM metric_series s WHERE s.id = ANY(lost)
          AND NOT EXISTS (SELECT FROM metric_points p WHERE p.series_id = s.id);
    END IF;
    RETURN coalesce(cardinality(seen), 0);
END
$$;

-- Only a writer drops partitions.
REVOKE EXECUTE ON FUNCTION xtrace_drop_metric_partition(integer) FROM PUBLIC;
