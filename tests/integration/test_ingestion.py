"""POST /api/public/ingestion: what Langfuse's SDKs of the generation before OTLP send is what is read back."""

import json

from support import captured
from support.ingestion import event, post, read, read_one, read_stored, send
from support.records import new_id


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
