"""tests/run tells by its exit status what became of the tests: it is what CI goes by."""

import os
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).parents[1] / "run"


def run_one(tmp_path, name):
    """A folder without programs: what needs one fails."""
    return subprocess.run([RUN, "integration", "-k", name], env={**os.environ, "XTRACE_BUILD": str(tmp_path)},
                          capture_output=True, text=True, timeout=300)


# Ids that -k does not find here, too: it would never end.
@pytest.mark.parametrize("name, last_line", [
    pytest.param("test_readyz_says_ready", "0 passed, 1 failed", id="failed"),
    pytest.param("no_such_name", "0 passed, 0 failed", id="none"),
])
def test_a_failure_and_nothing_to_run_are_told(tmp_path, name, last_line):
    ended = run_one(tmp_path, name)
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (1, last_line), ended.stdout[-2000:] + ended.stderr[-2000:]
