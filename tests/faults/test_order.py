"""Order does not matter: whatever way the same events are cut into batches, shuffled, repeated and spread over
several real writers, the rows end as the model says."""

import datetime
import json
import os
import time
import uuid
from decimal import Decimal

import psycopg
import pytest
from check import copy_out, exact_json, micros
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model import freeze, merge_rows, version_assumed, version_event, version_first, version_weak
from nemesis import LONG, settled
from stack import FAST, wait_for
from support.facets import assert_facets_balance
from wire import KINDS, OBSERVATION, SCORE, TRACE, FakeGateway, Row

EXAMPLES = int(os.environ.get("XTRACE_ORDER_EXAMPLES") or (5000 if LONG else 120))
NOW_US = 1_770_000_000_000_000
DAY_US = 86400 * 10**6
MERGED = (TRACE, OBSERVATION, SCORE)


class Lab:
    """Three real writers; each hangs on all of three fake gateways, so that batches of any gateway reach any
    of them."""

    def __init__(self, databases, stack):
        self.stack = stack
        self.gateways = []

    def open(self, queues):
        self.gateways = [FakeGateway(q) for q in queues]
        for gateway in self.gateways:
            gateway.wait_for_writers(3)
        return self

    def close(self):
        for gateway in self.gateways:
            gateway.close()


@pytest.fixture(scope="module")
def lab(databases):
    from stack import Stack

    database = databases.create()
    stack = Stack(database, databases.postgres, 3, FAST)
    stack.names.remove("gateway")
    queues = [f"ipc://{stack.folder}/run/fake-{i}" for i in range(3)]
    stack.env["XTRACE_GATEWAYS"] = ",".join(queues)
    lab = Lab(databases, stack)
    try:
        stack.start()
        lab.open(queues)
        yield lab
    finally:
        lab.close()
        stack.finish()
        database.drop()


# ---- What may be said ----

versions = st.one_of(
    st.integers(0, 4).map(lambda n: version_event(NOW_US + n)),
    st.integers(0, 2).map(lambda n: version_weak(NOW_US + n)),
    st.integers(0, 1).map(lambda n: version_assumed(NOW_US + n)),
    st.integers(0, 2).map(lambda n: version_first(NOW_US + n)),
)
names = st.sampled_from(["a", "b", "ab", "漢"])
texts = st.sampled_from(["", "one", "two", "漢字", "é", "e\u0301", "🦉", "Z", "a b"])
scalars = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), texts, st.just([]), st.lists(st.integers(0, 2), max_size=2))
trees = st.recursive(scalars, lambda inner: st.dictionaries(names, inner, max_size=3), max_leaves=6)
metadata = st.one_of(st.dictionaries(names, trees, max_size=3), trees)
VALUES = {
    "text": texts,
    "json": trees.map(lambda v: json.dumps(v, ensure_ascii=False)),
    "jsonb": st.dictionaries(names, st.integers(0, 3), max_size=2).map(json.dumps),
    "metadata": metadata.map(lambda v: json.dumps(v, ensure_ascii=False)),
    "texts": st.lists(texts, max_size=3).map(lambda v: json.dumps(v, ensure_ascii=False)),
    "time": st.integers(0, 3).map(lambda n: NOW_US + n * DAY_US),
    "int": st.integers(0, 3),
    "float": st.sampled_from([0.0, 0.25, 1.5, 1e100]),
    "decimal": st.sampled_from(["0", "0.1", "12.5", "1e-20", "123456789012345678901234567890"]),
    "bool": st.booleans(),
}


def columns(kind):
    _, names, key_count = KINDS[kind]
    optional = {
        name: VALUES["metadata" if merge == "metadata" else type_] for name, type_, merge in names[key_count:]
    }
    # Few columns a row, so that rows of one key complete each other as often as they disagree.
    return st.lists(st.sampled_from(sorted(optional)), max_size=5, unique=True).flatmap(
        lambda chosen: st.fixed_dictionaries({name: optional[name] for name in chosen})
    )


@st.composite
def events(draw):
    kind = draw(st.sampled_from(MERGED))
    which = draw(st.integers(0, 1))
    key = {"id": f"{which}"} if kind != OBSERVATION else {"trace_id": f"{draw(st.integers(0, 1))}", "id": f"{which}"}
    return Row(kind, draw(versions), {**draw(columns(kind)), **key})


@st.composite
def deliveries(draw, pool):
    """The events in some order, cut into batches: [(gateway, rows, same id as which earlier one or None)]."""
    order = draw(st.permutations(pool))
    repeats = draw(st.lists(st.sampled_from(order), max_size=4)) if order else []
    flow = list(order) + repeats
    batches = []
    while flow:
        size = draw(st.integers(1, max(1, len(flow))))
        batches.append((draw(st.integers(0, 2)), flow[:size], None))
        flow = flow[size:]
    again = draw(st.lists(st.integers(0, len(batches) - 1), max_size=2)) if batches else []
    return batches + [(draw(st.integers(0, 2)), batches[i][1], i) for i in again]


