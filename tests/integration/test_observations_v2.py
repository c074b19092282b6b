"""GET /api/public/v2/observations: groups of fields, cursors, what is cut."""

import base64
import json
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.records import new_id, new_observation, new_trace

PATH = "/api/public/v2/observations"
ALWAYS = {"modelId", "inputPrice", "outputPrice", "totalPrice"}
GROUPS = {
    "core": {"id", "traceId", "startTime", "endTime", "projectId", "parentObservationId", "type"},
    "basic": {"name", "level", "statusMessage", "version", "environment", "bookmarked", "public", "userId", "sessionId",
              "isRootObservation"},
    "time": {"completionStartTime", "createdAt", "updatedAt"},
    "io": {"input", "output"},
    "metadata": {"metadata"},
    "model": {"providedModelName", "internalModelId", "modelParameters"},
    "usage": {"usageDetails", "costDetails", "totalCost", "usagePricingTierName"},
    "prompt": {"promptId", "promptName", "promptVersion"},
    "metrics": {"latency", "timeToFirstToken"},
    "trace_context": {"traceName", "tags", "release"},
}  # fmt: skip


def listed(client, **params):
    answer = client.get(PATH, params)
    assert answer.status == 200, answer.text
    return answer.json()


def walk(client, between=lambda: None, **params):
    """The rows of all pages, one page after the other."""
    rows, cursor = [], None
    while True:
        body = listed(client, **params, **({"cursor": cursor} if cursor else {}))
        rows += body["data"]
        assert len(body["data"]) <= int(params.get("limit", 50))
        cursor = body["meta"].get("cursor")
        if cursor is None:
            assert body["meta"] == {}
            return rows
        assert set(body["meta"]) == {"cursor"}
        between()


def key(row):
    return (row["startTime"], row["traceId"], row["id"])


@pytest.fixture(scope="module")
def client(xtrace):
    """Twelve observations of one trace, at only three times."""
    client = xtrace.client()
    trace = new_trace(userId="u", sessionId="s", name="t", tags=["b", "a"], release="r", public=True)
    observations = [new_observation(
        trace, name=f"o{number}", startTime=f"2026-04-01T00:00:0{number % 3}Z", endTime="2026-04-01T00:00:09.5Z",
        completionStartTime="2026-04-01T00:00:04Z", model="m", modelId="id of m", modelParameters={"t": 0.5},
        input="plain \"text\"", output={"b": 1, "a": [2.50]}, promptTokens=3, completionTokens=4,
        inputPrice=0.0000025, totalCost=None, calculatedTotalCost=0.25, promptName="p", promptVersion="7",
        metadata={"long": "é" * 300, "short": "x", "list": list(range(100)), "number": 5, "nothing": None},
        parentObservationId=new_id() if number else None) for number in range(12)]
    assert client.batch(trace, observations).status == 200
    client.trace = trace
    return client


def test_without_fields_there_is_what_is_core_and_basic(client):
    for row in listed(client)["data"]:
        assert set(row) == ALWAYS | GROUPS["core"] | GROUPS["basic"]
        assert [row[key] for key in sorted(ALWAYS)] == [None] * 4
        assert (row["userId"], row["sessionId"], row["public"], row["bookmarked"]) == ("u", "s", True, False)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_adds_its_keys_to_the_core(client, group):
    for row in listed(client, fields=f" {group} ,unknown")["data"]:
        assert set(row) == ALWAYS | GROUPS["core"] | GROUPS[group]


def test_all_groups_together(client):
    row = listed(client, fields=",".join(GROUPS), limit=1)["data"][0]
    assert set(row) == ALWAYS.union(*GROUPS.values())
    assert (row["input"], row["output"]) == ("plain \"text\"", '{"b": 1, "a": [2.5]}')
    assert (row["providedModelName"], row["internalModelId"], row["modelParameters"]) == ("m", "id of m", {"t": 0.5})
    assert (row["modelId"], row["inputPrice"], row["outputPrice"]) == ("id of m", "0.0000025", None)
    assert row["usageDetails"] == {"input": 3, "output": 4, "total": 7}
    assert row["totalCost"] == 0.25 and row["promptVersion"] == 7
    assert (row["latency"], row["timeToFirstToken"]) == (7.5, 2)
    assert (row["traceName"], sorted(row["tags"]), row["release"]) == ("t", ["a", "b"], "r")


