"""Records that pass the gateway and that PostgreSQL refuses: the culprit is found and put into dead_letters with
the reason, its neighbours are stored, its client is told, and it can be tried again once the cause is gone."""

import contextlib
import json
import os
import subprocess
import threading
import time
import uuid

import pytest
from load import Client
from nemesis import LONG
from stack import FAST

# name -> (statements that make it, statements that take it away). Each refuses rows named "poison...".
TRIGGER = """
CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name LIKE 'poison%%' THEN
        RAISE EXCEPTION 'no poison here' USING ERRCODE = '%s';
    END IF;
    RETURN NEW;
END $$
"""
KINDS = {
    "check constraint": (
        ["ALTER TABLE {table} ADD CONSTRAINT no_poison CHECK (name IS NULL OR name NOT LIKE 'poison%')"],
        ["ALTER TABLE {table} DROP CONSTRAINT no_poison"],
    ),
    "trigger before": (
        [TRIGGER % "P0001",
         "CREATE TRIGGER no_poison BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_poison()"],
        ["DROP TRIGGER no_poison ON {table}", "DROP FUNCTION refuse_poison"],
    ),
    "trigger after": (
        [TRIGGER % "22023",
         "CREATE TRIGGER no_poison AFTER INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_poison()"],
        ["DROP TRIGGER no_poison ON {table}", "DROP FUNCTION refuse_poison"],
    ),
    "deferred constraint trigger": (
        [TRIGGER % "23514",
         "CREATE CONSTRAINT TRIGGER no_poison AFTER INSERT OR UPDATE ON {table} DEFERRABLE INITIALLY DEFERRED"
         " FOR EACH ROW EXECUTE FUNCTION refuse_poison()"],
        ["DROP TRIGGER no_poison ON {table}", "DROP FUNCTION refuse_poison"],
    ),
    "unique index": (
        ["CREATE UNIQUE INDEX no_poison ON {table} ((true)) WHERE name LIKE 'poison%'",
         "INSERT INTO {table} ({keys}, {more} name, event_version) VALUES ({values}, {more_values} 'poison zero', 0)"],
        ["DROP INDEX no_poison"],
    ),
    "division by zero in an index": (
        ["CREATE INDEX no_poison ON {table} ((CASE WHEN name LIKE 'poison%' THEN 1 / (length(name) - length(name)) ELSE 0 END))"],
        ["DROP INDEX no_poison"],
    ),
}  # fmt: skip
TABLES = {
    "traces": {"keys": "project_id, id", "values": "'other', 'zero'", "more": "timestamp,", "more_values": "now(),"},
    "observations": {"keys": "project_id, trace_id, id", "values": "'other', 'zero', 'zero'", "more": "", "more_values": ""},
}


@pytest.fixture
def pair(stack_of):
    # The deadline of users, not FAST's second: many trials stand behind one answer, and a client that hears 503 sends
    # its poison again, which makes a second letter.
    return stack_of(writers=2, settings={**FAST, "XTRACE_WRITE_DEADLINE_MS": "10000"})


@contextlib.contextmanager
def poisoned(stack, kind, table):
    make, take_away = KINDS[kind]
    words = {"table": table, **TABLES[table]}
    for statement in make:
        stack.sql(fill(statement, words))
    state = {"there": True}

    def remove():
        if state["there"]:
            state["there"] = False
            for statement in take_away:
                stack.sql(fill(statement, words))

    yield remove
    remove()


def fill(statement, words):
    for word, value in words.items():
        statement = statement.replace("{" + word + "}", value)
    return statement


def request(poison_at=(), trace_is_poison=False, observations=6):
    """A trace with observations; those at the places given are poison."""
    trace_id = str(uuid.uuid4())
    trace = {"id": trace_id, "timestamp": "2026-04-01T00:00:00Z", "name": "poison trace" if trace_is_poison else "good"}
    return {
        "trace": trace,
        "observations": [
            {"id": str(uuid.uuid4()), "traceId": trace_id, "name": f"poison {i}" if i in poison_at else f"good {i}",
             "totalTokens": 1}
            for i in range(observations)
        ],
    }  # fmt: skip


