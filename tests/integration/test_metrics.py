"""Metric points: taken one by one, stored exactly as often as they were sent."""

import gzip
import json
import signal
import threading
from datetime import UTC, datetime, timedelta

import pytest
from support.points import T0, new_name, point, send, stored
from support.wait import wait_until

QUERY = "/api/public/metrics/query"


# Taking them

def test_points_are_stored_as_sent(xtrace):
    name = new_name("größe")
    send(xtrace, [point(name, 1.5, b="2", a="ü\n\"'\\"), point(name, -3, T0 + timedelta(microseconds=1)),
                  {"name": name, "value": 7, "timestamp": "2026-03-01T14:00:00+02:00", "labels": None}])
    assert stored(xtrace, name) == [
        ({"a": "ü\n\"'\\", "b": "2"}, T0, 1.5), ({}, T0, 7.0), ({}, T0 + timedelta(microseconds=1), -3.0)]


def test_a_request_may_hold_more_points_than_a_statement_has_parameters(xtrace):
    """The reference fails at 10,922: six parameters a point, 65,535 a statement."""
    name = new_name()
    send(xtrace, [point(name, n, T0 + timedelta(seconds=n), n=str(n % 3)) for n in range(12_000)])
    assert xtrace.database.query("SELECT count(*), sum(value) FROM xtrace.metrics WHERE name = %s", name) == [
        (12_000, sum(range(12_000)))]


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
        before = len(acked)
        wait_until(lambda: len(acked) >= before + 4, 30, "acknowledgements")
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
