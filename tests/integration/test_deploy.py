"""deploy/up, deploy/down and the supervisor."""

import os
import re
import signal
import stat
import subprocess
import threading
import time

import psycopg
import pytest

from support.deployed import Deployed, is_alive
from support.records import new_trace
from support.wait import wait_until
from support.xtrace import ROOT


@pytest.fixture
def make_deployed():
    made = []

    def make(env=None):
        made.append(Deployed(env))
        return made[-1]

    yield make
    for each in made:
        each.destroy()


@pytest.fixture(scope="module")
def deployed():
    """One running installation with two writers."""
    made = Deployed({"XTRACE_WRITERS": "2"})
    try:
        made.first_output = made.up().stdout
        yield made
    finally:
        made.destroy()


def store(deployed):
    trace = new_trace(name="kept")
    answer = deployed.client().batch(trace)
    assert answer.status == 200, answer.text
    return trace


def has(deployed, trace):
    return deployed.client().get(f"/api/public/traces/{trace['id']}").status == 200


def test_up_says_where_it_is_and_what_to_try(deployed):
    assert deployed.address in deployed.first_output
    assert "credentials" in deployed.first_output
    assert deployed.first_output.count("curl") == 1


def test_credentials_are_private_and_complete(deployed):
    path = deployed.home / "credentials"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(deployed.home.stat().st_mode) & 0o007 == 0
    found = deployed.credentials
    assert set(found) == {"BASE_URL", "API_BEARER_TOKEN", "XTRACE_PUBLIC_KEY", "XTRACE_SECRET_KEY", "DATABASE_URL"}
    sourced = subprocess.run(["bash", "-c", 'set -a; . "$1"; env', "-", path], text=True, capture_output=True).stdout
    for key, value in found.items():
        assert f"{key}={value}" in sourced.splitlines()


def test_pid_files_are_the_running_programs(deployed):
    pids = deployed.pids()
    assert set(pids) == {"supervisor", "postgres", "writer-1", "writer-2", "gateway"}
    for name, pid in pids.items():
        assert is_alive(pid), name
    for name in ("gateway", "writer-1"):
        assert os.readlink(f"/proc/{pids[name]}/exe").split("/")[-1] == f"xtrace-{name.split('-')[0]}"
    assert set(log.name for log in (deployed.home / "log").glob("*.log")) >= {
        "gateway.log", "writer-1.log", "writer-2.log", "postgres.log", "supervisor.log"}


def test_the_first_start_sends_one_demo_trace(deployed):
    body = deployed.client().get("/api/public/traces", {"name": "hello"}).json()
    assert body["meta"]["totalItems"] == 1
    assert len(body["data"][0]["observations"]) == 3


def test_the_database_is_durable_private_and_of_least_privilege(deployed):
    with psycopg.connect(deployed.credentials["DATABASE_URL"]) as connection:
        def show(name):
            return connection.execute(f"SHOW {name}").fetchone()[0]

        assert (show("fsync"), show("synchronous_commit"), show("data_checksums"), show("listen_addresses")) == ("on", "on", "on", "")
        assert show("server_encoding") == "UTF8"
        users = {row[0] for row in connection.execute("SELECT usename FROM pg_stat_activity WHERE datname = 'xtrace' AND pid <> pg_backend_pid()")}
        assert {"xtrace_gateway_login", "xtrace_writer_login"} >= users - {None} and "xtrace_writer_login" in users


def test_a_second_up_says_that_it_runs(deployed):
    before = deployed.pids()
    done = deployed.up()
    assert "already runs" in done.stdout and deployed.address in done.stdout
    assert deployed.pids() == before


@pytest.mark.parametrize("name", ["gateway", "writer-1", "writer-2", "postgres"])
def test_a_killed_process_is_back_within_about_a_second(deployed, name):
    trace = store(deployed)
    old = deployed.pid(name)
    started = time.monotonic()
    os.kill(old, signal.SIGKILL)

    def is_back():
        pid = deployed.pid(name)
        return pid not in (None, old) and is_alive(pid)

    wait_until(is_back, 10, f"{name} being started again")
    assert time.monotonic() - started < 2.5
    deployed.wait_ready()
    assert has(deployed, trace) and has(deployed, store(deployed))


