"""The programs' own numbers: the books balance, agree with the database, and cost no unbounded series."""

import contextlib
import os
import random
import signal
import string
import subprocess
import threading

import msgpack
import psycopg
import pytest
import zmq

from support.metrics import (ADDRESS, KINDS, Metrics, assert_gateway_balances, assert_writer_balances, metrics_client,
                             rows, scrape, settled, wait_for_rest)
from support.records import new_id, new_observation, new_trace
from support.wait import wait_until
from support.xtrace import program_path

OUTCOMES = ("refused", "stored", "duplicate", "dead_lettered", "rejected", "abandoned")


class Sent:
    """What a test has sent, by kind and outcome, as the gateway should have booked it."""

    def __init__(self):
        self.counts = {kind: dict.fromkeys(OUTCOMES, 0) for kind in KINDS}

    def book(self, outcome, traces=0, observations=0, metrics=0):
        self.counts["trace"][outcome] += traces
        self.counts["observation"][outcome] += observations
        self.counts["metric"][outcome] += metrics

    def assert_booked(self, metrics):
        booked = {kind: {outcome: settled(metrics, kind, outcome) for outcome in OUTCOMES} for kind in KINDS}
        assert booked == self.counts
        assert_gateway_balances(metrics)


def observations_of(trace, count, **more):
    return [new_observation(trace, **more) for _ in range(count)]


class Background:
    """A request on a thread of its own."""

    def __init__(self, call):
        self.answer = None
        self.thread = threading.Thread(target=self.run, args=(call,), daemon=True)
        self.thread.start()

    def run(self, call):
        self.answer = call()

    def status(self):
        self.thread.join(30)
        return self.answer.status


def fill_the_budget(system, sent):
    """Two large batches that wait for a writer until their deadline, and a third for which there is no room."""
    client = system.client()

    def large():
        return client.batch(new_trace(input="x" * 150_000), [])

    waiting = [Background(large) for _ in range(2)]
    wait_until(lambda: scrape(system, "gateway").total("xtrace_gateway_in_flight_batches") == 2, 10, "two in flight")
    now = scrape(system, "gateway")
    assert 300_000 < now.total("xtrace_gateway_in_flight_bytes") < 400_000
    assert now.total("xtrace_gateway_in_flight_bytes_max") == 400_000
    assert now.total("xtrace_gateway_writer_ready") == 0
    oldest = "xtrace_gateway_in_flight_oldest_seconds"
    wait_until(lambda: any(s.value > 0 for s in scrape(system, "gateway").samples if s.name == oldest), 5, "an age")
    assert large().status == 429
    sent.book("rejected", traces=1)
    assert [each.status() for each in waiting] == [503, 503]
    sent.book("abandoned", traces=2)


def send_good_and_bad(system, sent):
    """Returns how many placeholders of traces the gateway made."""
    client = system.client()
    for _ in range(10):
        trace = new_trace(name="good")
        batch = (trace, observations_of(trace, 3))
        for _ in range(2):  # a client's own retry is another batch that changes nothing
            assert client.batch(*batch).status == 200
            sent.book("stored", traces=1, observations=3)
    trace = new_trace()
    assert client.batch(trace, [new_observation(trace), new_observation(trace, startTime="yesterday")]).status == 400
    sent.book("stored", traces=1, observations=1)
    sent.book("refused", observations=1)
    assert client.batch({"id": "none"}, [new_observation(new_id())]).status == 400
    sent.book("refused", traces=1)
    sent.book("stored", observations=1)
    point = {"name": "load", "value": 1.5, "timestamp": "2026-01-02T03:04:05Z"}
    assert client.post("/v1/metrics/batch", {"metrics": [point, {"name": "load"}, point]}).status == 400
    sent.book("stored", metrics=2)
    sent.book("refused", metrics=1)
    key = {"Idempotency-Key": new_id()}
    for outcome in ("stored", "duplicate"):
        assert client.post("/v1/metrics/batch", {"metrics": [point]}, headers=key).status == 200
        sent.book(outcome, metrics=1)
    assert client.post("/v1/l/batch", b'{"trace":').status == 400
    assert client.batch(new_trace(), [], headers={"Authorization": "Bearer wrong"}).status == 401
    return 1


def send_poison(system, sent):
    system.database.query("ALTER TABLE observations ADD CONSTRAINT poison CHECK (name <> 'poison')")
    trace = new_trace()
    observations = [new_observation(trace, name=name) for name in ("good", "poison", "fine", "poison")]
    assert system.client().batch(trace, observations).status == 400
    sent.book("stored", traces=1, observations=2)
    sent.book("dead_lettered", observations=2)


