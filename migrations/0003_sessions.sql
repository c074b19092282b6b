-- Look-ups by the ids that applications keep in metadata: turn_id and run_id. Only rows that have such a
-- key are in these indexes. An id of more than 800 bytes is not, for it might not fit into an entry;
-- readers repeat the condition (gateway/read/sessions_sql.h).

CREATE INDEX traces_by_turn ON traces (project_id, (metadata ->> 'turn_id'))
    WHERE octet_length(metadata ->> 'turn_id') <= 800;
CREATE INDEX traces_by_run ON traces (project_id, (metadata ->> 'run_id'))
    WHERE octet_length(metadata ->> 'run_id') <= 800;
CREATE INDEX observations_by_turn ON observations (project_id, (metadata ->> 'turn_id'))
    WHERE octet_length(metadata ->> 'turn_id') <= 800;
CREATE INDEX observations_by_run ON observations (project_id, (metadata ->> 'run_id'))
    WHERE octet_length(metadata ->> 'run_id') <= 800;
