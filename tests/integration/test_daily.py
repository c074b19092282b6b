"""GET /api/public/metrics/daily, against what deploy/demo says that it has sent."""

import json
import os
import subprocess
from decimal import Decimal

import pytest

from support.records import new_id, new_observation, new_trace
from support.xtrace import ROOT, TOKEN

DAYS = ["2026-03-01", "2026-03-02", "2026-03-03"]


def run_demo(system, *words):
    env = {**os.environ, "BASE_URL": system.url, "API_BEARER_TOKEN": TOKEN}
    done = subprocess.run([ROOT / "deploy/demo", "--json", *words], env=env, text=True, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def daily(system, **params):
    answer = system.client().get("/api/public/metrics/daily", params)
    assert answer.status == 200, answer.text
    return json.loads(answer.body, parse_float=Decimal)


def assert_same_day(shown, sent):
    assert shown["date"] == sent["date"]
    assert shown["countTraces"] == sent["countTraces"]
    assert shown["countObservations"] == sent["countObservations"]
    assert shown["totalCost"] == Decimal(sent["totalCost"])
    assert [row["model"] for row in shown["usage"]] == [row["model"] for row in sent["usage"]]
    for row, row_sent in zip(shown["usage"], sent["usage"]):
        for key in ("inputUsage", "outputUsage", "totalUsage", "countTraces", "countObservations"):
            assert row[key] == row_sent[key], (row["model"], key)
        assert row["totalCost"] == Decimal(row_sent["totalCost"]), row["model"]


@pytest.fixture(scope="module")
def three_days(xtrace):
    """The system, and what the demo says of each day."""
    sent = [run_demo(xtrace, "--day", day, "--seed", str(n), "--size", "60", "--largest", "100")
            for n, day in enumerate(DAYS)]
    return xtrace, sent


RANGE = {"fromTimestamp": "2026-03-01T00:00:00Z", "toTimestamp": "2026-03-03T23:59:59.999999Z"}


def test_days_add_up_to_what_was_sent(three_days):
    system, sent = three_days
    body = daily(system, **RANGE)
    assert body["meta"] == {"page": 1, "limit": 50, "totalItems": 3, "totalPages": 1}
    for shown, day in zip(body["data"], reversed(sent)):
        assert_same_day(shown, day)


def test_sending_a_day_again_changes_nothing(three_days):
    system, sent = three_days
    before = system.database.value("SELECT count(*) FROM observations")
    again = run_demo(system, "--day", DAYS[0], "--seed", "0", "--size", "60", "--largest", "100")
    assert again == sent[0]
    assert system.database.value("SELECT count(*) FROM observations") == before
    assert_same_day(daily(system, **RANGE)["data"][-1], sent[0])


def test_days_have_pages(three_days):
    system, _ = three_days
    body = daily(system, limit=2, page=2, **RANGE)
    assert [day["date"] for day in body["data"]] == ["2026-03-01"]
    assert body["meta"] == {"page": 2, "limit": 2, "totalItems": 3, "totalPages": 2}


def test_both_ends_are_inclusive_and_a_part_of_a_day_is_counted_in_part(three_days):
    system, _ = three_days
    cut = system.database.value("SELECT min(timestamp) FROM traces WHERE timestamp >= '2026-03-02T12:00:00Z'")
    text = cut.isoformat()
    (before,) = daily(system, fromTimestamp="2026-03-02T00:00:00Z", toTimestamp=text)["data"]
    (after,) = daily(system, fromTimestamp=text, toTimestamp="2026-03-02T23:59:59.999999Z")["data"]
    (whole,) = daily(system, fromTimestamp="2026-03-02T00:00:00Z", toTimestamp="2026-03-02T23:59:59.999999Z")["data"]
    on_the_cut = system.database.value("SELECT count(*) FROM traces WHERE timestamp = %s", cut)
    assert before["countTraces"] + after["countTraces"] == whole["countTraces"] + on_the_cut


@pytest.mark.parametrize("params, condition", [
    ({"traceName": "chat.turn"}, "name = 'chat.turn'"),
    ({"userId": "user-0007"}, "user_id = 'user-0007'"),
    ({"version": "2.4.1"}, "version = '2.4.1'"),
    ({"release": "web-2.4.0"}, "release = 'web-2.4.0'"),
    ({"tags": "chat"}, "all_tags @> '{chat}'"),
    ({"tags": ["chat", "pro"]}, "all_tags @> '{chat,pro}'"),
], ids=str)  # fmt: skip
def test_filters(three_days, params, condition):
    system, _ = three_days
    shown = {day["date"]: day["countTraces"] for day in daily(system, **params, **RANGE)["data"]}
    counted = system.database.query(
        f"SELECT (timestamp AT TIME ZONE 'UTC')::date::text, count(*) FROM traces WHERE {condition} GROUP BY 1")
    assert shown == dict(counted)


def test_from_after_to_is_an_empty_page(three_days):
    system, _ = three_days
    body = daily(system, fromTimestamp="2026-03-03T00:00:00Z", toTimestamp="2026-03-01T00:00:00Z")
    assert (body["data"], body["meta"]["totalItems"]) == ([], 0)


def test_the_default_is_the_last_thirty_days(make_xtrace):
    client = make_xtrace().client()
    for timestamp in (None, "2020-01-01T00:00:00Z"):
        assert client.batch(new_trace(timestamp=timestamp)).status == 200
    body = client.get("/api/public/metrics/daily").json()
    assert [day["countTraces"] for day in body["data"]] == [1]


def test_only_generations_are_usage_and_a_missing_model_is_unknown(make_xtrace):
    client = make_xtrace().client()
    trace = new_trace(timestamp="2026-03-01T00:00:00Z")
    assert client.batch(trace, [
        new_observation(trace, type="SPAN", model="m", promptTokens=5, calculatedTotalCost=0.5),
        new_observation(trace, type="GENERATION", promptTokens=1, completionTokens=2),
        new_observation(trace, promptTokens=10),
    ]).status == 200
    (day,) = client.get("/api/public/metrics/daily", RANGE).json()["data"]
    assert (day["countObservations"], day["totalCost"]) == (3, 0.5)
    assert day["usage"] == [{"model": "unknown", "inputUsage": 11, "outputUsage": 2, "totalUsage": 13,
                             "countTraces": 1, "countObservations": 2, "totalCost": 0}]


def test_a_usage_object_counts_when_token_fields_are_absent(make_xtrace):
    client = make_xtrace().client()
    trace = new_trace(timestamp="2026-03-01T00:00:00Z")
    assert client.batch(trace, [
        new_observation(trace, model="m", usage={"input": 11, "output": 22, "total": 33, "unit": "TOKENS"}),
        new_observation(trace, model="m", usage={"prompt_tokens": 1, "completion_tokens": 2}),
    ]).status == 200
    (day,) = client.get("/api/public/metrics/daily", RANGE).json()["data"]
    (usage,) = day["usage"]
    assert (usage["model"], usage["inputUsage"], usage["outputUsage"], usage["totalUsage"]) == ("m", 12, 24, 36)


def test_kinds_of_tokens_and_computed_costs_are_in_a_day(make_xtrace):
    """As Langfuse's clients send them; the day is the trace's also for a step after midnight."""
    system = make_xtrace()
    usage = {"input": 1000, "input_cached_tokens": 500, "output": 100, "output_reasoning_tokens": 50}
    event = {"timestamp": "2026-03-02T00:00:01.000Z"}
    batch = [{"id": new_id(), "type": "trace-create", **event,
              "body": {"id": "night", "timestamp": "2026-03-01T23:59:59.000Z", "environment": "staging"}},
             {"id": new_id(), "type": "generation-create", **event,
              "body": {"id": "step", "traceId": "night", "startTime": "2026-03-02T00:00:01.000Z", "model": "gpt-4o",
                       "usageDetails": usage}}]  # fmt: skip
    assert system.client().post("/api/public/ingestion", {"batch": batch}).json()["errors"] == []
    cost = Decimal("0.004625")  # 1000 x 2.5e-6 + 500 x 1.25e-6 + 150 x 1e-5
    for params in ({}, {"environment": "staging"}, {"environment": ["production", "staging"]}):
        assert daily(system, **params, **RANGE)["data"] == [
            {"date": "2026-03-01", "countTraces": 1, "countObservations": 1, "totalCost": cost,
             "usage": [{"model": "gpt-4o", "inputUsage": 1500, "outputUsage": 150, "totalUsage": 1650, "countTraces": 1,
                        "countObservations": 1, "totalCost": cost}]}]  # fmt: skip
    assert daily(system, environment="production", **RANGE)["data"] == []


def test_a_trace_that_moves_to_another_day_leaves_the_first(make_xtrace):
    client = make_xtrace().client()
    made = new_id()
    for day in ("2026-03-01", "2026-03-02"):
        assert client.batch({"id": made, "timestamp": f"{day}T10:00:00Z"}).status == 200
        shown = client.get("/api/public/metrics/daily", RANGE).json()["data"]
        assert [(d["date"], d["countTraces"]) for d in shown] == [(day, 1)]


def test_daily_stays_exact_while_writes_and_roll_ups_go_on(make_xtrace):
    """Every answer right after an acknowledgement shows that write."""
    system = make_xtrace()
    for count in range(1, 40):
        assert system.client().batch(new_trace(timestamp="2026-03-02T10:00:00Z", totalCost=0.5)).status == 200
        (day,) = daily(system, **RANGE)["data"]
        assert (day["countTraces"], day["totalCost"]) == (count, Decimal(count) / 2)