def send_to_a_stopped_writer(system, sent):
    """Sent again under its id until the writer goes on: applied once."""
    before = scrape(system, "gateway").total("xtrace_gateway_batches_redelivered_total")
    system.signal("writer-1", signal.SIGSTOP)
    trace = new_trace()
    waiting = Background(lambda: system.client().batch(trace, observations_of(trace, 2)))
    wait_until(lambda: scrape(system, "gateway").total("xtrace_gateway_batches_redelivered_total") >= before + 2, 10,
               "two redeliveries")
    system.signal("writer-1", signal.SIGCONT)
    assert waiting.status() == 200
    sent.book("stored", traces=1, observations=2)


def test_the_books_balance_and_agree_with_the_database(make_xtrace):
    env = {**ADDRESS, "XTRACE_MAX_IN_FLIGHT_BYTES": "400000", "XTRACE_WRITE_DEADLINE_MS": "3000",
           "XTRACE_ACK_TIMEOUT_MS": "200"}
    system, sent = make_xtrace(env=env, start=False), Sent()
    system.start("gateway")
    wait_until(lambda: system.client(headers={}).get("/healthz").status == 200, 20, "the gateway")
    fill_the_budget(system, sent)
    system.start("writer-1").wait_ready()
    placeholders = send_good_and_bad(system, sent)
    send_poison(system, sent)
    send_to_a_stopped_writer(system, sent)

    last = wait_for_rest(system)
    gateway, writer = last["gateway"], last["writer-1"]
    sent.assert_booked(gateway)
    assert_writer_balances(writer)

    made = {"trace": placeholders, "observation": 0, "score": 0, "metric": 0}
    tables = {"trace": "traces", "observation": "observations", "score": "scores", "metric": "metric_points"}
    for kind in KINDS:
        for what in ("stored", "dead_lettered"):
            more = made[kind] if what == "stored" else 0
            assert rows(writer, what, kind) == settled(gateway, kind, what) + more, (kind, what)
        # A copy of the batch of the stopped writer may have come after its commit.
        assert rows(writer, "duplicate", kind) >= settled(gateway, kind, "duplicate")
        stored = system.database.value(f"SELECT count(*) FROM {tables[kind]}")
        assert rows(writer, "stored", kind, effect="inserted") == stored
    assert system.database.value("SELECT count(*) FROM dead_letters") == 2
    assert rows(writer, "stored", "observation", effect="changed") >= 30  # a later version of the same
    receipts = gateway.total("xtrace_gateway_receipt_seconds_count")
    assert receipts == writer.total("xtrace_writer_batches_settled_total", outcome="stored") + 1  # the key's second use
    assert gateway.total("xtrace_gateway_batches_redelivered_total") >= 2
    assert writer.total("xtrace_writer_commit_seconds_count") > 0
    assert writer.total("xtrace_writer_group_rows_count") == writer.total("xtrace_writer_group_seconds_count") > 0


def test_a_batch_that_two_writers_hold_is_stored_by_one_and_a_duplicate_for_the_other(make_xtrace):
    system = make_xtrace(writers=2, env={**ADDRESS, "XTRACE_ACK_TIMEOUT_MS": "100"})
    writers = ("writer-1", "writer-2")
    trace = new_trace()
    with psycopg.connect(system.database.url) as blocker:
        blocker.execute("LOCK TABLE traces IN EXCLUSIVE MODE")
        waiting = Background(lambda: system.client().batch(trace, observations_of(trace, 4)))
        wait_until(lambda: all(scrape(system, name).total("xtrace_writer_in_hand_batches") for name in writers), 4,
                   "both writers having it")
    assert waiting.status() == 200
    last = wait_for_rest(system)
    assert_gateway_balances(last["gateway"])
    heard = [sum(settled(last["gateway"], kind, word) for word in ("stored", "duplicate")) for kind in KINDS]
    assert heard == [1, 4, 0, 0]  # whichever receipt came first
    for name in writers:
        assert_writer_balances(last[name])
    for what in ("stored", "duplicate"):
        assert [sum(rows(last[name], what, kind) for name in writers) for kind in KINDS] == [1, 4, 0, 0], what


class FakeWriter:
    """Takes batches and answers as a test says; speaks for a database that it does not have."""

    def __init__(self, system):
        self.context = zmq.Context()
        self.batches = self.context.socket(zmq.PULL)
        self.receipts = self.context.socket(zmq.PUSH)
        for socket, name in ((self.batches, "batches"), (self.receipts, "receipts")):
            socket.linger = 0
            socket.connect(f"ipc://{system.folder}/run/queue.{name}")

    def take(self, seconds=10):
        assert self.batches.poll(seconds * 1000), "no batch came"
        header, _ = self.batches.recv_multipart()
        self.wire_version, batch = msgpack.unpackb(header)[:2]
        return batch

    def answer(self, batch, outcome, refused=()):
        self.receipts.send(msgpack.packb([self.wire_version, "receipt", batch, outcome, list(refused)]))

    def close(self):
        self.context.destroy(linger=0)


