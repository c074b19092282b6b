"""Metric points over the wire: however often a batch or its key comes, its points are there once."""

import hashlib
import threading
import uuid

import psycopg
from support.wait import wait_until
from wire import DUPLICATE, METRIC, STORED, FakeGateway, Row

T0_US = 1_767_323_045_000_000


def rows(name, values, labels='{"a":"b"}'):
    return [Row(METRIC, 0, {"name": name, "labels": labels, "timestamp": T0_US, "value": float(value)}) for value in values]


def key(text):
    return hashlib.sha256(text.encode()).digest()


def values(stack, name):
    return sorted(value for value, in stack.sql("SELECT value FROM xtrace.metrics WHERE name = %s", name))


def writers_with(stack_of, folder, count):
    """Writers alone, connected to a gateway that the test steers."""
    queue = f"ipc://{folder}/queue"
    stack = stack_of(writers=count, settings={"XTRACE_GATEWAYS": queue}, start=False)
    gateway = FakeGateway(queue)
    for number in range(1, count + 1):
        stack.start(f"writer-{number}")
    gateway.wait_for_writers(count)
    return stack, gateway


def test_a_batch_delivered_again_and_again_is_one(stack_of, tmp_path):
    stack, gateway = writers_with(stack_of, tmp_path, 2)
    with gateway:
        batch = uuid.uuid4().bytes
        for _ in range(10):
            gateway.send(rows("again", [1, 1, 2]), batch)
        receipts = gateway.wait_for_receipts(batch, 10)
        assert sorted({receipt.outcome for receipt in receipts}) in ([STORED], [STORED, DUPLICATE])
        assert values(stack, "again") == [1, 1, 2]


def test_another_batch_with_a_known_key_is_a_duplicate(stack_of, tmp_path):
    stack, gateway = writers_with(stack_of, tmp_path, 2)
    with gateway:
        first = gateway.send(rows("keyed", [1, 2]), key=key("k"))
        assert gateway.wait_for_receipts(first)[0].outcome == STORED
        for _ in range(3):
            again = gateway.send(rows("keyed", [1, 2]), key=key("k"))
            assert gateway.wait_for_receipts(again)[0].outcome == DUPLICATE
        for project, more in (("other", key("k")), ("default", key("l")), ("default", None), ("default", None)):
            batch = gateway.send(rows("keyed", [3]), key=more, project=project)
            assert gateway.wait_for_receipts(batch)[0].outcome == STORED
        assert values(stack, "keyed") == [1, 2, 3, 3, 3, 3]


def test_one_key_in_many_batches_at_once_is_one(stack_of, tmp_path):
    stack, gateway = writers_with(stack_of, tmp_path, 2)
    with gateway:
        batches = [gateway.send(rows("crowd", [n // 5]), key=key(str(n // 5))) for n in range(500)]
        outcomes = [gateway.wait_for_receipts(batch)[0].outcome for batch in batches]
        assert outcomes.count(STORED) == 100
        assert values(stack, "crowd") == list(range(100))


def test_a_trace_row_and_a_point_share_a_batch(stack_of, tmp_path):
    stack, gateway = writers_with(stack_of, tmp_path, 1)
    with gateway:
        mixed = rows("mixed", [1]) + [Row(0, 5, {"id": "t", "name": "n"})] + rows("mixed", [2], '{}')
        batch = gateway.send(mixed)
        assert gateway.wait_for_receipts(batch)[0].outcome == STORED
        assert values(stack, "mixed") == [1, 2]
        assert stack.sql("SELECT name FROM traces WHERE id = 't'") == [("n",)]


def test_labels_that_are_no_json_harm_no_others(stack_of, tmp_path):
    """No gateway sends them; a writer must not stumble all the same."""
    stack, gateway = writers_with(stack_of, tmp_path, 1)
    with gateway:
        batch = gateway.send(rows("odd", [1]) + rows("odd", [2], "{") + rows("odd", [3], '{"c":"d"}'), key=key("odd"))
        receipt = gateway.wait_for_receipts(batch)[0]
        assert (receipt.outcome, [row for row, _ in receipt.refused]) == (STORED, [1])
        assert values(stack, "odd") == [1, 3]
        again = gateway.send(rows("odd", [1]) + rows("odd", [2], "{") + rows("odd", [3]), key=key("odd"))
        receipt = gateway.wait_for_receipts(again)[0]
        assert (receipt.outcome, [row for row, _ in receipt.refused]) == (DUPLICATE, [1])


def test_two_writers_make_the_same_days_and_series_at_once(stack_of, tmp_path):
    stack, gateway = writers_with(stack_of, tmp_path, 2)
    with gateway:
        batches = []
        for n in range(60):
            made = rows("both", [n], f'{{"n":"{n // 4}"}}')
            made[0].columns["timestamp"] = T0_US + n // 4 * 86_400_000_000
            batches.append(gateway.send(made))
        assert {gateway.wait_for_receipts(batch)[0].outcome for batch in batches} == {STORED}
        assert values(stack, "both") == list(range(60))
        assert stack.sql("SELECT count(*) FROM metric_series WHERE name = 'both'") == [(15,)]


def test_a_locked_series_table_holds_points_and_loses_none(stack_of, tmp_path):
    stack, gateway = writers_with(stack_of, tmp_path, 2)
    with gateway:
        taken = threading.Event()
        done = threading.Event()

        def hold():
            with psycopg.connect(stack.database.url) as connection:
                connection.execute("SELECT xtrace_lock_metric_series()")
                taken.set()
                done.wait(20)

        holder = threading.Thread(target=hold)
        holder.start()
        assert taken.wait(10)
        batch = gateway.send(rows("held", range(7)))
        wait_until(lambda: stack.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")[0][0] > 0, 10)
        assert batch not in gateway.receipts
        done.set()
        holder.join()
        assert gateway.wait_for_receipts(batch)[0].outcome == STORED
        assert values(stack, "held") == list(range(7))