def test_fields_may_be_repeated(client):
    row = listed(client, fields=["io", "time"], limit=1)["data"][0]
    assert set(row) == ALWAYS | GROUPS["core"] | GROUPS["io"] | GROUPS["time"]


def test_metadata_is_cut_but_for_what_is_expanded(client):
    metadata = listed(client, fields="metadata", limit=1)["data"][0]["metadata"]
    assert metadata["long"] == "é" * 200
    assert metadata["list"] == json.dumps(list(range(100)))[:200]
    assert (metadata["short"], metadata["number"], metadata["nothing"]) == ("x", 5, None)
    metadata = listed(client, fields="metadata", limit=1, expandMetadata="long,other")["data"][0]["metadata"]
    assert metadata["long"] == "é" * 300 and isinstance(metadata["list"], str)
    metadata = listed(client, fields="metadata", limit=1, expandMetadata=["long", "list"])["data"][0]["metadata"]
    assert metadata["list"] == list(range(100))


def test_io_is_a_string_and_parsing_is_refused(client):
    assert listed(client, parseIoAsJson="false", limit=1)["data"]
    answer = client.get(PATH, {"parseIoAsJson": "true"})
    assert answer.status == 400 and answer.json()["error"] == "InvalidRequestError"


def test_roots(client):
    assert [row["name"] for row in listed(client, isRootObservation="true")["data"]] == ["o0"]
    rows = listed(client, isRootObservation="false")["data"]
    assert len(rows) == 11 and not any(row["isRootObservation"] for row in rows)


def test_the_first_exported_span_of_an_application_is_a_root(make_xtrace):
    client = make_xtrace().client()

    def span(number, **attributes):
        values = [{"key": key.replace("__", "."), "value": {"boolValue": True}} for key in attributes]
        return {"traceId": "a" * 32, "spanId": f"{number:016x}", "parentSpanId": "f" * 16, "name": f"s{number}", "attributes": values,
                "startTimeUnixNano": "1770000000000000000", "endTimeUnixNano": "1770000001000000000"}

    spans = [span(1), span(2, langfuse__internal__is_app_root=1), span(3, langfuse__internal__as_root=1)]
    for scope in ({"name": "other"}, {"name": "langfuse-sdk"}):
        body = {"resourceSpans": [{"scopeSpans": [{"scope": scope, "spans": spans}]}]}
        assert client.post("/v1/traces", body).status == 200
        rows = {row["name"]: row["isRootObservation"] for row in listed(client)["data"]}
        assert rows == {"s1": False, "s2": True, "s3": True}
        assert client.request("DELETE", "/api/public/traces/" + "a" * 32).status == 200


@pytest.mark.parametrize("limit", [1, 2, 5, 11, 12, 13])
def test_pages_hold_each_row_once_newest_first_whatever_ties(client, limit):
    rows = walk(client, limit=limit)
    assert len(rows) == 12
    assert rows == sorted(rows, key=key, reverse=True)


def test_limits_are_clamped_and_none_is_no_rows(client):
    assert listed(client, limit=0) == {"data": [], "meta": {}}
    assert listed(client, limit=-5) == {"data": [], "meta": {}}
    assert len(listed(client, limit=10**9)["data"]) == 12
    assert client.get(PATH, {"limit": "x"}).status == 400


def cursor_of(text):
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("cursor", [
    "x", "!!", "YQ", cursor_of("1"), cursor_of("1\rt"), cursor_of("1\rt\ri\rx"), cursor_of("x\rt\ri"),
    cursor_of("9" * 30 + "\rt\ri"), cursor_of("1\rt\x00\ri"), base64.b64encode(b"1\rt\ri\xff").decode(), "x" * 5000,
])  # fmt: skip
def test_a_bad_cursor_is_400(client, cursor):
    answer = client.get(PATH, {"cursor": cursor})
    assert answer.status == 400 and "cursor" in answer.json()["message"]
    assert answer.json()["error"] == "InvalidRequestError"


