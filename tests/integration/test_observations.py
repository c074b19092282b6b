"""GET /api/public/observations and /observations/{id}: filters, pages, totals, shape."""

import urllib.parse

import pytest
from support.records import new_id, new_observation, new_trace

TIME = "2026-03-0{}T{:02d}:00:00Z"
TYPES = ["GENERATION", "SPAN", "EVENT"]
LEVELS = [None, "WARNING", "ERROR", "DEFAULT"]


def made(number, trace):
    """Every attribute changes at its own pace."""
    return {
        "id": f"00000000-0000-4000-8000-0000000000{number:02x}",
        "traceId": trace["id"],
        "type": TYPES[number % 3],
        "name": ["chat", "rag", None, "agent"][number % 4],
        "startTime": TIME.format(1 + number // 10, number % 10),
        "level": LEVELS[number % 4],
        "environment": ["production", "staging", None][number % 3],
        "version": f"v{number % 5}",
        "parentObservationId": f"00000000-0000-4000-8000-0000000000{number - 1:02x}" if number % 5 else None,
        "model": "m1" if number % 2 else None,
        "input": {"n": number},
    }


TRACES = [{"id": f"10000000-0000-4000-8000-00000000000{number}", "userId": f"u{number % 2}", "sessionId": f"s{number}",
           "timestamp": TIME.format(1, 0), "name": f"trace {number}", "tags": ["a"] if number else []} for number in range(4)]
# Written in no order of time.
OBSERVATIONS = [made(number, TRACES[number // 5 % 4]) for number in sorted(range(30), key=lambda n: n * 7 % 30)]
BY_NUMBER = {int(observation["id"][-2:], 16): observation for observation in OBSERVATIONS}
OWNER = {trace["id"]: trace for trace in TRACES}


@pytest.fixture(scope="module")
def client(xtrace):
    client = xtrace.client()
    for trace in TRACES:
        own = [observation for observation in OBSERVATIONS if observation["traceId"] == trace["id"]]
        assert client.batch(trace, own).status == 200
    # That route knows no version of an observation.
    xtrace.database.query("UPDATE observations SET version = 'v' || ('x' || right(id, 2))::bit(8)::int % 5")
    xtrace.database.query("SELECT xtrace_recount_facets()")
    return client


def page(client, params=None):
    answer = client.get("/api/public/observations", params)
    assert answer.status == 200, answer.text
    return answer.json()


def numbers(body):
    return [int(observation["id"][-2:], 16) for observation in body["data"]]


def expected(condition):
    return [number for number in range(29, -1, -1) if condition(BY_NUMBER[number])]


def test_everything_newest_first(client):
    body = page(client)
    assert numbers(body) == expected(lambda o: True)
    assert body["meta"] == {"page": 1, "limit": 50, "totalItems": 30, "totalPages": 1}


KEYS = {
    "id", "projectId", "type", "environment", "traceId", "parentObservationId", "name", "version", "statusMessage",
    "model", "promptId", "promptName", "modelId", "usagePricingTierId", "usagePricingTierName", "promptVersion",
    "startTime", "createdAt", "updatedAt", "endTime", "completionStartTime", "level", "input", "output", "metadata",
    "modelParameters", "usageDetails", "costDetails", "usage", "unit", "promptTokens", "completionTokens",
    "totalTokens", "inputPrice", "outputPrice", "totalPrice", "calculatedInputCost", "calculatedOutputCost",
    "calculatedTotalCost", "latency", "timeToFirstToken",
}  # fmt: skip


def test_an_observation_has_every_key_in_the_list_and_alone(client):
    listed = page(client)["data"][0]
    assert set(listed) >= KEYS
    assert set(listed["usage"]) >= {"unit", "input", "output", "total"}
    alone = client.get("/api/public/observations/" + listed["id"])
    assert alone.status == 200 and alone.json() == listed
    assert alone.headers["Content-Type"] == "application/json"
    sent = BY_NUMBER[29]
    for key in ("id", "traceId", "type", "name", "startTime", "version", "model", "input"):
        assert listed[key] == sent[key], key


FILTERS = [
    ({"name": "chat"}, lambda o: o["name"] == "chat"),
    ({"name": ""}, lambda o: False),
    ({"userId": "u1"}, lambda o: OWNER[o["traceId"]]["userId"] == "u1"),
    ({"userId": "nobody"}, lambda o: False),
    ({"sessionId": "s2"}, lambda o: OWNER[o["traceId"]]["sessionId"] == "s2"),
    ({"type": "SPAN"}, lambda o: o["type"] == "SPAN"),
    ({"traceId": TRACES[1]["id"]}, lambda o: o["traceId"] == TRACES[1]["id"]),
    ({"traceId": TRACES[1]["id"].replace("-", "")}, lambda o: o["traceId"] == TRACES[1]["id"]),
    ({"level": "ERROR"}, lambda o: o["level"] == "ERROR"),
    ({"level": "DEFAULT"}, lambda o: o["level"] in (None, "DEFAULT")),
    ({"parentObservationId": BY_NUMBER[6]["id"]}, lambda o: o["parentObservationId"] == BY_NUMBER[6]["id"]),
    ({"version": "v3"}, lambda o: o["version"] == "v3"),
    ({"environment": "staging"}, lambda o: o["environment"] == "staging"),
    ({"environment": ["staging", "production"]}, lambda o: o["environment"] is not None),
    ({"environment": "staging,production"}, lambda o: o["environment"] is not None),
    ({"environment": "default"}, lambda o: o["environment"] is None),
    ({"isRootObservation": "true"}, lambda o: o["parentObservationId"] is None),
    ({"fromStartTime": TIME.format(2, 0)}, lambda o: o["startTime"] >= TIME.format(2, 0)),
    ({"toStartTime": TIME.format(2, 0)}, lambda o: o["startTime"] <= TIME.format(2, 0)),
    ({"fromStartTime": "2026-03-02T02:00:00+02:00", "toStartTime": TIME.format(2, 3)},
     lambda o: TIME.format(2, 0) <= o["startTime"] <= TIME.format(2, 3)),
    ({"userId": "u1", "type": "SPAN", "level": "ERROR", "environment": "staging", "version": "v2"},
     lambda o: OWNER[o["traceId"]]["userId"] == "u1" and o["type"] == "SPAN" and o["level"] == "ERROR"
     and o["environment"] == "staging" and o["version"] == "v2"),
    ({"unknown": "x"}, lambda o: True),
]  # fmt: skip


@pytest.mark.parametrize("params, condition", FILTERS, ids=lambda p: str(p) if isinstance(p, dict) else "")
def test_filters(client, params, condition):
    body = page(client, params)
    assert numbers(body) == expected(condition)
    assert body["meta"]["totalItems"] == len(expected(condition))


def test_pages_neither_overlap_nor_skip(client):
    seen = []
    for number in range(1, 6):
        body = page(client, {"limit": 7, "page": number})
        assert body["meta"] == {"page": number, "limit": 7, "totalItems": 30, "totalPages": 5}
        seen += numbers(body)
    assert seen == list(range(29, -1, -1))


@pytest.mark.parametrize("params", [{"page": 6, "limit": 7}, {"page": 2**63 - 1}, {"page": 2, "type": "SPAN"}])
def test_a_page_beyond_the_end_is_empty_with_true_totals(client, params):
    body = page(client, params)
    assert body["data"] == []
    assert body["meta"]["totalItems"] == (10 if "type" in params else 30)


def test_deep_pages_hold_each_row_once_in_order_whatever_ties(make_xtrace):
    """Those whose beginning is looked up in the index alone too."""
    system = make_xtrace()
    client = system.client()
    assert client.batch(new_trace()).status == 200
    system.database.query("WITH o AS (INSERT INTO observations (project_id, trace_id, id, start_time, event_version, name)"
                          " SELECT 'default', 't' || n %% 3, 'o' || n, '2026-01-01'::timestamptz + n / 700 * interval '1 day', 1, 'x'"
                          " FROM generate_series(1, 3000) n WHERE %s RETURNING 1)"
                          " INSERT INTO observation_counts SELECT 'default', count(*) FROM o", True)
    system.database.query("SELECT xtrace_recount_facets()")
    for params in ({}, {"fromStartTime": "2026-01-02T00:00:00Z"}, {"name": "x"}):
        first = page(client, {**params, "limit": 150})
        total, pages = first["meta"]["totalItems"], first["meta"]["totalPages"]
        rows = [row for number in range(1, pages + 2) for row in page(client, {**params, "limit": 150, "page": number})["data"]]
        keys = [(row["startTime"], row["traceId"], row["id"]) for row in rows]
        assert keys == sorted(set(keys), reverse=True) and len(keys) == total == (2301 if "fromStartTime" in params else 3000)
    assert page(client, {"page": 2**63 - 1})["data"] == []


def test_limits_are_clamped(client):
    assert page(client, {"limit": 0})["meta"]["limit"] == 1
    assert page(client, {"limit": 10**6})["meta"]["limit"] == 200


@pytest.mark.parametrize("query", ["page=x", "limit=", "fromStartTime=yesterday", "name=a&name=b", "name=%00",
                                   "isRootObservation=maybe", "type=%ff"])
def test_bad_parameters_are_named(client, query):
    answer = client.get("/api/public/observations?" + query)
    assert answer.status == 400 and query.split("=")[0] in answer.json()["message"]
    assert answer.json()["error"] == "InvalidRequestError"


def test_unknown_ids_are_404(client):
    for name in (new_id(), "nothing", "a%2Fb%3F", "x" * 801):
        answer = client.get("/api/public/observations/" + name)
        assert answer.status == 404, name
        assert answer.json()["error"] == "LangfuseNotFoundError"


def test_ids_are_found_in_every_spelling_and_percent_encoded(make_xtrace):
    client = make_xtrace().client()
    trace = new_trace()
    observation = new_observation(trace)
    assert client.batch(trace, [observation]).status == 200
    for spelling in (observation["id"], observation["id"].upper(), observation["id"].replace("-", "")):
        assert client.get("/api/public/observations/" + spelling).json()["id"] == observation["id"]
    odd = "order #42/ünï?x=1"
    span = {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "s",
            "startTimeUnixNano": "1770000000000000000", "endTimeUnixNano": "1770000001000000000"}
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    assert client.post("/api/public/otel/v1/traces", body).status == 200
    assert client.get("/api/public/observations/b7ad6b7169203331").json()["traceId"] == span["traceId"]
    assert client.get("/api/public/observations/" + urllib.parse.quote(odd, safe="")).status == 404


def test_of_an_id_in_two_traces_the_newest_is_shown(make_xtrace):
    client = make_xtrace().client()
    spans = [{"traceId": f"{number}" * 32, "spanId": "b7ad6b7169203331", "name": f"s{number}",
              "startTimeUnixNano": f"177000000{number}000000000", "endTimeUnixNano": f"177000000{number}500000000"}
             for number in (1, 3, 2)]
    assert client.post("/v1/traces", {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).status == 200
    assert client.get("/api/public/observations/b7ad6b7169203331").json()["name"] == "s3"
    assert page(client)["meta"]["totalItems"] == 3
    found = page(client, {"traceId": "2" * 32})["data"]
    assert [observation["name"] for observation in found] == ["s2"]


def test_an_end_before_the_start_reads_as_the_start(make_xtrace):
    system = make_xtrace()
    client = system.client()
    trace = new_trace()
    observation = new_observation(trace, startTime=TIME.format(1, 5), endTime=TIME.format(1, 3))
    assert client.batch(trace, [observation]).status == 200
    read = client.get("/api/public/observations/" + observation["id"]).json()
    assert (read["endTime"], read["latency"]) == (TIME.format(1, 5), 0)
    assert client.get("/api/public/traces/" + trace["id"]).json()["latency"] == 0
    shown = system.database.query("SELECT end_time = start_time, latency FROM xtrace.observations WHERE id = %s", observation["id"])
    assert shown == [(True, 0)]


def test_an_observation_without_a_start_counts_from_when_it_came(make_xtrace):
    client = make_xtrace().client()
    trace = new_trace()
    old, bare = new_observation(trace, startTime=TIME.format(1, 0)), new_observation(trace)
    assert client.batch(trace, [bare, old]).status == 200
    body = page(client)
    assert [observation["id"] for observation in body["data"]] == [bare["id"], old["id"]]
    assert body["data"][0]["startTime"] == body["data"][0]["createdAt"]
    assert page(client, {"fromStartTime": TIME.format(2, 0)})["meta"]["totalItems"] == 1


def test_totals_follow_deletions(make_xtrace):
    client = make_xtrace().client()
    traces = [new_trace() for _ in range(3)]
    for trace in traces:
        observations = [new_observation(trace) for _ in range(4)]
        assert client.batch(trace, observations).status == 200
        assert client.batch(trace, observations).status == 200  # again: no more of them
    assert page(client)["meta"]["totalItems"] == 12
    assert client.request("DELETE", "/api/public/traces/" + traces[0]["id"]).status == 200
    assert page(client)["meta"]["totalItems"] == len(page(client)["data"]) == 8


def test_head_is_answered_without_a_body(client):
    whole = client.get("/api/public/observations")
    head = client.request("HEAD", "/api/public/observations")
    assert head.status == 200 and head.body == b""
    assert head.headers["Content-Length"] == str(len(whole.body))


def test_credentials_are_asked_for_first(xtrace):
    stranger = xtrace.client(headers={})
    for path in ("/api/public/observations?page=x", "/api/public/observations/x", "/api/public/v2/observations?cursor=x"):
        assert stranger.get(path).status == 401
