"""Every setting is documented, and a wrong one is one line that names it."""

import re
import subprocess

import pytest

from support.xtrace import ROOT, program_path

DOCS = (ROOT / "README.md").read_text() + (ROOT / "deploy/sample.env").read_text()


def run(program, *words, env=None):
    return subprocess.run([program_path(program), *words], env=env or {}, text=True, capture_output=True, timeout=20)


def keys_of(program):
    done = run(program, "--help")
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"\b(?:XTRACE|LANGFUSE|TRACES|METRICS|DEAD_LETTERS|RATE_LIMIT|API|BIND|DATABASE|DEFAULT)_[A-Z_]+\b", done.stdout))


@pytest.mark.parametrize("program", ["gateway", "writer"])
def test_every_setting_of_help_is_documented(program):
    keys = keys_of(program)
    assert "DATABASE_URL" in keys and len(keys) > 8
    assert {key for key in keys if not re.search(rf"\b{key}\b", DOCS)} == set()


def test_every_setting_of_the_sample_exists():
    sample = set(re.findall(r"^([A-Z_]+)=", (ROOT / "deploy/sample.env").read_text(), re.M))
    up = subprocess.run([ROOT / "deploy/up", "--help"], text=True, capture_output=True).stdout
    known = keys_of("gateway") | keys_of("writer") | set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", up))
    assert sample - known - {"LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"} == set()


def test_defaults_of_the_sample_are_those_of_help():
    sample = dict(re.findall(r"^([A-Z_]+)=(\S+)$", (ROOT / "deploy/sample.env").read_text(), re.M))
    shown = run("gateway", "--help").stdout + run("writer", "--help").stdout
    for key in ("BIND_ADDR", "RATE_LIMIT_QPS", "XTRACE_MAX_REQUEST_BODY_BYTES", "XTRACE_WRITE_DEADLINE_MS", "XTRACE_GROUP_MAX_ROWS"):
        assert re.search(rf"{key}\b.*{re.escape(sample[key])}", shown), key


@pytest.mark.parametrize("program", ["gateway", "writer"])
def test_version(program):
    done = run(program, "--version")
    assert (done.returncode, done.stdout) == (0, f"xtrace-{program} 0.1.0\n")


GOOD = {"DATABASE_URL": "postgresql:///x", "API_BEARER_TOKEN": "t"}


@pytest.mark.parametrize(
    "program, env, named",
    [
        ("gateway", {"API_BEARER_TOKEN": "t"}, "DATABASE_URL"),
        ("gateway", {"DATABASE_URL": "postgresql:///x"}, "API_BEARER_TOKEN"),
        ("gateway", {**GOOD, "DATABASE_URL": ""}, "DATABASE_URL"),
        ("gateway", {**GOOD, "BIND_ADDR": "nonsense"}, "BIND_ADDR"),
        ("gateway", {**GOOD, "BIND_ADDR": "127.0.0.1:99999"}, "BIND_ADDR"),
        ("gateway", {**GOOD, "XTRACE_THREADS": "many"}, "XTRACE_THREADS"),
        ("gateway", {**GOOD, "XTRACE_THREADS": "-1"}, "XTRACE_THREADS"),
        ("gateway", {**GOOD, "XTRACE_LOG_LEVEL": "loud"}, "XTRACE_LOG_LEVEL"),
        ("gateway", {**GOOD, "XTRACE_CAPTURE": "some"}, "XTRACE_CAPTURE"),
        ("gateway", {**GOOD, "XTRACE_REDACT_PATTERNS": "fine ("}, "XTRACE_REDACT_PATTERNS"),
        ("gateway", {**GOOD, "XTRACE_QUEUE": "tcp://192.0.2.1:5000"}, "XTRACE_QUEUE"),
        ("gateway", {**GOOD, "XTRACE_QUEUE": "ipc:///" + "x" * 120}, "XTRACE_QUEUE"),
        ("writer", {}, "DATABASE_URL"),
        ("writer", {**GOOD, "XTRACE_GATEWAYS": "nonsense"}, "XTRACE_GATEWAYS"),
        ("writer", {**GOOD, "XTRACE_GROUP_MAX_ROWS": "0"}, "XTRACE_GROUP_MAX_ROWS"),
        ("writer", {**GOOD, "XTRACE_MIGRATE": "perhaps"}, "XTRACE_MIGRATE"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it_and_exit_2(program, env, named):
    done = run(program, env=env)
    assert done.returncode == 2
    assert named in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_secret_is_never_printed(make_xtrace):
    system = make_xtrace()
    system.client().get("/api/public/traces")
    text = "".join(system.logs().values())
    assert system.environment("gateway")["API_BEARER_TOKEN"] not in text
    assert system.environment("gateway")["XTRACE_SECRET_KEY"] not in text
