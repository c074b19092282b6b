"""The client's library and tool against the real server: what they send is there, whatever happens on the way."""

import json
import subprocess
import uuid

import pytest
from client.installed import installed, readme_examples
from client.tool import environment, run, run_json, tool_path
from support.xtrace import PUBLIC_KEY, SECRET_KEY, TOKEN

__all__ = ["installed"]  # a fixture


def env(system, **more):
    return {"XTRACE_URL": system.url, "API_BEARER_TOKEN": TOKEN, **more}


def new_id():
    return str(uuid.uuid4())


def body(trace_id, **more):
    observation = {"id": new_id(), "traceId": trace_id, "name": "llm", "type": "GENERATION", "model": "gpt",
                   "startTime": "2026-01-02T03:04:05Z", "endTime": "2026-01-02T03:04:06.5Z", "promptTokens": 3,
                   "completionTokens": 4, "calculatedTotalCost": 0.25, "input": {"big": 12345678901234567890123}}
    trace = {"id": trace_id, "timestamp": "2026-01-02T03:04:05Z", "name": "chat.turn", **more}
    return {"trace": trace, "observations": [observation]}


def test_the_blocking_example_is_stored_and_read_back(xtrace, installed):
    program = installed.compile("blocking.c", readme_examples()[0])
    done = installed.run(program, xtrace.url, TOKEN)
    assert done.returncode == 0, done.stderr
    trace = json.loads(done.stdout)
    assert trace["name"] == "chat.turn" and trace["sessionId"] == "session-1"
    (step,) = trace["observations"]
    assert step["input"] == {"role": "user", "content": "hi"} and step["output"] == "hello"
    assert step["usage"]["total"] == 2


def test_the_background_example_loses_nothing(xtrace, installed):
    program = installed.compile("background.c", readme_examples()[1])
    done = installed.run(program, xtrace.url, TOKEN)
    assert done.returncode == 0, done.stderr
    trace = xtrace.client().get("/api/public/traces/" + done.stdout.split()[0]).json()
    assert len(trace["observations"]) == 1000


def test_background_records_outlive_a_server_that_is_not_up_yet(make_xtrace, installed):
    program = installed.compile("background.c", readme_examples()[1])
    system = make_xtrace(start=False)
    late = subprocess.Popen([program], env=environment({**env(system), "LD_LIBRARY_PATH": installed.prefix / "lib"}),
                            stdout=subprocess.PIPE, text=True)
    with pytest.raises(subprocess.TimeoutExpired):
        late.wait(0.5)  # it does not give up while nobody listens
    system.start().wait_ready()
    output, _ = late.communicate(timeout=60)
    assert late.returncode == 0 and output.endswith(" 1001 sent of 1001\n")
    assert system.database.value("SELECT count(*) FROM observations") == 1000


def test_the_tool_sends_lists_and_shows(xtrace):
    ids = [new_id() for _ in range(3)]
    lines = "\n".join(json.dumps(body(trace_id, userId="tool", tags=["a", f"n{n}"])) for n, trace_id in enumerate(ids))
    done = run("send", stdin=lines, env=env(xtrace))
    assert done.returncode == 0 and done.stdout.startswith("3 bodies read: 3 sent"), done.stderr
    listed = run_json("traces", "list", "--user", "tool", "--tag", "a", "--limit", "2", env=env(xtrace))
    assert listed["meta"] == {"page": 1, "limit": 2, "totalItems": 3, "totalPages": 2}
    assert len(run("traces", "list", "--user", "tool", env=env(xtrace)).stdout.splitlines()) == 4
    assert run_json("traces", "list", "--user", "tool", "--tag", "n1", env=env(xtrace))["data"][0]["id"] == ids[1]
    shown = run("traces", "show", ids[0], "--full", env=env(xtrace)).stdout
    assert "chat.turn" in shown and "1.50 s" in shown and '12345678901234567890123' in shown
    day = run_json("daily", "--user", "tool", "--from", "2026-01-01", "--to", "2026-01-03", env=env(xtrace))["data"][0]
    assert (day["date"], day["countTraces"], day["totalCost"]) == ("2026-01-02", 3, 0.75)
    assert "2026-01-02" in run("daily", "--user", "tool", "--from", "2026-01-01", env=env(xtrace)).stdout


def test_sending_again_changes_nothing(xtrace):
    text = json.dumps(body(new_id(), userId="twice"))
    for _ in range(2):
        assert run("send", stdin=text, env=env(xtrace)).returncode == 0
    listed = run_json("traces", "list", "--user", "twice", env=env(xtrace))["data"]
    assert len(listed) == 1 and len(listed[0]["observations"]) == 1


def test_refused_records_are_named_and_the_others_stored(xtrace):
    trace_id = new_id()
    batch = body(trace_id)
    batch["observations"].append({"id": new_id(), "traceId": trace_id, "startTime": "yesterday"})
    done = run("send", stdin=json.dumps(batch), env=env(xtrace))
    assert done.returncode == 1 and "observations[1].startTime" in done.stderr
    assert len(run_json("traces", "show", trace_id, env=env(xtrace))["observations"]) == 1


def test_exit_codes_against_the_real_server(xtrace):
    assert run("health", env=env(xtrace)).stdout == "ready\n"
    assert run("traces", "list", env=env(xtrace, API_BEARER_TOKEN="wrong")).returncode == 4
    assert run("traces", "list", "--key", f"{PUBLIC_KEY}:{SECRET_KEY}", env={"XTRACE_URL": xtrace.url}).returncode == 0
    assert run("traces", "show", new_id(), env=env(xtrace)).returncode == 3
    assert run("traces", "list", "--order", "nonsense.asc", env=env(xtrace)).returncode == 1


def test_a_server_without_writers_is_unavailable_and_then_is_not(make_xtrace):
    system = make_xtrace(env={"XTRACE_WRITE_DEADLINE_MS": "300"})
    system.stop("writer-1")
    text = json.dumps(body(new_id()))
    done = run("send", "--timeout", "1s", stdin=text, env=env(system))
    assert done.returncode == 5, done.stdout + done.stderr
    system.start("writer-1")
    assert run("send", "--timeout", "30s", stdin=text, env=env(system)).returncode == 0
    assert system.database.value("SELECT count(*) FROM traces") == 1


def test_tail_sees_new_traces_once(xtrace):
    tail = subprocess.Popen([tool_path(), "tail", "--json", "--count", "3", "--interval", "50ms", "--user", "tailed",
                             "--from", "1m"],
                            env=environment(env(xtrace)), stdout=subprocess.PIPE, text=True)
    names = []
    for number in range(3):
        batch = {"trace": {"id": new_id(), "userId": "tailed", "name": f"t{number}"}}
        assert run("send", stdin=json.dumps(batch), env=env(xtrace)).returncode == 0
        names.append(f"t{number}")
    output, _ = tail.communicate(timeout=30)
    assert [json.loads(line)["name"] for line in output.splitlines()] == names


def test_sessions_and_metrics_answer_or_say_that_they_are_missing(xtrace):
    for words in (["sessions"], ["metrics", "names"], ["metrics", "query", "nothing"]):
        done = run(*words, env=env(xtrace))
        assert done.returncode == 0 or (done.returncode == 3 and "this server has no" in done.stderr), words


def test_the_tool_finds_the_credentials_file(xtrace, tmp_path):
    (tmp_path / "credentials").write_text(f"BASE_URL={xtrace.url}\nAPI_BEARER_TOKEN={TOKEN}\n")
    done = run("traces", "list", env={"XTRACE_HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