def test_all_processes_that_end_at_once_are_started_again(deployed):
    trace = store(deployed)
    names = ["gateway", "writer-1", "writer-2", "postgres"]
    old = {name: deployed.pid(name) for name in names}
    for pid in old.values():
        os.kill(pid, signal.SIGKILL)

    def are_back():
        pids = {name: deployed.pid(name) for name in names}
        return all(pids[name] not in (None, old[name]) and is_alive(pids[name]) for name in names)

    wait_until(are_back, 20, "everything being started again")
    deployed.wait_ready()
    assert has(deployed, trace) and has(deployed, store(deployed))


def test_a_postmaster_killed_with_a_busy_backend_comes_back(deployed):
    busy = subprocess.Popen(["psql", deployed.credentials["DATABASE_URL"], "-c", "SELECT count(*) FROM generate_series(1, 10000000000)"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with psycopg.connect(deployed.credentials["DATABASE_URL"], autocommit=True) as connection:
        wait_until(lambda: connection.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%generate_series%%'"
                                              " AND state = 'active' AND pid <> pg_backend_pid()").fetchone()[0], 10, "the busy backend")
    old = deployed.pid("postgres")
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: deployed.pid("postgres") not in (None, old), 15, "postgres being started again")
    deployed.wait_ready()
    assert has(deployed, store(deployed))
    busy.wait(30)


def test_down_stops_everything_and_up_goes_on_with_the_data(make_deployed):
    deployed = make_deployed()
    deployed.up()
    trace, secrets, pids = store(deployed), deployed.credentials, deployed.pids()
    assert "stopped" in deployed.down().stdout
    assert not any(is_alive(pid) for pid in pids.values())
    assert list((deployed.home / "run").glob("*.pid")) == []
    assert "nothing to stop" in deployed.down().stdout
    deployed.up()
    assert has(deployed, trace)
    assert deployed.credentials == secrets
    assert deployed.client().get("/api/public/traces", {"name": "hello"}).json()["meta"]["totalItems"] == 1


def test_down_stops_what_is_stopped_too(make_deployed):
    deployed = make_deployed()
    deployed.up("--no-demo")
    pids = deployed.pids()
    for name in ("gateway", "writer-1"):
        os.kill(pids[name], signal.SIGSTOP)
    started = time.monotonic()
    deployed.down()
    assert time.monotonic() - started < 12
    assert not any(is_alive(pid) for pid in pids.values())


