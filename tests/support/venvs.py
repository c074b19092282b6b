"""Folders of Python packages that may not share one: made once for each list of requirements, and kept."""

import fcntl
import os
import pathlib
import shutil
import subprocess

import pytest

FOLDER = pathlib.Path(__file__).resolve().parent.parent / ".venvs"
# What pip says when there is no registry, and not when a package is at fault.
UNREACHABLE = ("NewConnectionError", "Failed to establish", "Temporary failure in name resolution", "Connection refused",
               "Network is unreachable", "ConnectTimeoutError", "Read timed out", "ProxyError", "Max retries exceeded")


def python_of(requirements):
    """The interpreter of the folder for the file of requirements. The test is skipped when they cannot be fetched."""
    wanted = requirements.read_text()
    folder = FOLDER / requirements.stem
    FOLDER.mkdir(exist_ok=True)
    with open(FOLDER / f"{requirements.stem}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second run waits for the first
        made_for = folder / "made-for"
        if not made_for.exists() or made_for.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            make(folder, requirements)
            made_for.write_text(wanted)
    return folder / "bin" / "python"


def make(folder, requirements):
    subprocess.run(["/usr/bin/python3", "-m", "venv", folder], check=True)
    done = subprocess.run([folder / "bin" / "pip", "install", "-q", "--disable-pip-version-check", "--retries", "2",
                           "-r", requirements], text=True, capture_output=True, timeout=600, env=os.environ)
    if done.returncode == 0:
        return
    shutil.rmtree(folder)
    if any(words in done.stderr for words in UNREACHABLE):
        pytest.skip(f"PyPI cannot be reached, so {requirements.name} cannot be installed")
    pytest.fail(done.stderr[-3000:])
