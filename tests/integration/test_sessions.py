"""Sessions, runs, and the ids that applications keep in metadata."""

import json
import urllib.parse

import pytest
from support.records import new_id, new_observation, new_trace

def at(day, second=0):
    return f"2026-05-{day:02}T12:00:{second:02}Z"


def send(client, trace, *observations):
    answer = client.batch(trace, observations)
    assert answer.status == 200, answer.text
    return trace


def sessions(client, **params):
    answer = client.get("/api/public/sessions", params)
    assert answer.status == 200, answer.text
    return answer.json()


def session(client, session_id):
    return client.get("/api/public/sessions/" + urllib.parse.quote(session_id, safe=""))


def ids(page):
    return [each["id"] for each in page["data"]]


@pytest.fixture(scope="module")
def client(xtrace):
    """Three sessions: "first" of two turns, "päge 2/x?" and "third" of one each; and a trace of none."""
    client = xtrace.client()
    first = new_trace(sessionId="first", timestamp=at(1), environment="staging", name="turn 1", input={"q": 1})
    later = new_trace(sessionId="first", timestamp=at(5, 30), name="turn 2", totalCost=2)
    send(client, later,
         new_observation(later, startTime=at(5, 31), endTime=at(5, 35), level="ERROR", statusMessage="too late",
                         type="SPAN", name="agent.tool", promptTokens=1, metadata={"step_type": "tool_call"}),
         new_observation(later, startTime=at(5, 31), endTime=at(5, 32), promptTokens=10, completionTokens=5))
    send(client, first,
         new_observation(first, startTime=at(1), endTime=at(1, 9), promptTokens=7, calculatedTotalCost=0.5))
    send(client, new_trace(sessionId="päge 2/x?", timestamp=at(2)))
    send(client, new_trace(sessionId="third", timestamp=at(3)))
    send(client, new_trace(timestamp=at(4)))
    return client


def test_sessions_are_listed_newest_first(client):
    page = sessions(client)
    assert ids(page) == ["third", "päge 2/x?", "first"]
    assert page["meta"] == {"page": 1, "limit": 50, "totalItems": 3, "totalPages": 1}


def test_a_session_is_summed_up(client):
    first = sessions(client)["data"][2]
    latest = first.pop("latest")
    assert first == {
        "id": "first", "createdAt": at(1), "projectId": "default", "environment": "staging",
        "firstTimestamp": at(1), "lastTimestamp": at(5, 30), "countTraces": 2, "countObservations": 3, "countErrors": 1,
        "promptTokens": 18, "completionTokens": 5, "totalTokens": 23, "totalCost": 2.5,
    }
    assert (latest["name"], latest["type"], latest["stepType"]) == ("agent.tool", "SPAN", "tool_call")
    assert (latest["status"], latest["level"], latest["statusMessage"]) == ("error", "ERROR", "too late")
    assert latest["timestamp"] == at(5, 35)


def test_a_session_without_steps_has_no_state(client):
    latest = sessions(client)["data"][0]["latest"]
    assert latest["observationId"] is None and latest["status"] is None and latest["level"] is None
    assert latest["traceId"] is not None


@pytest.mark.parametrize("params, expected", [
    ({"fromTimestamp": at(2)}, ["third", "päge 2/x?"]),
    ({"toTimestamp": at(2)}, ["päge 2/x?", "first"]),
    ({"fromTimestamp": at(2), "toTimestamp": at(2)}, ["päge 2/x?"]),
    # "first" has a trace in that range, but it had begun before.
    ({"fromTimestamp": at(4)}, []),
    ({"environment": "staging"}, ["first"]),
    ({"environment": ["staging", "default"]}, ["third", "päge 2/x?", "first"]),
    ({"environment": "default", "fromTimestamp": at(3)}, ["third"]),
    ({"limit": 2, "page": 2}, ["first"]),
    ({"limit": 1, "page": 2, "fromTimestamp": at(1)}, ["päge 2/x?"]),
    ({"page": 9}, []),
])
def test_filters_and_pages(client, params, expected):
    assert ids(sessions(client, **params)) == expected


def test_the_total_is_that_of_the_filter(client):
    assert sessions(client, environment="staging")["meta"]["totalItems"] == 1
    assert sessions(client, fromTimestamp=at(2), limit=1)["meta"] == {
        "page": 1, "limit": 1, "totalItems": 2, "totalPages": 2}


def test_a_session_has_its_traces_in_time_order(client):
    answer = session(client, "first")
    assert answer.status == 200
    traces = answer.json().pop("traces")
    assert [trace["name"] for trace in traces] == ["turn 1", "turn 2"]
    assert traces[0]["input"] == {"q": 1}
    assert (traces[0]["latency"], traces[0]["totalCost"]) == (9, 0.5)
    assert [len(trace["observations"]) for trace in traces] == [1, 2]
    whole = answer.json()
    del whole["traces"]
    assert whole == sessions(client)["data"][2]


def test_an_id_is_percent_decoded(client):
    assert session(client, "päge 2/x?").json()["id"] == "päge 2/x?"


def test_an_unknown_session_is_not_found(client):
    for unknown in ("nobody", "FIRST", " first"):
        answer = session(client, unknown)
        assert answer.status == 404
        assert answer.json()["code"] == "NOT_FOUND"


