"""Metric points: taken one by one, stored exactly as often as they were sent, aggregated as the contract says."""

import gzip
import itertools
import json
import math
import random
import signal
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from support.wait import wait_until

QUERY = "/api/public/metrics/query"
NAMES = "/api/public/metrics/names"
STEPS = {"1m": 60, "5m": 300, "1h": 3600, "1d": 86400}
T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
numbers = itertools.count(1)


def new_name(word="m"):
    return f"{word}-{next(numbers)}"


def point(name, value=1.0, at=T0, **labels):
    return {"name": name, "labels": labels, "value": value, "timestamp": at.isoformat()}


def send(system, points, **headers):
    answer = system.client().post("/v1/metrics/batch", {"metrics": points}, {k.replace("_", "-"): v for k, v in headers.items()})
    assert answer.status == 200, answer.text
    assert answer.json() == {"message": "Request Successful."}


def ask(system, name, start=T0 - timedelta(days=1), end=T0 + timedelta(days=1), **more):
    labels = more.pop("labels", None)
    params = {"name": name, "from": start.isoformat(), "to": end.isoformat(), **more}
    if labels is not None:
        params["labels"] = json.dumps(labels)
    answer = system.client().get(QUERY, params)
    assert answer.status == 200, answer.text
    return answer.json()


def stored(system, name):
    return system.database.query(
        "SELECT labels, timestamp, value FROM xtrace.metrics WHERE name = %s ORDER BY labels::text, timestamp, value", name)


# A model of the query

def interpolate(values, share):
    values = sorted(values)
    at = share * (len(values) - 1)
    low, high = values[math.floor(at)], values[math.ceil(at)]
    return low + (at - math.floor(at)) * (high - low)


AGGREGATES = {
    "avg": lambda points: sum(v for _, v in points) / len(points),
    "max": lambda points: max(v for _, v in points),
    "min": lambda points: min(v for _, v in points),
    "sum": lambda points: sum(v for _, v in points),
    "last": lambda points: max(points)[1],
    "p50": lambda points: interpolate([v for _, v in points], 0.5),
    "p90": lambda points: interpolate([v for _, v in points], 0.9),
    "p99": lambda points: interpolate([v for _, v in points], 0.99),
}


def expect(points, start, end, step="1m", agg="avg", labels=None, group_by=None):
    """points: (labels, time, value)."""
    seconds = STEPS[step]
    groups, newest = {}, {}
    for own, at, value in points:
        if not start <= at <= end or not (labels or {}).items() <= own.items():
            continue
        shown = own if group_by is None else {group_by: own.get(group_by)}
        key = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        bucket = math.floor(at.timestamp() / seconds) * seconds
        groups.setdefault(key, {}).setdefault(bucket, []).append((at, value))
        newest[key] = max(newest.get(key, at), at)
    picked = sorted(sorted(groups, key=lambda key: newest[key], reverse=True)[:50])
    data = [{"labels": json.loads(key),
             "values": [{"timestamp": stamp(bucket), "value": AGGREGATES[agg](groups[key][bucket])}
                        for bucket in sorted(groups[key])[-1000:]]} for key in picked]
    meta = {"series_count": len(picked),
            "truncated": len(groups) > 50 or any(len(groups[key]) > 1000 for key in picked)}
    if groups:
        meta["latest_ts"] = stamp(max(max(buckets) for buckets in groups.values()))
    return {"data": data, "meta": meta}


def stamp(epoch):
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=epoch)).isoformat()


def assert_same(got, wanted):
    assert got["meta"] == wanted["meta"]
    assert [series["labels"] for series in got["data"]] == [series["labels"] for series in wanted["data"]]
    for ours, theirs in zip(got["data"], wanted["data"], strict=True):
        assert [v["timestamp"] for v in ours["values"]] == [v["timestamp"] for v in theirs["values"]]
        assert [v["value"] for v in ours["values"]] == pytest.approx([v["value"] for v in theirs["values"]], rel=1e-9, abs=1e-12)


