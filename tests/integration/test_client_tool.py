"""The xtrace tool against a scripted server: what it asks, what it prints, how it exits."""

import json
import pathlib
import re
import subprocess
import urllib.parse
import unicodedata

import pytest
from client.scripted import Scripted
from client.tool import run, run_on_terminal

TRACE = {
    "id": "11111111-1111-4111-8111-111111111111", "timestamp": "2026-01-02T03:04:05.678901Z", "name": "chat.turn",
    "userId": "alice", "sessionId": "s-1", "latency": 1.5, "totalCost": 0.0123, "tags": ["prod", "eu"],
    "environment": "default", "release": None, "version": None, "public": False, "observations": [],
}  # fmt: skip
ROOT_STEP = {"id": "o-1", "name": "agent", "type": "SPAN", "startTime": "2026-01-02T03:04:05Z", "latency": 1.0,
             "model": None, "usage": {"input": 0, "output": 0}, "calculatedTotalCost": None, "level": "DEFAULT",
             "parentObservationId": None}  # fmt: skip
CHILD = {**ROOT_STEP, "id": "o-2", "name": "llm", "parentObservationId": "o-1", "level": "ERROR"}
ORPHAN = {**ROOT_STEP, "id": "o-3", "name": "orphan", "parentObservationId": "gone"}
CIRCLE = [{**ROOT_STEP, "id": "c-1", "name": "circle", "parentObservationId": "c-2"},
          {**ROOT_STEP, "id": "c-2", "name": "circle2", "parentObservationId": "c-1"}]  # fmt: skip


def page(*traces, total_pages=1):
    return {"data": list(traces), "meta": {"page": 1, "limit": 50, "totalItems": len(traces), "totalPages": total_pages}}


def env(server, **more):
    return {"XTRACE_URL": server.url, "API_BEARER_TOKEN": "sesame", **more}


