"""What Langfuse's clients find in traces and sessions: every key with its type, groups of fields, alone and in lists."""

import numbers
import urllib.parse

import pytest
from support.records import new_observation

TEXT, TIME, BOOL, NUMBER, LIST = (str,), "time", (bool,), (numbers.Number,), (list,)
NONE = (type(None),)
TRACE = {
    "id": TEXT, "projectId": TEXT, "htmlPath": TEXT, "timestamp": TIME, "createdAt": TIME, "updatedAt": TIME,
    "name": TEXT + NONE, "userId": TEXT + NONE, "sessionId": TEXT + NONE, "release": TEXT + NONE, "version": TEXT + NONE,
    "externalId": TEXT + NONE, "environment": TEXT, "public": BOOL, "bookmarked": BOOL, "tags": LIST,
    "observations": LIST, "scores": LIST, "latency": NUMBER + NONE, "totalCost": NUMBER + NONE,
}  # fmt: skip
SESSION = {"id": TEXT, "createdAt": TIME, "projectId": TEXT, "environment": TEXT}
IO = {"input", "output", "metadata"}


@pytest.fixture(scope="module")
def client(xtrace):
    """A trace of which everything is known and one of which nothing is, in one session each."""
    client = xtrace.client()
    full = {"id": "order #1/ä?x=1", "timestamp": "2026-06-01T00:00:00.125Z", "name": "n", "userId": "u", "sessionId": "s/1", "release": "r",
            "version": "v", "externalId": "e", "environment": "staging", "public": True, "tags": ["b", "a"], "input": {"q": [1]},
            "output": "o", "metadata": {"m": 1}}
    events = [{"id": "e1", "type": "trace-create", "timestamp": "2026-06-01T00:00:00Z", "body": full},
              {"id": "e2", "type": "generation-create", "timestamp": "2026-06-01T00:00:00Z",
               "body": {"id": "g1", "traceId": full["id"], "startTime": "2026-06-01T00:00:01Z", "endTime": "2026-06-01T00:00:03.5Z",
                        "costDetails": {"input": 0.25, "output": 0.5}}},
              {"id": "e3", "type": "score-create", "timestamp": "2026-06-01T00:00:00Z",
               "body": {"id": "s1", "traceId": full["id"], "name": "good", "value": 1}},
              {"id": "e4", "type": "trace-create", "timestamp": "2026-06-01T00:00:09Z", "body": {"id": "bare", "sessionId": "s2"}}]
    answer = client.post("/api/public/ingestion", {"batch": events})
    assert answer.status == 207 and answer.json()["errors"] == [], answer.text
    client.full = full
    return client


def check(row, shape):
    for key, kind in shape.items():
        assert key in row, key
        if kind == TIME:
            assert row[key].endswith("Z") and "T" in row[key], key
        else:
            assert isinstance(row[key], kind), (key, row[key])


def listed(client, **params):
    answer = client.get("/api/public/traces", params)
    assert answer.status == 200, answer.text
    return {row["id"]: row for row in answer.json()["data"]}


def detail(client, trace_id, **params):
    answer = client.get("/api/public/traces/" + urllib.parse.quote(trace_id, safe=""), params)
    assert answer.status == 200, answer.text
    return answer.json()


def test_a_listed_trace(client):
    rows = listed(client)
    for row in rows.values():
        check(row, TRACE)
        assert set(row) >= IO
    full, bare = rows[client.full["id"]], rows["bare"]
    for key in set(client.full) - {"tags"}:
        assert full[key] == client.full[key], key
    assert full["tags"] == ["a", "b"]
    assert full["htmlPath"] == f"/project/{full['projectId']}/traces/{full['id']}"
    assert (full["observations"], full["scores"], full["latency"], full["totalCost"]) == (["g1"], ["s1"], 2.5, 0.75)
    assert (bare["observations"], bare["scores"], bare["tags"], bare["environment"]) == ([], [], [], "default")
    assert bare["timestamp"] == "2026-06-01T00:00:09Z"


