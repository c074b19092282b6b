-- The tables of traces, observations and scores, and the books that go with them.
-- Applied once by `xtrace-writer migrate`, inside a transaction; never edited once shipped.
--
-- Ids are text COLLATE "C", kept as given. Payloads (input, output, model_parameters) are text holding
-- JSON that the gateway has validated: they come back byte for byte. There are no foreign keys: rows
-- arrive in any order. Every primary key starts with project_id, so that a distributed PostgreSQL can
-- shard the tables as they are.

CREATE TABLE projects (
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- event_version is the greatest version that the row was merged from (proto/row.h). field_versions is
-- NULL while every column came with event_version, else {version, column mask, version, column mask,
-- ...}: bit i of a mask is column i of proto/row.h's table. metadata_versions is NULL while every leaf
-- of metadata came with the version of the metadata column (writer/metadata.h has its shape).
CREATE TABLE traces (
    project_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    timestamp timestamptz NOT NULL,
    name text COLLATE "C",
    user_id text COLLATE "C",
    session_id text COLLATE "C",
    release text COLLATE "C",
    version text COLLATE "C",
    environment text COLLATE "C",
    external_id text COLLATE "C",
    public boolean,
    bookmarked boolean,
    tags text[] COLLATE "C",
    tags_added text[] COLLATE "C",
    input text COMPRESSION lz4,
    output text COMPRESSION lz4,
    metadata jsonb COMPRESSION lz4,
    latency double precision,
    total_cost numeric,
    event_version bigint NOT NULL,
    field_versions bigint[],
    metadata_versions jsonb COMPRESSION lz4,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- What a reader calls the tags: those set as a whole and those added one by one.
    all_tags text[] COLLATE "C" NOT NULL GENERATED ALWAYS AS
        (coalesce(tags, '{}'::text[]) || coalesce(tags_added, '{}'::text[])) STORED,
    PRIMARY KEY (project_id, id)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_scale_factor = 0.05);

-- Pages in time order, and exact counts of a time range without touching the table.
CREATE INDEX traces_by_time ON traces (project_id, timestamp DESC, id DESC);
CREATE INDEX traces_by_user ON traces (project_id, user_id, timestamp DESC, id DESC)
    WHERE user_id IS NOT NULL;
CREATE INDEX traces_by_session ON traces (project_id, session_id, timestamp DESC, id DESC)
    WHERE session_id IS NOT NULL;
-- Names may be longer than an index entry; readers repeat the condition (gateway/read/traces_sql.h).
CREATE INDEX traces_by_name ON traces (project_id, name, timestamp DESC, id DESC)
    WHERE octet_length(name) <= 800;
CREATE INDEX traces_by_tag ON traces USING gin (all_tags);

CREATE TABLE observations (
    project_id text COLLATE "C" NOT NULL,
    trace_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    type text COLLATE "C",
    name text COLLATE "C",
    start_time timestamptz,
    end_time timestamptz,
    completion_start_time timestamptz,
    parent_observation_id text COLLATE "C",
    level text COLLATE "C",
    status_message text COMPRESSION lz4,
    version text COLLATE "C",
    environment text COLLATE "C",
    model text COLLATE "C",
    model_id text COLLATE "C",
    model_parameters text COMPRESSION lz4,
    input text COMPRESSION lz4,
    output text COMPRESSION lz4,
    prompt_tokens bigint,
    completion_tokens bigint,
    total_tokens bigint,
    unit text COLLATE "C",
    usage_details jsonb,
    input_price numeric,
    output_price numeric,
    total_price numeric,
    -- Costs as the client gave them.
    input_cost numeric,
    output_cost numeric,
    total_cost numeric,
    cost_details jsonb,
    latency double precision,
    time_to_first_token double precision,
    prompt_id text COLLATE "C",
    prompt_name text COLLATE "C",
    prompt_version text COLLATE "C",
    metadata jsonb COMPRESSION lz4,
    event_version bigint NOT NULL,
    field_versions bigint[],
    metadata_versions jsonb COMPRESSION lz4,
    -- Costs as the writer computed them from a price, told apart from those given.
    computed_cost_details jsonb,
    computed_total_cost numeric,
    pricing_tier_id text COLLATE "C",
    pricing_tier_name text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, trace_id, id)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE scores (
    project_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    timestamp timestamptz NOT NULL,
    trace_id text COLLATE "C",
    observation_id text COLLATE "C",
    session_id text COLLATE "C",
    dataset_run_id text COLLATE "C",
    name text COLLATE "C",
    source text COLLATE "C",
    data_type text COLLATE "C",
    value double precision,
    string_value text,
    comment text,
    config_id text COLLATE "C",
    queue_id text COLLATE "C",
    environment text COLLATE "C",
    metadata jsonb,
    event_version bigint NOT NULL,
    field_versions bigint[],
    metadata_versions jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, id)
);
CREATE INDEX scores_by_trace ON scores (project_id, trace_id) WHERE trace_id IS NOT NULL;
CREATE INDEX scores_by_time ON scores (project_id, timestamp DESC, id DESC);

