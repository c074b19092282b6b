"""POST /api/public/ingestion: what Langfuse's SDKs of the generation before OTLP send is what is read back."""

import json
import urllib.parse

from support import captured
from support.records import new_id

ROUTE = "/api/public/ingestion"
NOW = "2026-11-24T12:00:00.000Z"


def event(kind, body, at=NOW, **more):
    return {"id": new_id(), "type": kind, "timestamp": at, "body": body, **more}


def post(xtrace, events, **more):
    answer = xtrace.client(**more).post(ROUTE, {"batch": events})
    assert answer.status == 207, answer.text
    return answer.json()


def send(xtrace, *events):
    answer = post(xtrace, list(events))
    assert answer["errors"] == [], answer
    return answer


def read(xtrace, trace_id):
    answer = xtrace.client().get(f"/api/public/traces/{urllib.parse.quote(trace_id, safe='')}")
    assert answer.status == 200, answer.text
    return answer.json()


def read_stored(xtrace, trace_id):
    """Without what a server may show as it likes: the time of writing, the order of equal times."""
    trace = read(xtrace, trace_id)
    for record in [trace, *trace["observations"], *trace["scores"]]:
        del record["createdAt"], record["updatedAt"]
    for key in ("observations", "scores"):
        trace[key].sort(key=lambda record: record["id"])
    return trace


def read_one(xtrace, trace_id):
    (observation,) = read(xtrace, trace_id)["observations"]
    return observation


# Captured traffic


def replay(xtrace, name):
    for method, path, body, headers in captured.requests(name):
        answer = xtrace.client().request(method, path, None, body, headers)
        assert answer.status == 207, answer.text
        assert answer.headers["content-type"] == "application/json"
        events = json.loads(body)["batch"]
        assert answer.json() == {"successes": [{"id": e["id"], "status": 201} for e in events], "errors": []}


def test_the_captured_sdk_is_read_as_expected(xtrace):
    expected = captured.expected("langfuse-v3")

    def check():
        traces = {trace["id"]: read(xtrace, trace["id"]) for trace in expected["traces"]}
        observations = {o["id"]: o for trace in traces.values() for o in trace["observations"]}
        scores = {s["id"]: s for trace in traces.values() for s in trace["scores"]}
        assert (len(observations), len(scores)) == (expected["counts"]["observations"], expected["counts"]["scores"])
        for wanted in expected["traces"]:
            captured.compare(traces[wanted["id"]], wanted)
        for wanted in expected["observations"]:
            captured.compare(observations[wanted["id"]], wanted)
        for wanted in expected["scores"]:
            have = scores[wanted["id"]]
            if wanted["dataType"] == "CATEGORICAL":
                have["value"] = have["stringValue"]
            captured.compare(have, wanted)
        return [read_stored(xtrace, trace_id) for trace_id in traces]

    replay(xtrace, "langfuse-v3")
    first = check()
    replay(xtrace, "langfuse-v3")
    assert check() == first
    session = xtrace.client().get("/api/public/sessions/v3-session-cap").json()
    assert len(session["traces"]) == 2