@settings(max_examples=EXAMPLES, deadline=None, derandomize=not LONG, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large,
                                 HealthCheck.large_base_example])  # fmt: skip
@given(data=st.data())
def test_any_split_permutation_and_repetition_ends_in_the_same_rows(lab, data):
    pool = data.draw(st.lists(events(), min_size=1, max_size=12), label="events")
    prefix = uuid.uuid4().hex + "/"
    plan = data.draw(deliveries(pool), label="deliveries")
    deliver(lab, prefix, plan)
    assert_rows(lab, prefix, pool)


def deliver(lab, prefix, plan):
    sent = []
    for gateway, rows, same_as in plan:
        batch_id = uuid.uuid4().bytes if same_as is None else sent[same_as][1]
        lab.gateways[gateway].send([prefixed(row, prefix) for row in rows], batch_id, received_us=NOW_US)
        sent.append((gateway, batch_id))
    for gateway, batch_id in set(sent):
        for receipt in lab.gateways[gateway].wait_for_receipts(batch_id):
            assert not receipt.refused, receipt


def prefixed(row, prefix):
    _, names, key_count = KINDS[row.kind]
    keys = {name: prefix + row.columns[name] for name, _, _ in names[:key_count]}
    return Row(row.kind, row.version, {**row.columns, **keys})