def test_a_trace_alone_has_its_observations_and_scores_whole(client):
    row = detail(client, client.full["id"])
    check(row, TRACE)
    assert row["observations"] == [client.get("/api/public/observations/g1").json()]
    assert row["scores"] == [client.get("/api/public/scores/s1").json()]
    same = {key: value for key, value in row.items() if key not in ("observations", "scores")}
    assert same == {key: value for key, value in listed(client)[row["id"]].items() if key not in ("observations", "scores")}


@pytest.mark.parametrize("fields, has", [
    ("core", set()), ("", set()), ("io", {"io"}), ("scores", {"scores"}), ("observations,unknown", {"observations"}),
    ("metrics", {"metrics"}), ("core, io ,metrics,scores", {"io", "metrics", "scores"}),
])  # fmt: skip
@pytest.mark.parametrize("alone", [False, True])
def test_groups_of_fields_alone_and_in_lists(client, fields, has, alone):
    row = detail(client, client.full["id"], fields=fields) if alone else listed(client, fields=fields)[client.full["id"]]
    assert (IO <= set(row)) == (not IO.isdisjoint(row)) == ("io" in has)
    assert (row["latency"], row["totalCost"]) == ((2.5, 0.75) if "metrics" in has else (-1, -1))
    assert len(row["scores"]) == ("scores" in has)
    assert len(row["observations"]) == ("observations" in has)
    check(row, TRACE)


@pytest.mark.parametrize("order", ["", "nope.asc", ".desc", "id;drop", "timestamp desc", "t.id"])
def test_a_malformed_order_is_400(client, order):
    answer = client.get("/api/public/traces", {"orderBy": order})
    assert answer.status == 400 and answer.json()["error"] == "InvalidRequestError"


def test_unknown_traces_and_sessions_are_404(client):
    for path in ("traces/nothing", "sessions/nothing"):
        answer = client.get("/api/public/" + path)
        assert (answer.status, answer.json()["error"]) == (404, "LangfuseNotFoundError")


def test_sessions_in_lists_and_alone(client):
    body = client.get("/api/public/sessions").json()
    assert [row["id"] for row in body["data"]] == ["s2", "s/1"]
    assert body["meta"] == {"page": 1, "limit": 50, "totalItems": 2, "totalPages": 1}
    for row in body["data"]:
        check(row, SESSION)
    alone = client.get("/api/public/sessions/s%2F1").json()
    check(alone, SESSION)
    trace, = alone["traces"]
    check(trace, {key: kind for key, kind in TRACE.items() if key not in ("latency", "totalCost", "observations", "scores", "htmlPath")})
    assert set(trace) >= IO and trace["input"] == client.full["input"]


@pytest.mark.parametrize("params, expected", [
    ({"environment": "staging"}, ["s/1"]),
    ({"environment": ["staging", "default"]}, ["s2", "s/1"]),
    ({"environment": "staging,default"}, ["s2", "s/1"]),
    ({"environment": "nope"}, []),
    ({"fromTimestamp": "2026-06-01T00:00:05Z"}, ["s2"]),
    ({"toTimestamp": "2026-06-01T00:00:05Z"}, ["s/1"]),
    ({"limit": 1, "page": 2}, ["s/1"]),
])  # fmt: skip
def test_filters_of_sessions(client, params, expected):
    body = client.get("/api/public/sessions", params).json()
    assert [row["id"] for row in body["data"]] == expected


def test_observations_whose_trace_was_never_sent_are_of_a_trace_all_the_same(make_xtrace):
    client = make_xtrace().client()
    observation = new_observation("30000000-0000-4000-8000-000000000001", startTime="2026-06-01T00:00:00Z")
    assert client.batch(None, [observation]).status == 200
    row = detail(client, observation["traceId"])
    check(row, TRACE)
    assert [each["id"] for each in row["observations"]] == [observation["id"]]