def test_a_lost_receipt_and_a_refusal_are_booked_as_such(make_xtrace):
    """0 is STORED and 1 is DUPLICATE (proto/receipt.h)."""
    system, sent = make_xtrace(env=ADDRESS, start=False), Sent()
    system.start("gateway")
    wait_until(lambda: system.client(headers={}).get("/healthz").status == 200, 20, "the gateway")
    with contextlib.closing(FakeWriter(system)) as writer:
        for outcome, word, refused in ((0, "stored", []), (1, "duplicate", []), (1, "duplicate", [[1, "no"]])):
            trace = new_trace()
            waiting = Background(lambda t=trace: system.client().batch(t, observations_of(t, 3)))
            writer.answer(writer.take(), outcome, refused)
            assert waiting.status() == (400 if refused else 200)
            sent.book(word, traces=1, observations=3 - len(refused))
            sent.book("dead_lettered", observations=len(refused))
    sent.assert_booked(scrape(system, "gateway"))


def test_every_line_parses_and_the_usual_numbers_are_there(make_xtrace):
    system = make_xtrace(env=ADDRESS)
    system.client().batch(new_trace())
    system.client().get("/api/public/traces")
    main = system.client().get("/metrics")
    assert main.status == 200
    assert main.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    for metrics in (Metrics(main.text), scrape(system, "gateway"), scrape(system, "writer-1")):
        lines = [line for line in metrics.text.splitlines() if not line.startswith("#")]
        assert len(lines) == len(metrics.samples) > 50
        assert len({(s.name, tuple(sorted(s.labels.items()))) for s in metrics.samples}) == len(lines)
        assert all(family.documentation and family.type != "unknown" for family in metrics.families)
        assert metrics.total("process_resident_memory_bytes") > 1_000_000
        assert metrics.total("process_open_fds") > 3
    gateway = Metrics(main.text)
    assert gateway.total("xtrace_gateway_connections") >= 1
    assert gateway.total("xtrace_gateway_database_queries_total", outcome="done") >= 1
    assert gateway.total("xtrace_gateway_database_connects_total", outcome="done") >= 1
    assert gateway.total("xtrace_gateway_request_seconds_count", route="/v1/l/batch", status="2xx") == 1
    assert {labels["project"] for labels in gateway.series("xtrace_gateway_records_settled_total")} == {"default"}
    writer = scrape(system, "writer-1")
    assert writer.total("xtrace_writer_database_connects_total", outcome="done") == 1
    wait_until(lambda: scrape(system, "writer-1").total("xtrace_writer_maintenance_steps_total", step="snapshot"), 20,
               "a pass of maintenance")


def test_metrics_need_credentials_but_on_their_own_address(make_xtrace):
    system = make_xtrace(env=ADDRESS)
    assert system.client(headers={}).get("/metrics").status == 401
    assert system.client(headers={"Authorization": "Bearer wrong"}).get("/metrics").status == 401
    assert system.client().post("/metrics", {}).status == 405
    for name in ("gateway", "writer-1"):
        client = metrics_client(system, name)
        assert client.get("/metrics").status == 200
        assert client.request("HEAD", "/metrics").body == b""
        assert client.get("/healthz").status == 200
        assert client.get("/api/public/traces", headers=system.auth).status == 404
        assert client.batch(new_trace(), headers=system.auth).status == 405


def test_random_paths_add_no_series(xtrace):
    chance = random.Random(7)

    def lines():
        return len(Metrics(xtrace.client().get("/metrics").text).samples)

    def ask_at_random(count):
        for _ in range(count):
            path = "/" + "".join(chance.choices(string.ascii_letters + "/%\"\\{}=", k=12))
            xtrace.client().request(chance.choice(["GET", "POST", "PUT", "BREW"]), path)
            xtrace.client().get(f"/api/public/traces/{new_id()}")

    ask_at_random(20)
    before = wait_until(lines, 5)
    ask_at_random(200)
    metrics = Metrics(xtrace.client().get("/metrics").text)
    assert len(metrics.samples) <= before + 19  # one histogram more: /metrics itself
    routes = {labels["route"] for labels in metrics.series("xtrace_gateway_request_seconds_count")}
    assert routes <= {"other", "/healthz", "/readyz", "/metrics", "/api/public/traces/{id}"}
    assert "other" in routes and "/api/public/traces/{id}" in routes


@pytest.mark.parametrize("program", ["gateway", "writer"])
@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "nonsense"])
def test_an_address_for_all_the_world_is_refused(program, address, tmp_path):
    env = {"DATABASE_URL": "postgresql:///x", "API_BEARER_TOKEN": "t", "BIND_ADDR": "127.0.0.1:0",
           "XTRACE_HOME": str(tmp_path), "XTRACE_METRICS_ADDR": address, "TSAN_OPTIONS": os.environ.get("TSAN_OPTIONS", "")}
    done = subprocess.run([program_path(program)], env=env, text=True, capture_output=True, timeout=20)
    assert done.returncode == 2
    assert "XTRACE_METRICS_ADDR" in done.stderr
