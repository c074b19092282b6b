"""Scores: made by events and by POST /api/public/scores, changed under their id, deleted."""

import base64
import random

import pytest

from support.ingestion import event, moment, path_of, post, read, send
from support.records import new_id
from support.xtrace import PUBLIC_KEY, SECRET_KEY

ROUTE = "/api/public/scores"


def create(xtrace, body, headers=None):
    answer = xtrace.client(headers).post(ROUTE, body)
    assert answer.status == 200, answer.text
    return answer.json()


def fetch(xtrace, score_id):
    answer = xtrace.client().get(path_of("v2", "scores", score_id))
    assert answer.status == 200, answer.text
    return answer.json()


def delete(xtrace, score_id):
    return xtrace.client().request("DELETE", path_of("scores", score_id))


def basic():
    return {"Authorization": "Basic " + base64.b64encode(f"{PUBLIC_KEY}:{SECRET_KEY}".encode()).decode()}


@pytest.mark.parametrize(("given", "read_back"), [
    ({"value": 0.75}, ("NUMERIC", 0.75, None)),
    ({"value": -3, "dataType": "NUMERIC"}, ("NUMERIC", -3, None)),
    ({"value": "friendly"}, ("CATEGORICAL", 0, "friendly")),
    ({"value": "x", "dataType": "CATEGORICAL"}, ("CATEGORICAL", 0, "x")),
    ({"value": 1, "dataType": "BOOLEAN"}, ("BOOLEAN", 1, "True")),
    ({"value": 0, "dataType": "BOOLEAN"}, ("BOOLEAN", 0, "False")),
    ({"value": "long\ntext", "dataType": "TEXT"}, ("TEXT", None, "long\ntext")),
    ({"value": '{"better": 1}', "dataType": "CORRECTION"}, ("CORRECTION", 0, '{"better": 1}')),
])
@pytest.mark.parametrize("way", ["route", "event"])
def test_every_type_of_score(xtrace, way, given, read_back):
    own = new_id()
    body = {"id": own, "name": "n", "traceId": new_id(), **given}
    if way == "route":
        assert create(xtrace, body) == {"id": own}
    else:
        send(xtrace, event("score-create", body))
    have = fetch(xtrace, own)
    assert (have["dataType"], have.get("value"), have["stringValue"]) == read_back
    assert (have["name"], have["source"], have["traceId"]) == ("n", "API", body["traceId"])


@pytest.mark.parametrize("target", [{"traceId": "t"}, {"traceId": "t", "observationId": "o"}, {"sessionId": "s"},
                                    {"datasetRunId": "d"}, {"traceId": "t", "sessionId": None, "observationId": None}])
def test_a_score_is_of_one_target(xtrace, target):
    own = new_id()
    create(xtrace, {"id": own, "name": "n", "value": 1, **target})
    have = fetch(xtrace, own)
    assert {key: have[key] for key in ("traceId", "observationId", "sessionId", "datasetRunId")} == {
        "traceId": None, "observationId": None, "sessionId": None, "datasetRunId": None, **target}


@pytest.mark.parametrize("bad", [
    {"value": 1}, {"name": "n"}, {"name": "", "value": 1}, {"name": "n", "value": None}, {"name": "n", "value": [1]},
    {"name": "n", "value": "1", "dataType": "NUMERIC"}, {"name": "n", "value": 2, "dataType": "BOOLEAN"},
    {"name": "n", "value": 1, "dataType": "CATEGORICAL"}, {"name": "n", "value": "x" * 501, "dataType": "TEXT"},
    {"name": "n", "value": 1, "dataType": "OTHER"}, {"name": "n", "value": 1, "traceId": None},
    {"name": "n", "value": 1, "sessionId": "s"}, {"name": "n", "value": 1, "traceId": 7},
    {"name": "n", "value": 1, "traceId": "", "sessionId": "s", "observationId": "o"}, {"name": "n", "value": 1, "comment": 7},
])
def test_what_is_no_score_is_a_400_with_a_message(xtrace, bad):
    body = {"traceId": "t", **bad}
    answer = xtrace.client().post(ROUTE, body)
    assert answer.status == 400 and answer.json()["message"] not in ("", "Bad Request")
    (error,) = post(xtrace, [event("score-create", body)])["errors"]
    assert error["status"] == 400


@pytest.mark.parametrize("body", [b"", b"[", b"null", b"{", b"7"])
def test_what_is_neither_a_score_nor_a_list_is_a_400(xtrace, body):
    assert xtrace.client().post(ROUTE, body).status == 400