def send(stack, body, patience_s=20):
    client = Client(stack.address, stack.authorization, 15)
    end = time.monotonic() + patience_s
    try:
        while True:
            answer = client.post("/v1/l/batch", json.dumps(body).encode())
            if answer.status not in (429, 503) or time.monotonic() > end:
                return answer
    finally:
        client.close()


def stored_ids(stack, table):
    return {i for (i,) in stack.sql(f"SELECT id FROM {table} WHERE project_id = 'default'")}


def letters(stack):
    return stack.sql("SELECT id, kind, record_id, reason, row_index, replayed_at FROM dead_letters ORDER BY id")


@pytest.mark.parametrize(
    ("kind", "table"),
    [(k, t) for k in KINDS for t in TABLES if LONG or t == "observations" or k in ("check constraint", "trigger before")],
)
def test_the_poison_is_found_and_its_neighbours_are_stored(pair, kind, table):
    with poisoned(pair, kind, table) as remove:
        bad = request(trace_is_poison=True) if table == "traces" else request(poison_at=[3])
        answers, bodies = at_once(pair, [request() for _ in range(12)] + [bad])
        culprit = bad["trace"]["id"] if table == "traces" else bad["observations"][3]["id"]
        # Neighbours, in other requests and in its own.
        assert [a.status for a in answers] == [200] * 12 + [400], [(a.status, a.body) for a in answers]
        observations = {o["id"] for b in bodies for o in b["observations"]}
        traces = {b["trace"]["id"] for b in bodies}
        assert stored_ids(pair, "observations") == observations - ({culprit} if table == "observations" else set())
        assert stored_ids(pair, "traces") == traces - ({culprit} if table == "traces" else set())
        # The client is told which one and how many.
        told = answers[-1].json()
        assert told["code"] == "BAD_REQUEST" and len(told["errors"]) == 1
        path = "trace" if table == "traces" else "observations[3]"
        assert told["errors"][0]["path"].startswith(path) and told["errors"][0]["id"] == culprit
        assert path in told["message"]
        assert told["stored"] == ({"traces": 0, "observations": 6} if table == "traces" else {"traces": 1, "observations": 5})
        # The letter.
        ((number, letter_kind, record_id, reason, _, replayed),) = letters(pair)
        assert letter_kind in ("trace", "observation") and culprit in record_id and reason and replayed is None
        show = dead_letters(pair, "show", str(number))
        assert culprit in show and reason.split("\n")[0][:30] in show
        assert culprit in dead_letters(pair, "list")
        # The same again is refused again, and does not pile up work or letters without end.
        assert send(pair, bad).status == 400
        # Once the cause is gone it can be had.
        remove()
        out = dead_letters(pair, "replay", str(number))
        assert culprit in stored_ids(pair, table), out
        assert [r for *_, r in letters(pair)][0] is not None
        assert send(pair, bad).status == 200
    assert_counts(pair)


def at_once(stack, bodies):
    answers = [None] * len(bodies)
    barrier = threading.Barrier(len(bodies))

    def one(i):
        barrier.wait(10)
        answers[i] = send(stack, bodies[i])

    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers, bodies


def dead_letters(stack, *words):
    """The command as an operator runs it."""
    environment = {**os.environ, **stack.environment("writer-1"), "DATABASE_URL": stack.dsn}
    done = subprocess.run([stack.program_path("writer-1"), "dead-letters", *words], env=environment, capture_output=True,
                          text=True, timeout=30)  # fmt: skip
    assert done.returncode == 0, f"dead-letters {' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


def assert_counts(stack):
    counted = stack.sql("SELECT coalesce(sum(traces), 0)::bigint FROM trace_counts WHERE project_id = 'default'")[0][0]
    assert counted == len(stored_ids(stack, "traces"))


def test_many_poisons_in_one_request(pair):
    with poisoned(pair, "check constraint", "observations"):
        body = request(poison_at=range(0, 200, 7), observations=200)
        answer = send(pair, body)
        assert answer.status == 400, answer
        told = answer.json()
        bad = {o["id"] for o in body["observations"] if o["name"].startswith("poison")}
        assert {e["id"] for e in told["errors"]} == bad
        assert told["stored"]["observations"] == 200 - len(bad)
        assert stored_ids(pair, "observations") == {o["id"] for o in body["observations"]} - bad
        assert {i for _, _, i, *_ in letters(pair)} == bad or all(any(b in i for b in bad) for _, _, i, *_ in letters(pair))


