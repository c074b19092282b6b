"""nemesis: who hurts the system while the load runs, and the run itself.

A nemesis has a name and strike(stack, random): it does its harm, holds it for as long as it must last, and mends
what it broke. campaign() runs a load, strikes so many times, demands after each strike that acknowledgements
flow again, lets the load finish, and holds what is stored against what was promised.
"""

import contextlib
import os
import random
import signal
import threading
import time
from dataclasses import dataclass

import psycopg
from bounds import hold
from check import compare, read_stored
from ledger import Ledger, read_ledger
from load import Client, Load, bearer
from psycopg import sql
from stack import DEADLINE_S, backends, wait_for

LONG = os.environ.get("XTRACE_LONG") == "1"
ROUNDS = int(os.environ.get("XTRACE_FAULT_ROUNDS") or (50 if LONG else 0))  # 0: what each case asks for
SECONDS = float(os.environ.get("XTRACE_FAULT_SECONDS") or 0)  # strike for at least so long
RECOVERY_S = 20.0  # after the harm is mended, a request must be acknowledged within it


@dataclass
class Line:
    nemesis: str
    rounds: int
    acknowledged: int
    lost: int
    doubled: int
    mangled: int
    worst_outage_s: float
    seconds: float


class Table:
    def __init__(self):
        self.rows = []

    def lines(self):
        yield f"{'nemesis':<44} {'rounds':>6} {'acked':>7} {'lost':>5} {'doubled':>7} {'mangled':>7} {'worst outage':>12} {'took':>6}"
        for r in self.rows + [self.total()]:
            yield (
                f"{r.nemesis:<44} {r.rounds:>6} {r.acknowledged:>7} {r.lost:>5} {r.doubled:>7} {r.mangled:>7}"
                f" {r.worst_outage_s:>10.2f} s {r.seconds:>4.0f} s"
            )

    def total(self):
        sums = [sum(getattr(r, name) for r in self.rows) for name in ("rounds", "acknowledged", "lost", "doubled", "mangled")]
        worst = max((r.worst_outage_s for r in self.rows), default=0.0)
        return Line("all", *sums, worst, sum(r.seconds for r in self.rows))


TABLE = Table()


def campaign(stack, folder, nemesis, rounds=1, seed=None, targets=None, threads=4, ordered=True, recovery_s=RECOVERY_S,
             timeout_s=2.5):  # fmt: skip
    """Raises AssertionError with what was broken."""
    rounds = (ROUNDS or rounds) * (getattr(nemesis, "long_factor", 1) if LONG else 1)
    seed = seed or f"{nemesis.name}/{os.environ.get('XTRACE_FAULT_SEED', '1')}"
    chance = random.Random(seed)
    stack.sql("CHECKPOINT")  # a recovery shall not have the making of the database to do again
    ledger = Ledger(folder / "ledger")
    began_us = int(time.time() * 10**6)
    began = time.monotonic()
    load = Load(targets or [stack.address], bearer(stack.token), ledger, seed, threads, timeout_s, pause_s=0.005).start()
    struck = 0
    try:
        assert load.wait_for_acknowledged(10, 30), f"nothing is acknowledged to begin with: {load.report}"
        while struck < rounds or time.monotonic() - began < SECONDS:
            nemesis.strike(stack, chance)
            struck += 1
            assert load.wait_for_progress(10 * threads, recovery_s), (
                f"no recovery within {recovery_s} s after strike {struck} of {nemesis.name}: {load.report}"
            )
    finally:
        report = load.stop(20.0)
        ledger.close()
    model = load.model(ordered)
    wait_for(stack.ready, 20, "/readyz")
    if model.uncertain():
        wait_for(settled(stack), 30, "batches that nobody waits for any more being stored")
    client = Client(stack.address, bearer(stack.token), 20)
    verdict = compare(model, read_ledger(folder / "ledger"), read_stored(stack.dsn, client), began_us if ordered else None)
    client.close()
    TABLE.rows.append(Line(nemesis.name, struck, report.acknowledged, len(verdict.lost), len(verdict.doubled),
                           len(verdict.mangled) + len(verdict.strange), report.worst_outage_s, report.seconds))  # fmt: skip
    verdict.assert_clean()
    assert not report.unexpected, f"answers that no fault excuses: {report.unexpected[:5]}"
    assert report.missing_retry_after == 0, f"{report.missing_retry_after} of 429 and 503 did not say Retry-After"
    assert report.given_up == 0, f"{report.given_up} clients were never served: {report}"
    return report