@pytest.mark.parametrize("falsy", [{}, {"id": None}, {"id": ""}])
def test_without_an_id_one_is_made(xtrace, falsy):
    body = {"name": "n", "value": 1, "traceId": new_id(), **falsy}
    first, second = create(xtrace, body)["id"], create(xtrace, body)["id"]
    assert first != second
    assert fetch(xtrace, first)["traceId"] == fetch(xtrace, second)["traceId"] == body["traceId"]


def test_who_may_create_and_delete(xtrace):
    body = {"name": "n", "value": 1, "traceId": new_id()}
    own = create(xtrace, body, {"Authorization": f"Bearer {PUBLIC_KEY}"})["id"]
    create(xtrace, body, basic())
    assert xtrace.client({}).post(ROUTE, body).status == 401
    answer = xtrace.client({"Authorization": f"Bearer {PUBLIC_KEY}"}).request("DELETE", path_of("scores", own))
    assert answer.status == 403
    assert xtrace.client(basic()).request("DELETE", path_of("scores", own)).status == 202


def test_the_same_id_again_is_an_update(xtrace):
    own, trace = new_id(), new_id()
    send(xtrace, event("score-create", {"id": own, "name": "n", "value": 1, "traceId": trace, "comment": "first",
                                        "environment": "Prod", "metadata": {"a": 1}, "configId": "c"}, 10))
    send(xtrace, event("score-create", {"id": own, "name": "m", "value": "good", "traceId": new_id(), "comment": None,
                                        "environment": "other", "metadata": {"b": 2}}, 20))
    have = fetch(xtrace, own)
    assert (have["name"], have["dataType"], have["stringValue"], have["comment"]) == ("m", "CATEGORICAL", "good", "first")
    assert (have["traceId"], have["environment"], have["timestamp"]) == (trace, "prod", moment(10))  # the first hold
    assert (have["metadata"], have["configId"]) == ({"a": 1, "b": 2}, "c")


def test_any_order_of_updates_ends_in_the_same(xtrace):
    wanted = None
    for seed in range(8):
        own = new_id()
        events = [event("score-create", {"id": own, "name": f"n{n}", "value": n, "traceId": f"t{n}", "metadata": {f"k{n}": n},
                                         **({"environment": f"e{n}"} if n % 2 else {})}, n) for n in range(6)]
        random.Random(seed).shuffle(events)
        for n in range(0, 6, 2):
            send(xtrace, *events[n:n + 2])
        have = fetch(xtrace, own)
        told = {key: have[key] for key in ("name", "value", "traceId", "metadata", "environment", "timestamp")}
        wanted = wanted or told
        assert told == wanted
    assert (wanted["name"], wanted["traceId"], wanted["environment"]) == ("n5", "t0", "e1")


def test_a_score_may_come_before_its_trace_and_makes_none(xtrace):
    trace = new_id()
    own = create(xtrace, {"name": "n", "value": 1, "traceId": trace})["id"]
    assert xtrace.client().get(path_of("traces", trace)).status == 404
    send(xtrace, event("trace-create", {"id": trace}))
    assert [score["id"] for score in read(xtrace, trace)["scores"]] == [own]


def test_a_deleted_score_is_gone_and_its_neighbours_stay(xtrace):
    trace = new_id()
    ids = ["score #1/ü?x=" + trace, new_id(), new_id().upper()]
    for own in ids:
        create(xtrace, {"id": own, "name": "n", "value": 1, "traceId": trace})
    for own in ids[:2]:
        answer = delete(xtrace, own)
        assert answer.status == 202 and answer.json()["message"]
        assert xtrace.client().get(path_of("v2", "scores", own)).status == 404
    send(xtrace, event("trace-create", {"id": trace}))
    assert [score["id"] for score in read(xtrace, trace)["scores"]] == ids[2:]
    assert delete(xtrace, ids[2]).status == 202
    assert read(xtrace, trace)["scores"] == []


def test_deleting_what_is_not_there_is_a_202(xtrace):
    for own in (new_id(), "x" * 900, "a\rb", "%00x"[3:]):
        answer = delete(xtrace, own)
        assert answer.status == 202 and answer.json()["message"]


def test_a_trace_takes_its_scores_along(xtrace):
    trace, own = new_id(), new_id()
    send(xtrace, event("trace-create", {"id": trace}), event("score-create", {"id": own, "name": "n", "value": 1, "traceId": trace}))
    assert xtrace.client().request("DELETE", path_of("traces", trace)).status == 200
    assert xtrace.client().get(path_of("v2", "scores", own)).status == 404
