-- Looking scores up by what they are of and by name. Names may be longer than an index entry; readers repeat
-- the condition (gateway/read/scores.c). Few scores have a configuration, a queue or a run of a dataset.

CREATE INDEX scores_by_name ON scores (project_id, name, timestamp DESC, id DESC)
    WHERE octet_length(name) <= 800;
CREATE INDEX scores_by_observation ON scores (project_id, observation_id)
    WHERE observation_id IS NOT NULL;
CREATE INDEX scores_by_session ON scores (project_id, session_id, timestamp DESC, id DESC)
    WHERE session_id IS NOT NULL;
CREATE INDEX scores_by_dataset_run ON scores (project_id, dataset_run_id, timestamp DESC, id DESC)
    WHERE dataset_run_id IS NOT NULL;
CREATE INDEX scores_by_config ON scores (project_id, config_id, timestamp DESC, id DESC)
    WHERE config_id IS NOT NULL;
CREATE INDEX scores_by_queue ON scores (project_id, queue_id, timestamp DESC, id DESC)
    WHERE queue_id IS NOT NULL;