def cells(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def test_list_prints_a_table_without_payloads_over_the_line():
    with Scripted([(200, page(TRACE))]) as server:
        done = run("traces", "list", "--tag", "a", "--tag=b", "--user", "al ice", "--limit", "7", env=env(server))
    assert done.returncode == 0, done.stderr
    header, row = done.stdout.splitlines()
    assert header.split("  ")[0] == "TIME (UTC)" and row.index("chat.turn") == header.index("NAME")
    assert "2026-01-02 03:04:05.678" in row and "1.50 s" in row and "prod, eu" in row and TRACE["id"] in row
    target = server.asked[0].target
    with Scripted([(200, page(TRACE))]) as server:
        run("traces", "list", "--turn", "t", "--run", "r/1", "--filter", "[]", env=env(server))
    assert {"turnId=t", "runId=r%2F1", "filter=%5B%5D"} <= set(server.asked[0].target.split("?")[1].split("&"))
    assert "tags=a&tags=b" in target and "userId=al%20ice" in target and "limit=7" in target and "fields=core" in target
    assert server.asked[0].headers["Authorization"] == "Bearer sesame"


def test_json_is_what_the_server_sent_byte_for_byte():
    body = b'{"data":[ {"n":12345678901234567890.50} ]}'
    with Scripted([(200, body)]) as server:
        for words in (["traces", "list"], ["daily"], ["sessions"], ["metrics", "query", "m"], ["--json", "trace", "x"]):
            assert run(*words, "--json", env=env(server)).stdout == body.decode() + "\n"


def test_a_terminal_gets_colours_and_lines_that_fit():
    wide = {**TRACE, "name": "\u4e2d\u6587\u540d\u5b57" * 20, "userId": "e\u0301" * 30}
    with Scripted([(200, page(TRACE, wide))]) as server:
        for columns in (60, 80, 100, 140):
            shown = run_on_terminal("traces", "list", env=env(server), columns=columns)
            assert "\x1b[1m" in shown
            lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
            assert len(lines) == 3
            assert all(cells(line) <= max(columns, 70) for line in lines), lines
        assert "\u2026" in shown
        assert "\x1b" not in run_on_terminal("traces", "list", env=env(server, NO_COLOR="1"))
        assert "\x1b" not in run("traces", "list", env=env(server)).stdout


def test_names_cannot_steer_the_terminal():
    evil = {**TRACE, "name": "a\x1b]0;title\x07b\x9b31mc\nd", "input": "x\x1b[2Jy\nz"}
    with Scripted(lambda asked: (200, page(evil) if "?" in asked.target else evil)) as server:
        listed = run("traces", "list", env=env(server)).stdout
        shown = run("traces", "show", "x", "--full", env=env(server)).stdout
    for text in (listed, shown):
        assert not set(text) & {"\x1b", "\x07", "\x9b"}, text
    assert len(listed.splitlines()) == 2 and "y\nz" in shown


def test_show_prints_the_tree_and_loses_nobody():
    trace = {**TRACE, "input": {"big": 1}, "observations": [ROOT_STEP, CHILD, ORPHAN, *CIRCLE]}
    with Scripted([(200, json.dumps(trace).replace('"big": 1', '"big": 12345678901234567890123').encode())]) as server:
        done = run("traces", "show", TRACE["id"], env=env(server))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    names = [line for line in lines if re.match(r" *(agent|llm|orphan|circle)", line)]
    assert [name.split()[0] for name in names] == ["agent", "llm", "orphan", "circle", "circle2"]
    assert names[1].startswith("  llm") and names[2].startswith("orphan")
    assert '{"big": 12345678901234567890123}' in done.stdout


def test_daily_sessions_and_metrics_have_tables():
    answers = {
        "/api/public/metrics/daily": {"data": [{"date": "2026-01-02", "countTraces": 3, "countObservations": 5,
                                                "totalCost": 0.5, "usage": [
            {"model": "gpt", "inputUsage": 10, "outputUsage": 20, "totalUsage": 30, "countTraces": 2,
             "countObservations": 4, "totalCost": 0.4}]}]},
        "/api/public/sessions": {"data": [{"id": "s-1", "createdAt": "2026-01-02T03:04:05Z", "countTraces": 2}]},
        "/api/public/sessions/s-1": {"id": "s-1", "createdAt": "2026-01-02T03:04:05Z", "traces": [TRACE]},
        "/api/public/runs/r%2F1": {"id": "r/1", "status": "error", "countObservations": 7, "totalCost": 0.5,
                                   "latest": {"name": "agent.tool", "stepType": "tool_call"}},
        "/api/public/metrics/names": {"data": ["gpu", "span_duration"]},
        "/api/public/metrics/query": {"data": [{"labels": {"node": "n1"}, "values": [
            {"timestamp": "2026-01-02T03:04:00+00:00", "value": 0.25}]}],
            "meta": {"series_count": 1, "truncated": True}},
    }  # fmt: skip
    with Scripted(lambda asked: (200, answers[asked.target.split("?")[0]])) as server:
        daily = run("daily", "--limit", "3", env=env(server)).stdout
        assert "2026-01-02" in daily and re.search(r"gpt +2 +4 +10 +20 +30", daily)
        assert "s-1" in run("sessions", env=env(server)).stdout
        assert "chat.turn" in run("sessions", "show", "s-1", env=env(server)).stdout
        shown = run("run", "r/1", env=env(server)).stdout
        assert re.search(r"status +error\n", shown) and re.search(r"type +tool_call\n", shown) and "0.5000" in shown
        assert run("metrics", "names", env=env(server)).stdout == "gpu\nspan_duration\n"
        done = run("metrics", "query", "gpu", "--label", "node=n1", "--agg", "p99", env=env(server))
    assert re.search(r'2026-01-02 03:04:00.000 +0.25 +\{"node": "n1"\}', done.stdout) and "cut off" in done.stderr
    assert "labels=%7B%22node%22%3A%22n1%22%7D" in server.asked[-1].target and "agg=p99" in server.asked[-1].target


@pytest.mark.parametrize(
    "status, code, words",
    [(400, 1, "refused"), (401, 4, "unauthorized"), (404, 3, "no such trace"), (302, 1, "redirect"),
     (500, 1, "server error")],
)  # fmt: skip
def test_exit_codes_follow_the_answer(status, code, words):
    with Scripted([(status, {"message": "Because"})]) as server:
        done = run("traces", "show", "x", "--timeout", "300ms", env=env(server))
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr and "sesame" not in done.stderr


def test_a_route_that_the_server_lacks_is_named():
    with Scripted([(404, {"message": "Not Found", "code": "NOT_FOUND"})]) as server:
        for words in (["sessions"], ["metrics", "names"], ["metrics", "query", "m"]):
            done = run(*words, env=env(server))
            assert done.returncode == 3
            assert "this server has no" in done.stderr and "/api/public/" in done.stderr


def test_a_server_that_is_busy_or_gone_is_exit_5():
    with Scripted([(503, b""), (429, b"", {"Retry-After": "60"})]) as server:
        assert run("health", env=env(server)).returncode == 5
        assert run("traces", "list", "--timeout", "2s", env=env(server)).returncode == 5
        gone = server.url
    assert run("traces", "list", "--url", gone, "--timeout", "500ms").returncode == 5


@pytest.mark.parametrize(
    "words",
    [[], ["nonsense"], ["traces", "nonsense"], ["traces", "show"], ["traces", "list", "--nonsense"],
     ["traces", "list", "--limit", "x"], ["traces", "list", "--limit", "0"], ["daily", "--page", "-1"], ["traces", "list", "--from", "yesterdayish"], ["traces", "list", "--user"],
     ["--url", "ftp://x", "daily"], ["--key", "nocolon", "daily"], ["metrics"], ["daily", "--json=1"],
     ["metrics", "query", "m", "--label", "x"]],
)  # fmt: skip
def test_wrong_usage_is_exit_2_and_asks_nobody(words):
    with Scripted([(200, {})]) as server:
        done = run(*words, env=env(server))
    assert done.returncode == 2 and not server.asked


def test_help_and_version():
    assert run("--version").stdout == "xtrace 0.1.0\n"
    assert "exit status" in run("--help").stdout
    for words in (["traces", "list"], ["trace"], ["sessions"], ["metrics", "query"], ["daily"], ["send"], ["tail"]):
        done = run(*words, "--help")
        assert done.returncode == 0 and "--url" in done.stdout and "usage: xtrace " in done.stdout


def test_the_completions_know_every_option():
    options = set()
    for words in (["traces", "list"], ["traces", "show"], ["sessions", "list"], ["metrics", "query"], ["daily"],
                  ["tail"]):  # fmt: skip
        options |= set(re.findall(r"^  (--[a-z-]+)", run(*words, "--help").stdout, re.M))
    root = pathlib.Path(__file__).resolve().parents[2]
    for name, spelling in (("xtrace.bash", "--{}"), ("_xtrace", "--{}"), ("xtrace.fish", "-l {}")):
        text = (root / "client/cli/completion" / name).read_text()
        missing = {option for option in options if not re.search(rf"{spelling.format(option[2:])}\b", text)}
        assert not missing, f"{name}: {missing}"


def test_credentials_come_from_the_home_folder(tmp_path):
    with Scripted([(200, page())]) as server:
        home = tmp_path / ".xtrace"
        home.mkdir()
        (home / "credentials").write_text(
            f"BASE_URL={server.url}\nAPI_BEARER_TOKEN='it'\\''s'\nXTRACE_PUBLIC_KEY=pk\nXTRACE_SECRET_KEY=sk\n")
        assert run("traces", "list", cwd=tmp_path).returncode == 0
        assert run("traces", "list", env={"XTRACE_HOME": str(home)}).returncode == 0
        assert run("traces", "list", "--key", "pk:s:k", cwd=tmp_path).returncode == 0
        with Scripted([(200, page())]) as stranger:
            run("traces", "list", "--url", stranger.url, cwd=tmp_path)
            assert "Authorization" not in stranger.asked[0].headers  # the file's secrets stay with its server
    sent = [asked.headers["Authorization"] for asked in server.asked]
    assert sent == ["Bearer it's", "Bearer it's", "Basic cGs6czpr"]


def test_tls_is_verified_against_the_given_authorities(tmp_path):
    certificate = tmp_path / "server.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", certificate, "-out", tmp_path / "cert"],
                   check=True, capture_output=True)  # fmt: skip
    certificate.write_text(certificate.read_text() + (tmp_path / "cert").read_text())
    with Scripted([(200, page())], certificate) as server:
        done = run("traces", "list", "--timeout", "20s", env=env(server))
        assert done.returncode == 5 and "certificate" in done.stderr and not server.asked
        done = run("traces", "list", "--ca-file", certificate, env=env(server))
        assert done.returncode == 0, done.stderr
    assert server.asked[0].headers["Authorization"] == "Bearer sesame"