def settled(stack):
    """A condition: the number of batches stored was the same for half a second."""
    seen = [None, time.monotonic()]

    def check():
        count = stack.sql("SELECT count(*) FROM ingest_batches")[0][0]
        if count != seen[0]:
            seen[:] = [count, time.monotonic()]
        return time.monotonic() - seen[1] > 0.5

    return check


# ---- Processes ----


class Quiet:
    """No harm at all: the suite's own baseline."""

    name = "none"

    def strike(self, stack, chance):
        hold(0.3)


class KillWriter:
    long_factor = 4
    name = "kill -9 writer"

    def strike(self, stack, chance):
        writer = chance.choice(stack.writers)
        starts = writer.starts
        writer.kill()
        wait_for(lambda: writer.starts > starts, 10, "the writer's restart")


class KillAllWriters:
    long_factor = 4
    name = "kill -9 all writers at once"

    def strike(self, stack, chance):
        starts = sum(w.starts for w in stack.writers)
        for writer in stack.writers:
            writer.kill()
        wait_for(lambda: sum(w.starts for w in stack.writers) >= starts + len(stack.writers), 10, "restarts")


class KillGateway:
    long_factor = 4
    name = "kill -9 gateway"

    def strike(self, stack, chance):
        starts = stack.gateway.starts
        stack.gateway.kill()
        wait_for(lambda: stack.gateway.starts > starts, 10, "the gateway's restart")
        wait_for(stack.ready, 20, "/readyz")


class RestartGateway:
    """SIGTERM: running requests are finished, nobody is answered with nothing."""

    name = "restart gateway (SIGTERM)"

    def strike(self, stack, chance):
        stack.gateway.stop()
        stack.gateway.start()
        wait_for(stack.ready, 20, "/readyz")


class RestartWriters:
    name = "restart writers (SIGTERM)"

    def strike(self, stack, chance):
        for writer in stack.writers:
            writer.stop()
            writer.start()
        # Before it is up, SIGTERM simply ends it.
        wait_for(lambda: len(writer_backends(stack)) >= len(stack.writers), 20, "the writers' connections")


class GatewayDiesWhileWritersHold:
    """Writers stand still with batches in hand, the gateway dies and comes again, then they go on: their
    receipts are for batches that the new gateway never sent."""

    name = "gateway restart while writers hold batches"

    def strike(self, stack, chance):
        with contextlib.ExitStack() as held:
            for writer in stack.writers:
                held.enter_context(writer.stopped())
            hold(0.5)
            starts = stack.gateway.starts
            stack.gateway.kill()
            wait_for(lambda: stack.gateway.starts > starts, 10, "the gateway's restart")
            hold(0.3)
        wait_for(stack.ready, 20, "/readyz")


class Stop:
    """SIGSTOP for longer than the ack timeout, or than the deadline."""

    def __init__(self, what, seconds):
        self.what = what
        self.seconds = seconds
        self.name = f"SIGSTOP {what} for {seconds:g} s"

    def strike(self, stack, chance):
        with contextlib.ExitStack() as held:
            if self.what == "postgres":
                held.enter_context(frozen_postgres(stack.cluster))
            else:
                some = {"gateway": [stack.gateway], "one writer": [chance.choice(stack.writers)],
                        "all writers": stack.writers}[self.what]  # fmt: skip
                for program in some:
                    held.enter_context(program.stopped())
            hold(self.seconds)


@contextlib.contextmanager
def frozen_postgres(cluster):
    pids = cluster.processes()
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in set(pids) | set(cluster.processes()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


# ---- PostgreSQL ----


class KillBackend:
    """The server takes a killed backend for memory gone bad: it ends all others and recovers."""

    name = "kill -9 a backend"

    def strike(self, stack, chance):
        pids = writer_backends(stack)
        if pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(pids), signal.SIGKILL)
        wait_for(stack.cluster.answers, 20, "PostgreSQL's recovery")


class TerminateBackends:
    """pg_terminate_backend on whatever runs, again and again while batches are being copied."""

    name = "pg_terminate_backend"

    def strike(self, stack, chance):
        with psycopg.connect(stack.dsn, autocommit=True) as connection:
            for _ in range(8):
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
                    " AND (state <> 'idle' OR random() < 0.2)"
                )
                hold(0.05)


