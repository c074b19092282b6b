"""deploy/up and deploy/down as a person runs them, in a home of the test's own."""

import os
import pathlib
import shlex
import shutil
import socket
import subprocess
import tempfile

from .client import Client
from .wait import wait_until
from .xtrace import ROOT, build_folder


class Deployed:
    def __init__(self, env=None):
        # Open to the user postgres, so that root's data stay in here.
        self.parent = pathlib.Path(tempfile.mkdtemp(prefix="xtup-"))
        self.parent.chmod(0o755)
        self.home = self.parent / "home"
        holder = socket.socket()
        holder.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{holder.getsockname()[1]}"
        holder.close()
        ours = ("DATABASE_URL", "API_BEARER_TOKEN", "BASE_URL")
        self.env = {key: value for key, value in os.environ.items()
                    if not key.startswith(("XTRACE_", "LANGFUSE_", "RATE_")) and key not in ours}
        self.env |= {"XTRACE_HOME": str(self.home), "BIND_ADDR": self.address, "XTRACE_BUILD": str(build_folder()),
                     "ASAN_OPTIONS": "detect_leaks=0", **(env or {})}

    def run(self, *words, check=True, seconds=120):
        done = subprocess.run([ROOT / words[0], *words[1:]], env=self.env, cwd=ROOT, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)
        assert not check or done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}"
        return done

    def up(self, *words, **options):
        return self.run("deploy/up", "--detach", *words, **options)

    def down(self, **options):
        return self.run("deploy/down", **options)

    @property
    def credentials(self):
        lines = (self.home / "credentials").read_text().splitlines()
        return {key: "".join(shlex.split(value)) for key, value in (line.split("=", 1) for line in lines)}

    def client(self, timeout=30):
        found = self.credentials
        return Client(found["BASE_URL"], {"Authorization": f"Bearer {found['API_BEARER_TOKEN']}"}, timeout)

    def pid(self, name):
        """None between the end of a process and its next start."""
        try:
            return int((self.home / "run" / f"{name}.pid").read_text())
        except FileNotFoundError:
            return None

    def pids(self):
        return {path.stem: int(path.read_text()) for path in (self.home / "run").glob("*.pid")}

    def wait_ready(self, seconds=60):
        wait_until(lambda: self.client(3).get("/readyz").status == 200, seconds, "/readyz saying ready")

    def log(self, name):
        return (self.home / "log" / f"{name}.log").read_text(errors="replace")

    def destroy(self):
        place = (self.home / "postgres").resolve()
        self.down(check=False)
        for short in (self.home / "run").glob("*.folder"):
            shutil.rmtree(short.read_text(), ignore_errors=True)
        if place.is_relative_to("/var/lib/xtrace"):
            shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(self.parent, ignore_errors=True)


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
