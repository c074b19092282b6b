-- Of types that are too long for the books (0017) the number is kept all the same, as that of 201 dots, which no type
-- in the books can be. So all types of an hour together are all its observations: totals of a range of time are sums, and
-- a deep page is found by its hour.
CREATE OR REPLACE FUNCTION xtrace_facets(type text, level text, name text, version text, environment text)
    RETURNS TABLE (facet text, value text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT f.facet, f.value
    FROM (VALUES ('type', CASE WHEN octet_length(type) > 200 THEN repeat('.', 201) ELSE coalesce(type, 'GENERATION') END),
                 ('level', coalesce(level, 'DEFAULT')), ('name', name), ('version', version),
                 ('environment', coalesce(environment, 'default'))) AS f(facet, value)
    WHERE octet_length(f.value) <= 201 - (f.facet <> 'type')::integer
$$;

LOCK TABLE observations IN SHARE MODE; -- keeps writers out until the end of this transaction
INSERT INTO facet_changes (project_id, facet, value, hour, observations)
SELECT project_id, 'type', repeat('.', 201), xtrace_hour(coalesce(start_time, created_at)), count(*)
FROM observations WHERE octet_length(type) > 200
GROUP BY 1, 2, 3, 4;
