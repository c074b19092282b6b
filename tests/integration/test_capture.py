"""What is not to be kept is kept nowhere: not in the queue, not in the database or its files, not in a log."""

import json
import pathlib
import time
import uuid

import psycopg
import pytest
import zmq
from support.keys import add_key, add_project, done
from support.records import new_id, new_observation, new_trace
from support.wait import wait_until

SECRET = "hunter2-" + uuid.uuid4().hex
MAIL = f"{uuid.uuid4().hex}@example.com"


def system(make_xtrace, **env):
    return make_xtrace(env={f"XTRACE_{key.upper()}": value for key, value in env.items()})


def send(client, trace, *observations):
    answer = client.batch(trace, observations)
    assert answer.status == 200, answer.text
    return client.get("/api/public/traces/" + trace["id"]).json()


def loaded_batch(secret):
    """The secret wherever a client may put it, but in ids."""
    trace = new_trace(name=f"n {secret}", userId=secret, sessionId=f"s {secret}", externalId=secret, release=secret,
                      version=secret, environment=secret, tags=[secret, "b"], input=secret,
                      output={"deep": [{"a": secret}]}, metadata={"k": {secret: 1, "v": f"x{secret}y"}})
    observation = new_observation(
        trace, name=secret, statusMessage=secret, model=secret, promptName=secret, input=[{"content": secret}],
        output=json.dumps({"arguments": json.dumps({"q": secret})}), metadata={"m": secret},
        modelParameters={"stop": [secret]})
    return trace, observation


def loaded_span(secret):
    def attribute(key, value):
        return {"key": key, "value": {"stringValue": value}}

    return {"resourceSpans": [{
        "resource": {"attributes": [attribute("service.name", secret)]},
        "scopeSpans": [{"scope": {"name": secret}, "spans": [{
            "traceId": uuid.uuid4().hex, "spanId": uuid.uuid4().hex[:16], "name": f"span {secret}",
            "startTimeUnixNano": "1770000000000000000", "endTimeUnixNano": "1770000001000000000",
            "attributes": [attribute("gen_ai.prompt.0.content", secret), attribute("gen_ai.completion.0.content", secret),
                           attribute("langfuse.observation.input", secret), attribute("custom.thing", secret),
                           attribute("user.id", secret), attribute("langfuse.trace.tags", secret)],
            "events": [{"name": secret, "timeUnixNano": "1770000000000000000",
                        "attributes": [attribute("gen_ai.event.content", secret)]}],
            "status": {"code": 2, "message": secret}}]}]}]}


def loaded_events(secret):
    at = "2026-02-01T00:00:00Z"
    trace, own = new_id(), new_id()
    bodies = [("trace-create", {"id": trace, "name": secret, "userId": secret, "sessionId": secret, "input": secret,
                                "tags": [secret], "metadata": secret, "environment": secret}),
              ("generation-create", {"id": own, "traceId": trace, "name": secret, "input": [secret], "statusMessage": secret,
                                     "model": secret, "modelParameters": {"stop": secret}, "promptName": secret, "promptVersion": 1}),
              ("span-update", {"id": new_id(), "output": secret}),
              ("score-create", {"name": secret, "value": secret, "comment": secret, "metadata": {secret: secret}, "traceId": trace}),
              ("trace-create", {"id": trace, "name": secret, "tags": 7}),
              ("sdk-log", {"log": secret})]
    return {"batch": [{"id": new_id(), "type": kind, "timestamp": at, "body": body} for kind, body in bodies],
            "metadata": {"x": secret}}


def send_everything(client, secret):
    """Returns the statuses."""
    trace, observation = loaded_batch(secret)
    metric = {"metrics": [{"name": f"m {secret}", "labels": {"host": secret, secret: "v"}, "value": 1, "timestamp": "2026-02-01T00:00:00Z"}]}
    return [client.batch(trace, [observation]).status,
            client.batch(None, [observation, {**observation, "id": secret}]).status,  # one is refused
            client.post("/v1/metrics/batch", metric).status,
            client.post("/api/public/otel/v1/traces", loaded_span(secret)).status,
            client.post("/api/public/ingestion", loaded_events(secret)).status,
            client.post("/api/public/scores", {"name": "n", "value": secret, "traceId": "t", "comment": secret}).status]


