"""What clients of the reference send, as they send it (contract section 13). The Rust crate is in test_rust_client.py."""

import datetime
import time

from support.keys import basic, bearer
from support.records import new_id
from support.xtrace import PUBLIC_KEY, SECRET_KEY, TOKEN

BEGAN = datetime.datetime(2026, 3, 1, 10, tzinfo=datetime.UTC)


def at(seconds):
    """As Python's SDK writes times."""
    return (BEGAN + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def body_of_the_python_sdk(trace_id):
    """Explicit nulls, session_id, its own project, usage beside the token fields."""
    return {
        "trace": {"id": trace_id, "timestamp": at(0), "name": "chat.turn", "input": "hi", "output": None, "session_id": "s",
                  "release": None, "version": None, "userId": "u", "metadata": {"turn_id": "t"}, "tags": [], "public": False,
                  "environment": "default", "externalId": None, "bookmarked": False, "latency": None, "totalCost": None,
                  "projectId": "default"},
        "observations": [{
            "id": new_id(), "traceId": trace_id, "type": "GENERATION", "name": "answer", "startTime": at(1), "endTime": at(3.5),
            "completionStartTime": at(1.25), "model": "m", "modelParameters": None, "input": [{"role": "user"}],
            "output": "hello", "usage": {"input": 3, "output": 4, "total": 7, "unit": "TOKENS"}, "level": None,
            "statusMessage": None, "parentObservationId": None, "promptTokens": 3, "completionTokens": 4, "totalTokens": 7,
            "unit": "TOKENS", "metadata": None, "environment": "default", "projectId": "default"}],
    }  # fmt: skip


def test_the_python_sdk_is_answered_in_time_and_may_send_again(make_xtrace):
    """A project of another name than the SDK's default; an answer that was lost is asked for again."""
    system = make_xtrace(env={"DEFAULT_PROJECT_ID": "shop"})
    client = system.client(headers=bearer(TOKEN), timeout=2)
    trace_id = new_id()
    body = body_of_the_python_sdk(trace_id)
    for _ in range(2):
        began = time.monotonic()
        answer = client.post("/v1/l/batch", body)
        assert (answer.status, answer.json()) == (200, {"message": "Request Successful."})
        assert time.monotonic() - began < 2
    assert client.post("/v1/l/batch", {"trace": None, "observations": body["observations"]}).status == 200
    (listed,) = client.get("/api/public/traces?page=1&limit=50").json()["data"]
    assert (listed["id"], listed["projectId"], listed["sessionId"], listed["output"]) == (trace_id, "shop", "s", None)
    shown = client.get(f"/api/public/traces/{trace_id}").json()
    (observation,) = shown["observations"]
    assert (observation["latency"], observation["timeToFirstToken"], observation["level"]) == (2.5, 0.25, "DEFAULT")
    assert observation["usage"]["unit"] == "TOKENS" and observation["totalTokens"] == 7
    assert shown["metadata"] == {"turn_id": "t"}


def test_xinference_writes_one_trace_from_two_processes(xtrace):
    """A supervisor writes the trace and a span, a worker later a generation below it."""
    client = xtrace.client(headers=basic(PUBLIC_KEY, SECRET_KEY))
    assert client.get("/api/public/projects").status == 200  # its check of credentials
    trace_id, span_id, generation_id = new_id(), new_id(), new_id()
    assert client.post("/v1/l/batch", {
        "trace": {"id": trace_id, "name": "inference", "timestamp": at(0), "tags": ["chat"], "input": "q"},
        "observations": [{"id": span_id, "traceId": trace_id, "type": "SPAN", "name": "request", "startTime": at(0)}],
    }).status == 200  # fmt: skip
    assert client.post("/v1/l/batch", {
        "trace": {"id": trace_id, "output": "a"},
        "observations": [
            {"id": generation_id, "traceId": trace_id, "type": "GENERATION", "parentObservationId": span_id, "model": "qwen",
             "startTime": at(1), "completionStartTime": at(1.5), "endTime": at(2), "promptTokens": 5, "completionTokens": 6},
            {"id": span_id, "traceId": trace_id, "endTime": at(3)}],
    }).status == 200  # fmt: skip
    shown = client.get(f"/api/public/traces/{trace_id}").json()
    assert (shown["name"], shown["input"], shown["output"], shown["tags"], shown["latency"]) == ("inference", "q", "a", ["chat"], 3)
    span, generation = shown["observations"]
    assert (span["id"], span["type"], span["name"], span["latency"]) == (span_id, "SPAN", "request", 3)
    assert (generation["id"], generation["parentObservationId"], generation["totalTokens"]) == (generation_id, span_id, 11)
    assert generation["completionStartTime"] is not None and generation["usage"]["input"] == 5
    window = {"fromTimestamp": BEGAN.isoformat(), "toTimestamp": (BEGAN + datetime.timedelta(seconds=1)).isoformat()}
    assert trace_id in [trace["id"] for trace in client.get("/api/public/traces", window).json()["data"]]
    (day,) = client.get("/api/public/metrics/daily", window).json()["data"]
    assert "qwen" in [row["model"] for row in day["usage"]]