def assert_rows(lab, prefix, pool):
    by_key = {}
    for row in pool:
        by_key.setdefault((row.kind, row.key()), []).append((row.version, row.columns))
    with psycopg.connect(lab.stack.dsn, autocommit=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for kind in MERGED:
            table, names, key_count = KINDS[kind]
            key_names = [name for name, _, _ in names[:key_count]]
            rows = copy_out(connection, f"SELECT * FROM {table} WHERE {key_names[0]} LIKE '{prefix}%'")
            stored = {tuple(row[n].removeprefix(prefix) for n in key_names): row for row in rows}
            expected = {key: said for (k, key), said in by_key.items() if k == kind}
            assert stored.keys() == expected.keys()
            for key, said in expected.items():
                assert_row(key, names, merge_rows(said, names, NOW_US), stored[key], key_names)


def assert_row(key, names, expected, stored, key_names):
    for name, type_, merge in names:
        if name in key_names:
            continue
        want, have = expected.get(name), stored[name]
        if merge == "union":
            want, have = want or [], have or []  # a set of nothing is no set
        if want is not None:
            want, have = comparable(type_, merge, want, have)
        if merge == "metadata" and want is None:
            have = freeze(have)
            want = freeze(want)
        assert have == want, f"{key} {name}: stored {stored[name]!r}, the model says {expected.get(name)!r}"


def comparable(type_, merge, want, have):
    if merge in ("metadata", "union"):
        return freeze(want), freeze(have)
    if type_ in ("jsonb", "texts"):
        return freeze(exact_json(want)), freeze(have)
    if type_ == "time":
        return want, micros(have)
    if type_ in ("decimal", "float"):
        return Decimal(str(want)), Decimal(str(have))
    return want, have


def test_the_books_balance_after_all_that(lab):
    """Runs after the others of this file: rows that moved from day to day included."""
    wait_for(settled(lab.stack), 20, "quiet")
    counted = dict(lab.stack.sql("SELECT day::text, sum(traces)::bigint FROM trace_counts GROUP BY day HAVING sum(traces) <> 0"))
    there = dict(lab.stack.sql("SELECT (timestamp AT TIME ZONE 'UTC')::date::text, count(*) FROM traces GROUP BY 1"))
    assert counted == there
    counted = dict(lab.stack.sql("SELECT project_id, sum(observations)::bigint FROM observation_counts GROUP BY 1"))
    assert counted == dict(lab.stack.sql("SELECT project_id, count(*) FROM observations GROUP BY 1"))
    assert_facets_balance(lab.stack.database)
    counted = dict(lab.stack.sql("SELECT project_id, sum(scores)::bigint FROM score_counts GROUP BY 1"))
    assert counted == dict(lab.stack.sql("SELECT project_id, count(*) FROM scores GROUP BY 1"))


# ---- Two writers at once ----


def batch_rows(prefix, count, version):
    rows = []
    for i in range(count):
        rows.append(Row(TRACE, version, {"id": f"{prefix}/t{i}", "timestamp": NOW_US, "name": f"n{i}", "metadata": '{"a":1}'}))
        rows.append(Row(OBSERVATION, version, {"trace_id": f"{prefix}/t{i}", "id": f"{prefix}/o{i}", "total_tokens": 7,
                                               "total_cost": "0.5"}))  # fmt: skip
    return rows


def test_the_same_batch_given_to_several_writers_at_once_is_applied_once(lab):
    """Redelivery races with the first delivery: one id, three gateways, three writers."""
    prefix = uuid.uuid4().hex
    ids = []
    for n in range(60):
        batch_id = uuid.uuid4().bytes
        rows = batch_rows(f"{prefix}/{n}", 4, version_event(NOW_US))
        for gateway in lab.gateways:
            gateway.send(rows, batch_id, received_us=NOW_US)
        ids.append(batch_id)
    for batch_id in ids:
        outcomes = [r.outcome for g in lab.gateways for r in g.wait_for_receipts(batch_id)]
        assert len(outcomes) >= 3
    count = lab.stack.sql("SELECT count(*) FROM ingest_batches WHERE batch_id::text = ANY(%s)",
                          [str(uuid.UUID(bytes=i)) for i in ids])[0][0]  # fmt: skip
    assert count == 60
    traces, named = lab.stack.sql("SELECT count(*), count(DISTINCT id) FROM traces WHERE id LIKE %s", prefix + "%")[0]
    observations, tokens, cost = lab.stack.sql(
        "SELECT count(*), sum(total_tokens), sum(total_cost) FROM observations WHERE trace_id LIKE %s", prefix + "%")[0]  # fmt: skip
    assert (traces, named, observations, tokens, cost) == (240, 240, 240, 1680, 120)


def test_overlapping_batches_in_opposite_orders_do_not_deadlock_for_long(lab):
    """The same keys, forwards and backwards, from three gateways at once: conflicts are run again until done."""
    prefix = uuid.uuid4().hex
    began = time.monotonic()
    sent = []
    for n in range(30):
        for turn, gateway in enumerate(lab.gateways):
            rows = batch_rows(prefix, 30, version_event(NOW_US + n * 3 + turn))
            rows = rows if (n + turn) % 2 else rows[::-1]
            sent.append((gateway, gateway.send(rows, received_us=NOW_US)))
    for gateway, batch_id in sent:
        gateway.wait_for_receipts(batch_id, timeout_s=60)
    assert time.monotonic() - began < 60
    versions = lab.stack.sql("SELECT count(*), min(event_version), max(event_version) FROM traces WHERE id LIKE %s", prefix + "%")[0]
    assert versions == (30, NOW_US + 29 * 3 + 2, NOW_US + 29 * 3 + 2)


def test_a_trace_without_a_time_keeps_the_earliest_made_up_one_until_it_is_told(lab):
    prefix = uuid.uuid4().hex
    key = f"{prefix}/t"
    for gateway, received in ((0, NOW_US + 5), (1, NOW_US), (2, NOW_US + 9)):
        batch_id = lab.gateways[gateway].send([Row(TRACE, version_event(received), {"id": key, "name": "x"})], received_us=received)
        lab.gateways[gateway].wait_for_receipts(batch_id)
    stored = lab.stack.sql("SELECT timestamp FROM traces WHERE id = %s", key)[0][0]
    assert stored == at(NOW_US)
    batch_id = lab.gateways[0].send([Row(TRACE, version_event(1), {"id": key, "timestamp": NOW_US + DAY_US})], received_us=NOW_US + 20)
    lab.gateways[0].wait_for_receipts(batch_id)
    assert lab.stack.sql("SELECT timestamp FROM traces WHERE id = %s", key)[0][0] == at(NOW_US + DAY_US)


def at(us):
    return datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(microseconds=us)


# ---- What no gateway of ours would send ----


@pytest.mark.parametrize(
    "frames",
    [
        [b""], [b"", b""], [b"x"], [b"x", b"y"], [b"x", b"y", b"z"], [b"\x95\x01" + b"\xff" * 20, b""],
        [b"\x95\x02\xc4\x10" + b"a" * 16 + b"\xa1p\x01\x01", b"\x93\x00\x01\xa1a"],
        [b"\x95\x01\xc4\x10" + b"a" * 16 + b"\xa1p\x01\x05", b"\x93\x00\x01\xa1a"],
        [b"\x95\x01\xc4\x10" + b"a" * 16 + b"\xa1p\x01\xce\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff" * 100],
        [b"\x95\x01\xc4\x10" + b"a" * 16 + b"\xa1p\x01\x01", b"\x91" * 100_000],
    ],
    ids=range(10),
)  # fmt: skip
def test_garbage_harms_no_writer(lab, frames):
    for gateway in lab.gateways:
        for _ in range(3):
            gateway.send_frames(frames)
    prefix = uuid.uuid4().hex
    for gateway in lab.gateways:
        gateway.wait_for_receipts(gateway.send(batch_rows(prefix, 1, version_event(NOW_US))))
    for name in lab.stack.names:
        assert lab.stack.running(name), lab.stack.log(name)[-2000:]
