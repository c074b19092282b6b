"""The published Rust client of the reference (crates.io, xtrace-client) and OpenTelemetry's exporters for Rust,
unchanged, against our server.

rust_client/ calls every method of the client and its tracing layer, and sends a session by OTLP. It is built outside the repository, and kept there for the
next run; without cargo or its registry these tests are skipped.
"""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from support.xtrace import TOKEN

SOURCE = pathlib.Path(__file__).parent / "rust_client"
TRACE = "6c0f1a52-3c1e-4b8e-9a0e-1d2c3b4a5f60"


def cargo(*arguments, seconds):
    program = shutil.which("cargo") or shutil.which("cargo", path=os.path.expanduser("~/.cargo/bin"))
    if program is None:
        pytest.skip("cargo is not installed")
    try:
        return subprocess.run([program, *arguments], cwd=folder(), text=True, capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        pytest.skip(f"cargo {arguments[0]} took longer than {seconds} s")


def folder():
    """A copy of the program outside the repository, named after what is in it."""
    digest = hashlib.sha256()
    files = ["Cargo.toml", "Cargo.lock", "src/main.rs", "src/otlp.rs"]
    for name in files:
        digest.update((SOURCE / name).read_bytes())
    copy = pathlib.Path(tempfile.gettempdir()) / f"xtrace-rust-client-{os.getuid()}-{digest.hexdigest()[:16]}"
    if not copy.exists():
        unfinished = pathlib.Path(tempfile.mkdtemp(dir=copy.parent))
        shutil.copytree(SOURCE, unfinished / "source")
        try:
            (unfinished / "source").rename(copy)
        except OSError:
            assert copy.exists()  # another run was faster
        shutil.rmtree(unfinished)
    return copy


@pytest.fixture(scope="module")
def program():
    fetched = cargo("fetch", "--locked", seconds=120)
    if fetched.returncode != 0:
        pytest.skip(f"cargo has no registry: {fetched.stderr.strip().splitlines()[-1]}")
    built = cargo("build", "--locked", "--offline", "--quiet", "-j", "2", seconds=1200)
    assert built.returncode == 0, built.stderr[-3000:]
    return folder() / "target" / "debug" / "xtrace-rust-client-test"


@pytest.fixture(scope="module")
def calls(program, xtrace):
    """What each call gave."""
    done = subprocess.run([program], text=True, capture_output=True, timeout=60,
                          env={**os.environ, "XTRACE_URL": xtrace.url + "/", "XTRACE_TOKEN": TOKEN})
    assert done.returncode == 0, done.stderr
    return {line["call"]: line for line in map(json.loads, done.stdout.splitlines())}


@pytest.fixture(scope="module", params=[(e, c) for e in ("protobuf", "json") for c in ("plain", "gzip")], ids="-".join)
def exported(request, program, xtrace):
    """How it was sent, and the trace that was read."""
    done = subprocess.run([program, *request.param], text=True, capture_output=True, timeout=60,
                          env={**os.environ, "XTRACE_URL": xtrace.url + "/", "XTRACE_TOKEN": TOKEN})
    assert done.returncode == 0, done.stderr
    return ".".join(request.param), read(xtrace, f"/api/public/traces/{done.stdout.strip()}")


def read(xtrace, path):
    answer = xtrace.client().get(path)
    assert answer.status == 200, answer
    return answer.json()


def ok(calls, call):
    assert "error" not in calls[call], calls[call]
    return calls[call]["ok"]


def test_health_and_acknowledgement_are_understood(calls):
    assert ok(calls, "healthz") is None
    assert ok(calls, "ingest_batch") == {"message": "Request Successful.", "code": None, "data": None}


def test_a_trace_is_listed(calls):
    page = ok(calls, "list_traces")
    assert (page["page"], page["limit"], page["totalItems"], page["totalPages"]) == (1, 50, 1, 1)
    trace, = page["data"]
    assert trace["id"] == TRACE
    assert trace["timestamp"] == "2026-03-14T12:00:00.123456+00:00"
    assert trace["sessionId"] == "session 1/ü"
    assert trace["input"] == {"question": "2 + 2?"}
    assert trace["metadata"] == {"turn_id": "turn-1", "run_id": "run-1"}
    assert trace["tags"] == ["rust", "beta"]
    assert trace["public"] is True
    assert trace["environment"] == "staging"
    assert trace["htmlPath"] == f"/project/default/traces/{TRACE}"
    assert (trace["latency"], trace["totalCost"]) == (1.5, 0.25)
    assert (trace["observations"], trace["scores"]) == (2, 0)


def test_every_filter_of_the_list_is_understood(calls):
    trace, = ok(calls, "list_traces filtered")["data"]
    assert trace["id"] == TRACE
    assert (trace["input"], trace["observations"]) == (None, 0)  # fields=core,metrics
    assert trace["totalCost"] == 0.25
    empty = ok(calls, "list_traces empty")
    assert (empty["data"], empty["totalItems"], empty["totalPages"]) == ([], 0, 0)


def test_a_trace_is_read(calls):
    trace = ok(calls, "get_trace")
    assert (trace["input"], trace["output"]) == ({"question": "2 + 2?"}, "4")
    generation, tool = trace["observations"]
    assert generation["metadata"] == {"step_id": "step-1", "step_type": "llm_call"}
    assert (generation["promptTokens"], generation["completionTokens"], generation["totalTokens"]) == (12, 30, 42)
    assert (generation["latency"], generation["timeToFirstToken"]) == (1.5, 0.25)
    assert generation["modelParameters"] == {"temperature": 0.5}
    assert tool["parentObservationId"] == generation["id"]
    assert (tool["type"], tool["level"], tool["statusMessage"]) == ("SPAN", "ERROR", "no such tool")
    assert tool["metadata"]["parent_step_id"] == "step-1"


def test_errors_are_errors(calls):
    assert "404" in calls["get_trace unknown"]["error"]
    assert "401" in calls["list_traces unauthorized"]["error"]


def test_days_are_counted(calls):
    days = ok(calls, "metrics_daily")
    assert days["totalItems"] == 1
    day, = days["data"]
    assert (day["date"], day["countTraces"], day["countObservations"]) == ("2026-03-14", 1, 2)
    assert day["totalCost"] == 0.25
    assert [usage["model"] for usage in day["usage"]] == ["gpt-4o"]


def test_metrics_are_pushed_and_queried(calls):
    assert ok(calls, "push_metrics") == {"message": "Request Successful.", "code": None}
    assert "queue_depth" in ok(calls, "list_metric_names")
    answer = ok(calls, "query_metrics")
    assert (answer["count"], answer["truncated"]) == (2, False)
    assert answer["latest"].startswith("2026-03-14T12:00:00")
    assert {series["labels"]["host"]: series["values"][0][1] for series in answer["data"]} == {"a": 3.0, "b": 7.5}
    grouped = ok(calls, "query_metrics grouped")
    assert [series["labels"] for series in grouped["data"]] == [{"host": "a"}]


def test_the_tracing_layer_pushes_its_metrics(calls):
    inside = ok(calls, "current_trace_id")
    event, = ok(calls, "layer event")["data"]
    assert event["labels"] == {"model": "gpt-4o", "session_id": "s-1", "trace_id": inside}
    assert event["values"][0][1] == 42
    span, = ok(calls, "layer span")["data"]
    assert span["labels"] == {"span_name": "answer_question", "trace_id": inside}


def test_spans_of_opentelemetry_are_stored_as_sent(exported):
    _, trace = exported
    assert (trace["name"], trace["userId"], trace["sessionId"]) == ("invoke_agent planner", "user/ü 1", "rust-session")
    assert (trace["tags"], trace["environment"], trace["release"], trace["version"]) == (["a", "b"], "staging", "r7", "1.2.3")
    agent, chat = sorted(trace["observations"], key=lambda observation: observation["startTime"])
    assert (agent["type"], agent["parentObservationId"], agent["metadata"]["span"]["kind"]) == ("AGENT", None, "SERVER")
    assert (chat["type"], chat["name"], chat["parentObservationId"]) == ("GENERATION", "chat gpt-4o", agent["id"])
    assert (chat["model"], chat["modelParameters"]) == ("gpt-4o", {"temperature": 0.5})
    assert chat["usageDetails"] == {"input": 10, "input_cached_tokens": 2, "output": 30, "total": 42}
    assert (chat["level"], chat["statusMessage"]) == ("ERROR", "cut off")
    assert chat["output"] == [{"role": "assistant", "content": "4"}]


def test_what_else_spans_say_is_in_metadata(exported):
    metadata = max(exported[1]["observations"], key=lambda observation: observation["startTime"])["metadata"]
    said = {name: metadata["attributes"][name] for name in ("int", "double", "bool", "text", "texts", "ints", "doubles", "bools")}
    assert said == {
        "int": -(2**63), "double": 1.5, "bool": False, "text": 'ü😀"\\\n', "texts": ["x", ""], "ints": [1, -2],
        "doubles": [0.5, 2.25], "bools": [True, False],
    }  # fmt: skip
    assert metadata["scope"] == {"name": "rust.scope", "version": "4", "attributes": {"team": "llm"}}
    assert metadata["resourceAttributes"]["service.name"] == "rust-agent"
    event, = metadata["events"]
    assert (event["name"], event["attributes"]) == ("first token", {"index": 0})
    link, = metadata["links"]
    assert (link["traceId"], link["spanId"], link["attributes"]) == (f"{7:032x}", f"{8:016x}", {"why": "retry"})


def test_a_message_that_is_a_log_record_becomes_input(exported):
    chat = max(exported[1]["observations"], key=lambda observation: observation["startTime"])
    assert chat["input"] == [{"role": "user", "content": "2 + 2?"}]


def test_metrics_of_opentelemetry_are_stored_as_sent(exported, xtrace):
    names = {f"{exported[0]}.{name}": value for name, value in
             {"counter": 3, "updown": -2, "gauge": 1.5, "histogram.count": 2, "histogram.sum": 2}.items()}  # fmt: skip
    found = {name: read(xtrace, f"/api/public/metrics/query?name={name}&agg=last")["data"] for name in names}
    assert {name: series[0]["values"][0]["value"] for name, series in found.items()} == names
    buckets = read(xtrace, f"/api/public/metrics/query?name={exported[0]}.histogram.bucket&agg=last")["data"]
    assert {s["labels"]["le"]: s["values"][0]["value"] for s in buckets} == {"1": 1, "2": 2, "+Inf": 2}
    assert {s["labels"]["model"] for s in buckets} == {"gpt-4o"}