-- Ids of batches that were applied, written in the transaction that applied them; pruned by the
-- writer when they are too old to be delivered again.
CREATE TABLE ingest_batches (
    batch_id uuid PRIMARY KEY,
    committed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ingest_batches_by_time ON ingest_batches USING brin (committed_at)
    WITH (pages_per_range = 16);

-- Rows that PostgreSQL refused for good, with the reason, as they came over the wire
-- (msgpack, proto/batch.h).
CREATE TABLE dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id text COLLATE "C" NOT NULL,
    batch_id uuid NOT NULL,
    row_index integer NOT NULL,
    kind text NOT NULL,
    record_id text,
    reason text NOT NULL,
    packed_row bytea NOT NULL,
    received_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    replayed_at timestamptz,
    UNIQUE (batch_id, row_index)
);

-- How many traces a day has, as a sum: each transaction appends what it added, so that writers never
-- wait for each other, and one of them folds the rows together now and then. The sum over the rows
-- is exact in every snapshot.
CREATE TABLE trace_counts (
    project_id text COLLATE "C" NOT NULL,
    day date NOT NULL,
    traces bigint NOT NULL
);
CREATE INDEX trace_counts_by_day ON trace_counts (project_id, day) INCLUDE (traces);

-- The daily roll-up (UTC days of traces.timestamp). A day that has a mark in dirty_days has changed
-- since it was rolled up and is computed live. Marks are appended in the transaction that changes the
-- day, and removed by the roll-up in the snapshot that it computes from: a visible change has a
-- visible mark. marked_by lets the roll-up wait for transactions that ran beside the one that marked
-- (writer/maintain.h).
CREATE TABLE daily_totals (
    project_id text COLLATE "C" NOT NULL,
    day date NOT NULL,
    count_traces bigint NOT NULL,
    count_observations bigint NOT NULL,
    total_cost numeric NOT NULL,
    PRIMARY KEY (project_id, day)
);

CREATE TABLE daily_usage (
    project_id text COLLATE "C" NOT NULL,
    day date NOT NULL,
    model text COLLATE "C",
    input_usage bigint NOT NULL,
    output_usage bigint NOT NULL,
    total_usage bigint NOT NULL,
    count_traces bigint NOT NULL,
    count_observations bigint NOT NULL,
    total_cost numeric NOT NULL,
    UNIQUE NULLS NOT DISTINCT (project_id, day, model)
);

CREATE TABLE dirty_days (
    project_id text COLLATE "C" NOT NULL,
    day date NOT NULL,
    marked_at timestamptz NOT NULL DEFAULT now(),
    marked_by xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX dirty_days_by_day ON dirty_days (project_id, day);

-- What a row means where the client did not say: one place for every reader.
-- Latencies are in seconds.
CREATE FUNCTION xtrace_seconds(earlier timestamptz, later timestamptz) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN extract(epoch FROM later - earlier)::double precision;

CREATE SCHEMA xtrace;

-- The supported way to read with SQL. Columns keep their names and meaning across versions.
CREATE VIEW xtrace.observations AS
SELECT project_id, trace_id, id, coalesce(type, 'GENERATION') AS type, name,
       coalesce(start_time, created_at) AS start_time, end_time, completion_start_time,
       parent_observation_id, coalesce(level, 'DEFAULT') AS level, status_message, version,
       coalesce(environment, 'default') AS environment, model, model_parameters, input, output,
       prompt_tokens, completion_tokens,
       coalesce(total_tokens, coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0)) AS total_tokens,
       usage_details, input_cost, output_cost,
       coalesce(total_cost, input_cost + output_cost, input_cost, output_cost, computed_total_cost)
           AS total_cost,
       cost_details,
       coalesce(latency, xtrace_seconds(start_time, end_time)) AS latency,
       coalesce(time_to_first_token, xtrace_seconds(start_time, completion_start_time))
           AS time_to_first_token,
       prompt_id, prompt_name, prompt_version, metadata, created_at, updated_at
FROM observations;

CREATE VIEW xtrace.traces AS
SELECT project_id, id, timestamp, name, user_id, session_id, release, version,
       coalesce(environment, 'default') AS environment, external_id,
       coalesce(public, false) AS public, coalesce(bookmarked, false) AS bookmarked,
       all_tags AS tags, input, output, metadata, latency AS given_latency,
       total_cost AS given_total_cost, created_at, updated_at
FROM traces;

CREATE VIEW xtrace.scores AS
SELECT project_id, id, timestamp, trace_id, observation_id, session_id, name,
       coalesce(source, 'API') AS source, data_type, value, string_value, comment,
       coalesce(environment, 'default') AS environment, metadata, created_at, updated_at
FROM scores;

-- Roles, where the migrating user may make them: the gateway reads, the writer writes. They are group
-- roles without login; grant them to the users that the programs connect as. A database whose owner
-- may not create roles works without them.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'xtrace_gateway') THEN
        CREATE ROLE xtrace_gateway NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'xtrace_writer') THEN
        CREATE ROLE xtrace_writer NOLOGIN;
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'the roles xtrace_gateway and xtrace_writer were not created: not allowed';
    WHEN duplicate_object OR unique_violation THEN
        NULL; -- another database of this cluster made them at the same moment
END
$$;
