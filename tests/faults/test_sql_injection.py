"""SQL in every parameter and field: nothing is ever taken for anything but a value."""

import json
import time
import uuid
from urllib.parse import quote

import psycopg
import pytest
from check import ask
from load import Client

TEXTS = [
    "' OR '1'='1",
    "'; DROP TABLE traces; --",
    "' UNION SELECT id, name FROM projects --",
    "\\'; SELECT pg_sleep(5); --",
    "1; SELECT pg_sleep(5)",
    "$1",
    "$$; DROP TABLE traces; $$",
    '"; DROP TABLE traces; --',
    "%' OR name LIKE '%",
    "{a,b}",
    '{"a","b"}',
    "NULL",
    "x'); DELETE FROM observations; --",
    "%s%n%d",
    "\u02bc OR 1=1",  # folds to an apostrophe in some encodings
    "/**/OR/**/1=1",
    "E'\\047'",
    "\n; DROP TABLE traces",
    "traces.id) FROM traces; --",
]
TRACE_PARAMETERS = ["userId", "name", "sessionId", "version", "release", "tags", "environment", "orderBy", "fields",
                    "fromTimestamp", "toTimestamp", "page", "limit", "unknown"]  # fmt: skip
DAILY_PARAMETERS = ["traceName", "userId", "tags", "version", "release", "fromTimestamp", "toTimestamp", "page",
                    "limit", "environment"]  # fmt: skip
SCORE_PARAMETERS = ["name", "userId", "environment", "source", "dataType", "operator", "value", "scoreIds", "configId",
                    "queueId", "traceTags", "traceId", "observationId", "sessionId", "datasetRunId", "fields", "filter",
                    "fromTimestamp", "toTimestamp", "page", "limit"]  # fmt: skip
SCORE_V3_PARAMETERS = ["id", "name", "source", "dataType", "environment", "configId", "queueId", "authorUserId", "value",
                       "valueMin", "valueMax", "traceId", "sessionId", "observationId", "experimentId", "cursor", "fields",
                       "fromTimestamp", "toTimestamp", "limit"]  # fmt: skip
METRIC_PARAMETERS = ["name", "from", "to", "labels", "step", "agg", "group_by"]


@pytest.fixture
def guarded(stack):
    """The stack with known rows; afterwards the rows must be the same."""
    stack.seed()
    before = counts(stack)
    yield stack
    assert counts(stack) == before
    stack.assert_alive()