def test_sessions_need_credentials_and_take_bad_parameters_ill(client, xtrace):
    assert xtrace.client(headers={}).get("/api/public/sessions?page=x").status == 401
    answer = client.get("/api/public/sessions", {"fromTimestamp": "yesterday"})
    assert answer.status == 400
    assert "fromTimestamp" in answer.json()["message"]


# Turns, runs, steps


@pytest.fixture(scope="module")
def run(client):
    """One trace names the run itself, one only through a step; of the first, one step is another run's."""
    named = new_trace(timestamp=at(10), sessionId="of-run", metadata={"run_id": "run/1", "turn_id": "turn-1"})
    step = {"step_id": "b", "parent_step_id": "a", "step_type": "llm_call", "attempt_index": 2,
            "requested_model": "gpt-5", "actual_model": "gpt-4o", "final_model": "gpt-4o"}
    send(client, named,
         new_observation(named, startTime=at(10, 1), endTime=at(10, 3), metadata=step, promptTokens=3),
         new_observation(named, startTime=at(10, 2), endTime=at(10, 59), metadata={"run_id": "other"}, level="ERROR"))
    other = new_trace(timestamp=at(10, 4))
    send(client, other,
         new_observation(other, startTime=at(10, 5), metadata={"run_id": "run/1", "turn_id": "turn-2"}, name="now"))
    return {"named": named["id"], "other": other["id"], "step": step}


@pytest.mark.parametrize("params, expected", [
    ({"runId": "run/1"}, ["other", "named"]),
    ({"turnId": "turn-1"}, ["named"]),
    ({"turnId": "turn-2"}, ["other"]),
    ({"runId": "other"}, ["named"]),
    ({"runId": "run/1", "turnId": "turn-1"}, ["named"]),
    ({"runId": "run/1", "orderBy": "timestamp.asc", "limit": 1}, ["named"]),
    ({"runId": "run"}, []),
    ({"runId": ""}, []),
])
def test_traces_are_found_by_run_and_turn(client, run, params, expected):
    page = client.get("/api/public/traces", params).json()
    assert ids(page) == [run[name] for name in expected]
    if "limit" not in params:
        assert page["meta"]["totalItems"] == len(expected)


def test_steps_are_readable_as_they_were_sent(client, run):
    trace = client.get("/api/public/traces/" + run["named"]).json()
    assert trace["observations"][0]["metadata"] == run["step"]


def test_the_state_of_a_run(client, run):
    answer = client.get("/api/public/runs/run%2F1")
    assert answer.status == 200
    state = answer.json()
    latest = state.pop("latest")
    assert state == {
        "id": "run/1", "projectId": "default", "firstTimestamp": at(10), "lastTimestamp": at(10, 5),
        "sessionId": "of-run", "status": "running", "countTraces": 2, "countObservations": 2, "countErrors": 0,
        "promptTokens": 3, "completionTokens": 0, "totalTokens": 3, "totalCost": 0,
    }
    assert (latest["traceId"], latest["name"], latest["status"]) == (run["other"], "now", "running")


def test_a_run_says_itself_how_it_stands(client):
    trace = new_trace(timestamp=at(11), metadata={"run_id": 12})
    send(client, trace, new_observation(trace, startTime=at(11), metadata={"status": "waiting_tool"}))
    assert client.get("/api/public/runs/12").json()["status"] == "waiting_tool"


def test_an_unknown_run_is_not_found(client):
    assert client.get("/api/public/runs/nobody").status == 404


def test_ids_that_are_no_ids_are_stored_all_the_same(client):
    """An index entry has no room for everything that metadata may hold."""
    for value in ("x" * 100_000, {"run": list(range(3000))}, None, ["a"]):
        trace = new_trace(timestamp=at(12), metadata={"run_id": value, "turn_id": value})
        send(client, trace, new_observation(trace, metadata={"run_id": value, "turn_id": value}))
        assert client.get("/api/public/traces/" + trace["id"]).json()["metadata"].get("run_id") == value


def test_metadata_that_is_no_object_is_stored_all_the_same(client):
    for value in ("run_id", ["run_id"], 7, True):
        trace = send(client, new_trace(timestamp=at(12), metadata=value))
        assert client.get("/api/public/traces/" + trace["id"]).json()["metadata"] is not None


def test_other_projects_are_not_seen(client, xtrace, run):
    for table in ("traces", "observations"):
        columns = "project_id, id, timestamp, session_id, metadata, event_version" if table == "traces" else \
            "project_id, trace_id, id, metadata, event_version"
        values = ("'foreign', %s, '2027-01-01', 'foreign', %s::jsonb, 1" if table == "traces" else
                  "'foreign', %s, 'foreign', %s::jsonb, 1")
        xtrace.database.query(f"INSERT INTO {table} ({columns}) VALUES ({values})", new_id(),
                              json.dumps({"run_id": "run/1", "turn_id": "turn-1"}))
    assert "foreign" not in ids(sessions(client))
    assert session(client, "foreign").status == 404
    assert client.get("/api/public/traces", {"runId": "run/1"}).json()["meta"]["totalItems"] == 2
    assert client.get("/api/public/runs/run%2F1").json()["countTraces"] == 2