class CancelBackends:
    """pg_cancel_backend: the transaction is gone, the connection stays."""

    name = "pg_cancel_backend"

    def strike(self, stack, chance):
        with psycopg.connect(stack.dsn, autocommit=True) as connection:
            for _ in range(20):
                connection.execute(
                    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'"
                )
                hold(0.02)


class RestartPostgres:
    def __init__(self, how, down_s=0.0):
        self.how = how
        self.down_s = down_s
        word = {signal.SIGINT: "fast restart", signal.SIGQUIT: "immediate restart", signal.SIGKILL: "kill -9 postmaster"}[how]
        self.name = f"PostgreSQL: {word}" + (f", {down_s:g} s away" if down_s else "")

    def strike(self, stack, chance):
        stack.cluster.stop(self.how)
        hold(self.down_s)
        stack.cluster.start()


class NoConnections:
    """All connection slots are taken when the programs have just lost theirs."""

    name = "max_connections reached"

    def __init__(self, seconds=DEADLINE_S + 1):
        self.seconds = seconds

    def strike(self, stack, chance):
        hogs = []
        with psycopg.connect(stack.dsn, autocommit=True) as owner:
            database = sql.Identifier(owner.info.dbname)
            limit = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}")
            try:
                # The hogs are superusers, whom a database's limit does not bind: the programs cannot win their slots back meanwhile.
                owner.execute(limit.format(database, 0))
                wait_for(lambda: self.took_all(owner, hogs, stack.dsn), 20, "every slot being taken")
                owner.execute(limit.format(database, -1))
                hold(self.seconds)
            finally:
                owner.execute(limit.format(database, -1))
                for hog in hogs:
                    hog.close()

    @staticmethod
    def took_all(owner, hogs, dsn):
        ours = [hog.info.backend_pid for hog in hogs] + [owner.info.backend_pid]
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> ALL(%s)", [ours]
        )
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                hogs.append(psycopg.connect(dsn, connect_timeout=5))
        return len(hogs) + 1 == int(owner.execute("SHOW max_connections").fetchone()[0])


class LockTables:
    """Another session holds the tables: statements wait until their timeout."""

    def __init__(self, seconds, mode="ACCESS EXCLUSIVE"):
        self.seconds = seconds
        self.mode = mode
        self.name = f"tables locked ({mode.lower()}) for {seconds:g} s"

    def strike(self, stack, chance):
        with psycopg.connect(stack.dsn) as connection:
            connection.execute(f"LOCK TABLE traces, observations IN {self.mode} MODE")
            hold(self.seconds)
            connection.rollback()


