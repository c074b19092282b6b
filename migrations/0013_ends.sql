-- An end before the start reads as the start, for those who read with SQL as for those who ask the API
-- (gateway/read/traces_sql.h). Otherwise the view is that of 0009.
CREATE OR REPLACE VIEW xtrace.observations AS
SELECT project_id, trace_id, id, coalesce(type, 'GENERATION') AS type, name,
       coalesce(start_time, created_at) AS start_time,
       CASE WHEN end_time < start_time THEN start_time ELSE end_time END AS end_time, completion_start_time,
       parent_observation_id, coalesce(level, 'DEFAULT') AS level, status_message, version,
       coalesce(environment, 'default') AS environment, model, model_parameters, input, output,
       prompt_tokens, completion_tokens,
       coalesce(total_tokens, coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0)) AS total_tokens,
       usage_details, input_cost, output_cost,
       coalesce(total_cost, input_cost + output_cost, input_cost, output_cost, computed_total_cost)
           AS total_cost,
       cost_details,
       coalesce(latency, xtrace_seconds(start_time, CASE WHEN end_time < start_time THEN start_time ELSE end_time END))
           AS latency,
       coalesce(time_to_first_token, xtrace_seconds(start_time, completion_start_time))
           AS time_to_first_token,
       prompt_id, prompt_name, prompt_version, metadata, created_at, updated_at,
       computed_cost_details, computed_total_cost, priced_model_id, pricing_tier_name, unpriced_usage
FROM observations;
