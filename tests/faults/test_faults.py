"""Each nemesis by itself, and all of them together: nothing acknowledged is lost, doubled or mangled."""

import contextlib
import os
import pathlib
import signal
import subprocess

import pytest
from nemesis import (LONG, CancelBackends, ClockJumps, Deadlock, DiskFull, GatewayDiesWhileWritersHold, KillAllWriters, KillBackend,
                     KillGateway, KillWriter, LockRows, LockTables, Mixed, NoConnections, Quiet, RestartGateway,
                     RestartPostgres, RestartWriters, Stop, TerminateBackends, campaign, toxics, write_whole)  # fmt: skip
from proxy import Proxy, free_ports
from stack import DEADLINE_S, DURABLE, FAST
from support.fixtures import Databases
from support.postgres import Postgres

def long(*nemeses):
    """Those of which the short form has a sibling."""
    return list(nemeses) if LONG else []


PROCESSES = [
    Quiet(), KillWriter(), KillAllWriters(), KillGateway(), RestartGateway(), RestartWriters(), GatewayDiesWhileWritersHold(),
    Stop("one writer", 0.8), Stop("all writers", DEADLINE_S + 1), Stop("gateway", DEADLINE_S + 1),
    *long(Stop("all writers", 0.8), Stop("gateway", 0.8)),
]  # fmt: skip
DATABASE = [
    TerminateBackends(), CancelBackends(), LockTables(DEADLINE_S + 1), LockRows(DEADLINE_S + 1),
    *long(LockTables(0.6), LockTables(0.6, "SHARE")),
]  # fmt: skip
SERVER = [
    KillBackend(), RestartPostgres(signal.SIGINT), RestartPostgres(signal.SIGQUIT), RestartPostgres(signal.SIGKILL),
    RestartPostgres(signal.SIGINT, DEADLINE_S + 1), Stop("postgres", DEADLINE_S + 1),
    *long(Stop("postgres", 0.8)),
]  # fmt: skip


def named(nemeses):
    return [pytest.param(n, id=n.name.replace(" ", "-")) for n in nemeses]


@pytest.fixture
def pair(stack_of):
    """A gateway and two writers, supervised."""
    return stack_of(writers=2, settings=FAST).supervise()


@pytest.fixture
def fragile_pair(stack_of, fragile_postgres):
    return stack_of(writers=2, settings=FAST, postgres=fragile_postgres).supervise()


@pytest.mark.parametrize("nemesis", named(PROCESSES))
def test_processes(pair, tmp_path, nemesis):
    campaign(pair, tmp_path, nemesis)


@pytest.mark.parametrize("nemesis", named(DATABASE))
def test_database(stack_of, fragile_postgres, tmp_path, nemesis):
    settings = {**FAST, "XTRACE_STATEMENT_TIMEOUT_MS": "1000"}  # so that locks outlast it
    stack = stack_of(writers=2, settings=settings, postgres=fragile_postgres).supervise()
    campaign(stack, tmp_path, nemesis)


@pytest.mark.parametrize("nemesis", named(SERVER))
def test_server(fragile_pair, tmp_path, nemesis):
    campaign(fragile_pair, tmp_path, nemesis)


def test_max_connections(fragile_pair, tmp_path):
    campaign(fragile_pair, tmp_path, NoConnections(), rounds=1)


def test_deadlock(fragile_pair, tmp_path):
    nemesis = Deadlock()
    campaign(fragile_pair, tmp_path, nemesis, threads=8)
    assert nemesis.happened


def test_disk_full(stack_of, tmp_path):
    with small_disk(tmp_path / "disk", 200) as mount:
        data = mount / "data"
        server = Postgres({**DURABLE, "max_wal_size": "48MB", "min_wal_size": "32MB", "shared_buffers": "16MB"}, data)
        try:
            server.start()
            server.databases = Databases(server)
            stack = stack_of(writers=2, settings=FAST, postgres=server).supervise()
            report = campaign(stack, tmp_path, DiskFull(mount), rounds=1, recovery_s=40)
            assert report.statuses[503] > 0, f"nobody heard of the full disk: {report.statuses}"
            stack_of.finish()
        finally:
            server.destroy()


@contextlib.contextmanager
def small_disk(folder, mib):
    if os.geteuid() != 0:
        pytest.skip("a small file system of its own needs root")
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=777", "tmpfs", str(folder)], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    try:
        os.chmod(folder, 0o777)
        for parent in folder.parents:  # the server's user must reach it
            if parent != pathlib.Path("/") and parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o001:
                os.chmod(parent, parent.stat().st_mode | 0o011)
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


# ---- Network ----

WORST = ["cut after some bytes up", "cut in the reply", "half open"]  # for the short form
TOXICS = [t.name.removeprefix("x: ") for t in toxics("x", [])]