def test_two_ups_at_the_same_time_start_one(make_deployed):
    deployed = make_deployed()
    both = [subprocess.Popen([ROOT / "deploy/up", "--detach", "--no-demo"], env=deployed.env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    texts = [each.communicate(timeout=120)[0] for each in both]
    assert [each.returncode for each in both] == [0, 0], texts
    assert sum("already runs" in text for text in texts) == 1
    assert deployed.log("supervisor").count("event=\"starting\"") == 1


@pytest.mark.parametrize("then", ["up", "down"])
def test_what_a_killed_supervisor_left_is_stopped_by_the_next(make_deployed, then):
    deployed = make_deployed()
    deployed.up("--no-demo")
    trace, left = store(deployed), deployed.pids()
    os.kill(left["supervisor"], signal.SIGKILL)
    wait_until(lambda: not is_alive(left["supervisor"]), 10, "the supervisor being dead")
    assert is_alive(left["gateway"])
    if then == "down":
        deployed.down()
        assert list((deployed.home / "run").glob("*.pid")) == []
    else:
        deployed.up()
        assert has(deployed, trace)
    assert not any(is_alive(pid) for pid in left.values())


def test_a_number_that_is_somebody_elses_by_now_is_left_alone(make_deployed):
    deployed = make_deployed()
    deployed.up("--no-demo")
    deployed.down()
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        for name in ("supervisor", "gateway", "writer-1", "postgres"):
            (deployed.home / "run" / f"{name}.pid").write_text(f"{stranger.pid}\n")
        assert "nothing to stop" in deployed.down().stdout
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_given_secrets_are_used_and_kept(make_deployed):
    given = {"API_BEARER_TOKEN": "it's a $token", "XTRACE_PUBLIC_KEY": "pk-1", "XTRACE_SECRET_KEY": 'sk "1"'}
    deployed = make_deployed(given)
    deployed.up("--no-demo")
    assert {key: deployed.credentials[key] for key in given} == given
    assert deployed.client().get("/api/public/traces").status == 200
    deployed.down()
    for key in given:
        del deployed.env[key]
    deployed.up("--no-demo")
    assert {key: deployed.credentials[key] for key in given} == given


def test_a_database_of_your_own_is_used_and_no_other_is_started(make_deployed, database):
    deployed = make_deployed({"DATABASE_URL": database.url})
    deployed.up("--no-demo")
    assert set(deployed.pids()) == {"supervisor", "writer-1", "gateway"}
    assert deployed.credentials["DATABASE_URL"] == database.url
    trace = store(deployed)
    assert database.value("SELECT name FROM traces WHERE id = %s", trace["id"]) == "kept"


def test_up_with_its_own_credentials_in_the_environment_is_the_same_installation(make_deployed):
    deployed = make_deployed()
    deployed.up("--no-demo")
    trace = store(deployed)
    deployed.down()
    deployed.env |= deployed.credentials
    deployed.up("--no-demo")
    assert "postgres" in deployed.pids() and has(deployed, trace)


def test_a_home_with_a_long_and_odd_name_works(make_deployed):
    deployed = make_deployed()
    deployed.home = deployed.parent / ("x" * 100) / "it's odd"
    deployed.home.parent.mkdir(mode=0o755)
    deployed.env["XTRACE_HOME"] = str(deployed.home)
    deployed.up("--no-demo")
    assert has(deployed, store(deployed))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's PostgreSQL is another user's")
def test_a_home_that_postgres_cannot_reach_has_its_data_elsewhere(make_deployed):
    deployed = make_deployed()
    deployed.parent.chmod(0o700)
    assert "/var/lib/xtrace/" in deployed.up("--no-demo").stdout
    assert (deployed.home / "postgres").is_symlink()
    assert has(deployed, store(deployed))


def test_in_the_foreground_it_shows_the_logs_and_a_signal_stops_everything(make_deployed):
    deployed = make_deployed({"XTRACE_LOG_LEVEL": "debug"})
    process = subprocess.Popen([ROOT / "deploy/up"], env=deployed.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    seen = []
    for line in process.stdout:
        seen.append(line)
        if "Ctrl-C" in line:
            break
    pids = deployed.pids()
    # Again until it shows: whoever shows the logs begins with what is written from then on.
    shown = threading.Event()
    sender = threading.Thread(target=lambda: wait_until(lambda: store(deployed) and shown.is_set(), 60, "the log showing", 0.2))
    sender.start()
    for line in process.stdout:
        seen.append(line)
        if "program=xtrace-gateway" in line:
            break
    shown.set()
    sender.join()
    process.send_signal(signal.SIGTERM)
    rest = process.stdout.read()
    assert process.wait(60) == 0, "".join(seen) + rest
    assert "stopped" in rest
    assert not any(is_alive(pid) for pid in pids.values())


def test_a_start_that_fails_says_why_and_leaves_nothing(make_deployed):
    deployed = make_deployed({"XTRACE_THREADS": "many"})
    done = deployed.up(check=False)
    assert done.returncode == 1
    assert "XTRACE_THREADS" in done.stdout
    assert list((deployed.home / "run").glob("*.pid")) == []


def test_an_address_in_use_is_said(make_deployed, xtrace):
    deployed = make_deployed({"BIND_ADDR": f"127.0.0.1:{xtrace.port}"})
    done = deployed.up(check=False)
    assert done.returncode == 1 and "BIND_ADDR" in done.stdout


@pytest.mark.parametrize("command", ["up", "down", "demo"])
def test_help(command):
    done = subprocess.run([ROOT / "deploy" / command, "--help"], text=True, capture_output=True)
    assert done.returncode == 0 and re.search("^usage: deploy/", done.stdout)
    assert subprocess.run([ROOT / "deploy" / command, "--nonsense"], capture_output=True).returncode == 2
