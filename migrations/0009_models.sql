-- Models and their prices, and what an observation's cost was computed from.

-- A price row: whose model matches match_pattern (a PostgreSQL regex), from start_date on. project_id '' is built
-- in; a project's own rows come first, then the latest start_date (none last). Rows do not change: a new price is a
-- new row, and one that was deleted stays, so that every cost can be explained.
-- pricing_tiers is a list by priority: [{"id","name","isDefault","priority","conditions":[...],"prices":{kind: USD per
-- unit}}], as the API shows it.
CREATE TABLE models (
    project_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    model_name text COLLATE "C" NOT NULL,
    match_pattern text NOT NULL,
    start_date timestamptz,
    unit text,
    tokenizer_id text,
    tokenizer_config jsonb,
    pricing_tiers jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX models_by_name ON models (project_id, model_name) WHERE deleted_at IS NULL AND project_id <> '';

-- Writers remember which row prices which model. Each group reads the generation and forgets what is of another.
CREATE TABLE models_state (
    generation uuid NOT NULL DEFAULT gen_random_uuid(),
    has_conditions boolean NOT NULL DEFAULT false -- of a tier on model parameters or metadata
);
INSERT INTO models_state DEFAULT VALUES;

CREATE FUNCTION xtrace_change_models() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE models_state SET generation = gen_random_uuid(), has_conditions = EXISTS (SELECT FROM models
        WHERE deleted_at IS NULL AND pricing_tiers @? '$[*].conditions[*].source');
    RETURN NULL;
END
$$;
CREATE TRIGGER models_change AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON models
    FOR EACH STATEMENT EXECUTE FUNCTION xtrace_change_models();

-- priced_model_id: the row of models that matches, also where the client gave costs itself. unpriced_usage: kinds of
-- tokens that were used and that the row has no price for; they are not in computed_total_cost.
ALTER TABLE observations ADD COLUMN priced_model_id text COLLATE "C";
ALTER TABLE observations ADD COLUMN unpriced_usage text[];

-- The view's columns so far keep their places; new ones follow.
CREATE OR REPLACE VIEW xtrace.observations AS
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
       prompt_id, prompt_name, prompt_version, metadata, created_at, updated_at,
       computed_cost_details, computed_total_cost, priced_model_id, pricing_tier_name, unpriced_usage
FROM observations;

CREATE VIEW xtrace.models AS
SELECT project_id, id, model_name, match_pattern, start_date, unit, pricing_tiers, project_id = '' AS is_built_in,
       created_at, deleted_at
FROM models;

-- The built-in prices: USD for a million tokens, as the vendors publish them for on-demand use. Sources: the list of
-- github.com/anomalyco/models.dev at f3fc692 (2 July 2026), which collects the vendors' pricing pages; prices of later
-- models, of audio, of retired models and of embeddings as those pages (openai.com/api/pricing,
-- platform.claude.com/docs/en/about-claude/pricing, ai.google.dev/gemini-api/docs/pricing, cohere.com/pricing,
-- docs.voyageai.com/docs/pricing) had them when last quoted up to September 2026.
--
-- pattern is the name as a vendor spells it, with its snapshots; around it come (?i)^ and $ and whatever routers put before
-- a name (openai/, openrouter/anthropic/, models/, azure:). thinking: reasoning tokens, where they cost more than
-- other output. above: with more tokens of input than that, cached ones included, all prices are the long_ ones.
CREATE TEMP TABLE price_list (
    name text, pattern text,
    input numeric, cached numeric, written numeric, output numeric,
    thinking numeric, audio_in numeric, audio_out numeric,
    above bigint, long_input numeric, long_cached numeric, long_written numeric, long_output numeric
) ON COMMIT DROP;

-- OpenAI: a snapshot is -YYYY-MM-DD.
INSERT INTO price_list (name, pattern, input, cached, written, output, above, long_input, long_cached, long_written,
                        long_output)
SELECT name, pattern || '(?:-\d{4}-\d{2}-\d{2})?', input, cached, written, output, above, long_input, long_cached,
       long_written, long_output
FROM (VALUES
--  name                     pattern                                        input  cached written output  above    long:
    ('gpt-6-astra',           'gpt-6-astra',                                 10.0,  1.0,    NULL,  50.0,  NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-5.6-sol',           'gpt-5\.6(?:-sol)?',                           4.0,   0.4,    5.0,   20.0,  272000,  8.0,   0.8,  10.0, 30.0),
    ('gpt-5.6-terra',         'gpt-5\.6-terra',                              2.0,   0.2,    2.5,   12.0,  272000,  4.0,   0.4,  5.0,  18.0),
    ('gpt-5.6-luna',          'gpt-5\.6-luna',                               0.2,   0.02,   NULL,  1.2,   NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-5.5',               'gpt-5\.5',                                    5.0,   0.5,    NULL,  30.0,  272000,  10.0,  1.0,  NULL, 45.0),
    ('gpt-5.5-pro',           'gpt-5\.5-pro',                                30.0,  NULL,   NULL,  180.0, 272000,  60.0,  NULL, NULL, 270.0),
    ('gpt-5.4',               'gpt-5\.4',                                    2.5,   0.25,   NULL,  15.0,  272000,  5.0,   0.5,  NULL, 22.5),
    ('gpt-5.4-pro',           'gpt-5\.4-pro',                                30.0,  NULL,   NULL,  180.0, 272000,  60.0,  NULL, NULL, 270.0),
    ('gpt-5.4-mini',          'gpt-5\.4-mini',                               0.75,  0.075,  NULL,  4.5,   NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-5.4-nano',          'gpt-5\.4-nano',                               0.2,   0.02,   NULL,  1.25,  NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-5.3-codex',         'gpt-5\.3-(?:codex(?:-spark)?|chat(?:-latest)?)', 1.75, 0.175, NULL, 14.0,  NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-5.2',               'gpt-5\.2(?:-codex|-chat(?:-latest)?)?',       1.75,  0.175,  NULL,  14.0,  NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-5.2-pro',           'gpt-5\.2-pro',                                21.0,  NULL,   NULL,  168.0, NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-5.1',               'gpt-5\.1(?:-codex(?:-max)?|-chat(?:-latest)?)?', 1.25, 0.125, NULL, 10.0,  NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-5.1-codex-mini',    'gpt-5\.1-codex-mini',                         0.25,  0.025,  NULL,  2.0,   NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-5',                 'gpt-5(?:-codex|-chat(?:-latest)?|-search-api)?', 1.25, 0.125, NULL, 10.0,  NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-5-mini',            'gpt-5-mini',                                  0.25,  0.025,  NULL,  2.0,   NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-5-nano',            'gpt-5-nano',                                  0.05,  0.005,  NULL,  0.4,   NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-5-pro',             'gpt-5-pro',                                   15.0,  NULL,   NULL,  120.0, NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-4.5-preview',       'gpt-4\.5-preview',                            75.0,  37.5,   NULL,  150.0, NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-4.1',               'gpt-4\.1',                                    2.0,   0.5,    NULL,  8.0,   NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-4.1-mini',          'gpt-4\.1-mini',                               0.4,   0.1,    NULL,  1.6,   NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-4.1-nano',          'gpt-4\.1-nano',                               0.1,   0.025,  NULL,  0.4,   NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-4o',                'gpt-4o(?!-2024-05-13)',                       2.5,   1.25,   NULL,  10.0,  NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-4o-mini',           'gpt-4o-mini',                                 0.15,  0.075,  NULL,  0.6,   NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-4o-search-preview', 'gpt-4o-search-preview',                       2.5,   NULL,   NULL,  10.0,  NULL,    NULL,  NULL, NULL, NULL),
    ('gpt-4o-mini-search-preview', 'gpt-4o-mini-search-preview',             0.15,  NULL,   NULL,  0.6,   NULL,    NULL,  NULL, NULL, NULL),
    ('o1',                    'o1(?:-preview)?',                             15.0,  7.5,    NULL,  60.0,  NULL,    NULL,  NULL, NULL, NULL),
    ('o1-mini',               'o1-mini',                                     1.1,   0.55,   NULL,  4.4,   NULL,    NULL,  NULL, NULL, NULL),
    ('o1-pro',                'o1-pro',                                      150.0, NULL,   NULL,  600.0, NULL,    NULL,  NULL, NULL, NULL),
    ('o3',                    'o3',                                          2.0,   0.5,    NULL,  8.0,   NULL,    NULL,  NULL, NULL, NULL),
    ('o3-mini',               'o3-mini',                                     1.1,   0.55,   NULL,  4.4,   NULL,    NULL,  NULL, NULL, NULL),
    ('o3-pro',                'o3-pro',                                      20.0,  NULL,   NULL,  80.0,  NULL,    NULL,  NULL, NULL, NULL),
    ('o3-deep-research',      'o3-deep-research',                            10.0,  2.5,    NULL,  40.0,  NULL,    NULL,  NULL, NULL, NULL),
    ('o4-mini',               'o4-mini',                                     1.1,   0.275,  NULL,  4.4,   NULL,    NULL,  NULL, NULL, NULL),
    ('o4-mini-deep-research', 'o4-mini-deep-research',                       2.0,   0.5,    NULL,  8.0,   NULL,    NULL,  NULL, NULL, NULL)
) AS l (name, pattern, input, cached, written, output, above, long_input, long_cached, long_written, long_output);

-- OpenAI: older models, whose snapshots are named otherwise.
INSERT INTO price_list (name, pattern, input, cached, output) VALUES
    ('gpt-4o-2024-05-13',       'gpt-4o-2024-05-13',                                          5.0,   NULL,  15.0),
    ('chatgpt-4o-latest',       'chatgpt-4o-latest',                                          5.0,   NULL,  15.0),
    ('codex-mini-latest',       'codex-mini(?:-latest)?',                                     1.5,   0.375, 6.0),
    ('gpt-4-turbo',             'gpt-4-(?:turbo(?:-preview|-\d{4}-\d{2}-\d{2})?|1106-preview|0125-preview|(?:1106-)?vision-preview)',
                                                                                              10.0,  NULL,  30.0),
    ('gpt-4',                   'gpt-4(?:-0314|-0613)?',                                      30.0,  NULL,  60.0),
    ('gpt-4-32k',               'gpt-4-32k(?:-0314|-0613)?',                                  60.0,  NULL,  120.0),
    ('gpt-3.5-turbo',           'gpt-3\.?5-turbo(?:-0125)?',                                  0.5,   NULL,  1.5),
    ('gpt-3.5-turbo-1106',      'gpt-3\.?5-turbo-1106',                                       1.0,   NULL,  2.0),
    ('gpt-3.5-turbo-0613',      'gpt-3\.?5-turbo-(?:0301|0613)',                              1.5,   NULL,  2.0),
    ('gpt-3.5-turbo-instruct',  'gpt-3\.?5-turbo-instruct(?:-0914)?',                         1.5,   NULL,  2.0),
    ('gpt-3.5-turbo-16k',       'gpt-3\.?5-turbo-16k(?:-0613)?',                              3.0,   NULL,  4.0);

-- OpenAI: models that hear and speak; text and audio tokens have prices of their own.
INSERT INTO price_list (name, pattern, input, cached, output, audio_in, audio_out)
SELECT name, pattern || '(?:-\d{4}-\d{2}-\d{2})?', input, cached, output, audio_in, audio_out
FROM (VALUES
    ('gpt-audio',                    'gpt-audio(?:-1\.5)?',           2.5, NULL, 10.0, 32.0, 64.0),
    ('gpt-audio-mini',               'gpt-audio-mini',                0.6, NULL, 2.4,  10.0, 20.0),
    ('gpt-4o-audio-preview',         'gpt-4o-audio-preview',          2.5, NULL, 10.0, 40.0, 80.0),
    ('gpt-4o-mini-audio-preview',    'gpt-4o-mini-audio-preview',     0.15, NULL, 0.6, 10.0, 20.0),
    ('gpt-realtime',                 'gpt-realtime(?:-1\.5)?',        4.0, 0.4,  16.0, 32.0, 64.0),
    ('gpt-realtime-mini',            'gpt-realtime-mini',             0.6, 0.06, 2.4,  10.0, 20.0),
    ('gpt-4o-realtime-preview',      'gpt-4o-realtime-preview',       5.0, 2.5,  20.0, 40.0, 80.0),
    ('gpt-4o-mini-realtime-preview', 'gpt-4o-mini-realtime-preview',  0.6, 0.3,  2.4,  10.0, 20.0)
) AS l (name, pattern, input, cached, output, audio_in, audio_out);

-- Anthropic, also as Bedrock (us.anthropic.claude-...-v1:0) and Vertex (claude-...@20250929) spell them.
-- written: a cache entry for five minutes; one for an hour costs twice the input.
INSERT INTO price_list (name, pattern, input, cached, written, output, above, long_input, long_cached, long_written,
                        long_output)
SELECT name, '(?:(?:us|eu|jp|au|apac|global|us-gov)\.)?(?:anthropic\.)?claude-' || pattern
       || '(?:[-@]\d{8})?(?:-v\d)?(?::\d+(?::\d+k)?)?(?:[-@]latest|@default)?(?::thinking|:beta)?',
       input, cached, written, output, above, long_input, long_cached, long_written, long_output
FROM (VALUES
    ('claude-fable-5-1',  '(?:fable|mythos)-5[-.]1',           10.0, 0.25, 12.5,  50.0, NULL,   NULL, NULL, NULL, NULL),
    ('claude-fable-5',    '(?:fable|mythos)-5',                10.0, 1.0,  12.5,  50.0, NULL,   NULL, NULL, NULL, NULL),
    ('claude-opus-5-5',   'opus-5[-.]5',                       4.0,  0.2,  5.0,   20.0, NULL,   NULL, NULL, NULL, NULL),
    ('claude-opus-5',     'opus-5',                            5.0,  0.5,  6.25,  25.0, NULL,   NULL, NULL, NULL, NULL),
    ('claude-opus-4-5',   'opus-4[-.][5678]',                  5.0,  0.5,  6.25,  25.0, NULL,   NULL, NULL, NULL, NULL),
    ('claude-opus-4-1',   'opus-4[-.]1',                       15.0, 1.5,  18.75, 75.0, NULL,   NULL, NULL, NULL, NULL),
    ('claude-opus-4',     '(?:opus-4(?:[-.]0)?|4-opus)',       15.0, 1.5,  18.75, 75.0, NULL,   NULL, NULL, NULL, NULL),
    ('claude-sonnet-5',   'sonnet-5',                          2.0,  0.2,  2.5,   10.0, NULL,   NULL, NULL, NULL, NULL),
    ('claude-sonnet-4-6', 'sonnet-4[-.]6',                     3.0,  0.3,  3.75,  15.0, NULL,   NULL, NULL, NULL, NULL),
    ('claude-sonnet-4-5', 'sonnet-4[-.]5',                     3.0,  0.3,  3.75,  15.0, 200000, 6.0,  0.6,  7.5,  22.5),
    ('claude-sonnet-4',   '(?:sonnet-4(?:[-.]0)?|4-sonnet)',   3.0,  0.3,  3.75,  15.0, 200000, 6.0,  0.6,  7.5,  22.5),
    ('claude-3-7-sonnet', '3[-.]7-sonnet',                     3.0,  0.3,  3.75,  15.0, NULL,   NULL, NULL, NULL, NULL),
    ('claude-3-5-sonnet', '3[-.]5-sonnet',                     3.0,  0.3,  3.75,  15.0, NULL,   NULL, NULL, NULL, NULL),
    ('claude-haiku-4-5',  'haiku-4[-.]5',                      1.0,  0.1,  1.25,  5.0,  NULL,   NULL, NULL, NULL, NULL),
    ('claude-3-5-haiku',  '3[-.]5-haiku',                      0.8,  0.08, 1.0,   4.0,  NULL,   NULL, NULL, NULL, NULL),
    ('claude-3-opus',     '3-opus',                            15.0, 1.5,  18.75, 75.0, NULL,   NULL, NULL, NULL, NULL),
    ('claude-3-sonnet',   '3-sonnet',                          3.0,  0.3,  3.75,  15.0, NULL,   NULL, NULL, NULL, NULL),
    ('claude-3-haiku',    '3-haiku',                           0.25, 0.03, 0.3,   1.25, NULL,   NULL, NULL, NULL, NULL),
    ('claude-2',          '(?:2(?:\.[01])?|v2(?:\.1)?)',       8.0,  NULL, NULL,  24.0, NULL,   NULL, NULL, NULL, NULL),
    ('claude-instant',    'instant(?:-1(?:\.[012])?)?',        0.8,  NULL, NULL,  2.4,  NULL,   NULL, NULL, NULL, NULL)
) AS l (name, pattern, input, cached, written, output, above, long_input, long_cached, long_written, long_output);

-- Google: gemini-2.5-pro, -001, -preview-05-06, -preview-09-2025, -latest.
INSERT INTO price_list (name, pattern, input, cached, output, audio_in, above, long_input, long_cached, long_output)
SELECT name, 'gemini-' || pattern || '(?:-\d{3})?(?:-(?:preview|exp)(?:-\d{2}-(?:\d{2}|\d{4})|-\d{4})?(?:-customtools)?)?(?:-latest)?',
       input, cached, output, audio_in, above, long_input, long_cached, long_output
FROM (VALUES
    ('gemini-3.5-flash',      '3\.5-flash',              1.5,    0.15,    9.0,  1.5,  NULL,   NULL,  NULL,   NULL),
    ('gemini-3.1-pro',        '3\.1-pro',                2.0,    0.2,     12.0, NULL, 200000, 4.0,   0.4,    18.0),
    ('gemini-3.1-flash-lite', '3\.1-flash-lite',         0.25,   0.025,   1.5,  0.5,  NULL,   NULL,  NULL,   NULL),
    ('gemini-3-pro',          '3-pro',                   2.0,    0.2,     12.0, NULL, 200000, 4.0,   0.4,    18.0),
    ('gemini-3-flash',        '3-flash',                 0.5,    0.05,    3.0,  1.0,  NULL,   NULL,  NULL,   NULL),
    ('gemini-2.5-pro',        '2\.5-pro',                1.25,   0.125,   10.0, NULL, 200000, 2.5,   0.25,   15.0),
    ('gemini-2.5-flash',      '(?:2\.5-)?flash(?:-thinking)?', 0.3, 0.03, 2.5,  1.0,  NULL,   NULL,  NULL,   NULL),
    ('gemini-2.5-flash-lite', '(?:2\.5-)?flash-lite',    0.1,    0.01,    0.4,  0.3,  NULL,   NULL,  NULL,   NULL),
    ('gemini-2.0-flash',      '2\.0-flash',              0.1,    0.025,   0.4,  0.7,  NULL,   NULL,  NULL,   NULL),
    ('gemini-2.0-flash-lite', '2\.0-flash-lite',         0.075,  NULL,    0.3,  0.075, NULL,  NULL,  NULL,   NULL),
    ('gemini-1.5-pro',        '1\.5-pro',                1.25,   0.3125,  5.0,  NULL, 128000, 2.5,   0.625,  10.0),
    ('gemini-1.5-flash',      '1\.5-flash',              0.075,  0.01875, 0.3,  NULL, 128000, 0.15,  0.0375, 0.6),
    ('gemini-1.5-flash-8b',   '1\.5-flash-8b',           0.0375, 0.01,    0.15, NULL, 128000, 0.075, 0.02,   0.3)
) AS l (name, pattern, input, cached, output, audio_in, above, long_input, long_cached, long_output);

-- Mistral.
INSERT INTO price_list (name, pattern, input, output) VALUES
    ('mistral-large-latest',    'mistral-large(?:-latest|-2512)?',                         0.5,  1.5),
    ('mistral-large-2411',      'mistral-large-(?:2407|2411)',                             2.0,  6.0),
    ('mistral-medium-latest',   'mistral-medium(?:-latest|-2505|-2508|-3|-3[-.]1)?',       0.4,  2.0),
    ('mistral-medium-2604',     'mistral-medium-(?:2604|3[-.]5)',                          1.5,  7.5),
    ('mistral-small-latest',    'mistral-small(?:-latest|-2603)?',                         0.15, 0.6),
    ('mistral-small-2506',      'mistral-small-(?:2501|2503|2506)',                        0.1,  0.3),
    ('magistral-medium-latest', 'magistral-medium(?:-latest|-\d{4})?',                     2.0,  5.0),
    ('magistral-small',         'magistral-small(?:-latest|-\d{4})?',                      0.5,  1.5),
    ('codestral-latest',        'codestral(?:-latest|-\d{4})?',                            0.3,  0.9),
    ('devstral-medium-latest',  'devstral(?:-medium)?(?:-latest|-2507|-2512)?',            0.4,  2.0),
    ('devstral-small',          'devstral-small(?:-latest|-2505|-2507)?',                  0.1,  0.3),
    ('ministral-3b-latest',     'ministral-3b(?:-latest|-2410)?',                          0.04, 0.04),
    ('ministral-8b-latest',     'ministral-8b(?:-latest|-2410)?',                          0.1,  0.1),
    ('pixtral-large-latest',    'pixtral-large(?:-latest|-2411)?',                         2.0,  6.0),
    ('pixtral-12b',             'pixtral-12b(?:-latest|-2409)?',                           0.15, 0.15),
    ('mistral-nemo',            '(?:open-)?mistral-nemo(?:-2407)?',                        0.15, 0.15),
    ('open-mistral-7b',         'open-mistral-7b',                                         0.25, 0.25),
    ('open-mixtral-8x7b',       'open-mixtral-8x7b',                                       0.7,  0.7),
    ('open-mixtral-8x22b',      'open-mixtral-8x22b(?:-2404)?',                            2.0,  6.0);

-- DeepSeek's own service; then as Bedrock hosts its models.
INSERT INTO price_list (name, pattern, input, cached, output) VALUES
    ('deepseek-chat',     'deepseek-chat',                        0.14,  0.0028,   0.28),
    ('deepseek-reasoner', 'deepseek-reasoner',                    0.14,  0.0028,   0.28),
    ('deepseek-v4-flash', 'deepseek-v4-flash',                    0.14,  0.0028,   0.28),
    ('deepseek-v4-pro',   'deepseek-v4-pro',                      0.435, 0.003625, 0.87),
    ('deepseek.r1-v1:0',  '(?:us\.)?deepseek\.r1-v1:0',           1.35,  NULL,     5.4),
    ('deepseek.v3-v1:0',  '(?:us\.)?deepseek\.v3-v1:0',           0.58,  NULL,     1.68);

-- Meta's Llama, by host. Groq:
INSERT INTO price_list (name, pattern, input, output) VALUES
    ('llama-3.3-70b-versatile', 'llama-3\.3-70b-versatile',                                        0.59, 0.79),
    ('llama-3.1-8b-instant',    'llama-3\.1-8b-instant',                                           0.05, 0.08),
    ('groq/meta-llama/llama-4-scout-17b-16e-instruct', 'groq[/:](?:meta-llama/)?llama-4-scout-17b-16e-instruct', 0.11, 0.34);
-- Together:
INSERT INTO price_list (name, pattern, input, output) VALUES
    ('meta-llama/Llama-3.3-70B-Instruct-Turbo',  'meta-llama/llama-3\.3-70b-instruct-turbo',       0.88, 0.88),
    ('meta-llama/Meta-Llama-3-8B-Instruct-Lite', 'meta-llama/meta-llama-3-8b-instruct-lite',       0.14, 0.14);
-- Amazon Bedrock:
INSERT INTO price_list (name, pattern, input, output) VALUES
    ('meta.llama4-maverick-17b-instruct-v1:0', '(?:us\.)?meta\.llama4-maverick-17b-instruct-v1(?::0)?', 0.24, 0.97),
    ('meta.llama4-scout-17b-instruct-v1:0',    '(?:us\.)?meta\.llama4-scout-17b-instruct-v1(?::0)?',    0.17, 0.66),
    ('meta.llama3-3-70b-instruct-v1:0',        '(?:us\.)?meta\.llama3-3-70b-instruct-v1(?::0)?',        0.72, 0.72),
    ('meta.llama3-1-70b-instruct-v1:0',        '(?:us\.)?meta\.llama3-1-70b-instruct-v1(?::0)?',        0.72, 0.72),
    ('meta.llama3-1-8b-instruct-v1:0',         '(?:us\.)?meta\.llama3-1-8b-instruct-v1(?::0)?',         0.22, 0.22);
-- Google Vertex AI:
INSERT INTO price_list (name, pattern, input, output) VALUES
    ('llama-3.3-70b-instruct-maas',               'llama-3\.3-70b-instruct-maas',               0.72, 0.72),
    ('llama-4-maverick-17b-128e-instruct-maas',   'llama-4-maverick-17b-128e-instruct-maas',    0.35, 1.15);

-- Qwen, at Alibaba Cloud Model Studio (international).
INSERT INTO price_list (name, pattern, input, cached, written, output, thinking, above, long_input, long_cached,
                        long_written, long_output)
SELECT name, pattern || '(?:-latest|-\d{4}-\d{2}-\d{2})?', input, cached, written, output, thinking, above, long_input,
       long_cached, long_written, long_output
FROM (VALUES
    ('qwen3.7-max',          'qwen3\.7-max',               2.5,    0.5,  3.125,    7.5,   NULL,   NULL,   NULL, NULL, NULL, NULL),
    ('qwen3.7-plus',         'qwen3\.7-plus',              0.5,    0.05, 0.625,    3.0,   NULL,   256000, 2.0,  0.2,  2.5,  6.0),
    ('qwen3.6-max-preview',  'qwen3\.6-max(?:-preview)?',  1.3,    0.13, 1.625,    7.8,   NULL,   NULL,   NULL, NULL, NULL, NULL),
    ('qwen3.6-plus',         'qwen3\.6-plus',              0.5,    0.05, 0.625,    3.0,   NULL,   256000, 2.0,  0.2,  2.5,  6.0),
    ('qwen3.6-flash',        'qwen3\.6-flash',             0.1875, NULL, 0.234375, 1.125, NULL,   NULL,   NULL, NULL, NULL, NULL),
    ('qwen3.5-plus',         'qwen3\.5-plus',              0.4,    NULL, NULL,     2.4,   NULL,   NULL,   NULL, NULL, NULL, NULL),
    ('qwen3-max',            'qwen3-max',                  1.2,    NULL, NULL,     6.0,   NULL,   NULL,   NULL, NULL, NULL, NULL),
    ('qwen3-coder-plus',     'qwen3-coder-plus',           1.0,    NULL, NULL,     5.0,   NULL,   NULL,   NULL, NULL, NULL, NULL),
    ('qwen3-coder-flash',    'qwen3-coder-flash',          0.3,    NULL, NULL,     1.5,   NULL,   NULL,   NULL, NULL, NULL, NULL),
    ('qwen3-vl-plus',        'qwen3-vl-plus',              0.2,    NULL, NULL,     1.6,   4.8,    NULL,   NULL, NULL, NULL, NULL),
    ('qwen-max',             'qwen-max',                   1.6,    NULL, NULL,     6.4,   NULL,   NULL,   NULL, NULL, NULL, NULL),
    ('qwen-plus',            'qwen-plus',                  0.4,    NULL, NULL,     1.2,   4.0,    NULL,   NULL, NULL, NULL, NULL),
    ('qwen-flash',           'qwen-flash',                 0.05,   NULL, NULL,     0.4,   NULL,   NULL,   NULL, NULL, NULL, NULL),
    ('qwen-turbo',           'qwen-turbo',                 0.05,   NULL, NULL,     0.2,   0.5,    NULL,   NULL, NULL, NULL, NULL),
    ('qwen-vl-max',          'qwen-vl-max',                0.8,    NULL, NULL,     3.2,   NULL,   NULL,   NULL, NULL, NULL, NULL),
    ('qwen-vl-plus',         'qwen-vl-plus',               0.21,   NULL, NULL,     0.63,  NULL,   NULL,   NULL, NULL, NULL, NULL),
    ('qwq-plus',             'qwq-plus',                   0.8,    NULL, NULL,     2.4,   NULL,   NULL,   NULL, NULL, NULL, NULL),
    ('qvq-max',              'qvq-max',                    1.2,    NULL, NULL,     4.8,   NULL,   NULL,   NULL, NULL, NULL, NULL)
) AS l (name, pattern, input, cached, written, output, thinking, above, long_input, long_cached, long_written,
        long_output);

-- Cohere.
INSERT INTO price_list (name, pattern, input, output) VALUES
    ('command-a-03-2025',      'command-a(?:-(?:plus|reasoning|translate|vision))?(?:-\d{2}-\d{4})?', 2.5,    10.0),
    ('command-r-plus-08-2024', 'command-r-plus(?:-08-2024)?',                                        2.5,    10.0),
    ('command-r-08-2024',      'command-r(?:-08-2024)?',                                             0.15,   0.6),
    ('command-r7b-12-2024',    'command-r7b(?:-arabic)?(?:-\d{2}-\d{4})?',                           0.0375, 0.15);

-- Amazon Nova.
INSERT INTO price_list (name, pattern, input, cached, output) VALUES
    ('amazon.nova-pro-v1:0',    '(?:(?:us|eu|apac)\.)?(?:amazon\.)?nova-pro-v1(?::0)?',           0.8,   0.2,     3.2),
    ('amazon.nova-lite-v1:0',   '(?:(?:us|eu|apac)\.)?(?:amazon\.)?nova-lite-v1(?::0)?',          0.06,  0.015,   0.24),
    ('amazon.nova-micro-v1:0',  '(?:(?:us|eu|apac)\.)?(?:amazon\.)?nova-micro-v1(?::0)?',         0.035, 0.00875, 0.14);

-- Embeddings: input is all there is, and some SDKs only say the total.
INSERT INTO price_list (name, pattern, input) VALUES
    ('text-embedding-3-small',        'text-embedding-3-small',                                 0.02),
    ('text-embedding-3-large',        'text-embedding-3-large',                                 0.13),
    ('text-embedding-ada-002',        'text-embedding-ada-002(?:-v2)?',                         0.1),
    ('gemini-embedding-001',          'gemini-embedding-001',                                   0.15),
    ('mistral-embed',                 'mistral-embed(?:-2312)?',                                0.1),
    ('codestral-embed',               'codestral-embed(?:-2505)?',                              0.15),
    ('embed-v4.0',                    '(?:cohere\.)?embed-v4(?:\.0|:0)?',                       0.12),
    ('embed-english-v3.0',            '(?:cohere\.)?embed-(?:english|multilingual)(?:-light)?-v3(?:\.0|:0)?', 0.1),
    ('voyage-3-large',                'voyage-3-large',                                         0.18),
    ('voyage-3.5',                    'voyage-3(?:\.5)?',                                       0.06),
    ('voyage-3.5-lite',               'voyage-3(?:\.5)?-lite',                                  0.02),
    ('voyage-code-3',                 'voyage-code-3',                                          0.18),
    ('amazon.titan-embed-text-v2:0',  '(?:amazon\.)?titan-embed-text-v2(?::0)?',                0.02);

-- The names under which a kind of tokens arrives (gateway/ingest/usage.c, otlp_usage.c, and what SDKs put into
-- usageDetails themselves). Reasoning and predicted tokens have been taken out of output, so they cost what it costs.
CREATE TEMP TABLE price_kinds (kind text, keys text[]) ON COMMIT DROP;
INSERT INTO price_kinds VALUES
    ('input', ARRAY['input', 'input_tokens', 'prompt_tokens', 'input_text_tokens', 'prompt_token_count',
        'promptTokenCount']),
    ('cached', ARRAY['input_cached_tokens', 'input_cache_read', 'cache_read_input_tokens', 'input_cached_content',
        'cached_content_token_count', 'cachedContentTokenCount']),
    ('written', ARRAY['input_cache_creation', 'input_cache_write', 'input_cache_write_tokens',
        'cache_creation_input_tokens', 'input_cache_creation_5m', 'input_ephemeral_5m_input_tokens']),
    ('written_1h', ARRAY['input_cache_creation_1h', 'input_ephemeral_1h_input_tokens']),
    ('output', ARRAY['output', 'output_tokens', 'completion_tokens', 'output_text_tokens', 'candidates_token_count',
        'candidatesTokenCount', 'output_accepted_prediction_tokens', 'output_rejected_prediction_tokens']),
    ('thinking', ARRAY['output_reasoning_tokens', 'output_reasoning', 'thoughts_token_count', 'thoughtsTokenCount']),
    ('audio_in', ARRAY['input_audio_tokens', 'input_audio']),
    ('audio_out', ARRAY['output_audio_tokens', 'output_audio']),
    ('total', ARRAY['total']);

CREATE TEMP VIEW price_lines AS
SELECT l.name, t.tier, k.kind, k.price * 0.000001 AS price
FROM price_list l, (VALUES ('standard'), ('long')) AS t (tier),
LATERAL (VALUES
    ('input', CASE t.tier WHEN 'long' THEN l.long_input ELSE l.input END),
    ('cached', CASE t.tier WHEN 'long' THEN l.long_cached ELSE l.cached END),
    ('written', CASE t.tier WHEN 'long' THEN l.long_written ELSE l.written END),
    ('written_1h', CASE WHEN l.name LIKE 'claude-%' AND l.written IS NOT NULL
        THEN 2 * CASE t.tier WHEN 'long' THEN l.long_input ELSE l.input END END),
    ('output', CASE t.tier WHEN 'long' THEN l.long_output ELSE l.output END),
    ('thinking', CASE t.tier WHEN 'long' THEN l.long_output ELSE coalesce(l.thinking, l.output) END),
    ('audio_in', l.audio_in), ('audio_out', l.audio_out),
    ('total', CASE WHEN l.output IS NULL THEN l.input END)) AS k (kind, price)
WHERE k.price IS NOT NULL AND (t.tier = 'standard' OR l.above IS NOT NULL);

CREATE TEMP VIEW price_tiers AS
SELECT p.name, p.tier, jsonb_object_agg(key, to_jsonb(trim_scale(p.price))) AS prices
FROM price_lines p JOIN price_kinds k USING (kind), unnest(k.keys) AS key
GROUP BY p.name, p.tier;

INSERT INTO models (project_id, id, model_name, match_pattern, unit, pricing_tiers)
SELECT '', m.id, l.name, '(?i)^(?!ft:)(?:[a-z0-9_.-]+[/:])*' || l.pattern || '$', 'TOKENS',
       jsonb_build_array(jsonb_build_object('id', m.id || '-standard', 'name', 'Standard', 'isDefault', true,
           'priority', 0, 'conditions', '[]'::jsonb, 'prices', s.prices))
       || CASE WHEN l.above IS NULL THEN '[]'::jsonb ELSE jsonb_build_array(jsonb_build_object(
           'id', m.id || '-long', 'name', 'Long context', 'isDefault', false, 'priority', 1,
           'conditions', jsonb_build_array(jsonb_build_object('usageDetailPattern', 'input|prompt|cache',
               'operator', 'gt', 'value', l.above, 'caseSensitive', false)),
           'prices', g.prices)) END
FROM price_list l
CROSS JOIN LATERAL (SELECT 'built-in-' || regexp_replace(lower(l.name), '[^a-z0-9.]+', '-', 'g') AS id) m
JOIN price_tiers s ON s.name = l.name AND s.tier = 'standard'
LEFT JOIN price_tiers g ON g.name = l.name AND g.tier = 'long';

DROP VIEW price_tiers, price_lines;