# Taking them

def test_points_are_stored_as_sent(xtrace):
    name = new_name("größe")
    send(xtrace, [point(name, 1.5, b="2", a="ü\n\"'\\"), point(name, -3, T0 + timedelta(microseconds=1)),
                  {"name": name, "value": 7, "timestamp": "2026-03-01T14:00:00+02:00", "labels": None}])
    assert stored(xtrace, name) == [
        ({"a": "ü\n\"'\\", "b": "2"}, T0, 1.5), ({}, T0, 7.0), ({}, T0 + timedelta(microseconds=1), -3.0)]


def test_labels_in_any_order_are_one_series(xtrace):
    name = new_name()
    send(xtrace, [point(name, 1, a="1", b="2"), point(name, 2, b="2", a="1")])
    body = b'{"metrics":[{"name":"%s","value":3,"timestamp":"2026-03-01T12:00:00Z","labels":{"a":"0","b":"2","a":"1"}}]}'
    assert xtrace.client().post("/v1/metrics/batch", body % name.encode()).status == 200
    assert xtrace.database.value("SELECT count(*) FROM metric_series WHERE name = %s", name) == 1
    assert [value for _, _, value in stored(xtrace, name)] == [1, 2, 3]


def test_what_postgresql_cannot_hold_is_replaced(xtrace):
    name = new_name()
    body = ('{"metrics":[{"name":"' + name + r'\u0000","value":1,"timestamp":"2026-03-01T12:00:00Z",'
            r'"labels":{"\ud800":"\u0000"}}]}').encode()
    assert xtrace.client().post("/v1/metrics/batch", body).status == 200
    assert stored(xtrace, name + "\ufffd") == [({"\ufffd": "\ufffd"}, T0, 1.0)]


BAD = [
    ({"name": ""}, "name: empty"),
    ({"name": "x" * 801}, "name: longer than 800 bytes"),
    ({"name": None}, "name: missing"),
    ({"name": 5}, "name: not a string"),
    ({"value": "1"}, "value: not a number"),
    ({"value": None}, "value: missing"),
    ({"value": True}, "value: not a number"),
    ({"timestamp": "2026-03-01"}, "timestamp: not an RFC 3339 time with an offset"),
    ({"timestamp": 1700000000}, "timestamp: not an RFC 3339 time with an offset"),
    ({"timestamp": None}, "timestamp: missing"),
    ({"labels": []}, "labels: not an object"),
    ({"labels": "a"}, "labels: not an object"),
    ({"labels": {"a": "1", "b": 2}}, "labels.b: not a string"),
    ({"labels": {"a": None}}, "labels.a: not a string"),
    ({"labels": {"a": {"b": "c"}}}, "labels.a: not a string"),
    ({"labels": {"a": "x" * 2001}}, "labels.a: longer than 2000 bytes"),
    ({"labels": {"x" * 801: "a"}}, "labels: a key is longer than 800 bytes"),
    ({"labels": {f"k{n}": "v" for n in range(65)}}, "labels: more than 64 labels"),
    ({"labels": {f"k{n}": "v" * 2000 for n in range(10)}}, "labels: longer than 16384 bytes in all"),
]


@pytest.mark.parametrize("change, message", BAD, ids=[message for _, message in BAD])
def test_a_bad_point_is_named_and_its_neighbours_are_stored(xtrace, change, message):
    name = new_name()
    points = [point(name, 1), {**point(name, 2), **change}, point(name, 3)]
    answer = xtrace.client().post("/v1/metrics/batch", {"metrics": points})
    assert answer.status == 400
    error = answer.json()
    assert error["code"] == "BAD_REQUEST"
    assert error["message"] == f"1 of 3 records were refused: metrics[1].{message}"
    path, _, reason = message.partition(": ")
    assert error["errors"] == [{"path": f"metrics[1].{path}", "message": reason}]
    assert error["stored"] == {"metrics": 2}
    assert [value for _, _, value in stored(xtrace, name)] == [1, 3]