def dump(database):
    """Everything in the database, as text."""
    tables = database.query("SELECT schemaname || '.' || tablename FROM pg_tables"
                            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
    text = b""
    with psycopg.connect(database.url) as connection, connection.cursor() as cursor:
        for table, in tables:
            with cursor.copy(f"COPY (SELECT * FROM {table}) TO STDOUT") as copy:
                text += b"".join(bytes(part) for part in copy)
    return text


def files_with(folder, needle):
    found = []
    for path in pathlib.Path(folder).rglob("*"):
        try:
            if path.is_file() and needle in path.read_bytes():
                found.append(str(path))
        except OSError:
            pass  # gone meanwhile
    return found


def test_a_secret_that_a_pattern_knows_is_nowhere(make_xtrace, database):
    xtrace = system(make_xtrace, redact_patterns=f"nothing {SECRET} other")
    assert send_everything(xtrace.client(), SECRET) == [200, 400, 200, 200, 207, 200]
    text = dump(database)
    assert b"[REDACTED]" in text
    assert SECRET.encode() not in text
    database.query("CHECKPOINT")
    needle = SECRET.encode()
    assert files_with(database.postgres.folder, needle) == []
    assert files_with(xtrace.folder, needle) == []
    for name, log in xtrace.logs().items():
        assert SECRET not in log, name


def test_without_a_pattern_it_would_be_found(make_xtrace, database):
    """The searches above can see."""
    xtrace = system(make_xtrace)
    secret = "found-" + uuid.uuid4().hex
    assert send_everything(xtrace.client(), secret) == [200, 400, 200, 200, 207, 200]
    assert secret.encode() in dump(database)
    assert files_with(database.postgres.folder, secret.encode())


class Eavesdropper:
    """In the writer's place: takes what the gateway sends, and never confirms it."""

    def __init__(self, xtrace):
        self.context = zmq.Context()
        self.batches = self.context.socket(zmq.PULL)
        self.batches.connect(f"ipc://{xtrace.folder}/run/queue.batches")

    def take(self, seconds=2):
        frames = b""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.batches.poll(100):
                frames += b"".join(self.batches.recv_multipart())
        return frames

    def close(self):
        self.batches.close(0)
        self.context.term()


@pytest.mark.parametrize("env, is_seen", [({}, True), ({"redact_patterns": SECRET}, False)])
def test_the_queue_carries_no_secret(make_xtrace, env, is_seen):
    settings = {f"XTRACE_{key.upper()}": value for key, value in env.items()}
    xtrace = make_xtrace(env={**settings, "XTRACE_WRITE_DEADLINE_MS": "300"}, start=False)
    (xtrace.folder / "run").mkdir(exist_ok=True)
    xtrace.start("gateway")
    ear = Eavesdropper(xtrace)
    try:
        wait_until(lambda: xtrace.client().get("/healthz").status == 200, 10, "the gateway listening")
        assert set(send_everything(xtrace.client(), SECRET)) == {503}
        frames = ear.take()
    finally:
        ear.close()
    assert b"observations" in frames or len(frames) > 500
    assert (SECRET.encode() in frames) == is_seen


def test_keys_are_redacted_at_any_depth_and_in_any_case(make_xtrace, database):
    client = system(make_xtrace, redact_keys="api_key, Password").client()
    trace = new_trace(input={"headers": {"API_KEY": SECRET, "ok": 1.50}}, output=[[{"password": {"p": SECRET}}]],
                      metadata={"client.api_key": SECRET, "b": [1]})
    observation = new_observation(trace, modelParameters={"api_key": SECRET, "n": 1},
                                  input=json.dumps({"password": SECRET, "n": 2}), metadata={"password": None},
                                  output=json.dumps({"password": SECRET})[:-3], statusMessage=f"in {{'password': '{SECRET}'}}")
    stored = send(client, trace, observation)
    assert stored["input"] == {"headers": {"API_KEY": "[REDACTED]", "ok": 1.5}}
    assert stored["output"] == [[{"password": "[REDACTED]"}]]
    assert stored["metadata"] == {"client.api_key": "[REDACTED]", "b": [1]}
    observation, = stored["observations"]
    assert observation["modelParameters"] == {"api_key": "[REDACTED]", "n": 1}
    assert json.loads(observation["input"]) == {"password": "[REDACTED]", "n": 2}
    assert observation["output"] == '{"password": "[REDACTED]"'
    assert observation["statusMessage"] == "in {'password': '[REDACTED]'}"
    assert SECRET.encode() not in dump(database)


def test_what_is_kept_comes_back_as_it_was_sent(make_xtrace):
    client = system(make_xtrace, redact_keys="api_key").client()
    trace_id = new_id()
    body = ('{"trace": {"id": "%s", "input": { "z":1,  "api_key" : "%s" , "a": 1234567890123456789012345678901234567890}}}'
            % (trace_id, SECRET)).encode()
    assert client.post("/v1/l/batch", body).status == 200
    text = client.get("/api/public/traces/" + trace_id).text
    assert '{ "z":1,  "api_key" : "[REDACTED]" , "a": 1234567890123456789012345678901234567890}' in text


def test_metadata_only_keeps_no_inputs_and_outputs(make_xtrace, database):
    client = system(make_xtrace, capture="metadata_only").client()
    trace = new_trace(input=SECRET, output={"a": SECRET}, metadata={"gen_ai.prompt.0.content": SECRET, "k": 1}, name="n")
    stored = send(client, trace, new_observation(trace, input=SECRET, output=SECRET, level="ERROR", promptTokens=3))
    assert (stored["input"], stored["output"], stored["name"]) == (None, None, "n")
    assert stored["metadata"] == {"gen_ai.prompt.0.content": "[REDACTED]", "k": 1}
    observation, = stored["observations"]
    assert (observation["input"], observation["output"], observation["promptTokens"]) == (None, None, 3)
    span = loaded_span("nothing")
    attributes = span["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"]
    attributes[:] = [{"key": key, "value": {"stringValue": SECRET}} for key in (
        "gen_ai.prompt.0.content", "gen_ai.completion.0.content", "gen_ai.input.messages", "gen_ai.output.messages",
        "langfuse.observation.input", "langfuse.observation.output", "langfuse.trace.input", "langfuse.trace.output",
        "input.value", "output.value", "llm.input_messages.0.message.content", "ai.prompt.messages", "ai.response.text",
        "traceloop.entity.input", "traceloop.entity.output", "mlflow.spanInputs")]
    assert client.post("/api/public/otel/v1/traces", span).status == 200
    assert SECRET.encode() not in dump(database)


def test_error_only_keeps_inputs_and_outputs_of_errors(make_xtrace):
    client = system(make_xtrace, capture="error_only").client()
    fine, failed = new_trace(input="fine in"), new_trace(input="failed in")
    stored = send(client, fine, new_observation(fine, input="a", output="b", level="WARNING"))
    assert stored["input"] is None
    assert (stored["observations"][0]["input"], stored["observations"][0]["output"]) == (None, None)
    stored = send(client, failed,
                  new_observation(failed, input="a", output="b", startTime="2026-01-01T00:00:00Z"),
                  new_observation(failed, input="c", output="d", level="ERROR", startTime="2026-01-01T00:00:01Z"))
    assert stored["input"] == "failed in"
    assert [each["input"] for each in stored["observations"]] == [None, "c"]


def test_masked_finds_personal_data_by_itself(make_xtrace, database):
    client = system(make_xtrace, capture="masked", redact_patterns="hunter2-[0-9a-f]+").client()
    trace = new_trace(input=f"I am {MAIL}, my card is 4111 1111 1111 1111", userId=MAIL, metadata={"password": SECRET},
                      output=f"{SECRET}!", name="chat.turn")
    stored = send(client, trace)
    assert stored["input"] == "I am [REDACTED], my card is [REDACTED]"
    assert (stored["userId"], stored["output"], stored["name"]) == ("[REDACTED]", "[REDACTED]!", "chat.turn")
    text = dump(database)
    assert MAIL.encode() not in text and SECRET.encode() not in text


def test_a_pattern_that_never_ends_does_not_stop_the_gateway(make_xtrace):
    client = system(make_xtrace, redact_patterns="(a+)+$").client()
    trace = new_trace(input="a" * 50_000 + "!", output="b")
    began = time.monotonic()
    stored = send(client, trace)
    assert time.monotonic() - began < 10
    assert (stored["input"], stored["output"]) == ("[REDACTED]", "b")


# A project's own settings


class Project:
    """One that is not the gateway's own, with a key that it knows."""

    def __init__(self, system, name, **own):
        self.system = system
        self.name = name
        add_project(system, name)
        for what, value in own.items():
            self.set(what, value)
        self.key = add_key(system, name)
        wait_until(lambda: self.client().get("/api/public/projects").status == 200, 10, "the key being known")

    def set(self, what, value):
        done(self.system, "capture", "set", self.name, what, value)

    def client(self):
        return self.system.client(headers=self.key.basic)

    def kept(self, **more):
        trace = new_trace(**more)
        return send(self.client(), trace)


def test_a_projects_own_settings_beat_the_gateways(make_xtrace):
    xtrace = system(make_xtrace, capture="metadata_only", redact_keys="token")
    whole, patterned, plain = (
        Project(xtrace, "whole", mode="full", keys=""), Project(xtrace, "patterned", patterns="b+"), Project(xtrace, "plain"))
    sent = {"input": "abba", "name": "abba", "metadata": {"token": "t", "k": 1}}

    def shown(stored):
        return stored["input"], stored["name"], stored["metadata"]

    assert shown(whole.kept(**sent)) == ("abba", "abba", {"token": "t", "k": 1})
    assert shown(patterned.kept(**sent)) == (None, "a[REDACTED]a", {"token": "[REDACTED]", "k": 1})
    assert shown(plain.kept(**sent)) == (None, "abba", {"token": "[REDACTED]", "k": 1})
    assert shown(send(xtrace.client(), new_trace(**sent))) == (None, "abba", {"token": "[REDACTED]", "k": 1})


def test_rules_change_while_the_gateway_runs(make_xtrace):
    project = Project(system(make_xtrace), "ours")
    assert project.kept(input=SECRET)["input"] == SECRET
    project.set("mode", "metadata_only")
    wait_until(lambda: project.kept(input=SECRET)["input"] is None, 10, "inputs going")
    project.set("mode", "default")
    wait_until(lambda: project.kept(input=SECRET)["input"] == SECRET, 10, "inputs staying")


def test_what_a_projects_own_pattern_knows_is_nowhere(make_xtrace, database):
    xtrace = system(make_xtrace)
    project = Project(xtrace, "ours", patterns=SECRET)
    assert send_everything(project.client(), SECRET) == [200, 400, 200, 200, 207, 200]
    text = dump(database).replace(b"\n", b" ")
    assert b"[REDACTED]" in text
    rules = text.count(b"ours\t\\N\t\\N\t" + SECRET.encode())  # the rule itself, in the table capture
    assert text.count(SECRET.encode()) == rules == 1
    assert files_with(xtrace.folder, SECRET.encode()) == []


def test_rules_that_do_not_compile_let_nothing_through(make_xtrace, database):
    xtrace = system(make_xtrace)
    broken, fine = Project(xtrace, "broken"), Project(xtrace, "fine")
    # The command would have refused it.
    database.query("INSERT INTO capture (project_id, redact_patterns) VALUES ('broken', 'ba(d')")
    wait_until(lambda: broken.client().batch(new_trace()).status == 503, 10, "the broken rules being read")
    assert set(send_everything(broken.client(), SECRET)) == {503}
    answer = broken.client().batch(new_trace())
    assert answer.headers["Retry-After"] == "1" and "ba(d" not in answer.text
    assert broken.client().get("/api/public/traces").status == 200
    assert fine.kept(input="a")["input"] == "a"
    log = xtrace.log("gateway")
    assert "capture rules cannot be used" in log and "project=broken" in log and "ba(d" not in log
    assert SECRET.encode() not in dump(database)
    broken.set("patterns", "default")
    wait_until(lambda: broken.client().batch(new_trace()).status == 200, 10, "the project being open again")
