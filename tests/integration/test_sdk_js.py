"""Real client libraries of JavaScript, unchanged, against both programs (sdk/js).

Each script sends a session as an application would, flushes, and prints as JSON what it meant ("traces"; support/sdk.py)
and what the library's own reading helpers gave ("read"). The packages are installed outside the repository, from the
locks, and kept there for the next run; without node or the npm registry these tests are skipped. What needs a newer
node than Debian has gets it from the registry too (sdk/js/node22).
"""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from support.fake_openai import FakeOpenAI
from support.sdk import check_traces, read_trace
from support.xtrace import PUBLIC_KEY, SECRET_KEY

SOURCE = pathlib.Path(__file__).parent / "sdk" / "js"
NEED_NODE_22 = {"agents", "ai7", "langgraph", "mastra", "otel3", "otelopenai"}


@pytest.fixture(scope="module")
def openai():
    with FakeOpenAI() as url:
        yield {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "sk-none"}


def installed(folder):
    """A copy of the scripts with their packages, outside the repository, named after what is in it."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node is not installed")
    source = SOURCE / folder
    packages = [source / "package.json", source / "package-lock.json"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in packages)).hexdigest()[:16]
    copy = pathlib.Path(tempfile.gettempdir()) / f"xtrace-sdk-js-{os.getuid()}-{digest}"
    if not copy.exists():
        unfinished = pathlib.Path(tempfile.mkdtemp(dir=copy.parent))
        for path in packages:
            shutil.copy(path, unfinished)
        install(unfinished)
        try:
            unfinished.rename(copy)
        except OSError:
            assert copy.exists()  # another run was faster
            shutil.rmtree(unfinished)
    return copy


def install(folder):
    try:
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"],
                              cwd=folder, text=True, capture_output=True, timeout=300)
    except subprocess.TimeoutExpired:
        shutil.rmtree(folder)
        pytest.skip("npm has no registry: npm ci took longer than 300 s")
    if done.returncode != 0:
        shutil.rmtree(folder)
        words = ("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "ETIMEDOUT", "ECONNRESET", "E403", "E404", "network")
        assert any(word in done.stderr for word in words), done.stderr[-3000:]
        pytest.skip(f"npm has no registry: {done.stderr.strip().splitlines()[0]}")


def node_for(folder):
    if folder not in NEED_NODE_22:
        return "node"
    node = installed("node22") / "node_modules" / ".bin" / "node"
    if not node.exists():
        pytest.skip("node 22 is not packaged for this machine")
    return node


def run(xtrace, script, **env):
    """What the script printed. Its packages are looked for beside it, so it is run from a copy beside them."""
    path = SOURCE / script
    node = node_for(path.parent.name)
    folder = installed(path.parent.relative_to(SOURCE))
    with tempfile.TemporaryDirectory(dir=folder) as beside:
        for each in [*path.parent.glob("*.mjs"), SOURCE / "openai_client.mjs"]:
            shutil.copy(each, beside)
        done = subprocess.run([node, path.name], cwd=beside, text=True, capture_output=True, timeout=120,
                              env={**os.environ, "XTRACE_URL": xtrace.url, "LANGFUSE_PUBLIC_KEY": PUBLIC_KEY,
                                   "LANGFUSE_SECRET_KEY": SECRET_KEY, "LANGFUSE_BASE_URL": xtrace.url,
                                   "LANGFUSE_BASEURL": xtrace.url, "LANGFUSE_DEBUG": "", **env})
    assert done.returncode == 0, done.stderr[-5000:] + done.stdout[-1000:]
    return json.loads(done.stdout.splitlines()[-1])


def check_read(said, expected):
    differing = [f"{name}: {have!r}, not {expected[name]!r}" for name, have in said["read"].items() if have != expected[name]]
    assert not differing, "\n" + "\n".join(differing)
    assert said["read"].keys() == expected.keys()


def check_streams(xtrace, said):
    """The traces, and that only of what was streamed it is known when it began. How many that are."""
    streamed = [each for trace in said["traces"] for each in trace["observations"] if each.pop("isStreamed", False)]
    check_traces(xtrace.client(), said["traces"])
    waited = [each for trace in said["traces"] for each in read_trace(xtrace.client(), trace["id"])["observations"]
              if each["timeToFirstToken"] is not None]
    assert sorted(each["name"] for each in waited) == sorted(each["name"] for each in streamed)
    assert all(0 < each["timeToFirstToken"] <= each["latency"] for each in waited)
    return len(streamed)


def test_langfuse_5_tracing(xtrace):
    said = run(xtrace, "tracing.mjs")
    check_traces(xtrace.client(), said["traces"])
    tags = ["alpha", "zeta"]
    check_read(said, {
        "failures": [], "traces": [True], "trace": 13, "fields": False,
        "observations": [["GENERATION", "test-model", {"input": 120, "output": 30, "cache_read_input_tokens": 40, "total": 190},
                          '{"role":"assistant","content":"Morgen."}']],
        "pages": sorted(each["name"] for each in said["traces"][0]["observations"]),
        "observationsV1": ["get_order"], "observationV1": "agent-run", "byUser": ["bad-call", "fails"], "filtered": ["agent-run", "get_order"],
        "filteredTraces": [True],
        "scores": [["helpful", tags], ["remark", tags], ["resolved", tags], ["tone", tags]], "score": 4,
        "scoresV3": [["helpful", 0.75, "trace"], ["remark", "a text", "trace"], ["resolved", True, "observation"],
                     ["tone", "friendly", "observation"]],
        "sessions": True, "session": ["bare", "support-agent"], "metrics": [{"type": "TOOL", "count_count": 1}],
        "models": ["own", 0.1, False, 1], "scoreByRest": [2, 404], "deleted": ["to delete", 404],
        "health": "OK", "projects": 1, "url": True, "fallback": "be brief", "unknown": "Error 404",
    })


def test_langfuse_4_tracing(xtrace):
    said = run(xtrace, "tracing4.mjs")
    check_traces(xtrace.client(), said["traces"])
    check_read(said, {"trace": ["named-by-a-child", 3, 2], "observations": ["answer", "handle-request", "tool"],
                      "scores": ["ok", "stars"]})


def test_opentelemetry_exporters(xtrace):
    """JSON and protobuf, plain and with gzip, on both paths."""
    said = run(xtrace, "otel.mjs")
    assert len(said["traces"]) == 8
    check_traces(xtrace.client(), said["traces"])


def test_opentelemetry_3(xtrace):
    """The exporters of all signals since OpenTelemetry JS 3, JSON and protobuf, plain and with gzip, on both paths."""
    said = run(xtrace, "otel3/otel.mjs")
    assert [trace.pop("failures") for trace in said["traces"]] == [[]] * 4
    check_traces(xtrace.client(), said["traces"])
    for service in ("json", "json-gzip", "protobuf", "protobuf-gzip"):
        common = {"service.name": service, "service.version": "3.2.1", "deployment.environment.name": "Prod-EU",
                  "otel.scope.name": "shop"}
        counter = {**common, "otel.metric.type": "counter", "otel.metric.unit": "1", "otel.metric.temporality": "cumulative"}
        assert newest(xtrace, "orders", service) == [({**counter, "region": "eu-ü"}, 3)]
        assert newest(xtrace, "depth", service) == [({**common, "otel.metric.type": "gauge"}, 7.5)]
        buckets = {labels["le"]: value for labels, value in newest(xtrace, "wait.bucket", service)}
        assert buckets == {"10": 0, "100": 1, "+Inf": 1}
        assert [value for _, value in newest(xtrace, "wait.sum", service)] == [42]


def newest(xtrace, name, service):
    """Of each series of the service its labels and what it was last."""
    return [(labels, values[-1]) for labels, values in xtrace.database.query(
        """SELECT labels, (SELECT array_agg(value ORDER BY ts) FROM metric_points WHERE series_id = series.id)
           FROM metric_series AS series WHERE name = %s AND labels ->> 'service.name' = %s""", name, service)]


@pytest.mark.parametrize("script", ["ai.mjs", "ai4/ai.mjs", "ai7/ai.mjs"])
def test_the_ai_sdk(xtrace, openai, script):
    """Versions 6 and 5 through the span processor of Langfuse 5; 4 through langfuse-vercel 3 and OpenTelemetry JS 1; 7 through
    Langfuse's integration, plain OpenTelemetry, its legacy form, and OpenInference: two steps with a tool, a stream, an
    embedding, an error."""
    streams = check_streams(xtrace, run(xtrace, script, **openai))
    assert streams == {"ai.mjs": 1, "ai4/ai.mjs": 2, "ai7/ai.mjs": 4}[script]


@pytest.mark.long
@pytest.mark.parametrize(("script", "count"), [
    ("agents/agents.mjs", 4), ("mastra/mastra.mjs", 2), ("otelopenai/openai.mjs", 1), ("traceloop/traceloop.mjs", 1),
])
def test_frameworks(xtrace, openai, script, count):
    """Long, because each installs so many packages: OpenAI's agents and client by OpenInference, Mastra by its exporter,
    OpenTelemetry's own instrumentation of OpenAI (messages are log records), OpenLLMetry."""
    said = run(xtrace, script, **openai)
    assert len(said["traces"]) == count
    check_traces(xtrace.client(), said["traces"])