def counts(stack):
    with psycopg.connect(stack.dsn, autocommit=True) as connection:
        tables = connection.execute("SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                                    " AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1").fetchall()  # fmt: skip
        sums = [connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
                for name in ("traces", "observations", "scores", "projects")]  # fmt: skip
    return tables, sums


def cases():
    for path, parameters in (
        ("/api/public/traces", TRACE_PARAMETERS),
        ("/api/public/metrics/daily", DAILY_PARAMETERS),
        ("/api/public/metrics/query", METRIC_PARAMETERS),
        ("/api/public/metrics/names", ["name"]),
        ("/api/public/projects", ["name"]),
        ("/api/public/scores", SCORE_PARAMETERS),
        ("/api/public/v2/scores", SCORE_PARAMETERS),
        ("/api/public/v3/scores", SCORE_V3_PARAMETERS),
    ):
        for parameter in parameters:
            yield path, parameter


@pytest.mark.parametrize(("path", "parameter"), list(cases()))
def test_query_parameters_are_values(guarded, path, parameter):
    client = Client(guarded.address, guarded.authorization, 5)
    for text in TEXTS:
        began = time.monotonic()
        answer = client.get(f"{path}?{parameter}={quote(text)}")
        assert answer.status in (200, 400, 404), (text, answer)
        assert time.monotonic() - began < 4, f"{text!r} took its time"
        filters = parameter not in ("orderBy", "fields", "page", "limit", "unknown", "fromTimestamp", "toTimestamp")
        if answer.status == 200 and path == "/api/public/traces" and filters:
            assert answer.json()["data"] == [], f"{parameter}={text!r} matched rows"
        if parameter == "orderBy":
            assert answer.status == 400 and answer.json()["code"] == "BAD_REQUEST", (text, answer)
        for leak in (b"syntax error", b"SQLSTATE", b"ERROR:", b"relation", b"pg_"):
            assert leak not in answer.body.replace(text.encode(), b""), answer
        for name in (text, f"x&{parameter}={quote(text)}"):
            client.get(f"{path}?{quote(name)}=1")
    client.close()


def test_path_ids_are_values(guarded):
    client = Client(guarded.address, guarded.authorization, 5)
    for text in TEXTS:
        for path in ("traces", "scores", "v2/scores"):
            answer = client.get(f"/api/public/{path}/{quote(text, safe='')}")
            assert answer.status in (400, 404), (text, answer)
    client.close()


@pytest.mark.parametrize("member", ["column", "operator", "value", "key", "type"])
def test_conditions_of_a_filter_are_values(guarded, member):
    client = Client(guarded.address, guarded.authorization, 5)
    for text in TEXTS:
        condition = {"type": "stringObject", "column": "metadata", "operator": "=", "key": "k", "value": "v", member: text}
        for path in ("scores", "v2/scores"):
            began = time.monotonic()
            answer = client.get(f"/api/public/{path}?filter={quote(json.dumps([condition]))}")
            assert answer.status == (200 if member in ("value", "key") else 400), (text, answer)
            assert answer.status == 400 or answer.json()["data"] == []
            assert time.monotonic() - began < 4, f"{text!r} took its time"
    client.close()


def test_header_values_are_values(guarded):
    client = Client(guarded.address, guarded.authorization, 5)
    for text in TEXTS:
        header = text.encode("utf-8").decode("latin-1").replace("\n", " ")
        for name in ("X-Request-Id", "Content-Type", "Accept", "User-Agent", "X-Langfuse-Public-Key"):
            assert client.request("GET", "/api/public/traces?limit=1", None, {name: header}).status in (200, 400)
    client.close()


@pytest.mark.parametrize("text", TEXTS)
def test_fields_come_back_as_sent(stack, text):
    """Every text field of a trace and of an observation, keys of metadata and tags included."""
    stack.seed()
    trace_id, observation_id = str(uuid.uuid4()), str(uuid.uuid4())
    trace = {
        "id": trace_id, "timestamp": "2026-02-01T00:00:00Z", "name": text, "userId": text, "sessionId": text,
        "release": text, "version": text, "environment": text, "externalId": text, "tags": [text, text + "2"],
        "input": {text: text}, "output": text, "metadata": {text: {text: text}},
    }  # fmt: skip
    observation = {
        "id": observation_id, "traceId": trace_id, "type": text, "name": text, "model": text, "level": text,
        "statusMessage": text, "promptId": text, "promptName": text, "modelId": text, "unit": text,
        "modelParameters": {text: text}, "input": [text], "output": text, "metadata": {text: text},
        "environment": text,
    }  # fmt: skip
    client = Client(stack.address, stack.authorization, 10)
    answer = client.post("/v1/l/batch", json.dumps({"trace": trace, "observations": [observation]}).encode())
    assert answer.status == 200, answer
    detail = ask(client, f"/api/public/traces/{trace_id}")
    for name in ("name", "userId", "sessionId", "release", "version", "environment", "externalId", "tags", "input",
                 "output", "metadata"):  # fmt: skip
        assert detail[name] == trace[name], name
    for name in ("type", "name", "model", "level", "statusMessage", "promptId", "promptName", "modelId",
                 "modelParameters", "input", "output", "metadata", "environment"):  # fmt: skip
        assert detail["observations"][0][name] == observation[name], name
    # And each filter finds exactly it.
    for name in ("userId", "name", "sessionId", "version", "release", "tags", "environment"):
        listed = ask(client, f"/api/public/traces?{name}={quote(text)}&limit=200")
        assert [t["id"] for t in listed["data"]] == [trace_id], name
    client.close()
    stack.assert_alive()


def test_ids_that_are_sql_are_refused(guarded):
    client = Client(guarded.address, guarded.authorization, 5)
    for text in TEXTS:
        answer = client.post("/v1/l/batch", json.dumps({"trace": {"id": text}}).encode())
        assert answer.status == 400, (text, answer)
    client.close()
