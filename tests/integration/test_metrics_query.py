"""Queries of metrics, held against a model of the contract; their names."""

import json
import math
import random
import time
from datetime import UTC, datetime, timedelta

import pytest
from support.points import T0, new_name, point, send

QUERY = "/api/public/metrics/query"
NAMES = "/api/public/metrics/names"
STEPS = {"1m": 60, "5m": 300, "1h": 3600, "1d": 86400}


def ask(system, name, start=T0 - timedelta(days=1), end=T0 + timedelta(days=1), **more):
    labels = more.pop("labels", None)
    params = {"name": name, "from": start.isoformat(), "to": end.isoformat(), **more}
    if labels is not None:
        params["labels"] = json.dumps(labels)
    answer = system.client().get(QUERY, params)
    assert answer.status == 200, answer.text
    return answer.json()


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
        # Over a short range points are read step by step, over a long one as a whole.
        for start in (T0 + timedelta(minutes=7), T0 - timedelta(days=4000)):
            end = T0 + timedelta(hours=2, minutes=40, microseconds=13)
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
    assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert xtrace.client(headers={}).get(path).status == 401
    assert xtrace.client().get("/v1/metrics/batch").headers["Allow"] == "POST, OPTIONS"
    assert xtrace.client(headers={}).post("/v1/metrics/batch", b"{").status == 401


def test_reads_are_rate_limited(make_xtrace):
    system = make_xtrace(env={"RATE_LIMIT_QPS": "1", "RATE_LIMIT_BURST": "3"})
    statuses = [system.client().get(path).status for path in (NAMES, QUERY + "?name=a", NAMES, NAMES, QUERY)]
    assert statuses == [200, 200, 200, 429, 429]
    send(system, [point("a")])