def test_only_poison(pair):
    with poisoned(pair, "check constraint", "observations"):
        answer = send(pair, {"observations": request(poison_at=range(5), observations=5)["observations"]})
        assert answer.status == 400 and answer.json()["stored"]["observations"] == 0
        assert stored_ids(pair, "observations") == set()


def test_poison_in_an_update_leaves_what_was_stored(pair):
    body = request()
    assert send(pair, body).status == 200
    with poisoned(pair, "trigger before", "observations"):
        update = {"observations": [{**body["observations"][0], "name": "poison", "output": "new"},
                                   {**body["observations"][1], "output": "new"}]}  # fmt: skip
        answer = send(pair, update)
        assert answer.status == 400, answer
        rows = dict(pair.sql("SELECT id, (name, output)::text FROM observations WHERE id = ANY(%s)",
                             [o["id"] for o in body["observations"][:2]]))  # fmt: skip
        assert rows[body["observations"][0]["id"]] == '("good 0",)'
        assert "new" in rows[body["observations"][1]["id"]]


def test_clients_with_and_without_poison_for_a_while(pair):
    """Good requests flow while somebody keeps sending poison."""
    with poisoned(pair, "trigger before", "observations"):
        over = threading.Event()
        seen = []

        def poisoner():
            while not over.is_set():
                seen.append(send(pair, request(poison_at=[0, 5])).status)

        thread = threading.Thread(target=poisoner)
        thread.start()
        began = time.monotonic()
        good = [request() for _ in range(60)]
        try:
            for body in good:
                assert send(pair, body).status == 200
        finally:
            over.set()
            thread.join(30)
        assert time.monotonic() - began < 30, "poison slows everyone down"
        assert set(seen) == {400} and len(seen) > 3
        assert {o["id"] for b in good for o in b["observations"]} <= stored_ids(pair, "observations")
    assert_counts(pair)


@pytest.mark.parametrize("code", ["40001", "40P01", "53200", "57014", "XX000"] if LONG else ["40001", "53200"])
def test_a_row_that_fails_for_ever_in_a_way_that_looks_passing(pair, code):
    """An error that normally heals by waiting, tied to one row: the neighbours must not wait for ever, and the
    client must not be told that it is stored."""
    pair.sql(TRIGGER % code)
    pair.sql("CREATE TRIGGER no_poison BEFORE INSERT OR UPDATE ON observations FOR EACH ROW EXECUTE FUNCTION refuse_poison()")
    bad = request(poison_at=[2])
    client = Client(pair.address, pair.authorization, 15)
    answers, bodies = at_once(pair, [request() for _ in range(6)])
    assert [a.status for a in answers] == [200] * 6
    first = client.post("/v1/l/batch", json.dumps(bad).encode())
    assert first.status in (400, 503), first
    answers, bodies = at_once(pair, [request() for _ in range(6)])
    assert [a.status for a in answers] == [200] * 6, [(a.status, a.body) for a in answers]
    assert bad["observations"][2]["id"] not in stored_ids(pair, "observations")
    pair.sql("DROP TRIGGER no_poison ON observations")
    assert send(pair, bad).status == 200
    client.close()


def test_a_row_that_takes_too_long(stack_of):
    """A row that makes its statement run into the statement timeout."""
    stack = stack_of(writers=1, settings={**FAST, "XTRACE_STATEMENT_TIMEOUT_MS": "500"})
    stack.sql("CREATE FUNCTION sleepy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.name LIKE 'poison%' THEN"
              " PERFORM pg_sleep(5); END IF; RETURN NEW; END $$")  # fmt: skip
    stack.sql("CREATE TRIGGER sleepy BEFORE INSERT OR UPDATE ON observations FOR EACH ROW EXECUTE FUNCTION sleepy()")
    client = Client(stack.address, stack.authorization, 15)
    assert client.post("/v1/l/batch", json.dumps(request(poison_at=[1])).encode()).status in (400, 503)
    assert send(stack, request()).status == 200
    client.close()
