"""Real client libraries of Python, unchanged, against both programs (sdk/python).

Each script sends a session as an application would, flushes, and prints as JSON what it meant ("traces";
support/sdk.py) and what the library's own reading helpers gave ("read"). Models answer from support/fake_openai.py.
The packages of one line of versions have a folder of their own (sdk/python/requirements, support/venvs.py); without
PyPI these tests are skipped. Frameworks that take long to install are marked so.
"""

import json
import os
import pathlib
import subprocess

import pytest
from support.fake_openai import FakeOpenAI
from support.sdk import check_traces
from support.venvs import python_of
from support.xtrace import PUBLIC_KEY, SECRET_KEY

SOURCE = pathlib.Path(__file__).parent / "sdk" / "python"
LANGFUSE = ["langfuse2", "langfuse3", "langfuse4", "langfuse5"]


@pytest.fixture(scope="module")
def openai():
    with FakeOpenAI() as url:
        yield url


def run(xtrace, openai, packages, script, *words):
    """What the script printed."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("LANGFUSE", "OTEL", "OPENAI", "PYTHON"))}
    done = subprocess.run(
        [python_of(SOURCE / "requirements" / f"{packages}.txt"), SOURCE / script, *words], text=True, capture_output=True, timeout=120,
        env={**env, "XTRACE_URL": xtrace.url, "LANGFUSE_PUBLIC_KEY": PUBLIC_KEY, "LANGFUSE_SECRET_KEY": SECRET_KEY,
             "LANGFUSE_HOST": xtrace.url, "LANGFUSE_BASE_URL": xtrace.url, "OPENAI_BASE_URL": openai, "OPENAI_API_KEY": "sk-none",
             "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0, done.stderr[-5000:] + done.stdout[-1000:]
    return json.loads(done.stdout.splitlines()[-1])


def check(xtrace, said, read):
    check_traces(xtrace.client(), said["traces"])
    differing = [f"{name}: {have!r}, not {read.get(name)!r}" for name, have in said["read"].items() if have != read.get(name)]
    assert not differing, "\n" + "\n".join(differing)
    assert said["read"].keys() == read.keys()


USAGE = {"input": 11, "output": 4, "cache_read_input_tokens": 3, "total": 18}
SCORES = ["helpful", "quality", "resolved"]


def test_langfuse_2(xtrace, openai):
    check(xtrace, run(xtrace, openai, "langfuse2", "langfuse2.py"), {
        "auth_check": True, "fetch_trace": 7, "fetch_trace of a bare one": [[], 0], "fetch_traces": ["chat", "bare"],
        "fetch_traces by tags": 1, "fetch_observation": USAGE,
        "fetch_observations": ["answer", "old usage", "openai usage"], "fetch_observations by parent": 6, "fetch_sessions": True,
        "api.sessions.get": ["bare", "chat"], "api.score.get": SCORES, "api.score.get_by_id": 1, "api.score.get of a value": ["quality"],
        "api.metrics.daily": [["2026-03-04", 2]], "api.models.list": True, "api.health.health": "OK", "api.projects.get": 1,
        "get_prompt falls back": "be brief", "api.trace.delete": "Trace deleted successfully",
    })


ALWAYS = {"auth_check": True, "get_trace_url": True, "health": "OK", "projects": 1, "get_prompt falls back": "be brief",
          "models": True, "score.delete": True, "trace.delete": "Trace deleted successfully",
          "observations v2": ["get_weather"], "scores": SCORES, "metrics": "TOOL"}
BOTH_WAYS = {"trace.list": ["chat"], "trace.get": 12, "trace.get of one that is gone": "NotFoundError", "sessions.list": True, "sessions.get": ["chat"], "observations": ["get_weather"],
             "observation": USAGE, "score": 1, "metrics v2": "TOOL"}
READ = {
    "langfuse3": {**ALWAYS, **BOTH_WAYS},
    "langfuse4": {**ALWAYS, **BOTH_WAYS, "scores v3": [["helpful", "yes"], ["quality", 0.75], ["resolved", True]]},
    "langfuse5": {**ALWAYS, "observations v2 io": ['{"role": "assistant", "content": "ho"}']},
}


@pytest.mark.parametrize("packages", READ)
def test_langfuse_by_otlp(xtrace, openai, packages):
    check(xtrace, run(xtrace, openai, packages, "langfuse_otel.py"), READ[packages])


@pytest.mark.parametrize("packages", LANGFUSE)
def test_the_openai_wrapper_of_langfuse(xtrace, openai, packages):
    check(xtrace, run(xtrace, openai, packages, "openai_langfuse.py"), {})


@pytest.mark.parametrize("packages", LANGFUSE)
def test_the_langchain_handler_of_langfuse(xtrace, openai, packages):
    check(xtrace, run(xtrace, openai, packages, "langchain_langfuse.py"), {})


def test_the_graphs_of_langgraph(xtrace, openai):
    check(xtrace, run(xtrace, openai, "langfuse5", "langgraph_langfuse.py"), {})


DEGRADED = {"get_prompt falls back": "be brief", "get_dataset": "NotFoundError", "create_dataset": "NotFoundError"}


@pytest.mark.parametrize("packages", [pytest.param("langfuse33", marks=pytest.mark.long), "langfuse4", "langfuse5"])
def test_the_decorator_of_langfuse(xtrace, openai, packages):
    """3.3 sends generations as spans."""
    check(xtrace, run(xtrace, openai, packages, "langfuse_observe.py"), DEGRADED)


EARLY = {"langfuse1": {}, "langfuse27": {"auth_check": True, "get_trace": "old", "get_generations": ["answer"],
                                         "get_prompt": "NotFoundError"}}


@pytest.mark.long
@pytest.mark.parametrize("packages", EARLY)
def test_early_langfuse(xtrace, openai, packages):
    check(xtrace, run(xtrace, openai, packages, "langfuse_old.py"), EARLY[packages])


@pytest.mark.parametrize("script", ["openinference_all.py", "models_openinference.py"])
def test_openinference(xtrace, openai, script):
    check(xtrace, run(xtrace, openai, "openinference", script), {})


@pytest.mark.parametrize("script", ["agents_openinference.py", "agents_logfire.py", "pydantic_ai_otel.py"])
def test_agents(xtrace, openai, script):
    check(xtrace, run(xtrace, openai, "agents", script), {})


@pytest.mark.long
@pytest.mark.parametrize("packages, script", [
    ("haystack", "haystack_langfuse.py"), ("litellm", "litellm_langfuse.py"), ("llamaindex", "llamaindex_langfuse.py"),
    ("mlflow", "mlflow_otlp.py"), ("strands", "strands_otel.py")])
def test_frameworks(xtrace, openai, packages, script):
    """Each with what it has for the purpose itself."""
    check(xtrace, run(xtrace, openai, packages, script), {})


@pytest.mark.long
def test_opentelemetrys_latest_conventions(xtrace, openai):
    """Messages as events of their own."""
    check(xtrace, run(xtrace, openai, "strands", "strands_otel.py", "latest"), {})


def test_traceloop(xtrace, openai):
    check(xtrace, run(xtrace, openai, "traceloop", "traceloop_openai.py"), {})


def test_opentelemetrys_own_instrumentation(xtrace, openai):
    """Spans, what log records say of them, and metrics."""
    said = run(xtrace, openai, "opentelemetry", "opentelemetry_openai.py")
    check_traces(xtrace.client(), said["traces"])
    params = {"labels": json.dumps({"service.name": said["read"]["service"]}), "agg": "last", "step": "1d"}
    answer = xtrace.client().get("/api/public/metrics/query", {"name": "gen_ai.client.token.usage.sum", **params})
    tokens = {"input": 0, "output": 0}
    for series in answer.json()["data"]:  # streams are series of their own
        tokens[series["labels"]["gen_ai.token.type"]] += series["values"][-1]["value"]
    assert tokens == {"input": 63, "output": 21}
