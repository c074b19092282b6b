-- As in 0011, and patterns that take long to prepare are refused: writers hold them against every new name.
-- PostgreSQL keeps regexes that it has prepared, hence the one that nobody has seen.
CREATE OR REPLACE FUNCTION xtrace_regex_error(regex text) RETURNS text
    LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    begun timestamptz := clock_timestamp();
BEGIN
    PERFORM '' ~ regex;
    PERFORM '' ~ (regex || '|' || gen_random_uuid());
    IF clock_timestamp() - begun > interval '200 milliseconds' THEN
        RETURN 'the regular expression takes too long';
    END IF;
    RETURN NULL;
EXCEPTION WHEN invalid_regular_expression THEN
    RETURN SQLERRM;
END
$$;
