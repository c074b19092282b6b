"""Runs the xtrace tool as a user would."""

import json
import os
import pathlib
import pty
import select
import subprocess

import pytest
from support.xtrace import build_folder

CLEARED = ("XTRACE_URL", "BASE_URL", "API_BEARER_TOKEN", "XTRACE_PUBLIC_KEY", "XTRACE_SECRET_KEY", "XTRACE_HOME",
           "NO_COLOR", "COLUMNS")  # fmt: skip


def tool_path():
    path = pathlib.Path(build_folder()) / "client" / "cli" / "xtrace"
    if not path.exists():
        pytest.skip("the client was not built: libcurl4-openssl-dev is not installed")
    return path


def environment(env):
    kept = {key: value for key, value in os.environ.items() if key not in CLEARED}
    return {**kept, "LC_ALL": "C.UTF-8", "ASAN_OPTIONS": "exitcode=99", "no_proxy": "*", **(env or {})}


def run(*words, env=None, stdin="", cwd=None, seconds=60):
    return subprocess.run([tool_path(), *words], input=stdin, env=environment(env), cwd=cwd, text=True,
                          capture_output=True, timeout=seconds)


def run_json(*words, **options):
    done = run(*words, "--json", **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run_on_terminal(*words, env=None, columns=80):
    """What the tool writes to a terminal of that width."""
    master, slave = pty.openpty()
    process = subprocess.Popen([tool_path(), *words], stdin=subprocess.DEVNULL, stdout=slave, stderr=subprocess.DEVNULL,
                               env=environment({"TERM": "xterm", "COLUMNS": str(columns), **(env or {})}))
    os.close(slave)
    written = b""
    while select.select([master], [], [], 30)[0]:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        written += piece
    os.close(master)
    assert process.wait(30) == 0
    return written.decode().replace("\r\n", "\n")
