"""DELETE of traces: gone from every read when the answer arrives, whoever writes meanwhile."""

import json
import threading
import uuid

import pytest
from support.facets import assert_facets_balance
from support.records import new_id, new_observation, new_trace
from support.wait import wait_until

ORPHANS = "SELECT count(*) FROM observations o WHERE NOT EXISTS (SELECT FROM traces t WHERE t.id = o.trace_id)"
DELETED = {"message": "Trace deleted successfully"}
AT = "2026-04-01T10:00:00Z"


@pytest.fixture(scope="module")
def client(xtrace):
    return xtrace.client()


def delete(client, trace_id):
    return client.request("DELETE", "/api/public/traces/" + trace_id)


def delete_all(client, value):
    return client.request("DELETE", "/api/public/traces", body=json.dumps(value).encode(),
                          headers={"Content-Type": "application/json"})


def store(client, observations=2, **more):
    trace = new_trace(**{"timestamp": AT, **more})
    answer = client.batch(trace, [new_observation(trace, calculatedTotalCost=1, model="m") for _ in range(observations)])
    assert answer.status == 200, answer.text
    return trace["id"]


def add_score(xtrace, trace_id):
    xtrace.database.query("INSERT INTO scores (project_id, id, timestamp, trace_id, name, value, event_version)"
                          " VALUES ('default', %s, now(), %s, 'quality', 1, 1)", new_id(), trace_id)


def rows_of(xtrace, trace_id):
    return [xtrace.database.value(f"SELECT count(*) FROM {table} WHERE {column} = %s", trace_id)
            for table, column in (("traces", "id"), ("observations", "trace_id"), ("scores", "trace_id"))]


def day(client, **params):
    page = client.get("/api/public/metrics/daily", {"fromTimestamp": AT, "toTimestamp": AT, **params}).json()
    return (page["data"][0]["countTraces"], page["data"][0]["countObservations"]) if page["data"] else (0, 0)


def test_a_trace_is_gone_with_all_that_belongs_to_it(client, xtrace):
    user, session = new_id(), new_id()
    kept, gone = store(client, userId=user, sessionId=session), store(client, userId=user, sessionId=session)
    add_score(xtrace, gone)
    total = client.get("/api/public/traces").json()["meta"]["totalItems"]
    before = day(client)
    answer = delete(client, gone)
    assert (answer.status, answer.json()) == (200, DELETED)
    assert client.get("/api/public/traces/" + gone).status == 404
    page = client.get("/api/public/traces", {"userId": user}).json()
    assert [trace["id"] for trace in page["data"]] == [kept]
    assert client.get("/api/public/traces").json()["meta"]["totalItems"] == total - 1
    assert day(client) == (before[0] - 1, before[1] - 2)
    assert client.get("/api/public/sessions/" + session).json()["countTraces"] == 1
    assert rows_of(xtrace, gone) == [0, 0, 0]
    assert rows_of(xtrace, kept) == [1, 2, 0]


def test_an_unknown_trace_is_deleted_too(client):
    for unknown in (new_id(), "nobody", "x" * 2000, "order%20%2342%2F%C3%BC", "a%0Db"):
        answer = delete(client, unknown)
        assert (answer.status, answer.json()) == (200, DELETED)


def test_deleting_twice_is_fine(client):
    trace_id = store(client)
    assert [delete(client, trace_id).status for _ in range(2)] == [200, 200]


def test_a_uuid_is_deleted_whatever_its_spelling(client, xtrace):
    for spell in (str.upper, lambda text: text.replace("-", ""), lambda text: "%7B" + text + "%7D"):
        trace_id = store(client)
        assert delete(client, spell(trace_id)).status == 200
        assert client.get("/api/public/traces/" + trace_id).status == 404
        assert rows_of(xtrace, trace_id)[:2] == [0, 0]


def test_many_are_deleted_at_once(client, xtrace):
    kept, *gone = [store(client, observations=1) for _ in range(6)]
    answer = delete_all(client, {"traceIds": [*gone, gone[0], "nobody"]})
    assert (answer.status, answer.json()) == (200, {"message": "Traces deleted successfully"})
    assert [client.get("/api/public/traces/" + each).status for each in gone] == [404] * 5
    assert client.get("/api/public/traces/" + kept).status == 200


