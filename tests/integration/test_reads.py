"""What all reads share: connections that break, clients that leave, answers of any size, exact sums."""

import contextlib
import json
from decimal import Decimal

import psycopg
import pytest

from support.records import new_id, new_observation, new_trace
from support.wait import wait_until

LIST = "/api/public/traces"
DAILY = "/api/public/metrics/daily"
ACTIVE = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'xtrace-gateway' AND state = 'active'"
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'xtrace-gateway'"


@contextlib.contextmanager
def locked_traces(system):
    """Reads of traces wait until the block ends."""
    with psycopg.connect(system.database.url) as connection:
        connection.execute("LOCK TABLE traces IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


def ask(system, path):
    """Sends a GET and leaves the answer to the caller, who gets the socket."""
    connection = system.client().socket()
    head = "".join(f"{key}: {value}\r\n" for key, value in system.auth.items())
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{head}Connection: close\r\n\r\n".encode())
    return connection


def read_all(connection):
    data = b""
    while chunk := connection.recv(1 << 20):
        data += chunk
    return data


def exact(system, path, **params):
    answer = system.client().get(path, params)
    assert answer.status == 200, answer.text
    return json.loads(answer.body, parse_float=Decimal)


# Connections


def test_terminated_connections_are_not_noticed_by_clients(xtrace):
    for _ in range(5):
        assert xtrace.client().get(LIST).status == 200
        xtrace.database.query(TERMINATE)
        assert [xtrace.client().get(LIST).status for _ in range(4)] == [200] * 4


def test_a_read_whose_connection_is_terminated_runs_again(xtrace):
    with locked_traces(xtrace):
        connection = ask(xtrace, LIST)
        wait_until(lambda: xtrace.database.value(ACTIVE) == 1)
        xtrace.database.query(TERMINATE)
    assert read_all(connection).startswith(b"HTTP/1.1 200 ")


def test_a_statement_that_somebody_cancels_is_503(xtrace):
    with locked_traces(xtrace):
        connection = ask(xtrace, LIST)
        wait_until(lambda: xtrace.database.value(ACTIVE) == 1)
        xtrace.database.query(TERMINATE.replace("pg_terminate_backend", "pg_cancel_backend"))
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 503 ") and b"the database cancelled the query" in answer


def test_a_client_that_leaves_has_its_statement_cancelled(xtrace):
    with locked_traces(xtrace):
        connections = [ask(xtrace, LIST) for _ in range(3)]
        wait_until(lambda: xtrace.database.value(ACTIVE) == 3)
        for connection in connections:
            connection.close()
        wait_until(lambda: xtrace.database.value(ACTIVE) == 0, 3)
        assert xtrace.client().get("/api/public/projects").status == 200
    assert xtrace.client().get(LIST).status == 200


def test_a_read_that_gives_way_in_a_deadlock_runs_once_more(xtrace):
    """Reads lock what a schema change locks, too. The one that waits first is the one that PostgreSQL ends."""
    waits = ACTIVE + " AND wait_event_type = 'Lock'"
    with psycopg.connect(xtrace.database.url) as connection:
        connection.execute("LOCK TABLE scores IN ACCESS EXCLUSIVE MODE")
        reader = ask(xtrace, LIST)
        wait_until(lambda: xtrace.database.value(waits) == 1)
        connection.execute("LOCK TABLE traces IN ACCESS EXCLUSIVE MODE")
        connection.rollback()
    assert read_all(reader).startswith(b"HTTP/1.1 200 ")


def test_a_statement_that_takes_too_long_is_422_and_ends(make_xtrace):
    """Not 503: an SDK sends that again, and the same query takes as long again."""
    system = make_xtrace(env={"XTRACE_QUERY_TIMEOUT_MS": "500"})
    with locked_traces(system):
        answer = system.client().get(LIST)
        assert answer.status == 422 and "Retry-After" not in answer.headers
        assert answer.json() == {"code": "UNPROCESSABLE_CONTENT", "error": "UnprocessableContentError",
                                 "message": "the query was stopped at its limit of 0.5 s: choose a shorter range of time,"
                                            " more filters or a smaller page"}
        assert system.database.value(ACTIVE) == 0
    assert system.client().get(LIST).status == 200


# Answers of any size


@pytest.fixture(scope="module")
def large(xtrace):
    """40 traces of some 400 KB each, sharing a session."""
    for number in range(40):
        assert xtrace.client().batch(new_trace(sessionId="large", input="x" * 400_000, name=f"{number}")).status == 200
    return xtrace


def test_a_large_answer_comes_whole_and_head_knows_its_length(large):
    whole = large.client().get(LIST, {"sessionId": "large"})
    assert len(whole.json()["data"]) == 40 and whole.headers["Transfer-Encoding"] == "chunked"
    head = large.client().request("HEAD", LIST, {"sessionId": "large"})
    assert (head.status, int(head.headers["Content-Length"]), head.body) == (200, len(whole.body), b"")


def test_a_small_answer_has_a_length(large):
    answer = large.client().get(LIST, {"limit": 1, "fields": "core"})
    assert int(answer.headers["Content-Length"]) == len(answer.body)


def test_a_slow_client_does_not_fill_the_memory_and_gets_everything(large):
    before = large.rss_kb("gateway")
    connections = [ask(large, f"{LIST}?sessionId=large") for _ in range(6)]
    wait_until(lambda: large.database.value(ACTIVE) > 0 or large.rss_kb("gateway") > before)
    assert all(read_all(connection).endswith(b"\r\n0\r\n\r\n") for connection in connections)
    assert large.rss_kb("gateway") - before < 200_000


def test_an_answer_that_breaks_off_does_not_look_whole(large):
    with ask(large, f"{LIST}?sessionId=large") as connection:
        data = connection.recv(100_000)
        assert data.startswith(b"HTTP/1.1 200 ")
        large.database.query(TERMINATE)
        data += read_all(connection)
    # What the gateway had already may be the whole; anything less must lack the last chunk.
    body = data.partition(b"\r\n\r\n")[2]
    assert body.endswith(b"\r\n0\r\n\r\n") == (b'"meta":{' in body[-200:])


# One trace


def test_both_spellings_of_a_uuid_find_a_trace(xtrace):
    trace = new_trace(name="spelled")
    assert xtrace.client().batch(trace).status == 200
    for spelling in (trace["id"], trace["id"].upper(), trace["id"].replace("-", "")):
        assert xtrace.client().get(f"{LIST}/{spelling}").json()["id"] == trace["id"]
    for unknown in (new_id(), "no-uuid", "%25", "a%20b"):
        answer = xtrace.client().get(f"{LIST}/{unknown}")
        assert (answer.status, answer.json()["message"], answer.json()["code"]) == (404, "Not Found", "NOT_FOUND")


def test_observations_come_in_the_order_of_their_starts_unset_last(xtrace):
    trace = new_trace()
    starts = [None, "2026-03-01T00:00:02Z", "2026-03-01T00:00:01Z", None, "2026-03-01T00:00:03Z"]
    sent = [new_observation(trace, name=str(n), startTime=start) for n, start in enumerate(starts)]
    for observation in sent:
        assert xtrace.client().batch(trace, [observation]).status == 200
    shown = xtrace.client().get(f"{LIST}/{trace['id']}").json()
    assert [observation["name"] for observation in shown["observations"]] == ["2", "1", "4", "0", "3"]


def test_what_was_not_sent_is_computed(xtrace):
    trace = new_trace()
    observations = [
        new_observation(trace, name="a", startTime="2026-03-01T00:00:00Z", endTime="2026-03-01T00:00:01.5Z",
                        completionStartTime="2026-03-01T00:00:00.25Z", promptTokens=3, completionTokens=4,
                        calculatedInputCost=0.1, calculatedOutputCost=0.2),
        new_observation(trace, name="b", startTime="2026-03-01T00:00:01Z", endTime="2026-03-01T00:00:04Z",
                        latency=9, totalTokens=5, calculatedTotalCost=0.7),
    ]  # fmt: skip
    assert xtrace.client().batch(trace, observations).status == 200
    shown = exact(xtrace, f"{LIST}/{trace['id']}")
    assert (shown["latency"], shown["totalCost"]) == (4, 1)
    first, second = shown["observations"]
    assert (first["latency"], first["timeToFirstToken"], first["totalTokens"]) == (Decimal("1.5"), Decimal("0.25"), 7)
    assert first["calculatedTotalCost"] == first["usage"]["totalCost"] == Decimal("0.3")
    assert (second["latency"], second["timeToFirstToken"], second["totalTokens"]) == (9, None, 5)
    (listed,) = [t for t in exact(xtrace, LIST, limit=200)["data"] if t["id"] == trace["id"]]
    assert (listed["latency"], listed["totalCost"]) == (4, 1)
    assert set(listed["observations"]) == {observation["id"] for observation in observations}


def test_a_sum_of_tokens_beyond_64_bits_harms_nobody(xtrace):
    trace = new_trace(timestamp="2026-02-01T12:00:00Z")
    sent = [new_observation(trace, promptTokens=10**18, completionTokens=10**18) for _ in range(10)]
    assert xtrace.client().batch(trace, sent).status == 200
    shown = xtrace.client().get(f"{LIST}/{trace['id']}").json()
    assert {observation["totalTokens"] for observation in shown["observations"]} == {2 * 10**18}
    (day,) = exact(xtrace, DAILY, fromTimestamp="2026-02-01T00:00:00Z", toTimestamp="2026-02-01T23:00:00Z")["data"]
    assert day["usage"][0]["totalUsage"] == 2**63 - 1


def test_a_tag_may_hold_a_comma_and_commas_may_join_tags(xtrace):
    joined, apart = new_trace(tags=["red,green"]), new_trace(tags=["red", "green"])
    for trace in (joined, apart):
        assert xtrace.client().batch(trace).status == 200
    found = {trace["id"] for trace in exact(xtrace, LIST, tags="red,green")["data"]}
    assert found == {joined["id"], apart["id"]}
    assert [trace["id"] for trace in exact(xtrace, LIST, tags=["red", "green"])["data"]] == [apart["id"]]


def test_a_name_too_long_for_an_index_is_found(xtrace):
    name = "n" * 3000
    assert xtrace.client().batch(new_trace(name=name)).status == 200
    assert exact(xtrace, LIST, name=name)["meta"]["totalItems"] == 1


# Many days: what the books say, and what is computed


@pytest.fixture(scope="module")
def rolled_up(databases):
    from support.fixtures import running

    def send(system):
        for number in range(120):
            trace = new_trace(timestamp=f"2026-01-{1 + number % 5:02}T{number % 24:02}:00:00Z",
                              environment=["a", "b"][number % 2], totalCost=0.25 if number % 3 == 0 else None)
            observations = [new_observation(trace, type=["GENERATION", "SPAN", None][k], model=["m", None, "n"][k],
                                            promptTokens=number, calculatedInputCost=0.001 * k) for k in range(3)]
            assert system.client().batch(trace, observations).status == 200
        wait_until(lambda: system.database.value("SELECT count(*) FROM dirty_days") == 0, 60, "the roll-up", 0.5)
        return system

    made = running(databases.create(), 1, None)
    yield send(next(made))
    next(made, None)


JANUARY = {"fromTimestamp": "2026-01-01T00:00:00Z", "toTimestamp": "2026-01-31T23:59:59.999999Z"}


def test_the_roll_up_says_what_is_computed_live(rolled_up):
    from_books = exact(rolled_up, DAILY, **JANUARY)
    assert len(from_books["data"]) == 5
    computed = exact(rolled_up, DAILY, environment=["a", "b"], **JANUARY)
    assert computed == from_books
    # The last day's last hour left out, nothing of it lost: the day is computed.
    part = exact(rolled_up, DAILY, **JANUARY | {"fromTimestamp": "2026-01-01T00:00:01Z"})
    assert part["data"][:4] == from_books["data"][:4]


def test_a_marked_day_is_computed(rolled_up):
    before = exact(rolled_up, DAILY, **JANUARY)
    day = before["data"][2]["date"]
    rolled_up.database.query("UPDATE daily_totals SET count_traces = 1000 WHERE day = %s", day)
    assert exact(rolled_up, DAILY, **JANUARY)["data"][2]["countTraces"] == 1000
    rolled_up.database.query("INSERT INTO dirty_days (project_id, day) VALUES ('default', %s)", day)
    assert exact(rolled_up, DAILY, **JANUARY) == before


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_deep_pages_that_skip_days_are_the_same(rolled_up, direction):
    """Unfiltered pages start at a day of the books; a filter that all pass walks the index."""
    for page in (1, 2, 9, 13, 17, 18):
        params = {"orderBy": f"timestamp.{direction}", "limit": 7, "page": page, "fields": "core"}
        assert exact(rolled_up, LIST, **params) == exact(rolled_up, LIST, toTimestamp="2030-01-01T00:00:00Z", **params)
