"""200 means committed, once: through kills, stops and back-pressure."""

import json
import signal
import threading
import time

from support.records import new_id, new_observation, new_trace
from support.wait import wait_until

SLOW = {"XTRACE_WRITE_DEADLINE_MS": "1500", "XTRACE_ACK_TIMEOUT_MS": "300"}


class Load(threading.Thread):
    """Sends batches until told to stop; .acked holds the ids of traces that were answered 200."""

    def __init__(self, system):
        super().__init__(daemon=True)
        self.client = system.client(timeout=30)
        self.acked, self.others = [], []
        self.halt = threading.Event()
        self.start()

    def run(self):
        while not self.halt.is_set():
            trace = new_trace(name="load")
            try:
                answer = self.client.batch(trace, [new_observation(trace, name=f"o{n}") for n in range(5)])
            except OSError:
                continue
            (self.acked if answer.status == 200 else self.others).append((trace["id"], answer.status))

    def end(self):
        self.halt.set()
        self.join(60)
        assert not self.is_alive()


def assert_all_stored_once(system, loads):
    acked = [trace for load in loads for trace, _ in load.acked]
    assert acked
    rows = dict(system.database.query("SELECT trace_id, count(*) FROM observations GROUP BY 1"))
    traces = {row[0] for row in system.database.query("SELECT id FROM traces")}
    assert [trace for trace in acked if trace not in traces or rows.get(trace) != 5] == []
    assert set(rows.values()) <= {5}


def progress(loads, more):
    """Waits until so many more batches were acknowledged."""
    goal = sum(len(load.acked) for load in loads) + more
    wait_until(lambda: sum(len(load.acked) for load in loads) >= goal, 60, f"{more} more batches acknowledged")


def test_killed_writers_lose_nothing_acknowledged(make_xtrace):
    system = make_xtrace(writers=2)
    loads = [Load(system) for _ in range(4)]
    for round_number in range(6):
        progress(loads, 20)
        name = f"writer-{1 + round_number % 2}"
        system.kill(name)
        system.start(name)
    progress(loads, 20)
    for load in loads:
        load.end()
    assert_all_stored_once(system, loads)
    assert all(not load.others for load in loads)


def test_a_killed_gateway_loses_nothing_acknowledged(make_xtrace):
    system = make_xtrace()
    loads = [Load(system) for _ in range(3)]
    for _ in range(3):
        progress(loads, 20)
        system.kill("gateway")
        system.start("gateway")
        system.wait_ready()
    progress(loads, 20)
    for load in loads:
        load.end()
    assert_all_stored_once(system, loads)


def test_a_killed_postgres_loses_nothing_acknowledged(own_postgres, make_xtrace):
    system = make_xtrace(on=own_postgres.databases.create())
    loads = [Load(system) for _ in range(3)]
    for how in (signal.SIGQUIT, signal.SIGKILL):
        progress(loads, 20)
        own_postgres.stop(how)
        own_postgres.start()
    progress(loads, 20)
    for load in loads:
        load.end()
    assert_all_stored_once(system, loads)


def test_a_stopped_writer_is_waited_for_and_its_batch_is_applied_once(make_xtrace):
    """Longer than the ack timeout: the batch is sent again, under its old id."""
    system = make_xtrace(env={"XTRACE_ACK_TIMEOUT_MS": "200"})
    system.signal("writer-1", signal.SIGSTOP)
    load = Load(system)
    timer = threading.Timer(1.5, system.signal, ("writer-1", signal.SIGCONT))
    timer.start()
    progress([load], 1)
    load.end()
    timer.join()
    assert_all_stored_once(system, [load])


def test_without_a_writer_a_write_is_503_at_the_deadline(make_xtrace):
    system = make_xtrace(env=SLOW)
    system.kill("writer-1")
    started = time.monotonic()
    answer = system.client().batch(new_trace())
    passed = time.monotonic() - started
    assert answer.status == 503
    assert answer.json()["code"] == "SERVICE_UNAVAILABLE"
    assert int(answer.headers["Retry-After"]) >= 1
    assert 1.4 <= passed < 6
    assert system.client().get("/api/public/traces").status == 200
    system.start("writer-1")
    system.wait_ready()
    assert system.client().batch(new_trace()).status == 200


def test_without_a_database_a_write_is_503_at_the_deadline(own_postgres, make_xtrace):
    system = make_xtrace(on=own_postgres.databases.create(), env=SLOW)
    own_postgres.stop(signal.SIGQUIT)
    answer = system.client().batch(new_trace())
    assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
    own_postgres.start()
    system.wait_ready(60)
    assert system.client().batch(new_trace()).status == 200


