"""Both real programs: started, killed, stopped and watched from outside.

A program is named "gateway", "writer-1", "writer-2", ... Each Xtrace has a folder, a queue and a port
of its own, so that any number of them run side by side. What a sanitizer says is an error.
"""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from .client import Client
from .wait import wait_until

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOKEN = "test-bearer-token-0123456789"
PUBLIC_KEY = "pk-test"
SECRET_KEY = "sk-test:with:colons"


def build_folder():
    return pathlib.Path(os.environ.get("XTRACE_BUILD") or ROOT / "build-asan")


def program_path(name):
    kind = name.split("-")[0]
    return build_folder() / kind / f"xtrace-{kind}"


class Xtrace:
    def __init__(self, urls, writers=1, env=None):
        """urls: of the database, for "gateway" and "writer". env: more settings for both."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="xt-"))
        self.urls = urls
        self.env = dict(env or {})
        self.names = [f"writer-{number}" for number in range(1, writers + 1)] + ["gateway"]
        self.processes = {}
        self.exits = []  # (name, status) of those that were not killed on purpose
        # Bound, not listening: nobody else is given this port, and the gateway may share it.
        self.port_holder = socket.socket()
        self.port_holder.bind(("127.0.0.1", 0))  # before the options: with them it might get a port that is held
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            self.port_holder.setsockopt(socket.SOL_SOCKET, option, 1)
        self.port = self.port_holder.getsockname()[1]

    # Settings

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def auth(self):
        return {"Authorization": f"Bearer {TOKEN}"}

    def client(self, headers=None, timeout=20):
        """With credentials unless headers are given."""
        return Client(self.url, self.auth if headers is None else headers, timeout)

    def program_path(self, name):
        return program_path(name)

    def environment(self, name):
        sanitizer = f"log_path={self.folder}/sanitizer.{name}:exitcode=99:halt_on_error=1"
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "XTRACE_CRASH_AT", "TSAN_OPTIONS") if key in os.environ}
        settings = {
            "DATABASE_URL": self.urls[name.split("-")[0]],
            "API_BEARER_TOKEN": TOKEN,
            "XTRACE_PUBLIC_KEY": PUBLIC_KEY,
            "XTRACE_SECRET_KEY": SECRET_KEY,
            "BIND_ADDR": f"127.0.0.1:{self.port}",
            "XTRACE_HOME": str(self.folder),
            "XTRACE_MIGRATE": "0",
            "XTRACE_THREADS": "2",
            "XTRACE_LOG_LEVEL": "debug",
            "RATE_LIMIT_QPS": "0",
            "ASAN_OPTIONS": sanitizer + ":detect_stack_use_after_return=1",
            "LSAN_OPTIONS": "print_suppressions=0",
            "UBSAN_OPTIONS": sanitizer + ":print_stacktrace=1",
        }
        return {**kept, **settings, **self.env}

    # Processes

    def start(self, name=None):
        for each in [name] if name else self.names:
            with open(self.folder / f"{each}.log", "ab") as log:
                self.processes[each] = subprocess.Popen(
                    [self.program_path(each)], env=self.environment(each), cwd=self.folder,
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def running(self, name):
        process = self.processes.get(name)
        return process is not None and process.poll() is None

    def signal(self, name, number):
        self.processes[name].send_signal(number)

    def kill(self, name):
        """As a power cut would."""
        process = self.processes.pop(name)
        process.kill()
        process.wait(10)

    def stop(self, name, seconds=30):
        """Asks it to leave; returns its exit status."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
            raise AssertionError(f"{name} did not end within {seconds} s of SIGTERM\n{self.log(name)[-3000:]}") from None
        self.exits.append((name, status))
        return status

    def wait_ready(self, seconds=30):
        def ready():
            for name in self.names:
                assert name not in self.processes or self.running(name), f"{name} ended: {self.log(name)[-3000:]}"
            answer = self.client(headers={}, timeout=2).get("/readyz")
            assert answer.status == 200, answer.text
            return True

        wait_until(ready, seconds, "/readyz saying ready")
        return self

    def log(self, name):
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def logs(self):
        return {name: self.log(name) for name in self.names}

    def rss_kb(self, name):
        status = pathlib.Path(f"/proc/{self.processes[name].pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))

    # The end

    def complaints(self):
        """What went wrong without a test noticing: sanitizer reports, bad exits, crashes."""
        found = [f"{path.name}:\n{path.read_text(errors='replace')[:6000]}"
                 for path in sorted(self.folder.glob("sanitizer.*"))]
        for name, process in self.processes.items():
            if process.poll() is not None:
                found.append(f"{name} ended by itself with {process.returncode}:\n{self.log(name)[-3000:]}")
        found += [f"{name} exited with {status}:\n{self.log(name)[-3000:]}" for name, status in self.exits if status != 0]
        return found

    def finish(self):
        """Stops everything, gateway first. Raises when there is something to complain about."""
        found = self.complaints()
        self.exits.clear()
        try:
            for name in reversed(self.names):
                if self.running(name):
                    self.stop(name)
            found += [text for text in self.complaints() if text not in found]
        finally:
            for process in self.processes.values():
                process.kill()
            self.port_holder.close()
            shutil.rmtree(self.folder, ignore_errors=True)
        assert not found, "\n\n".join(found)
