"""The oracle against itself: a system that keeps its word passes, and each way of breaking it is seen."""

import copy
import http.server
import json
import threading
import time
from collections import Counter

import pytest

from check import Stored, compare, live, micros
from ledger import Ledger, read_ledger
from load import Client, Load, Script
from model import COLUMNS, Model
from proxy import DOWN, UP, Proxy


class FakeServer:
    """Acknowledges and keeps requests; answers come from plan(number of the request): a status, "cut" (the
    answer is lost) or "drop" (neither stored nor answered)."""

    def __init__(self, plan=lambda n: 200):
        outer = self
        self.bodies = []
        self.count = 0
        self.lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.count += 1
                    what = plan(outer.count)
                    if what in (200, "cut"):
                        outer.bodies.append(body)
                if what in ("cut", "drop"):
                    self.close_connection = True
                    return
                answer = {"message": "Request Successful." if what == 200 else "no"}
                if what == 200 and self.path == "/api/public/ingestion":
                    what, answer = 207, answer_events(json.loads(body)["batch"])
                text = json.dumps(answer).encode()
                self.send_response(what)
                self.send_header("Content-Length", str(len(text)))
                if what in (429, 503):
                    self.send_header("Retry-After", "1")
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = self.server.server_address
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def answer_events(events):
    bad = {event["id"] for event in events if event["type"] == "nobody-create"}
    return {"successes": [{"id": event["id"]} for event in events if event["id"] not in bad],
            "errors": [{"id": id_} for id_ in bad]}  # fmt: skip


def honest(model, skip=()):
    """What a correct system would have stored of the acknowledged requests."""
    rows = {"trace": {}, "observation": {}}
    for request in model.acknowledged():
        if request.name in skip:
            continue
        for record in request.records:
            row = rows[record.kind].setdefault(record.key, empty_row(record))
            for column, value in record.columns.items():
                if isinstance(column, tuple):
                    inner = row["metadata"] = row["metadata"] or {}
                    for part in column[1:-1]:
                        inner = inner.setdefault(part, {})
                    inner[column[-1]] = value
                elif COLUMNS[record.kind][column] == "time":
                    row[column] = utc(value)
                else:
                    row[column] = value
    stored = Stored(
        traces=list(rows["trace"].values()),
        observations=list(rows["observation"].values()),
        batches=len(model.acknowledged()),
    )
    for row in stored.traces:
        row["timestamp"] = row["timestamp"] or "2026-11-24T00:00:00+00:00"
    days, _ = live(rows)
    stored.trace_counts = {day: counts[0] for day, counts in days.items()}
    stored.points = {
        r.name: Counter(r.points) for r in model.acknowledged() if r.points and r.name not in skip
    }
    return stored


def empty_row(record):
    row = dict.fromkeys(COLUMNS[record.kind]) | {"computed_total_cost": None}
    if record.kind == "trace":
        row["id"] = record.key[0]
    else:
        row["trace_id"], row["id"] = record.key
    return row