# send


def test_send_takes_lines_pretty_json_and_arrays():
    text = ('{"trace":{"id":"a"}}\n{"metrics":[]}\n\n{\n  "trace": {"name": "}{\\"["},\n  "observations": []\n}')
    with Scripted([(200, {"message": "ok"})]) as server:
        done = run("send", stdin=text, env=env(server))
        assert done.returncode == 0, done.stderr
        assert done.stdout == "3 bodies read: 3 sent, 0 refused (%d bytes)\n" % sum(len(a.body) for a in server.asked)
        assert [a.target for a in server.asked] == ["/v1/l/batch", "/v1/metrics/batch", "/v1/l/batch"]
        assert server.asked[2].body == b'{\n  "trace": {"name": "}{\\"["},\n  "observations": []\n}'
        done = run("send", "-", "--json", stdin='[{"trace":null}, {"trace":12345678901234567890}]\n', env=env(server))
    assert json.loads(done.stdout) == {"bodies": 2, "sent": 2, "refused": 0, "bytes": 44}
    assert server.asked[4].body == b'{"trace":12345678901234567890}'


def test_send_reads_files_in_turn(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_text(json.dumps({"trace": {"id": name}}))
    with Scripted([(200, {})]) as server:
        assert run("send", tmp_path / "one", tmp_path / "two", env=env(server)).returncode == 0
        assert [json.loads(a.body)["trace"]["id"] for a in server.asked] == ["one", "two"]
        done = run("send", tmp_path / "missing", env=env(server))
    assert done.returncode == 1 and "missing" in done.stderr


def test_send_goes_on_after_a_refusal_and_names_the_records():
    refusal = {"message": "1 of 2 records were refused", "code": "BAD_REQUEST", "stored": {"traces": 1, "observations": 0},
               "errors": [{"path": "observations[0].startTime", "message": "not a time"}]}  # fmt: skip
    with Scripted([(400, refusal), (200, {})]) as server:
        done = run("send", stdin='{"trace":1}\n{"trace":2}\n', env=env(server))
    assert done.returncode == 1 and "2 bodies read: 1 sent, 1 refused" in done.stdout
    assert "xtrace: stdin:1: refused: " in done.stderr and "observations[0].startTime: not a time" in done.stderr


@pytest.mark.parametrize("text, line", [
    ('{"trace":1}\n{"trace":\n', 2), ('{"trace":1}\n{"b":1,}\n{"trace":2}', 2), ("7\n", 1), ('{"trace":1}x', 1),
    ('{"trace":1}\nnot this\n\n{"trace":2}', 2), ('{"trace":1}\n{"trace":"cut\n{"trace":2}', 2),
    ('{"trace":1}\n{"trace":{"id"\n{"trace":2}\n{"trace":3}', 2), ('{"id":"a bare trace"}\n{"metrics":[]}', 1),
])  # fmt: skip
def test_send_leaves_out_what_is_no_body_and_goes_on(text, line):
    with Scripted([(200, {})]) as server:
        done = run("send", stdin=text, env=env(server))
    good = len(re.findall(r'"trace":[0-9]|"metrics"', text))
    assert done.returncode == 1 and f"xtrace: stdin:{line}: " in done.stderr and "left out" in done.stderr
    assert len(server.asked) == good
    assert done.stdout.startswith(f"{good + 1} bod") and f"{good} sent, 1 refused" in done.stdout


def test_send_stops_when_the_server_is_away():
    with Scripted([(200, {}), (503, b"", {"Retry-After": "60"})]) as server:
        done = run("send", "--timeout", "1s", stdin='{"trace":1}\n{"trace":2}\n{"trace":3}\n', env=env(server))
    assert done.returncode == 5 and "2 bodies read: 1 sent, 0 refused" in done.stdout


def test_send_retries_what_passes():
    with Scripted([(503, b""), (200, {})]) as server:
        assert run("send", stdin='{"trace":1}', env=env(server)).returncode == 0
    assert [a.body for a in server.asked] == [b'{"trace":1}'] * 2


# tail


def trace_at(second, name):
    return {**TRACE, "id": f"id-{name}", "name": name, "timestamp": f"2026-01-02T03:04:{second:02}Z"}


def test_tail_prints_each_trace_once_oldest_first():
    a, b, c = trace_at(1, "a"), trace_at(2, "b"), trace_at(3, "c")
    with Scripted([(200, page(b, a)), (200, page(b, a)), (503, b"", {"Retry-After": "9"}), (200, page(c, b, a))]) as server:
        done = run("tail", "--count", "3", "--interval", "10ms", "--from", "2026-01-01", "--timeout", "1s", "--json",
                   env=env(server))  # fmt: skip
    assert done.returncode == 0
    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == ["a", "b", "c"]
    assert done.stderr.count("server unavailable") == 1 and "back" in done.stderr


def test_tail_reads_on_while_pages_are_full():
    traces = [trace_at(0, f"t{number:03}") for number in range(450)]

    def answer(asked):
        number = int(re.search(r"page=(\d+)", asked.target).group(1)) - 1
        return 200, page(*traces[number * 200 : number * 200 + 200])

    with Scripted(answer) as server:
        done = run("tail", "--count", "450", "--from", "2026-01-01", "--json", env=env(server))
    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == [t["name"] for t in reversed(traces)]


def test_tail_prints_what_is_new_to_the_server_whatever_its_own_time():
    """One that comes late, one from a clock that is ahead, and what comes after them; not what was there before."""
    def made(name, timestamp, created):
        return {**TRACE, "id": name, "name": name, "timestamp": timestamp, "createdAt": created}

    early, late, ahead = "2026-01-02T03:04:05Z", "2099-01-02T03:04:05Z", "2999-01-01T00:00:00Z"
    old = made("old", late, early)
    pages = [page(old), page(made("ahead", ahead, late), old), page(made("ahead", ahead, late), made("late", early, late), old)]
    with Scripted([(200, each) for each in pages]) as server:
        done = run("tail", "--count", "2", "--interval", "10ms", "--json", env=env(server))
    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == ["ahead", "late"]
    targets = [urllib.parse.parse_qs(urllib.parse.urlsplit(asked.target).query) for asked in server.asked]
    condition, = json.loads(targets[2]["filter"][0])
    assert (condition["column"], condition["operator"]) == ("createdAt", ">=")
    assert condition["value"] == "2099-01-02T03:03:35.000000Z"


def test_tail_ends_when_it_is_unauthorized():
    with Scripted([(401, {"message": "Unauthorized"})]) as server:
        assert run("tail", env=env(server)).returncode == 4


@pytest.mark.parametrize("line, words", [
    ("xtrace tr", ["traces", "trace"]), ("xtrace --url http://a:1 --json sess", ["sessions"]),
    ("xtrace --url http://a:1 traces list --limit 5 --or", ["--order"]), ("xtrace metrics query x --agg p", ["p50", "p90", "p99"]),
])  # fmt: skip
def test_bash_completes_whatever_stands_before(line, words):
    root = pathlib.Path(__file__).resolve().parents[2]
    script = f"""source '{root}/client/cli/completion/xtrace.bash'
        COMP_LINE='{line}' COMP_POINT={len(line)} COMP_WORDS=('{line.split()[-1]}') COMP_CWORD=0
        _xtrace
        printf '%s\\n' "${{COMPREPLY[@]}}\""""
    done = subprocess.run(["bash", "--norc", "-c", script], text=True, capture_output=True)
    assert done.stdout.split() == words, done.stderr
