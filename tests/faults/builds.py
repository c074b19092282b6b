"""builds: the release build, which this suite needs besides the one with sanitizers (memory figures, clocks that
lie). Made when first asked for, in the repository's ignored build-release/."""

import fcntl
import functools
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGETS = ["gateway/xtrace-gateway", "writer/xtrace-writer"]


@functools.cache
def release_build():
    """The folder of an up-to-date build. XTRACE_RELEASE_BUILD names one made elsewhere."""
    given = os.environ.get("XTRACE_RELEASE_BUILD")
    if given:
        return pathlib.Path(given)
    folder = ROOT / "build-release"
    folder.mkdir(exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "build.ninja").exists():
            run("meson", "setup", str(folder), str(ROOT), "--buildtype=release", "-Dtests=false")
        run("ninja", "-C", str(folder), "-j2", *TARGETS)
    return folder


def run(*words):
    done = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, f"{' '.join(words)}:\n{done.stdout[-4000:]}"