def test_numbers_keep_to_the_doubles(xtrace):
    name = new_name()
    body = '{"metrics":[%s]}' % ",".join(
        f'{{"name":"{name}","value":{number},"timestamp":"2026-03-01T12:00:00Z"}}'
        for number in ("1e308", "-1e308", "1e309", "5e-324", "12345678901234567890", "-0.0"))
    answer = xtrace.client().post("/v1/metrics/batch", body.encode())
    assert answer.json()["errors"] == [{"path": "metrics[2].value", "message": "beyond the range of a double"}]
    assert sorted(value for _, _, value in stored(xtrace, name)) == [-1e308, 0, 5e-324, 12345678901234567890.0, 1e308]


@pytest.mark.parametrize("body, message", [
    (b"{}", "metrics: missing"), (b'{"metrics":null}', "metrics: missing"), (b'{"metrics":{}}', "metrics: not an array"),
    (b"[]", "the body is not an object"), (b'{"metrics":[', "invalid JSON at byte 12"),
    (b'{"metrics":[{"name":"n","value":NaN}]}', "invalid JSON at byte 32"),
])  # fmt: skip
def test_a_bad_body_is_refused_whole(xtrace, body, message):
    answer = xtrace.client().post("/v1/metrics/batch", body)
    assert (answer.status, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert answer.json()["message"].startswith(message)


def test_nothing_is_acknowledged_and_gzip_is_taken(xtrace):
    name = new_name()
    send(xtrace, [])
    packed = gzip.compress(json.dumps({"metrics": [point(name)], "more": 1}).encode())
    assert xtrace.client().post("/v1/metrics/batch", packed, {"Content-Encoding": "gzip"}).status == 200
    assert len(stored(xtrace, name)) == 1
    assert xtrace.client().post("/v1/metrics/batch", b"x", {"Content-Encoding": "gzip"}).status == 400
    assert xtrace.client().post("/v1/metrics/batch", b"{}", {"Content-Type": "text/plain"}).status == 415


def test_times_from_all_over_the_calendar_are_stored(xtrace):
    name = new_name()
    times = ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "1999-12-31T23:59:59.999999Z", "2000-01-01T00:00:00Z",
             "2012-02-29T00:00:00Z", "2012-03-01T00:00:00Z", "2099-12-31T23:59:59.999999Z", "2100-01-01T00:00:00Z",
             "9999-12-31T23:59:59.999999Z"] + [f"2{n:03d}-07-0{d}T00:00:00Z" for n in range(0, 100, 7) for d in (1, 9)]
    send(xtrace, [{"name": name, "value": n, "timestamp": text} for n, text in enumerate(times)])
    assert xtrace.database.value("SELECT count(*) FROM xtrace.metrics WHERE name = %s", name) == len(times)
    # Years, not days: they are far from today.
    assert xtrace.database.value("SELECT count(*) FROM metric_partitions WHERE begins < '2020-01-01'") <= 4
    answer = xtrace.client().get(QUERY, {"name": name, "from": times[0], "to": times[8], "step": "1d", "agg": "last"}).json()
    assert answer["meta"]["latest_ts"] == "9999-12-31T00:00:00+00:00"
    values = answer["data"][0]["values"]
    assert values[0] == {"timestamp": "0001-01-01T00:00:00+00:00", "value": 0}
    assert {"timestamp": "1969-12-31T00:00:00+00:00", "value": 1} in values
    assert len(values) == len(times)


def test_partitions_are_made_ahead(xtrace):
    wanted = {(datetime.now(UTC) + timedelta(days=days)).date() for days in (0, 1, 2)}
    sql = "SELECT begins FROM metric_partitions WHERE ends = begins + 1"
    wait_until(lambda: wanted <= {day for day, in xtrace.database.query(sql)}, 20, "partitions of the next days")