def test_a_write_that_waits_is_answered_when_the_writer_comes(make_xtrace):
    system = make_xtrace()
    system.kill("writer-1")
    load = Load(system)
    wait_until(lambda: system.client().get("/readyz").status == 503, 15, "the writer being missed")
    assert not load.acked
    system.start("writer-1")
    progress([load], 1)
    load.end()
    assert_all_stored_once(system, [load])


def test_at_the_byte_budget_writes_are_429_with_retry_after(make_xtrace):
    system = make_xtrace(env={"XTRACE_MAX_IN_FLIGHT_BYTES": "1000000", "XTRACE_WRITE_DEADLINE_MS": "5000"})
    system.kill("writer-1")
    answers = []

    def send():
        answers.append(system.client().batch(new_trace(input="x" * 300_000)))

    threads = [threading.Thread(target=send, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_until(lambda: any(answer.status == 429 for answer in answers), 4, "a 429")
    system.start("writer-1")
    for thread in threads:
        thread.join(30)
    limited = [answer for answer in answers if answer.status == 429]
    assert {answer.status for answer in answers} <= {200, 429, 503}
    assert limited[0].json()["code"] == "TOO_MANY_REQUESTS"
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in limited)
    system.wait_ready()
    assert system.client().batch(new_trace()).status == 200


def test_a_stopping_gateway_finishes_what_it_has_accepted(make_xtrace):
    system = make_xtrace()
    system.signal("writer-1", signal.SIGSTOP)
    trace, answers = new_trace(name="accepted"), []
    sender = threading.Thread(target=lambda: answers.append(system.client().batch(trace)), daemon=True)
    sender.start()
    wait_until(lambda: has_read_a_request(system.port), 10, "the request arriving")
    status = []
    stopper = threading.Thread(target=lambda: status.append(system.stop("gateway")), daemon=True)
    stopper.start()
    wait_until(lambda: not listens(system), 10, "the gateway no longer accepting")
    assert not answers
    system.signal("writer-1", signal.SIGCONT)
    sender.join(20)
    stopper.join(20)
    assert [answer.status for answer in answers] == [200]
    assert status == [0]
    assert system.database.value("SELECT name FROM traces WHERE id = %s", trace["id"]) == "accepted"


def test_programs_leave_with_0_on_sigint_and_sigterm(make_xtrace):
    for number in (signal.SIGINT, signal.SIGTERM):
        system = make_xtrace()
        for name in ("gateway", "writer-1"):
            process = system.processes.pop(name)
            process.send_signal(number)
            assert process.wait(20) == 0, name


def test_two_writers_and_one_record_from_many_clients_end_in_one_row(make_xtrace):
    """No deadlock and no lost field, whoever comes first."""
    system = make_xtrace(writers=2)
    made = new_id()
    traces = [new_id() for _ in range(20)]

    def send(number):
        client = system.client()
        for trace in traces:
            observation = {"id": made, "traceId": trace, "metadata": {f"k{number}": number}}
            assert client.batch({"id": trace, "metadata": {f"k{number}": number}}, [observation]).status == 200

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    whole = {f"k{number}": number for number in range(8)}
    for trace in traces:
        got = system.client().get(f"/api/public/traces/{trace}").json()
        assert got["metadata"] == whole
        assert [o["metadata"] for o in got["observations"]] == [whole]


def test_what_the_database_refuses_is_named_and_its_neighbours_are_stored(make_xtrace):
    """Poison that the gateway cannot see: a rule of the database that one record breaks."""
    system = make_xtrace()
    system.database.query("ALTER TABLE observations ADD CONSTRAINT poison CHECK (name <> 'poison')")
    trace = new_trace(name="poisoned")
    names = ["good", "poison", "fine"]
    answer = system.client().batch(trace, [new_observation(trace, name=name) for name in names])
    assert answer.status == 400, answer.text
    assert [error["path"] for error in answer.json()["errors"]] == ["observations[1]"]
    assert answer.json()["stored"] == {"traces": 1, "observations": 2}
    got = system.client().get(f"/api/public/traces/{trace['id']}").json()["observations"]
    assert {observation["name"] for observation in got} == {"good", "fine"}
    kind, reason = system.database.query("SELECT kind, reason FROM dead_letters")[0]
    assert "observation" in kind and "poison" in reason
    assert system.client().batch(new_trace()).status == 200


def has_read_a_request(port):
    """An established connection to a local port of which nothing waits to be read."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table]
    return any(row[1] == f"0100007F:{port:04X}" and row[3] == "01" and row[4].endswith(":00000000") for row in rows)


def listens(system):
    try:
        system.client(headers={}, timeout=2).get("/healthz")
        return True
    except (OSError, json.JSONDecodeError):
        return False
