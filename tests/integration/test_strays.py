"""Observations that do not say to which trace they belong: whatever the order in which that becomes known, and
whoever writes it, the same rows are there in the end."""

import http.client
import json
import random
import threading

import pytest

from support.captured import same_moment
from support.facets import assert_facets_balance
from support.fixtures import running
from support.ingestion import ROUTE, event, post, read, read_one, send
from support.records import new_id
from support.wait import wait_until

TABLES = ("traces", "observations", "scores")


def story(prefix):
    """Events of observations that are named early, late and never. Their times differ, as do their values."""
    names = {name: f"{prefix}-{name}" for name in ("t1", "t2", "a", "b", "c", "d")}
    return [
        event("trace-create", {"id": names["t1"], "name": "one", "tags": ["x"], "sessionId": f"{prefix}-s"}, 0),
        event("generation-create", {"id": names["a"], "traceId": names["t1"], "startTime": "2026-11-20T09:00:00Z",
                                    "environment": "Prod", "name": "first", "metadata": {"n": {"a": 1}}}, 10),
        event("generation-update", {"id": names["a"], "output": "said", "endTime": "2026-11-20T09:00:03Z",
                                    "usage": {"input": 3, "output": 4}}, 20),
        event("generation-update", {"id": names["a"], "metadata": {"n": {"b": 2}}, "level": "WARNING"}, 30),
        # Named by an update only, which says no start.
        event("span-update", {"id": names["b"], "input": [1]}, 40),
        event("span-update", {"id": names["b"], "traceId": names["t2"], "output": 0}, 50),
        event("span-update", {"id": names["b"], "statusMessage": "late"}, 60),
        # Nobody names it.
        event("span-create", {"id": names["c"], "startTime": "2026-11-20T08:00:00Z", "environment": "lonely"}, 70),
        event("span-update", {"id": names["c"], "metadata": {"end": True}}, 80),
        event("event-create", {"id": names["d"], "traceId": names["t1"], "parentObservationId": names["a"]}, 90),
        event("score-create", {"id": f"{prefix}-score", "traceId": names["t1"], "observationId": names["a"],
                               "name": "good", "value": 1}, 95),
    ]


def rows(database, prefix):
    """All that is stored of a story but for the times of writing; the prefix is taken out."""
    found = {}
    for table in TABLES:
        text = database.value(
            f"SELECT coalesce(jsonb_agg(r ORDER BY r ->> 'id'), '[]')::text FROM (SELECT to_jsonb(t) - 'created_at'"
            f" - 'updated_at' AS r FROM {table} t WHERE id LIKE %s) s", f"{prefix}-%")
        found[table] = text.replace(prefix, "P")
    return found


def assert_the_books_balance(database):
    assert database.value("SELECT sum(traces) FROM trace_counts") == database.value("SELECT count(*) FROM traces")
    assert database.value("SELECT sum(observations) FROM observation_counts") == database.value(
        "SELECT count(*) FROM observations")
    assert_facets_balance(database)


def cut(events, dice):
    """The events in some order, in requests of some length; some are sent twice."""
    events = events + dice.sample(events, 3)
    dice.shuffle(events)
    requests = []
    while events:
        length = dice.randint(1, 4)
        requests.append(list({e["id"]: e for e in events[:length]}.values()))
        events = events[length:]
    return requests


def send_by(xtrace, requests, threads):
    """Until each is acknowledged."""
    failures = []

    def work(own):
        for batch in own:
            def answered():
                try:
                    answer = xtrace.client().post(ROUTE, {"batch": batch})
                except (OSError, http.client.HTTPException):
                    return False  # it was killed meanwhile
                if answer.status == 503:
                    return False
                if answer.status != 207 or answer.json()["errors"]:
                    failures.append(answer.text)
                return True
            wait_until(answered, 60, "an answer to a batch")

    running = [threading.Thread(target=work, args=(requests[n::threads],)) for n in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert failures == []


@pytest.fixture(scope="module")
def wanted(databases):
    """What the story ends as when it is told at once, and in order."""
    for system in running(databases.create(), 1, None):
        post(system, story("told"))
        yield rows(system.database, "told")


def test_what_is_told_at_once_ends_as_it_should(wanted):
    observations = {o["id"]: o for o in json.loads(wanted["observations"])}
    assert {key: o["trace_id"] for key, o in observations.items()} == {
        "P-a": "P-t1", "P-b": "P-t2", "P-c": "P-c", "P-d": "P-t1"}
    assert observations["P-a"]["total_tokens"] == 7 and observations["P-a"]["metadata"] == {"n": {"a": 1, "b": 2}}
    assert [t["id"] for t in json.loads(wanted["traces"])] == ["P-c", "P-t1", "P-t2"]


def test_any_order_and_split_over_two_writers_ends_in_the_same_rows(make_xtrace, wanted):
    xtrace = make_xtrace(writers=2)
    for seed in range(25):
        dice = random.Random(seed)
        send_by(xtrace, cut(story(f"p{seed}"), dice), dice.choice([1, 4]))
        assert rows(xtrace.database, f"p{seed}") == wanted, f"seed {seed}"
    # Those that nobody names are remembered, the others are not.
    assert xtrace.database.value("SELECT count(*) FROM stray_observations") == 25
    assert_the_books_balance(xtrace.database)


def test_one_by_one_in_reverse_ends_in_the_same_rows(make_xtrace, wanted):
    xtrace = make_xtrace()
    for one in reversed(story("back")):
        send(xtrace, one)
    assert rows(xtrace.database, "back") == wanted
    assert_the_books_balance(xtrace.database)


def test_killed_programs_and_backends_change_nothing_of_that(make_xtrace, wanted):
    xtrace = make_xtrace(writers=2, env={"XTRACE_ACK_TIMEOUT_MS": "200"})
    done = threading.Event()

    def strike():
        dice = random.Random(1)
        while not done.wait(dice.uniform(0.05, 0.3)):
            name = dice.choice(["writer-1", "writer-2", "gateway", None])
            if name is None:
                xtrace.database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'writer_login'"
                                      " AND datname = current_database()")
            else:
                xtrace.kill(name)
                xtrace.start(name)

    striker = threading.Thread(target=strike)
    striker.start()
    try:
        for seed in range(20):
            send_by(xtrace, cut(story(f"k{seed}"), random.Random(seed)), 4)
    finally:
        done.set()
        striker.join()
    xtrace.wait_ready()
    for seed in range(20):
        assert rows(xtrace.database, f"k{seed}") == wanted, f"seed {seed}"
    assert_the_books_balance(xtrace.database)


