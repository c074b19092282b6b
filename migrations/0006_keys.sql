-- Keys of projects, and what a project keeps of what it is sent. Both are few and read as a whole: every gateway
-- has them in memory.

-- A public key and a secret: together they are Basic credentials, the secret alone is a Bearer token with the
-- same rights, the public key alone, as Bearer token, may create scores. Secrets are long and random, so that a
-- plain digest says nothing of them.
CREATE TABLE api_keys (
    public_key text COLLATE "C" PRIMARY KEY CHECK (public_key ~ '^[!-9;-~]{1,200}$'),
    secret_sha256 bytea NOT NULL UNIQUE CHECK (length(secret_sha256) = 32),
    project_id text COLLATE "C" NOT NULL CHECK (octet_length(project_id) BETWEEN 1 AND 255),
    -- 'all' is everything within the project; 'ingest' adds, 'read' shows, 'scores' creates scores.
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0 AND scopes <@ '{all,ingest,read,scores}'),
    name text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX api_keys_by_project ON api_keys (project_id);

-- NULL: what the gateways' settings say (XTRACE_CAPTURE, XTRACE_REDACT_KEYS, XTRACE_REDACT_PATTERNS); '': none.
CREATE TABLE capture (
    project_id text COLLATE "C" PRIMARY KEY CHECK (octet_length(project_id) BETWEEN 1 AND 255),
    mode text CHECK (mode IN ('full', 'metadata_only', 'error_only', 'masked')),
    redact_keys text,
    redact_patterns text
);

-- Another value after every change of the two: gateways look at it each second and read them when it moved. Not a
-- number that grows, since a restored database would give the same one twice.
CREATE TABLE access_change (
    token uuid NOT NULL
);
INSERT INTO access_change VALUES (gen_random_uuid());

CREATE FUNCTION xtrace_note_access_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE access_change SET token = gen_random_uuid();
    RETURN NULL;
END
$$;
CREATE TRIGGER api_keys_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON api_keys
    FOR EACH STATEMENT EXECUTE FUNCTION xtrace_note_access_change();
CREATE TRIGGER capture_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON capture
    FOR EACH STATEMENT EXECUTE FUNCTION xtrace_note_access_change();
