"""What a writer's receipts promise, seen from a gateway's side of the queue."""

import signal

import pytest
from faults.wire import DUPLICATE, OBSERVATION, STORED, TRACE, FakeGateway, Row
from support.wait import wait_until

NOW_US = 1_770_000_000_000_000


def rows(name, count=3):
    return [Row(TRACE, NOW_US, {"id": name})] + [
        Row(OBSERVATION, NOW_US, {"trace_id": name, "id": f"{name}-{i}", "name": f"step {i}"}) for i in range(count)]


@pytest.fixture
def writer(make_xtrace):
    system = make_xtrace(start=False, env={"XTRACE_STATEMENT_TIMEOUT_MS": "5000"})
    system.env["XTRACE_GATEWAYS"] = f"ipc://{system.folder}/run/queue"
    with FakeGateway(system.env["XTRACE_GATEWAYS"]) as gateway:
        system.gateway = gateway
        system.start("writer-1")
        gateway.wait_for_writers(1)
        yield system


def test_a_lost_receipt_comes_again_with_its_refusals(writer):
    writer.database.query("ALTER TABLE observations ADD CONSTRAINT no_two CHECK (name <> 'step 2')")
    batch = writer.gateway.send(rows("a"))
    (first,) = writer.gateway.wait_for_receipts(batch)
    assert first.outcome == STORED
    assert [row for row, _ in first.refused] == [3]
    assert "no_two" in first.refused[0][1] and "23514" in first.refused[0][1]
    writer.gateway.send(rows("a"), batch_id=batch)
    _, second = writer.gateway.wait_for_receipts(batch, 2)
    assert (second.outcome, second.refused) == (DUPLICATE, first.refused)
    assert writer.database.value("SELECT count(*) FROM observations") == 2
    assert writer.database.value("SELECT count(*) FROM dead_letters") == 1


def wait_for_blocked_writer(writer):
    wait_until(lambda: writer.database.value("SELECT count(*) FROM pg_locks WHERE NOT granted"), 10, "the writer waiting for the lock")


def test_deliveries_while_the_batch_is_in_hand_all_hear_of_it(writer):
    import psycopg

    with psycopg.connect(writer.database.url) as locker:
        locker.execute("LOCK TABLE traces IN ACCESS EXCLUSIVE MODE")
        batch = writer.gateway.send(rows("a"))
        wait_for_blocked_writer(writer)
        for _ in range(3):
            writer.gateway.send(rows("a"), batch_id=batch)
        locker.rollback()
    receipts = writer.gateway.wait_for_receipts(batch, 4)
    assert {receipt.outcome for receipt in receipts} <= {STORED, DUPLICATE}
    assert writer.database.value("SELECT count(*) FROM ingest_batches") == 1
    assert writer.database.value("SELECT sum(traces)::bigint FROM trace_counts") == 1


def test_on_sigterm_the_group_in_hand_is_finished_and_told(writer):
    import psycopg

    with psycopg.connect(writer.database.url) as locker:
        locker.execute("LOCK TABLE traces IN ACCESS EXCLUSIVE MODE")
        batch = writer.gateway.send(rows("a"))
        wait_for_blocked_writer(writer)
        writer.signal("writer-1", signal.SIGTERM)
        wait_until(lambda: "event=stopping" in writer.log("writer-1"), 10, "the writer hearing the signal")
        locker.rollback()
    (receipt,) = writer.gateway.wait_for_receipts(batch)
    assert receipt.outcome == STORED
    assert writer.stop("writer-1") == 0
    assert writer.database.value("SELECT count(*) FROM observations") == 3


def test_a_terminated_backend_in_mid_load_loses_and_doubles_nothing(writer):
    batches = []
    for round_ in range(40):
        batches += [writer.gateway.send(rows(f"{round_}-{i}", 20)) for i in range(5)]
        if round_ % 4 == 0:
            writer.database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'xtrace-writer'")
    for batch in batches:
        (receipt,) = writer.gateway.wait_for_receipts(batch)
        assert receipt.outcome in (STORED, DUPLICATE) and not receipt.refused
    assert writer.database.value("SELECT count(*) FROM traces") == 200
    assert writer.database.value("SELECT count(*) FROM observations") == 4000
    assert writer.database.value("SELECT sum(traces)::bigint FROM trace_counts") == 200


def test_a_killed_writer_takes_nothing_with_it_that_is_sent_again(writer):
    sent = {writer.gateway.send(rows(f"{i}", 20)): i for i in range(60)}
    writer.kill("writer-1")
    writer.start("writer-1")
    for batch, i in sent.items():
        if batch not in writer.gateway.receipts:
            writer.gateway.send(rows(f"{i}", 20), batch_id=batch)
    for batch in sent:
        writer.gateway.wait_for_receipts(batch)
    assert writer.database.value("SELECT count(*) FROM ingest_batches") == 60
    assert writer.database.value("SELECT count(*) FROM observations") == 1200
    assert writer.database.value("SELECT sum(traces)::bigint FROM trace_counts") == 60
