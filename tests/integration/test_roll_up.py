"""The writer's roll-up: daily_totals and daily_usage follow what is stored, whichever way it came."""

import datetime
from decimal import Decimal

import pytest
from faults.wire import OBSERVATION, TRACE, FakeGateway, Row

from support.facets import assert_facets_balance
from support.wait import wait_until

DAY_US = 86400 * 10**6
FIRST_US = 1_770_000_000_000_000 // DAY_US * DAY_US  # a midnight
SETTLED_S = 60  # the newest mark must be 10 s old, and two passes must have gone by


def day(number):
    return datetime.date(1970, 1, 1) + datetime.timedelta(days=FIRST_US // DAY_US + number)


def trace(name, timestamp_us, version=1, **columns):
    return Row(TRACE, version, {"id": name, "timestamp": timestamp_us, **columns})


def observation(trace_id, name, version=1, **columns):
    return Row(OBSERVATION, version, {"trace_id": trace_id, "id": name, **columns})


@pytest.fixture
def writer(make_xtrace):
    """A writer behind a gateway of ours: send(rows) returns when they are committed."""
    system = make_xtrace(start=False)
    system.env["XTRACE_GATEWAYS"] = f"ipc://{system.folder}/run/queue"
    with FakeGateway(system.env["XTRACE_GATEWAYS"]) as gateway:
        system.start("writer-1")
        gateway.wait_for_writers(1)
        system.send = lambda rows: gateway.wait_for_receipts(gateway.send(rows))
        yield system


def rolled_up(system):
    wait_until(lambda: system.database.value("SELECT count(*) FROM dirty_days") == 0, SETTLED_S, "clean days")
    totals = system.database.query("SELECT day, count_traces, count_observations, total_cost FROM daily_totals ORDER BY day")
    usage = system.database.query(
        "SELECT day, model, input_usage, output_usage, total_usage, count_traces, count_observations, total_cost"
        " FROM daily_usage ORDER BY day, model NULLS FIRST")  # fmt: skip
    return totals, usage


def test_days_are_rolled_up_and_follow_changes(writer):
    writer.send([
        trace("a", FIRST_US),
        trace("b", FIRST_US + DAY_US - 1, total_cost="10"),
        trace("c", FIRST_US + DAY_US),
        observation("a", "1", model="m", prompt_tokens=10, completion_tokens=5, input_cost="0.1", output_cost="0.2"),
        observation("a", "2", model="m", prompt_tokens=1, total_tokens=7, total_cost="0.5"),
        observation("a", "3", type="SPAN", model="m", prompt_tokens=100, total_cost="1"),
        observation("b", "4", type="GENERATION", output_cost="0.25"),
        observation("nowhere", "5", model="m", prompt_tokens=1000),
    ])  # fmt: skip
    totals, usage = rolled_up(writer)
    assert totals == [(day(0), 2, 4, Decimal("11.8")), (day(1), 1, 0, Decimal(0))]
    assert usage == [
        (day(0), None, 0, 0, 0, 1, 1, Decimal("0.25")),
        (day(0), "m", 11, 5, 22, 1, 2, Decimal("0.8")),
    ]

    # a moves to the next day with its observations, and b is all that is left of the first.
    writer.send([trace("a", FIRST_US + DAY_US + 1, version=2)])
    totals, usage = rolled_up(writer)
    assert totals == [(day(0), 1, 1, Decimal(10)), (day(1), 2, 3, Decimal("1.8"))]
    assert usage == [
        (day(0), None, 0, 0, 0, 1, 1, Decimal("0.25")),
        (day(1), "m", 11, 5, 22, 1, 2, Decimal("0.8")),
    ]

    # The first day is empty now.
    writer.send([trace("b", FIRST_US + DAY_US, version=2)])
    totals, usage = rolled_up(writer)
    assert totals == [(day(1), 3, 4, Decimal("11.8"))]
    assert [row[:2] for row in usage] == [(day(1), None), (day(1), "m")]
    counts = writer.database.query("SELECT day, sum(traces)::bigint FROM trace_counts GROUP BY day HAVING sum(traces) <> 0")
    assert counts == [(day(1), 3)]
    observations = writer.database.value("SELECT count(*) FROM observations")
    assert writer.database.value("SELECT sum(observations)::bigint FROM observation_counts") == observations
    assert_facets_balance(writer.database)


def test_an_open_transaction_keeps_its_day_from_being_rolled_up(writer):
    """Whoever began before a mark was committed may have marked another day than it changed."""
    import psycopg

    with psycopg.connect(writer.database.url) as open_one:
        open_one.execute("INSERT INTO projects (id, name) VALUES ('other', 'other')")
        writer.send([trace("a", FIRST_US)])
        writer.database.query("UPDATE dirty_days SET marked_at = now() - interval '1 hour'")
        with pytest.raises(AssertionError):
            wait_until(lambda: writer.database.value("SELECT count(*) FROM dirty_days") == 0, 12, "clean days")
        open_one.rollback()
    assert rolled_up(writer)[0] == [(day(0), 1, 0, Decimal(0))]
