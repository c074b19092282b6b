"""bounds: attacks on memory, and how high memory went. Linux: /proc/PID/status says the peak (VmHWM), which
writing 5 to clear_refs sets back to what is resident now."""

import contextlib
import gzip
import io
import json
import resource
import select
import socket
import threading
import time
import uuid
from dataclasses import dataclass

from load import Client

MIB = 1 << 20


def resident(pid):
    return _status(pid, "VmRSS")


def peak(pid):
    return _status(pid, "VmHWM")


def reset_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w") as file:
        file.write("5")


def _status(pid, name):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    raise AssertionError(f"no {name} of {pid}")


@dataclass
class Measured:
    name: str
    idle: int
    peak: int
    limit: int  # of peak - idle
    note: str = ""

    @property
    def growth(self):
        return self.peak - self.idle

    def line(self):
        verdict = "ok" if self.growth <= self.limit else "OVER"
        return (
            f"{self.name:<34} {self.idle / MIB:7.1f} {self.peak / MIB:7.1f} {self.growth / MIB:7.1f}"
            f" {self.limit / MIB:7.1f}  {verdict:<5} {self.note}"
        )


TABLE = []  # of this run; conftest.py prints it
HEADING = f"{'bound (MiB)':<34} {'idle':>7} {'peak':>7} {'growth':>7} {'limit':>7}"


@contextlib.contextmanager
def measure(name, pid, limit):
    """The peak of pid over the block. The caller's note goes into the yielded object."""
    reset_peak(pid)
    measured = Measured(name, resident(pid), 0, limit)
    yield measured
    measured.peak = peak(pid)
    TABLE.append(measured)


def raise_file_limit(wanted):
    """How many file descriptors this process may have now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        for attempt in ((wanted, max(hard, wanted)), (min(wanted, hard), hard)):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, attempt)
                break
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def batch(payload_bytes):
    """A valid body of about so many bytes: one trace with one long string."""
    trace = {"id": str(uuid.uuid4()), "timestamp": "2026-03-01T00:00:00Z", "input": ""}
    body = json.dumps({"trace": trace}, separators=(",", ":"))
    return body.replace('"input":""', '"input":"' + "a" * max(0, payload_bytes - len(body)) + '"').encode()


def gzip_bomb(inflated_bytes):
    """Gzip of a valid batch that inflates to so many bytes: about a thousandth of it goes over the wire."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as file:
        file.write(b'{"trace":{"id":"11111111-1111-4111-8111-111111111111","input":"')
        piece = b"a" * MIB
        for _ in range(inflated_bytes // MIB):
            file.write(piece)
        file.write(b'"}}')
    return out.getvalue()


def deep_json(depth):
    return b'{"trace":{"id":"11111111-1111-4111-8111-111111111111","input":' + b"[" * depth + b"]" * depth + b"}}"


def in_parallel(count, work):
    """work(i) in count threads at once; their results. What a thread raises is raised here."""
    results, errors = [None] * count, []
    barrier = threading.Barrier(count)

    def run(i):
        try:
            barrier.wait(30)
            results[i] = work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive(), "a client hangs"
    if errors:
        raise errors[0]
    return results


class Crowd:
    """Many connections held by one thread. Each is told what to say at once; then tick() says a little more on
    each, as a slow client would."""

    def __init__(self, address):
        self._address = address
        self.sockets = []
        self.refused = 0

    def open(self, count, greeting=b"", receive_buffer=None):
        for _ in range(count):
            sock = socket.socket()
            if receive_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.settimeout(5)
            try:
                sock.connect(self._address)
                if greeting:
                    sock.sendall(greeting)
            except OSError:
                self.refused += 1
                sock.close()
                continue
            sock.setblocking(False)
            self.sockets.append(sock)
        return self

    def tick(self, data):
        """data on each connection that still takes it; how many did."""
        took = 0
        for sock in self.sockets:
            try:
                took += sock.send(data) > 0
            except OSError:
                pass
        return took

    def alive(self):
        """Connections that the server has not ended."""
        poll = select.poll()
        by_fd = {}
        for sock in self.sockets:
            poll.register(sock, select.POLLIN | select.POLLHUP | select.POLLERR | select.POLLRDHUP)
            by_fd[sock.fileno()] = sock
        alive = len(self.sockets)
        for fd, events in poll.poll(0):
            if events & (select.POLLHUP | select.POLLERR | select.POLLRDHUP):
                alive -= 1
        return alive

    def close(self):
        for sock in self.sockets:
            sock.close()
        self.sockets = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def hold(seconds, check=lambda: None):
    """Keeps a state for a while on purpose; check runs every so often and may raise."""
    end = time.monotonic() + seconds
    event = threading.Event()
    while time.monotonic() < end:
        check()
        event.wait(min(0.1, max(0.0, end - time.monotonic())))


def serves(address, within_s=2.0):
    """How long an ordinary client waits for /healthz meanwhile."""
    client = Client(address, None, within_s)
    began = time.monotonic()
    answer = client.get("/healthz")
    client.close()
    took = time.monotonic() - began
    assert answer.status == 200, f"an ordinary client got {answer.status or answer.error} after {took:.1f} s"
    return took
