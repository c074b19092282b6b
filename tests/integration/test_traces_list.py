"""GET /api/public/traces: filters, order, fields, pages, over one known set of traces."""

import json

import pytest

from support.records import new_id, new_observation

DAY = "2026-03-0{}T{:02d}:00:00Z"


def made(number):
    """24 traces over three days: every attribute changes at its own pace."""
    return {
        "id": f"00000000-0000-4000-8000-0000000000{number:02x}",
        "timestamp": DAY.format(1 + number // 8, number % 8),
        "name": ["chat", "rag", "agent"][number % 3],
        "userId": f"u{number % 4}",
        "sessionId": f"s{number // 6}" if number % 2 else None,
        "release": f"r{number % 2}",
        "version": f"v{number % 5}",
        "tags": [["a"], ["a", "b"], ["b", "c"], []][number % 4],
        "environment": ["production", "staging", None][number % 3],
        "public": number % 2 == 0,
        "bookmarked": number == 7,
        "latency": number / 4 if number % 6 else None,
        "totalCost": (number * 7 % 24) / 8 if number % 5 else None,
        "input": {"n": number},
        "output": f"out {number}",
        "metadata": {"n": number},
    }


TRACES = [made(number) for number in range(24)]


@pytest.fixture(scope="module")
def listed(xtrace):
    """The system with the set in it, and two observations at trace 3."""
    for trace in TRACES:
        assert xtrace.client().batch(trace).status == 200
    observations = [new_observation(TRACES[3], startTime=TRACES[3]["timestamp"]) for _ in range(2)]
    assert xtrace.client().batch(None, observations).status == 200
    xtrace.observation_ids = {observation["id"] for observation in observations}
    return xtrace


def page(listed, params=None):
    answer = listed.client().get("/api/public/traces", params)
    assert answer.status == 200, answer.text
    return answer.json()


def numbers(body):
    return [int(trace["id"][-2:], 16) for trace in body["data"]]


def expected(condition):
    """Newest first."""
    return [number for number in range(23, -1, -1) if condition(TRACES[number])]


def test_everything_newest_first(listed):
    body = page(listed)
    assert numbers(body) == expected(lambda trace: True)
    assert body["meta"] == {"page": 1, "limit": 50, "totalItems": 24, "totalPages": 1}


def test_a_listed_trace_has_every_key(listed):
    trace = next(t for t in page(listed)["data"] if t["id"] == TRACES[3]["id"])
    assert set(trace) >= {"id", "timestamp", "name", "input", "output", "metadata", "sessionId", "release", "version",
                          "userId", "tags", "public", "bookmarked", "projectId", "environment", "externalId",
                          "htmlPath", "latency", "totalCost", "createdAt", "updatedAt", "observations", "scores"}
    assert set(trace["observations"]) == listed.observation_ids
    assert trace["scores"] == []
    for key in ("name", "userId", "sessionId", "tags", "latency", "input", "output", "metadata"):
        assert trace[key] == TRACES[3][key], key


FILTERS = [
    ({"userId": "u1"}, lambda t: t["userId"] == "u1"),
    ({"name": "rag"}, lambda t: t["name"] == "rag"),
    ({"sessionId": "s1"}, lambda t: t["sessionId"] == "s1"),
    ({"version": "v2"}, lambda t: t["version"] == "v2"),
    ({"release": "r1"}, lambda t: t["release"] == "r1"),
    ({"tags": "a"}, lambda t: "a" in t["tags"]),
    ({"tags": ["a", "b"]}, lambda t: {"a", "b"} <= set(t["tags"])),
    ({"tags": "nobody"}, lambda t: False),
    ({"environment": "staging"}, lambda t: t["environment"] == "staging"),
    ({"environment": ["staging", "production"]}, lambda t: t["environment"] is not None),
    ({"environment": "default"}, lambda t: t["environment"] is None),
    ({"environment": ["default", "staging"]}, lambda t: t["environment"] in (None, "staging")),
    ({"fromTimestamp": DAY.format(2, 0)}, lambda t: t["timestamp"] >= DAY.format(2, 0)),
    ({"toTimestamp": DAY.format(2, 0)}, lambda t: t["timestamp"] <= DAY.format(2, 0)),
    ({"fromTimestamp": "2026-03-02T02:00:00+02:00", "toTimestamp": DAY.format(2, 3)},
     lambda t: DAY.format(2, 0) <= t["timestamp"] <= DAY.format(2, 3)),
    ({"fromTimestamp": DAY.format(3, 0), "toTimestamp": DAY.format(1, 0)}, lambda t: False),
    ({"userId": "u1", "name": "agent", "tags": "b", "release": "r1"},
     lambda t: t["userId"] == "u1" and t["name"] == "agent" and "b" in t["tags"]),
    ({"userId": ""}, lambda t: False),
    ({"unknown": "x"}, lambda t: True),
]  # fmt: skip


@pytest.mark.parametrize("params, condition", FILTERS, ids=lambda p: str(p) if isinstance(p, dict) else "")
def test_filters(listed, params, condition):
    body = page(listed, params)
    assert numbers(body) == expected(condition)
    assert body["meta"]["totalItems"] == len(expected(condition))


def test_an_empty_filter_value_is_the_empty_string(make_xtrace):
    client = make_xtrace().client()
    empty, unset = new_id(), new_id()
    assert client.batch({"id": empty, "userId": ""}).status == client.batch({"id": unset}).status == 200
    assert [t["id"] for t in client.get("/api/public/traces?userId=").json()["data"]] == [empty]


def test_a_plus_is_a_blank_and_percent_2b_a_plus(listed):
    found = listed.client().get("/api/public/traces?fromTimestamp=2026-03-03T07:00:00%2B00:00&toTimestamp=2026-03-03+07:00:00Z")
    assert found.status == 200 and numbers(found.json()) == [23]


ORDERS = {
    "timestamp.asc": (lambda t: t["timestamp"], False),
    "timestamp.desc": (lambda t: t["timestamp"], True),
    "timestamp": (lambda t: t["timestamp"], True),
    "id.asc": (lambda t: t["id"], False),
    "id": (lambda t: t["id"], True),
    "name.asc": (lambda t: t["name"], False),
    "name.desc": (lambda t: t["name"], True),
    "name": (lambda t: t["name"], True),
    "name.sideways": (lambda t: t["name"], False),
    "name.DESC": (lambda t: t["name"], True),
    "timestamp.Asc": (lambda t: t["timestamp"], False),
    "userId.asc": (lambda t: t["userId"], False),
    "user_id.desc": (lambda t: t["userId"], True),
    "release.asc": (lambda t: t["release"], False),
    "version.desc": (lambda t: t["version"], True),
    "public.desc": (lambda t: t["public"], True),
    "bookmarked.desc": (lambda t: t["bookmarked"], True),
    "sessionId.asc": (lambda t: t["sessionId"], False),
    "session_id.desc": (lambda t: t["sessionId"], True),
    "latency.asc": (lambda t: t["latency"], False),
    "latency.desc": (lambda t: t["latency"], True),
    "latency.sideways": (lambda t: t["latency"], True),
    "totalCost.asc": (lambda t: t["totalCost"], False),
    "total_cost.desc": (lambda t: t["totalCost"], True),
}


@pytest.mark.parametrize("order", ORDERS)
def test_order_by_puts_unset_last_both_ways(listed, order):
    key, descending = ORDERS[order]
    values = [key(TRACES[number]) for number in numbers(page(listed, {"orderBy": order}))]
    assert len(values) == 24
    unset = [value for value in values if value is None]
    given = values[: len(values) - len(unset)]
    assert None not in given
    assert given == sorted(given, reverse=descending)


@pytest.mark.parametrize("order", ORDERS)
def test_a_filter_by_sums_keeps_order_total_and_pages(listed, order):
    """It is answered by statements of its own."""
    every = json.dumps([{"type": "number", "column": "errorCount", "operator": ">=", "value": 0}])
    whole = page(listed, {"orderBy": order, "filter": every})
    assert numbers(whole) == numbers(page(listed, {"orderBy": order})) and whole["meta"]["totalItems"] == 24
    assert numbers(page(listed, {"orderBy": order, "filter": every, "limit": 7, "page": 3})) == numbers(whole)[14:21]
    assert page(listed, {"orderBy": order, "filter": every, "page": 2})["data"] == []


@pytest.mark.parametrize("order", ORDERS)
def test_pages_neither_overlap_nor_skip_on_equal_keys(listed, order):
    whole = numbers(page(listed, {"orderBy": order}))
    pages = [numbers(page(listed, {"orderBy": order, "limit": 5, "page": n})) for n in range(1, 6)]
    assert sum(pages, []) == whole


@pytest.mark.parametrize("order", ["", "nonsense", "nonsense.asc", ".asc", "id;drop table traces", "timestamp.asc.desc.x"])
def test_an_unknown_column_is_400(listed, order):
    answer = listed.client().get("/api/public/traces", {"orderBy": order})
    if order == "timestamp.asc.desc.x" and answer.status == 200:
        return  # an unknown direction word is the column's own default
    assert answer.status == 400
    assert answer.json()["code"] == "BAD_REQUEST"


@pytest.mark.parametrize(
    "fields, io, observations, metrics",
    [
        (None, True, True, True),
        ("", False, False, False),
        ("core", False, False, False),
        ("core,io", True, False, False),
        ("io", True, False, False),
        ("observations", False, True, False),
        ("metrics", False, False, True),
        (" io , metrics ,nonsense", True, False, True),
        ("core,io,scores,observations,metrics", True, True, True),
    ],
)
def test_fields_mask(listed, fields, io, observations, metrics):
    params = {"sessionId": "s0", "orderBy": "id.desc"} | ({} if fields is None else {"fields": fields})
    path = "/api/public/traces?" + "&".join(f"{k}={v}".replace(" ", "+") for k, v in params.items())
    trace = next(t for t in listed.client().get(path).json()["data"] if t["id"] == TRACES[3]["id"])
    for key in ("input", "output", "metadata"):
        assert (key in trace) == io
    assert len(trace["observations"]) == (2 if observations else 0)
    assert (trace["latency"], trace["totalCost"]) == ((TRACES[3]["latency"], TRACES[3]["totalCost"]) if metrics else (-1, -1))


@pytest.mark.parametrize(
    "params, page_shown, limit_shown, count",
    [
        ({"limit": 5}, 1, 5, 5),
        ({"limit": 5, "page": 5}, 5, 5, 4),
        ({"limit": 5, "page": 6}, 6, 5, 0),
        ({"limit": 0}, 1, 1, 1),
        ({"limit": -7}, 1, 1, 1),
        ({"limit": 100000}, 1, 200, 24),
        ({"page": 0, "limit": 10}, 1, 10, 10),
        ({"page": -3, "limit": 10}, 1, 10, 10),
    ],
)
def test_pages_are_clamped(listed, params, page_shown, limit_shown, count):
    body = page(listed, params)
    assert len(body["data"]) == count
    assert (body["meta"]["page"], body["meta"]["limit"], body["meta"]["totalItems"]) == (page_shown, limit_shown, 24)
    assert body["meta"]["totalPages"] == -(-24 // limit_shown)


def test_a_page_near_the_end_of_int64_is_empty(listed):
    body = page(listed, {"page": 9223372036854775807, "limit": 200})
    assert body["data"] == [] and body["meta"]["totalItems"] == 24


@pytest.mark.parametrize("query", ["page=x", "page=", "limit=1.5", "limit=abc", "fromTimestamp=yesterday", "toTimestamp=",
                                   "fromTimestamp=2026-03-01", "page=1&page=2", "page=99999999999999999999999"])
def test_a_bad_parameter_is_400_and_named(listed, query):
    answer = listed.client().get(f"/api/public/traces?{query}")
    assert answer.status == 400, answer.text
    assert answer.json()["code"] == "BAD_REQUEST"
    assert query.split("=")[0] in answer.json()["message"]


def test_an_empty_database_has_no_pages(make_xtrace):
    body = page(make_xtrace())
    assert body == {"data": [], "meta": {"page": 1, "limit": 50, "totalItems": 0, "totalPages": 0}}


def test_only_the_python_sdk_2_reads_zero_where_there_is_nothing(xtrace):
    made = new_id()
    assert xtrace.client().batch({"id": made}).status == 200
    for headers, wanted in (({}, None), ({"X-Langfuse-Sdk-Name": "python", "X-Langfuse-Sdk-Version": "2.60.10"}, 0),
                            ({"X-Langfuse-Sdk-Name": "python", "X-Langfuse-Sdk-Version": "3.15.0"}, None),
                            ({"X-Langfuse-Sdk-Name": "javascript", "X-Langfuse-Sdk-Version": "2.0.0"}, None)):
        one = xtrace.client().get(f"/api/public/traces/{made}", headers=headers).json()
        (listed,) = [each for each in xtrace.client().get("/api/public/traces", {"fields": "core,metrics"}, headers).json()["data"]
                     if each["id"] == made]
        assert [one["latency"], one["totalCost"], listed["latency"], listed["totalCost"]] == [wanted] * 4