class LockRows:
    """Another session holds rows that the load writes to."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.name = f"rows locked for {seconds:g} s"

    def strike(self, stack, chance):
        with psycopg.connect(stack.dsn) as connection:
            connection.execute("SELECT FROM traces ORDER BY updated_at DESC LIMIT 50 FOR UPDATE")
            hold(self.seconds)
            connection.rollback()


class Deadlock:
    """A real one: another session takes rows against the order of the keys, and waits long enough that it is
    the writer whose statement PostgreSQL ends."""

    name = "deadlock"

    def __init__(self):
        self.happened = 0

    def strike(self, stack, chance):
        before = self._count(stack)
        end = time.monotonic() + 20
        while self._count(stack) == before:
            assert time.monotonic() < end, "no deadlock came about within 20 s"
            self._try(stack)
        self.happened += self._count(stack) - before

    def _try(self, stack):
        with psycopg.connect(stack.dsn) as session:
            session.execute("SET deadlock_timeout = '30s'")
            session.execute("SET lock_timeout = '4s'")
            # The shared traces are the ones that every client keeps writing to.
            ids = [i for (i,) in session.execute(
                "SELECT id FROM traces WHERE metadata ? 'thread_0' OR metadata ? 'thread_1' ORDER BY id COLLATE \"C\"")]  # fmt: skip
            session.commit()
            if len(ids) < 2:
                hold(0.2)
                return
            session.execute("SELECT FROM traces WHERE id = %s FOR UPDATE", [ids[-1]])
            with contextlib.suppress(AssertionError):
                wait_for(lambda: self._somebody_waits(stack), 1.0, "a writer at the lock")
            with contextlib.suppress(psycopg.OperationalError):
                session.execute("SELECT FROM traces WHERE id = ANY(%s) ORDER BY id DESC FOR UPDATE", [ids[:-1]])
            session.rollback()

    def _somebody_waits(self, stack):
        return stack.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                         " AND wait_event_type = 'Lock'")[0][0]  # fmt: skip

    def _count(self, stack):
        return stack.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0][0]


class DiskFull:
    """The file system under the data folder has no room left; after a while it has again. A server that ended
    itself over it is started again then, as a supervisor would."""

    name = "disk full"

    def __init__(self, mount, seconds=DEADLINE_S + 2):
        self.mount = mount
        self.seconds = seconds
        self.refused = 0

    def strike(self, stack, chance):
        filler = self.mount / "filler"
        try:
            with open(filler, "wb", buffering=0) as file:
                for piece in (1 << 20, 1 << 12, 1):
                    with contextlib.suppress(OSError):
                        while file.write(b"\0" * piece):
                            pass
            hold(self.seconds)
        finally:
            filler.unlink()
            if stack.cluster.process.poll() is not None:
                stack.cluster.process = None
                wait_for(lambda: not stack.cluster.processes(), 30, "what is left of PostgreSQL ending")
                stack.cluster.start()
        wait_for(stack.cluster.answers, 30, "PostgreSQL")


# ---- Network ----


class Toxic:
    """One way of a proxy to misbehave, for a while. proxies: those that do."""

    def __init__(self, where, proxies, name, poison, seconds=0.8):
        self.name = f"{where}: {name}"
        self.proxies = proxies
        self._poison = poison
        self.seconds = seconds

    def strike(self, stack, chance):
        for proxy in self.proxies:
            self._poison(proxy, chance)
        hold(self.seconds)
        for proxy in self.proxies:
            proxy.heal()


def toxics(where, proxies):
    """All of them, as nemeses."""
    from proxy import DOWN, UP

    return [
        Toxic(where, proxies, "cut", lambda p, c: p.cut(), 0.1),
        Toxic(where, proxies, "cut after some bytes up", lambda p, c: p.cut_after(c.randrange(1, c.choice([200, 3000])), UP)),
        Toxic(where, proxies, "cut in the reply", lambda p, c: p.cut_after(c.randrange(0, 120), DOWN)),
        Toxic(where, proxies, "replies lost", lambda p, c: p.lose_replies()),
        Toxic(where, proxies, "delay", lambda p, c: p.delay(0.4), 1.5),
        Toxic(where, proxies, "half open", lambda p, c: p.blackhole(), DEADLINE_S + 1),
        Toxic(where, proxies, "refused", lambda p, c: p.refuse(), 1.0),
    ]


# ---- Clocks ----


class ClockJumps:
    """The wall clock of both programs goes where it likes. file: libfaketime reads its offset from there."""

    name = "clock jumps"
    JUMPS = ["-1h", "@1970-01-02 00:00:00", "+10d", "@2038-01-19 03:14:06", "@2028-02-29 23:59:58", "+0"]

    def __init__(self, file):
        self.file = file
        self._next = 0
        self._lock = threading.Lock()

    def strike(self, stack, chance):
        with self._lock:
            jump = self.JUMPS[self._next % len(self.JUMPS)]
            self._next += 1
        write_whole(self.file, jump + "\n")
        hold(0.7)


def write_whole(path, text):
    """So that a reader sees the old or the new content."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(text)
    os.replace(beside, path)


# ---- All at once ----


class Mixed:
    """Any of the others, one after the other and two at a time."""

    long_factor = 10
    def __init__(self, nemeses, name="mixed"):
        self.nemeses = nemeses
        self.name = name

    def strike(self, stack, chance):
        chosen = chance.sample(self.nemeses, chance.choice([1, 1, 2]))
        # Two that take PostgreSQL down at once would trip over each other, not over the programs.
        if sum(isinstance(n, (RestartPostgres, KillBackend, NoConnections, LockTables)) for n in chosen) > 1:
            chosen = chosen[:1]
        errors = []
        threads = [
            threading.Thread(target=self._one, args=(n, stack, random.Random(chance.random()), errors)) for n in chosen
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive(), f"hangs: {[n.name for n in chosen]}"
        if errors:
            raise errors[0]

    def _one(self, nemesis, stack, chance, errors):
        try:
            nemesis.strike(stack, chance)
        except psycopg.OperationalError:
            pass  # another nemesis took the server away meanwhile
        except BaseException as error:
            errors.append(error)


def writer_backends(stack):
    """Backends of the writers, by the role they log in as."""
    with psycopg.connect(stack.dsn, autocommit=True) as connection:
        return [pid for (pid,) in connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename LIKE 'writer%'")]  # fmt: skip