# One at a time


def test_an_unnamed_observation_makes_a_trace_of_its_id(xtrace):
    own = new_id()
    send(xtrace, event("span-create", {"id": own, "startTime": "2026-11-20T08:00:00.000Z", "environment": "lonely"}))
    trace = read(xtrace, own)
    assert (trace["environment"], trace["name"]) == ("lonely", None)
    assert same_moment(trace["timestamp"], "2026-11-20T08:00:00.000Z")
    assert read_one(xtrace, own)["traceId"] == own


def test_a_later_request_names_the_trace(xtrace):
    own, trace = new_id(), new_id()
    send(xtrace, event("span-update", {"id": own, "output": "done"}, 5))
    assert read_one(xtrace, own)["output"] == "done"
    send(xtrace, event("span-create", {"id": own, "traceId": trace, "name": "n"}, 0))
    moved = read_one(xtrace, trace)
    assert (moved["id"], moved["name"], moved["output"]) == (own, "n", "done")
    assert xtrace.client().get(f"/api/public/traces/{own}").status == 404


def test_a_stray_of_another_project_is_left_alone(xtrace):
    own, trace = new_id(), new_id()
    send(xtrace, event("span-update", {"id": own, "output": "ours"}))
    xtrace.database.query("INSERT INTO observations (project_id, trace_id, id, event_version) VALUES ('other', %s, %s, 1)",
                          trace, own)
    send(xtrace, event("span-update", {"id": own, "metadata": {"more": 1}}))
    observation = read_one(xtrace, own)
    assert (observation["output"], observation["metadata"]) == ("ours", {"more": 1})
    xtrace.database.query("DELETE FROM observations WHERE project_id = 'other'")


def test_a_real_trace_of_that_id_stays_when_its_stray_leaves(xtrace):
    own, trace = new_id(), new_id()
    send(xtrace, event("span-update", {"id": own}), event("trace-create", {"id": own, "name": "real"}))
    send(xtrace, event("span-update", {"id": own, "traceId": trace}, 1))
    assert read(xtrace, own)["observations"] == [] and read(xtrace, own)["name"] == "real"
    assert read_one(xtrace, trace)["id"] == own


def test_a_request_names_traces_for_its_earlier_and_later_events(xtrace):
    own, trace = new_id(), new_id()
    send(xtrace, event("generation-update", {"id": own, "output": "o"}, 2),
         event("generation-create", {"id": own, "traceId": trace, "input": "i"}, 1),
         event("generation-update", {"id": own, "statusMessage": "s"}, 3))
    have = read_one(xtrace, trace)
    assert (have["input"], have["output"], have["statusMessage"]) == ("i", "o", "s")
    assert xtrace.database.value("SELECT count(*) FROM stray_observations WHERE id = %s", own) == 0


def test_a_deleted_trace_of_a_stray_comes_again(xtrace):
    own, trace = new_id(), new_id()
    send(xtrace, event("span-update", {"id": own, "input": 1}))
    assert xtrace.database.value("SELECT count(*) FROM stray_observations WHERE id = %s", own) == 1
    assert xtrace.client().request("DELETE", f"/api/public/traces/{own}").status == 200
    assert xtrace.database.value("SELECT count(*) FROM stray_observations WHERE id = %s", own) == 0
    send(xtrace, event("span-update", {"id": own, "traceId": trace, "output": 2}, 1))
    observation = read_one(xtrace, trace)
    assert (observation["input"], observation["output"]) == (None, 2)
    assert_the_books_balance(xtrace.database)