@pytest.mark.long
def test_langgraph_by_langfuse_5(xtrace, openai):
    """Long for the same reason."""
    assert check_streams(xtrace, run(xtrace, "langgraph/langgraph.mjs", **openai)) == 1


def test_langchain_by_langfuse_5_and_by_openinference(xtrace):
    said = run(xtrace, "langchain.mjs")
    assert len(said["traces"]) == 4
    check_traces(xtrace.client(), said["traces"])


def test_langfuse_3(xtrace):
    said = run(xtrace, "v3/langfuse.mjs")
    check_traces(xtrace.client(), said["traces"])
    first = "turn #1/ünï?x=1&y"
    check_read(said, {
        "failures": [], "traces": [[first, "turn-2"], {"page": 1, "limit": 2, "totalItems": 3, "totalPages": 2}],
        "tagged": [first], "trace": [first, 3, 4], "observations": ["failing", "free-usage", "openai-usage", "vision"],
        "observation": [first, "test-model-without-price", 150], "sessions": True, "session": [first, "turn-2", "turn-3"],
        "scores": [["score-1", 0.75, "user-ü"]], "score": "friendly",
        "metrics": [{"name": "empty", "count_count": 1}, {"name": "support-chat", "count_count": 2}],
        "models": 1, "url": True, "health": "OK", "projects": 1,
    })


def test_the_first_years_of_langfuse(xtrace):
    """langfuse 1.3 and 2.8, langfuse-node 3.11."""
    said = run(xtrace, "v3/old.mjs")
    check_traces(xtrace.client(), said["traces"])
    check_read(said, {"failures": [], "fetchTraces": ["chat"], "fetchTrace": 3, "fetchObservations": ["answer"],
                      "fetchObservation": "gpt-4o-mini", "fetchSessions": True, "getPrompt": "be brief", "getPrompt of 2": True})


def test_langchain_by_langfuse_3(xtrace):
    said = run(xtrace, "v3/langchain.mjs")
    assert len(said["traces"]) == 2
    check_traces(xtrace.client(), said["traces"])


@pytest.mark.parametrize("script", ["openai.mjs", "v3/openai.mjs"])
def test_the_wrappers_of_openai(xtrace, script):
    """A plain answer, a stream, and an error, whose cost is given as zero."""
    said = run(xtrace, script)
    assert len(said["traces"]) == 3
    check_traces(xtrace.client(), said["traces"])