def test_a_cursor_goes_with_any_filter(client):
    cursor = listed(client, limit=4)["meta"]["cursor"]
    rest = listed(client, cursor=cursor)["data"]
    assert len(rest) == 8
    wanted = json.dumps([{"type": "string", "column": "name", "operator": "=", "value": rest[3]["name"]}])
    assert [row["id"] for row in listed(client, cursor=cursor, filter=wanted)["data"]] == [rest[3]["id"]]
    assert listed(client, cursor=cursor, traceId=new_id()) == {"data": [], "meta": {}}


def test_a_cursor_is_good_for_ids_of_every_kind(make_xtrace):
    system = make_xtrace()
    client = system.client()
    assert client.batch(new_trace(), []).status == 200
    ids = ["plain", "order #42/ünï?x=1", "a,b;c|d\te", "~?>" * 9, "x" * 800, "%2F", "日本語"]
    for trace_id in ids:
        for own_id in ids:
            system.database.query("INSERT INTO observations (project_id, trace_id, id, event_version, start_time)"
                                  " VALUES ('default', %s, %s, 1, '2026-01-01')", trace_id, own_id)
    rows = walk(client, limit=3)
    assert {(row["traceId"], row["id"]) for row in rows} == {(a, b) for a in ids for b in ids}
    assert len(rows) == len(ids) ** 2


def test_a_walk_sees_each_row_once_while_others_are_written(make_xtrace):
    """New rows shift no page: whatever was there when the walk began is met exactly once, in order."""
    client = make_xtrace(writers=2).client()
    trace = new_trace(timestamp="2026-01-01T00:00:00Z")
    before = [new_observation(trace, startTime=f"2026-01-01T00:00:{number % 60:02}Z") for number in range(300)]
    assert client.batch(trace, before).status == 200
    stop = threading.Event()
    problems = []

    def write():
        for _ in range(20):  # not for ever: what is added behind the walk makes it longer
            if stop.is_set():
                return
            more = [new_observation(trace, startTime=f"2026-01-01T00:00:{number:02}Z") for number in range(60)]
            newest = [new_observation(trace) for _ in range(20)]
            answer = client.batch(None, more + newest)
            if answer.status != 200:
                problems.append(answer.text)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for limit in (20, 100):
            rows = walk(client, limit=limit, toStartTime="2026-01-01T00:00:59Z")
            keys = [key(row) for row in rows]
            assert keys == sorted(keys, reverse=True) and len(set(keys)) == len(keys)
            seen = {row["id"] for row in rows}
            assert seen >= {observation["id"] for observation in before}
    finally:
        stop.set()
        writer.join()
    assert problems == []


@pytest.fixture(scope="module")
def scattered(xtrace):
    """Fifty rows with few times, so that many tie, in a project's worth of traces; those of `client` left out."""
    client = xtrace.client()
    traces = [new_trace() for _ in range(5)]
    rows = [new_observation(traces[number % 5], name="scattered", startTime=f"2026-02-0{1 + number * 3 % 4}T00:00:00.00000{number % 2}Z")
            for number in range(50)]
    assert client.batch(None, rows).status == 200
    return client, {row["id"] for row in rows}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(limits=st.lists(st.integers(1, 20), min_size=1, max_size=60))
def test_any_walk_with_any_limits_yields_each_row_once_in_order(scattered, limits):
    client, ids = scattered
    rows, cursor = [], None
    for number in range(200):
        params = {"limit": limits[number % len(limits)], "name": "scattered", **({"cursor": cursor} if cursor else {})}
        body = listed(client, **params)
        rows += body["data"]
        cursor = body["meta"].get("cursor")
        if cursor is None:
            break
    assert [row["id"] for row in rows if row["id"] in ids] == [row["id"] for row in rows]
    assert {row["id"] for row in rows} == ids and len(rows) == len(ids)
    times = [row["startTime"] for row in rows]
    assert all(a[:10] >= b[:10] for a, b in zip(times, times[1:]))