# Exactly once

def test_sending_twice_stores_twice_unless_there_is_a_key(xtrace):
    name = new_name()
    for _ in range(2):
        send(xtrace, [point(name), point(name)])
    assert len(stored(xtrace, name)) == 4
    for key in ("one", "one", "two", "one"):
        send(xtrace, [point(name)], Idempotency_Key=f"{name} {key}".replace(" ", "/"))
    assert len(stored(xtrace, name)) == 6


@pytest.mark.parametrize("key", ["", "with blank", "é", "x" * 256, "tab\tin"], ids=["empty", "blank", "latin", "long", "tab"])
def test_a_bad_key_is_refused(xtrace, key):
    name = new_name()
    answer = xtrace.client().post("/v1/metrics/batch", {"metrics": [point(name)]}, {"Idempotency-Key": key})
    assert (answer.status, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert answer.json()["message"] == "Idempotency-Key must be 1 to 255 visible ASCII characters"
    assert stored(xtrace, name) == []


def test_a_repeated_request_is_answered_as_the_first_was(xtrace):
    name = new_name()
    body = {"metrics": [point(name, 1), {"name": name}, point(name, 2)]}
    answers = [xtrace.client().post("/v1/metrics/batch", body, {"Idempotency-Key": name}) for _ in range(3)]
    assert [answer.status for answer in answers] == [400] * 3
    assert len({answer.body for answer in answers}) == 1
    assert len(stored(xtrace, name)) == 2


def in_threads(count, work):
    problems = []

    def guarded(number):
        try:
            work(number)
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not problems, problems


def test_one_key_many_times_at_once_is_one_batch(make_xtrace):
    system = make_xtrace(writers=2)
    name = new_name()
    in_threads(16, lambda n: [send(system, [point(name, n)] * 5, Idempotency_Key=f"{name}-{k}") for k in range(6)])
    assert len(stored(system, name)) == 6 * 5


def test_two_writers_make_the_same_series_at_once(make_xtrace):
    system = make_xtrace(writers=2)
    name = new_name()

    def work(number):
        for batch in range(10):
            send(system, [point(name, number, shared=str(batch * 50 + n)) for n in range(50)])

    in_threads(8, work)
    assert system.database.value("SELECT count(*) FROM metric_series WHERE name = %s", name) == 500
    rows = system.database.query("SELECT labels, count(*), sum(value) FROM xtrace.metrics WHERE name = %s GROUP BY 1", name)
    assert {(count, total) for _, count, total in rows} == {(8, sum(range(8)))}
    assert system.database.value("SELECT count(*) FROM dead_letters") == 0


def test_a_batch_that_is_delivered_again_adds_nothing(make_xtrace):
    """The writer stands still for longer than the ack timeout, so that each batch comes several times."""
    system = make_xtrace(env={"XTRACE_ACK_TIMEOUT_MS": "100"})
    name = new_name()
    for _ in range(3):
        system.signal("writer-1", signal.SIGSTOP)
        timer = threading.Timer(0.7, system.signal, ("writer-1", signal.SIGCONT))
        timer.start()
        send(system, [point(name), point(name)])
        timer.join()
    assert len(stored(system, name)) == 6


def test_killed_writers_lose_and_double_nothing(make_xtrace):
    system = make_xtrace(writers=2)
    name = new_name()
    halt = threading.Event()
    acked = []

    def work(number):
        while not halt.is_set():
            send(system, [point(name, 1, worker=str(number), n=str(n)) for n in range(20)])
            acked.append(20)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for round_number in range(6):
        time.sleep(0.3)
        writer = f"writer-{1 + round_number % 2}"
        system.kill(writer)
        system.start(writer)
    halt.set()
    for thread in threads:
        thread.join(60)
    assert sum(acked) == system.database.value("SELECT count(*) FROM xtrace.metrics WHERE name = %s", name) > 0


# What the writer remembers

@pytest.mark.parametrize("how", ["DELETE FROM metric_series", "TRUNCATE metric_series",
                                 "UPDATE metric_series SET name = name || '-old'"])  # fmt: skip
def test_series_that_are_taken_away_are_made_anew(make_xtrace, how):
    system = make_xtrace()
    name, other = new_name(), new_name()
    for _ in range(3):
        send(system, [point(name)])
    before = system.database.value("SELECT max(id) FROM metric_series")
    system.database.query(how)
    send(system, [point(other)])
    for _ in range(3):
        send(system, [point(name, 2), point(other)])
    assert [value for _, _, value in stored(system, name)] == [2, 2, 2]
    assert len(stored(system, other)) == 4
    assert system.database.value("SELECT count(*) FROM metric_series WHERE name IN (%s, %s)", name, other) == 2
    assert before is not None and system.database.value("SELECT count(*) FROM dead_letters") == 0


def test_taking_series_away_waits_for_groups_and_loses_none(make_xtrace):
    """Series without points are deleted again and again while points come in."""
    system = make_xtrace(writers=2)
    name = new_name()
    halt = threading.Event()

    def sweep():
        while not halt.is_set():
            system.database.query("BEGIN; SELECT xtrace_lock_metric_series(); DELETE FROM metric_series s WHERE NOT EXISTS"
                                  " (SELECT FROM metric_points p WHERE p.series_id = s.id); COMMIT")

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    in_threads(4, lambda n: [send(system, [point(name, 1, n=str(n), k=str(k))]) for k in range(40)])
    halt.set()
    sweeper.join()
    assert system.database.value("SELECT count(*) FROM xtrace.metrics WHERE name = %s", name) == 160
    assert system.database.value("SELECT count(*) FROM dead_letters") == 0


def test_a_dropped_partition_is_made_anew(make_xtrace):
    system = make_xtrace()
    name = new_name()
    now = datetime.now(UTC)
    for _ in range(2):
        send(system, [point(name, at=now)])
    partition = system.database.value("SELECT partition::text FROM metric_partitions WHERE begins = %s", now.date())
    system.database.query(f"DROP TABLE {partition}")
    send(system, [point(name, at=now), point(name, 2)])
    assert [value for _, _, value in stored(system, name)] == [2, 1]
    assert system.database.value("SELECT count(*) FROM dead_letters") == 0


def test_more_series_than_are_remembered(make_xtrace):
    system = make_xtrace()
    name = new_name()
    for start in range(0, 20000, 5000):
        send(system, [point(name, 1, n=str(n)) for n in range(start, start + 5000)])
    send(system, [point(name, 1, n=str(n)) for n in range(0, 20000, 7)])
    assert system.database.value("SELECT count(*) FROM metric_series WHERE name = %s", name) == 20000
    assert system.database.value("SELECT count(*) FROM xtrace.metrics WHERE name = %s", name) == 20000 + len(range(0, 20000, 7))


POISON = """
CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF {condition} THEN RAISE EXCEPTION 'poison'; END IF; RETURN NEW; END $$;
CREATE TRIGGER poison BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION poison();
"""


@pytest.mark.parametrize("table, condition", [("metric_points", "NEW.value = 666"),
                                              ("metric_series", "NEW.labels ? 'poison'")])  # fmt: skip
def test_points_that_postgresql_refuses_harm_no_others(make_xtrace, table, condition):
    system = make_xtrace()
    name = new_name()
    system.database.query(POISON.format(table=table, condition=condition))
    body = {"metrics": [point(name, 1), point(name, 666, poison="yes"), point(name, 3, fresh="1")]}
    for _ in range(2):
        answer = system.client().post("/v1/metrics/batch", body, {"Idempotency-Key": "k"})
        assert answer.status == 400
        assert [error["path"] for error in answer.json()["errors"]] == ["metrics[1]"]
        assert answer.json()["stored"] == {"metrics": 2}
    assert sorted(value for _, _, value in stored(system, name)) == [1, 3]
    assert system.database.query("SELECT kind, record_id FROM dead_letters") == [("metric", name)]


# The query

def random_points(count, seed):
    chance = random.Random(seed)
    series = [{}, {"host": "a"}, {"host": "b", "zone": "x"}, {"zone": "x"}, {"host": "é", "zone": "y"},
              {"zone": "x", "host": "a", "a": "1"}, {"host": ""}]  # fmt: skip
    return [(chance.choice(series), T0 + timedelta(microseconds=chance.randrange(3 * 3600 * 10**6)),
             chance.choice([chance.uniform(-5, 5), chance.gauss(0, 1e6), float(chance.randrange(10))])) for _ in range(count)]


@pytest.fixture(scope="module")
def sample(xtrace):
    name, points = new_name("sample"), random_points(3000, 5)
    for start in range(0, len(points), 500):
        send(xtrace, [point(name, value, at, **labels) for labels, at, value in points[start:start + 500]])
    return name, points


@pytest.mark.parametrize("agg", AGGREGATES)
@pytest.mark.parametrize("step", STEPS)
def test_aggregates(xtrace, sample, step, agg):
    name, points = sample
    for more in ({}, {"group_by": "host"}, {"labels": {"zone": "x"}}, {"labels": {"host": "a"}, "group_by": "zone"},
                 {"group_by": "nothing"}, {"labels": {"host": "none"}}):  # fmt: skip
        start, end = T0 + timedelta(minutes=7), T0 + timedelta(hours=2, minutes=40, microseconds=13)
        wanted = expect(points, start, end, step, agg, **more)
        assert_same(ask(xtrace, name, start, end, step=step, agg=agg.upper(), **more), wanted)


def test_defaults(xtrace):
    name = new_name()
    now = datetime.now(UTC)
    points = [({}, now - timedelta(minutes=minutes), float(minutes)) for minutes in (1, 1, 2, 30, 59, 61, 90)]
    points.append(({}, now + timedelta(minutes=5), 9.0))
    send(xtrace, [point(name, value, at) for _, at, value in points])
    answer = xtrace.client().get(QUERY, {"name": name, "labels": " ", "group_by": ""})
    assert_same(answer.json(), expect(points, now - timedelta(hours=1), now + timedelta(seconds=60)))
    to = now - timedelta(minutes=45)
    answer = xtrace.client().get(QUERY, {"name": name, "to": to.isoformat()})
    assert_same(answer.json(), expect(points, to - timedelta(hours=1), to))


def test_both_ends_are_inclusive(xtrace):
    name = new_name()
    moment = timedelta(microseconds=1)
    send(xtrace, [point(name, n, T0 + n * moment) for n in range(5)])
    assert ask(xtrace, name, T0 + moment, T0 + 3 * moment, agg="sum")["data"][0]["values"][0]["value"] == 6
    assert ask(xtrace, name, T0 + moment, T0 + moment, agg="sum")["data"][0]["values"][0]["value"] == 1


def test_the_last_of_one_moment_is_the_greater(xtrace):
    name = new_name()
    send(xtrace, [point(name, value, T0) for value in (3, 5, 4)] + [point(name, 9, T0 - timedelta(microseconds=1))])
    assert ask(xtrace, name, agg="last", step="1d")["data"][0]["values"][-1]["value"] == 5


@pytest.mark.parametrize("values", [[1e308] * 20, [-1e308] * 20, [1e308, -1e308], [1.7e308], [5e-324, 5e-324], [1e200, 1.0]],
                         ids=str)  # fmt: skip
def test_results_are_always_numbers(xtrace, values):
    name = new_name()
    send(xtrace, [point(name, value) for value in values])
    results = {agg: ask(xtrace, name, agg=agg)["data"][0]["values"][0]["value"] for agg in AGGREGATES}
    greatest = 1.7976931348623157e308
    assert results["sum"] == pytest.approx(max(-greatest, min(greatest, sum(values))), rel=1e-12)
    assert results["avg"] == pytest.approx(sum(value / len(values) for value in values), rel=1e-12)
    assert all(math.isfinite(result) for result in results.values())


def test_no_data_is_an_empty_list(xtrace):
    for name in (new_name(), ""):
        assert ask(xtrace, name) == {"data": [], "meta": {"series_count": 0, "truncated": False}}


@pytest.mark.parametrize("params, message", [
    ({}, "name: missing"), ({"name": "a", "step": "2m"}, "step: must be one of 1m, 5m, 1h, 1d"),
    ({"name": "a", "step": ""}, "step: must be"), ({"name": "a", "agg": "p95"}, "agg: must be one of avg, max, min, sum, last"),
    ({"name": "a", "labels": "{"}, "labels: invalid JSON at byte 1"), ({"name": "a", "labels": "[1]"}, "labels: not a JSON object"),
    ({"name": "a", "labels": '{"a":"b"} x'}, "labels: invalid JSON"), ({"name": "a", "from": "yesterday"}, "from: not an RFC 3339"),
    ({"name": "a", "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "from: later than to"),
    ({"name": ["a", "b"]}, "name: given twice"), ({"name": "a", "to": ""}, "to: not an RFC 3339"),
])  # fmt: skip
def test_bad_parameters_are_named(xtrace, params, message):
    answer = xtrace.client().get(QUERY, params)
    assert (answer.status, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert answer.json()["message"].startswith(message)


def test_the_newest_thousand_points_and_the_most_recent_fifty_series(xtrace):
    name = new_name()
    points = [({"n": str(n)}, T0 + timedelta(hours=n % 7, seconds=n), float(n)) for n in range(60)]
    points += [({"n": "long"}, T0 + timedelta(minutes=minute), float(minute)) for minute in range(1005)]
    send(xtrace, [point(name, value, at, **labels) for labels, at, value in points])
    start, end = T0, T0 + timedelta(days=2)
    wanted = expect(points, start, end)
    assert wanted["meta"] == {"series_count": 50, "truncated": True, "latest_ts": stamp(T0.timestamp() + 1004 * 60)}
    got = ask(xtrace, name, start, end)
    assert_same(got, wanted)
    long = next(series for series in got["data"] if series["labels"] == {"n": "long"})
    assert [value["value"] for value in long["values"]] == list(range(5, 1005))
    only = ask(xtrace, name, start, end, labels={"n": "long"})
    assert only["meta"]["truncated"] is True and only["meta"]["series_count"] == 1
    exact = ask(xtrace, name, T0 + timedelta(minutes=5), end, labels={"n": "long"})
    assert exact["meta"]["truncated"] is False and len(exact["data"][0]["values"]) == 1000


def test_fifty_series_of_a_thousand_points_are_one_answer(xtrace):
    name = new_name()
    xtrace.database.query("SELECT xtrace_make_metric_days(ARRAY['2026-03-01', '2026-03-02']::date[])")
    xtrace.database.query(
        "WITH s AS (INSERT INTO metric_series (project_id, name, labels, labels_hash) SELECT 'default', %s,"
        " jsonb_build_object('n', n), sha256(n::text::bytea) FROM generate_series(1, 51) n RETURNING id)"
        " INSERT INTO metric_points SELECT id, %s + m * interval '1 minute', m FROM s, generate_series(0, 1000) m", name, T0)
    answer = ask(xtrace, name, T0, T0 + timedelta(days=1))
    assert answer["meta"] == {"series_count": 50, "truncated": True, "latest_ts": stamp(T0.timestamp() + 60000)}
    assert {len(series["values"]) for series in answer["data"]} == {1000}


def test_a_name_with_very_many_series(xtrace):
    """More than are looked up one by one."""
    name = new_name()
    xtrace.database.query("SELECT xtrace_make_metric_days(ARRAY['2026-03-01']::date[])")
    xtrace.database.query(
        "WITH s AS (INSERT INTO metric_series (project_id, name, labels, labels_hash) SELECT 'default', %s,"
        " jsonb_build_object('trace_id', n::text, 'kind', (n %% 3)::text), sha256(n::text::bytea)"
        " FROM generate_series(0, 21999) n RETURNING id, (labels ->> 'trace_id')::int AS n)"
        " INSERT INTO metric_points SELECT id, %s + n * interval '1 second', n FROM s", name, T0)
    points = [({"trace_id": str(n), "kind": str(n % 3)}, T0 + timedelta(seconds=n), float(n)) for n in range(22000)]
    start, end = T0 + timedelta(seconds=100), T0 + timedelta(hours=5)
    for more in ({"group_by": "kind", "agg": "p90"}, {"group_by": "kind", "agg": "sum", "step": "1h"}, {"agg": "last"},
                 {"labels": {"kind": "1"}, "agg": "max"}, {"labels": {"trace_id": "777"}}):  # fmt: skip
        assert_same(ask(xtrace, name, start, end, **more), expect(points, start, end, **more))


def test_p99_over_a_million_points(xtrace):
    name = new_name()
    xtrace.database.query("SELECT xtrace_make_metric_days(ARRAY(SELECT date '2026-03-01' + d FROM generate_series(0, 7) d))")
    xtrace.database.query(
        "WITH s AS (INSERT INTO metric_series (project_id, name, labels_hash) VALUES ('default', %s, sha256('{}')) RETURNING id)"
        " INSERT INTO metric_points SELECT id, %s + n * interval '0.6 s', n FROM s, generate_series(0, 999999) n", name, T0)
    xtrace.database.query("VACUUM ANALYZE metric_points")
    end = T0 + timedelta(days=7)
    for step in ("1d", "1m"):
        began = time.monotonic()
        answer = ask(xtrace, name, T0, end, agg="p99", step=step)
        print(f"p99 over 1,000,000 points of one metric, step {step}: {time.monotonic() - began:.3f} s")
        assert answer["meta"]["series_count"] == 1
    began = time.monotonic()
    assert name in xtrace.client().get(NAMES).json()["data"]
    print(f"names: {time.monotonic() - began:.3f} s")


# The names, and what all routes have in common

def test_names_are_distinct_and_ascending(make_xtrace):
    system = make_xtrace()
    assert system.client().get(NAMES).json() == {"data": []}
    names = ["b", "a", "B", "é", "a.b", "日本", "a\"b"]
    send(system, [point(name, n, n=str(n)) for name in names for n in range(3)])
    assert system.client().get(NAMES).json() == {"data": sorted(names, key=str.encode)}


@pytest.mark.parametrize("path", [QUERY + "?name=x", NAMES])
def test_reads_answer_head_and_refuse_other_methods(xtrace, path):
    full, head = xtrace.client().get(path), xtrace.client().request("HEAD", path)
    assert (full.status, head.status, head.body) == (200, 200, b"")
    assert head.headers["Content-Length"] == str(len(full.body))
    refused = xtrace.client().post(path, {})
    assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert xtrace.client(headers={}).get(path).status == 401
    assert xtrace.client().get("/v1/metrics/batch").headers["Allow"] == "POST"
    assert xtrace.client(headers={}).post("/v1/metrics/batch", b"{").status == 401


def test_reads_are_rate_limited(make_xtrace):
    system = make_xtrace(env={"RATE_LIMIT_QPS": "1", "RATE_LIMIT_BURST": "3"})
    statuses = [system.client().get(path).status for path in (NAMES, QUERY + "?name=a", NAMES, NAMES, QUERY)]
    assert statuses == [200, 200, 200, 429, 429]
    send(system, [point("a")])
