"""stack: both programs as tests/support starts them, with what fault tests need besides: each program as an
object with a pid, a supervisor that starts again what died, several gateways, builds of other kinds."""

import contextlib
import json
import pathlib
import resource
import signal as signals
import threading
import time
import uuid

import psycopg
from load import Client, bearer
from support import xtrace as support
from support.wait import wait_until

# Short enough that a fault outlasts them within seconds.
FAST = {
    "XTRACE_ACK_TIMEOUT_MS": "200",
    "XTRACE_WRITE_DEADLINE_MS": "1000",
    "XTRACE_LOG_LEVEL": "info",
    "XTRACE_STATEMENT_TIMEOUT_MS": "5000",
}
DEADLINE_S = 1.0
# PostgreSQL as users have it; syncfs only makes recoveries quick, which open every file otherwise.
DURABLE = {"fsync": "on", "recovery_init_sync_method": "syncfs"}


class Program:
    """One of the stack's programs, whichever process it is at the moment."""

    def __init__(self, stack, name):
        self._stack = stack
        self.name = name

    @property
    def pid(self):
        return self._stack.processes[self.name].pid

    @property
    def log_path(self):
        return self._stack.folder / f"{self.name}.log"

    @property
    def starts(self):
        return self._stack.starts.get(self.name, 0)

    def is_running(self):
        return self._stack.running(self.name)

    def signal(self, number):
        with contextlib.suppress(KeyError, ProcessLookupError):
            self._stack.signal(self.name, number)

    def kill(self):
        """kill -9. Under supervision it comes again by itself."""
        self._stack.expect_death(self.name)
        self.signal(signals.SIGKILL)

    @contextlib.contextmanager
    def stopped(self):
        """SIGSTOP for the length of a block."""
        process = self._stack.processes[self.name]
        process.send_signal(signals.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signals.SIGCONT)

    def stop(self, number=signals.SIGTERM):
        """For good: the supervisor leaves it alone until start()."""
        self._stack.leave_down(self.name)
        if number == signals.SIGTERM:
            return self._stack.stop(self.name)
        self._stack.kill(self.name)
        return None

    def start(self):
        self._stack.bring_up(self.name)

    def file_limit(self):
        return resource.prlimit(self.pid, resource.RLIMIT_NOFILE)[0]


class Stack(support.Xtrace):
    """env_of: more settings by program name. build: a folder, else the sanitizers' build. crashes: the programs
    are expected to die by themselves (crash points)."""

    def __init__(self, database, postgres, writers=1, env=None, env_of=None, build=None, crashes=False, urls=None):
        super().__init__(urls or database.urls, writers, env)
        self.database = database
        self.cluster = postgres
        self.dsn = database.url
        self.env_of = env_of or {}
        self.build = build
        self.starts = {}  # by name
        self.deaths = []  # (name, status) of those that nobody killed
        self._crashes = crashes
        self._expected = set()
        self._down = set()
        self._lock = threading.RLock()
        self._supervisor = None
        self._ended = threading.Event()
        self.token, self.public_key, self.secret_key = support.TOKEN, support.PUBLIC_KEY, support.SECRET_KEY
        self.authorization = bearer(self.token)
        self.marker = "marker-" + uuid.uuid4().hex
        self._seeded = False

    # What tests ask for

    @property
    def address(self):
        return ("127.0.0.1", self.port)

    @property
    def gateway(self):
        return Program(self, "gateway")

    @property
    def writers(self):
        return [Program(self, name) for name in self.names if name.startswith("writer")]

    def programs(self):
        return [Program(self, name) for name in self.names]

    def sql(self, statement, *values):
        return self.database.query(statement, *values)

    def seed(self):
        """One trace with an observation in which every text is the marker."""
        if self._seeded:
            return
        trace_id = str(uuid.uuid4())
        client = Client(self.address, self.authorization, 10)
        answer = client.post("/v1/l/batch", json.dumps({
            "trace": {"id": trace_id, "name": self.marker, "userId": self.marker, "input": self.marker,
                      "tags": [self.marker], "metadata": {"m": self.marker}, "timestamp": "2026-02-02T00:00:00Z"},
            "observations": [{"id": str(uuid.uuid4()), "traceId": trace_id, "name": self.marker, "model": self.marker}],
        }).encode())  # fmt: skip
        client.close()
        assert answer.status == 200, answer
        self._seeded = True

    def assert_alive(self):
        for program in self.programs():
            assert program.is_running(), f"{program.name} ended: {self.log(program.name)[-3000:]}"
        client = Client(self.address, None, 5)
        assert client.get("/healthz").status == 200
        client.close()

    def stop_writers(self):
        for writer in self.writers:
            writer.stop(signals.SIGKILL)

    def ready(self):
        with contextlib.suppress(OSError):
            return self.client(headers={}, timeout=2).get("/readyz").status == 200
        return False

    # Supervision

    def supervise(self):
        """From now on whatever dies is started again within a moment, as deploy/up does."""
        self._supervisor = threading.Thread(target=self._watch, daemon=True)
        self._supervisor.start()
        return self

    def expect_death(self, name):
        with self._lock:
            self._expected.add(name)

    def leave_down(self, name):
        with self._lock:
            self._down.add(name)

    def bring_up(self, name):
        with self._lock:
            self._down.discard(name)
            if not self.running(name):
                self.start(name)

    def start(self, name=None):
        with self._lock:
            for each in [name] if name else self.names:
                super().start(each)
                self.starts[each] = self.starts.get(each, 0) + 1
        return self

    def _watch(self):
        while not self._ended.wait(0.03):
            with self._lock:
                for name, process in list(self.processes.items()):
                    status = process.poll()
                    if status is None or name in self._down:
                        continue
                    if name not in self._expected:
                        self.deaths.append((name, status))
                    self._expected.discard(name)
                    self.start(name)

    # support.Xtrace, changed where faults need it

    def environment(self, name):
        return {**super().environment(name), **self.env_of.get(name, {})}

    def program_path(self, name):
        kind = name.split("-")[0]
        return pathlib.Path(self.build or support.build_folder()) / kind / f"xtrace-{kind}"

    def complaints(self):
        with self._lock:
            found = super().complaints()
            if not self._crashes:
                found += [f"{name} died by itself with {status}:\n{self.log(name)[-3000:]}" for name, status in self.deaths]
        return found

    def finish(self):
        self._ended.set()
        if self._supervisor:
            self._supervisor.join(5)
        with self._lock:
            for name in self._expected | self._down:  # killed on purpose and not started again
                process = self.processes.get(name)
                if process is not None and process.poll() is not None:
                    del self.processes[name]
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signals.SIGCONT)
        super().finish()


def backends(dsn, application=None):
    """Process ids of the server's other client backends on this database."""
    query = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    if application:
        query += f" AND application_name LIKE '{application}%'"
    with psycopg.connect(dsn, autocommit=True) as connection:
        return [pid for (pid,) in connection.execute(query)]


def wait_for(condition, seconds, what):
    return wait_until(condition, seconds, what)


def now_us():
    return int(time.time() * 10**6)
