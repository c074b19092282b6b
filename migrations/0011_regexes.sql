-- Trying patterns of models before they are stored.

-- What PostgreSQL has against a regex; null: nothing.
CREATE FUNCTION xtrace_regex_error(regex text) RETURNS text
    LANGUAGE plpgsql STABLE
AS $$
BEGIN
    PERFORM '' ~ regex;
    RETURN NULL;
EXCEPTION WHEN invalid_regular_expression THEN
    RETURN SQLERRM;
END
$$;