@pytest.mark.parametrize("value, named", [
    ({}, "traceIds"), ({"traceIds": []}, "traceIds"), ({"traceIds": "a"}, "traceIds"), ([], "object"),
    ({"traceIds": [1]}, "traceIds[0]"), ({"traceIds": ["x"] * 1001}, "1000"), ({"traceIds": ["a", ""]}, "traceIds[1]"),
])
def test_a_wrong_list_deletes_nothing(client, value, named):
    answer = delete_all(client, value)
    assert (answer.status, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert named in answer.json()["message"]


def test_one_wrong_id_spares_the_others(client):
    trace_id = store(client)
    assert delete_all(client, {"traceIds": [trace_id, 7]}).status == 400
    assert client.get("/api/public/traces/" + trace_id).status == 200


def test_who_may_not_does_not(client, xtrace):
    trace_id = store(client)
    stranger = xtrace.client(headers={})
    assert delete(stranger, trace_id).status == 401
    assert delete_all(stranger, {"traceIds": [trace_id]}).status == 401
    assert client.get("/api/public/traces/" + trace_id).status == 200
    assert client.request("DELETE", "/api/public/sessions").status == 405


def test_another_project_keeps_what_has_the_same_id(client, xtrace):
    trace_id = store(client)
    xtrace.database.query("INSERT INTO traces (project_id, id, timestamp, event_version) VALUES ('foreign', %s, now(), 1)",
                          trace_id)
    delete(client, trace_id)
    assert rows_of(xtrace, trace_id) == [1, 0, 0]


def test_what_is_sent_after_a_deletion_makes_the_trace_anew(client):
    trace_id = store(client, name="first", userId="u", metadata={"old": 1})
    delete(client, trace_id)
    assert client.batch({"id": trace_id, "timestamp": AT, "name": "second"}).status == 200
    trace = client.get("/api/public/traces/" + trace_id).json()
    assert (trace["name"], trace["userId"], trace["metadata"], trace["observations"]) == ("second", None, None, [])


def test_the_roll_up_follows(client, xtrace):
    """The day is rolled up with the trace, and again without it."""
    def clean():
        return xtrace.database.value("SELECT count(*) FROM dirty_days") == 0

    trace_id = store(client, timestamp="2025-01-02T03:04:05Z")
    wait_until(clean, 60, "clean days")
    count = "SELECT count(*) FROM daily_totals WHERE day = '2025-01-02'"
    assert xtrace.database.value(count) == 1
    delete(client, trace_id)
    params = {"fromTimestamp": "2025-01-01T00:00:00Z", "toTimestamp": "2025-01-03T23:59:59Z"}
    assert client.get("/api/public/metrics/daily", params).json()["data"] == []
    wait_until(clean, 60, "clean days")
    assert xtrace.database.value(count) == 0
    assert client.get("/api/public/metrics/daily", params).json()["data"] == []
    assert xtrace.database.value("SELECT sum(traces) FROM trace_counts WHERE day = '2025-01-02'") in (0, None)


def test_deletions_are_booked(client, xtrace):
    store(client)
    delete(client, new_id())
    text = client.get("/metrics").text
    line, = [each for each in text.splitlines() if each.startswith("xtrace_gateway_records_settled_total")
             and 'kind="deletion"' in each and 'outcome="stored"' in each]
    assert float(line.split()[-1]) >= 1


def test_no_observation_outlives_its_trace(make_xtrace):
    """Two writers add to traces while they are deleted: what is left hangs together. A group takes its time between
    looking its traces up and writing."""
    system = make_xtrace(writers=2)
    system.database.query("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
                          " 'BEGIN PERFORM pg_sleep(0.02); RETURN NULL; END'")
    system.database.query("CREATE TRIGGER slow BEFORE INSERT ON observations FOR EACH STATEMENT EXECUTE FUNCTION slow()")
    ids = [str(uuid.uuid4()) for _ in range(4)]
    stop = threading.Event()
    problems = []

    def add():
        client = system.client()
        while not stop.is_set():
            for trace_id in ids:
                answer = client.batch(None, [new_observation(trace_id) for _ in range(3)])
                if answer.status != 200:
                    problems.append(answer.text)

    adders = [threading.Thread(target=add) for _ in range(3)]
    for thread in adders:
        thread.start()
    try:
        client = system.client()
        for _ in range(25):
            assert delete_all(client, {"traceIds": ids[:2]}).status == 200
            assert system.database.value(ORPHANS) == 0
            assert delete(client, ids[2]).status == 200
            assert system.database.value(ORPHANS) == 0
    finally:
        stop.set()
        for thread in adders:
            thread.join()
    assert problems == []
    counted = system.database.value("SELECT coalesce(sum(traces), 0) FROM trace_counts")
    assert counted == system.database.value("SELECT count(*) FROM traces")
    assert client.get("/api/public/traces").json()["meta"]["totalItems"] == counted
    observations = system.database.value("SELECT count(*) FROM observations")
    assert system.database.value("SELECT coalesce(sum(observations), 0) FROM observation_counts") == observations
    assert_facets_balance(system.database)
    scores = system.database.value("SELECT count(*) FROM scores")
    assert system.database.value("SELECT coalesce(sum(scores), 0) FROM score_counts") == scores