def toxic(where, proxies, name):
    return next(t for t in toxics(where, proxies) if t.name == f"{where}: {name}")


@pytest.mark.parametrize("name", TOXICS)
def test_network_between_client_and_gateway(pair, tmp_path, name):
    with Proxy(pair.address) as proxy:
        campaign(pair, tmp_path, toxic("client-gateway", [proxy], name), targets=[proxy.address])


@pytest.mark.parametrize("name", TOXICS if LONG else WORST)
def test_network_between_gateway_and_writer(stack_of, tmp_path, name):
    behind, before = free_ports(2), free_ports(2)
    with Proxy(("127.0.0.1", behind), before) as batches, Proxy(("127.0.0.1", behind + 1), before + 1) as receipts:
        stack = stack_of(
            writers=2,
            settings=FAST,
            env_of={
                "gateway": {"XTRACE_QUEUE": f"tcp://127.0.0.1:{behind}"},
                "writer-1": {"XTRACE_GATEWAYS": f"tcp://127.0.0.1:{before}"},
                "writer-2": {"XTRACE_GATEWAYS": f"tcp://127.0.0.1:{before}"},
            },
        ).supervise()
        campaign(stack, tmp_path, toxic("gateway-writer", [batches, receipts], name))
        stack_of.finish()


@pytest.mark.parametrize("name", TOXICS if LONG else WORST)
def test_network_between_writer_and_postgres(stack_of, databases, tmp_path, name):
    with Proxy(f"{databases.postgres.folder}/.s.PGSQL.5432") as proxy:
        database = databases.create()
        urls = {**database.urls, "writer": f"postgresql://writer_login@127.0.0.1:{proxy.port}/{database.name}"}
        stack = stack_of(writers=2, settings=FAST, urls=urls, database=database).supervise()
        campaign(stack, tmp_path, toxic("writer-PostgreSQL", [proxy], name))
        stack_of.finish()


@pytest.mark.parametrize("name", ["cut", "half open"] if LONG else ["half open"])
def test_network_between_gateway_and_postgres(stack_of, databases, tmp_path, name):
    """The reading side: a database out of reach must not keep writes from being acknowledged."""
    with Proxy(f"{databases.postgres.folder}/.s.PGSQL.5432") as proxy:
        database = databases.create()
        urls = {**database.urls, "gateway": f"postgresql://gateway_login@127.0.0.1:{proxy.port}/{database.name}"}
        stack = stack_of(writers=1, settings=FAST, urls=urls, database=database).supervise()
        campaign(stack, tmp_path, toxic("gateway-PostgreSQL", [proxy], name))
        stack_of.finish()


# ---- Several gateways ----


def test_two_gateways_share_two_writers(stack_of, tmp_path):
    """Each gateway's death is its own clients' trouble only, and writers serve both."""
    first = stack_of(writers=2, settings=FAST, start=False)
    second = stack_of(writers=0, settings=FAST, start=False, database=first.database)
    queues = ",".join(f"ipc://{s.folder}/run/queue" for s in (first, second))
    for writer in first.writers:
        first.env_of[writer.name] = {"XTRACE_GATEWAYS": queues}
    for stack in (first, second):
        stack.start().supervise()
    for stack in (first, second):
        stack.wait_ready()
    both = [KillGateway(), KillWriter()]
    campaign(first, tmp_path, Mixed(both, "two gateways, two writers: kill -9"), targets=[first.address, second.address], rounds=3)


# ---- Clocks ----


def test_clock_jumps(release_stack_of, tmp_path):
    library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        pytest.skip("libfaketime is not installed")
    file = tmp_path / "clock"
    write_whole(file, "+0\n")
    lying = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    stack = release_stack_of(writers=2, settings={**FAST, **lying}).supervise()
    # Two events may change places when the clock does, so either may have won.
    campaign(stack, tmp_path, ClockJumps(file), rounds=len(ClockJumps.JUMPS), ordered=False)
    years = stack.sql("SELECT (max(event_version) - min(event_version)) / 31556952000000 FROM traces WHERE event_version > 0")[0][0]
    assert years >= 50, f"the clock of the gateway moved by {years} years only"


# ---- Everything ----


def test_mixed(fragile_pair, tmp_path):
    with Proxy(fragile_pair.address) as proxy:
        nemeses = [n for n in PROCESSES + DATABASE + SERVER if not isinstance(n, (Quiet, RestartGateway, RestartWriters))]
        nemeses += toxics("client-gateway", [proxy]) + [NoConnections()]
        campaign(fragile_pair, tmp_path, Mixed(nemeses), rounds=4, targets=[proxy.address, fragile_pair.address], recovery_s=30)
