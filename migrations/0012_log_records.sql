-- Log records of GenAI lie in the metadata of their observation, each under a key that sorts as they were
-- written (gateway/ingest/decode_otlp_logs.h): they come one by one, in any order, before or after the span.
-- What of them is a message of the input, or a choice of the output, is put together when it is read.

-- side: 'input', the list of messages, or 'output', the one choice, or the list of several. Null: none.
CREATE FUNCTION xtrace_logged(metadata jsonb, side text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN count(*) = 0 THEN NULL
                WHEN count(*) = 1 AND side = 'output' THEN (array_agg(r.value -> side))[1]::text
                ELSE json_agg(r.value -> side ORDER BY r.key COLLATE "C")::text END
    FROM jsonb_each(CASE WHEN jsonb_typeof(metadata -> 'logRecords') = 'object'
                         THEN metadata -> 'logRecords' END) r
    WHERE r.value -> side IS NOT NULL
$$;