def utc(text):
    us = micros(text)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(us // 10**6)) + f".{us % 10**6:06d}+00:00"


@pytest.fixture
def run(tmp_path):
    """160 requests of four threads, acknowledged without trouble: (model, ledger entries)."""
    model, ledger = Model(), Ledger(tmp_path / "ledger")
    for thread in range(4):
        script = Script("oracle", thread, 4)
        for request in [next(script) for _ in range(40)] + list(script.owed()):
            request.attempts, request.acknowledged = 1, True
            ledger.acknowledge(request.name, request.ids, request.body)
            model.add(request)
    ledger.close()
    return model, read_ledger(tmp_path / "ledger")


def test_an_honest_system_passes(run):
    model, ledger = run
    verdict = compare(model, ledger, honest(model))
    verdict.assert_clean()
    assert min(verdict.stored[kind] for kind in ("trace", "observation", "point")) > 50


def test_a_lost_request_is_seen(run):
    model, ledger = run
    for request in model.acknowledged()[::37]:
        assert compare(model, ledger, honest(model, skip={request.name})).problems(), request.name


def test_a_lost_row_is_seen(run):
    model, ledger = run
    stored = honest(model)
    gone = stored.observations.pop(17)
    assert any(gone["id"] in text for text in compare(model, ledger, stored).lost)


def test_each_erased_or_changed_column_is_seen(run):
    model, ledger = run
    good = honest(model)
    for kind in ("traces", "observations"):
        for column in getattr(good, kind)[0]:
            if column in ("id", "trace_id", "timestamp", "computed_total_cost"):
                continue
            for change in (None, "other"):
                stored = copy.deepcopy(good)
                row = next((r for r in getattr(stored, kind) if r[column] is not None), None)
                if row is None:
                    break  # the load does not send it
                row[column] = change if change is None else another(row[column])
                verdict = compare(model, ledger, stored)
                assert verdict.lost + verdict.mangled + verdict.strange, f"{kind}.{column} {change}"


def another(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, list):
        return value + ["more"]
    if isinstance(value, dict):
        return {**value, "more": 1}
    if value[:4].isdigit() and value[10:11] == "T":
        return "2031" + value[4:]
    return value + "x"


def test_doubled_rows_and_counts_are_seen(run):
    model, ledger = run
    stored = honest(model)
    stored.traces.append(stored.traces[3])
    assert compare(model, ledger, stored).doubled
    stored = honest(model)
    day = next(iter(stored.trace_counts))
    stored.trace_counts[day] += 1
    assert compare(model, ledger, stored).doubled
    stored = honest(model)
    stored.batches = 10**6
    assert compare(model, ledger, stored).strange


def test_lost_doubled_and_changed_points_are_seen(run):
    model, ledger = run
    for word, change in (("lost", -1), ("doubled", 1)):
        stored = honest(model)
        points = next(iter(stored.points.values()))
        points[next(iter(points))] += change
        assert getattr(compare(model, ledger, stored), word)
    stored = honest(model)
    points = next(iter(stored.points.values()))
    points["latency", 1, 2.0] += 1
    assert compare(model, ledger, stored).strange


def test_what_was_never_sent_is_seen(run):
    model, ledger = run
    stored = honest(model)
    stored.traces[0]["id"] = "00000000-0000-4000-8000-000000000000"
    verdict = compare(model, ledger, stored)
    assert verdict.lost and verdict.strange
    stored = honest(model)
    del ledger[next(iter(ledger))]
    assert compare(model, ledger, stored).strange


def test_an_unacknowledged_request_may_be_there_or_not_but_not_in_part(run):
    model, ledger = run
    script = Script("uncertain", 0, 1)
    request = next(r for r in script if len(r.records) > 3)
    request.attempts = 1
    model.add(request)
    without = honest(model)
    compare(model, ledger, without).assert_clean()
    request.acknowledged = True
    whole = honest(model)
    request.acknowledged = False
    whole.batches -= 1
    compare(model, ledger, whole).assert_clean()
    part = copy.deepcopy(whole)
    ids = {r.key[-1] for r in request.records if r.kind == "observation"}
    part.observations = [o for o in part.observations if o["id"] not in list(ids)[:1]]
    part_days, _ = live({"trace": {(t["id"],): t for t in part.traces}, "observation": {}})
    part.trace_counts = {d: c[0] for d, c in part_days.items()}
    assert compare(model, ledger, part).mangled


def test_scripts_are_the_same_for_the_same_seed():
    first, second, other = (Script(seed, 1, 4) for seed in ("a", "a", "b"))
    bodies = [[next(script).body for _ in range(50)] for script in (first, second, other)]
    assert bodies[0] == bodies[1] != bodies[2]


def test_load_retries_until_acknowledged_and_never_counts_less(tmp_path):
    plan = {1: 503, 3: "cut", 5: "drop", 8: 429, 9: 200}
    with FakeServer(lambda n: plan.get(n, 200)) as server:
        ledger = Ledger(tmp_path / "ledger")
        load = Load([server.address], "x", ledger, "s", threads=2, timeout_s=2, requests_each=10).start()
        report = load.join(60)
        ledger.close()
        model = load.model()
    assert report.acknowledged == len(model.acknowledged()) >= 20
    assert report.given_up == 0 and not report.unexpected and report.missing_retry_after == 0
    assert {r.body for r in model.acknowledged()} <= set(server.bodies)
    assert sum(r.attempts for r in model.requests.values()) == server.count
    assert report.worst_outage_s >= 1.0  # it waited for what Retry-After said
    entries = read_ledger(tmp_path / "ledger")
    assert compare(model, entries, honest(model)).problems() == []


def test_load_gives_up_when_told_and_says_so(tmp_path):
    with FakeServer(lambda n: 503) as server:
        ledger = Ledger(tmp_path / "ledger")
        load = Load([server.address], "x", ledger, "s", threads=2, timeout_s=2).start()
        report = load.stop(0.3)
        ledger.close()
    assert report.acknowledged == 0 and report.given_up == 2
    assert read_ledger(tmp_path / "ledger") == {}


def test_ledger_ignores_a_torn_last_line(tmp_path):
    ledger = Ledger(tmp_path / "ledger")
    ledger.acknowledge("one", [("trace", "t")], b"{}")
    ledger.close()
    with open(tmp_path / "ledger", "ab") as file:
        file.write(b'{"request": "two"')
    assert list(read_ledger(tmp_path / "ledger")) == ["one"]


def test_proxy_passes_everything_both_ways():
    with FakeServer() as server, Proxy(server.address) as proxy:
        client = Client(proxy.address, "x", 5)
        for size in (1, 1000, 300_000):
            assert client.post("/", b"a" * size).status == 200
        assert server.bodies == [b"a" * 1, b"a" * 1000, b"a" * 300_000]
        assert proxy.passed[UP] > 301_000 and proxy.passed[DOWN] > 0
        client.close()


@pytest.mark.parametrize("way", [UP, DOWN])
def test_proxy_cuts_after_so_many_bytes(way):
    with FakeServer() as server, Proxy(server.address) as proxy:
        client = Client(proxy.address, "x", 5)
        proxy.cut_after(20, way)
        assert client.post("/", b"body").status == 0
        assert len(server.bodies) == (1 if way == DOWN else 0)
        proxy.heal()
        assert client.post("/", b"body").status == 200
        client.close()


def test_proxy_loses_replies_that_were_earned():
    with FakeServer() as server, Proxy(server.address) as proxy:
        client = Client(proxy.address, "x", 5)
        proxy.lose_replies()
        assert client.post("/", b"body").status == 0
        assert server.bodies == [b"body"]
        client.close()


def test_proxy_holds_and_delays():
    with FakeServer() as server, Proxy(server.address) as proxy:
        client = Client(proxy.address, "x", 0.5)
        proxy.blackhole()
        assert client.post("/", b"body").error == "TimeoutError"
        assert server.bodies == []
        proxy.heal()
        proxy.delay(0.1)
        began = time.monotonic()
        assert client.post("/", b"body").status == 200
        assert time.monotonic() - began >= 0.2
        client.close()


def test_proxy_refuses_and_cuts():
    with FakeServer() as server, Proxy(server.address) as proxy:
        client = Client(proxy.address, "x", 5)
        assert client.post("/", b"body").status == 200
        proxy.cut()
        assert client.post("/", b"body").status == 0
        proxy.refuse()
        assert client.post("/", b"body").status == 0
        proxy.heal()
        assert client.post("/", b"body").status == 200
        client.close()
