"""The `filter` parameter, on everything that takes one: each type and operator, precedence, what is refused,
and that nothing of it is ever SQL."""

import json

import pytest
from support.fixtures import Databases
from support.postgres import Postgres
from support.records import new_observation
from support.wait import wait_until

TRACES = "/api/public/traces"
V1 = "/api/public/observations"
V2 = "/api/public/v2/observations"


def at(number):
    return f"2026-05-01T00:00:{number:02}Z"


NAMES = ["chat", "chat.turn", "100%", "a_b", None, "axb", "50%_off", "x'; DROP TABLE traces; --"]
METADATA = [
    {"tenant": "acme", "n": 5, "flag": True, "nested": {"a": 1}},
    {"tenant": "acme corp", "n": 7.5, "flag": False},
    {"tenant": "", "n": "9", "flag": "true"},
    {"n": "many"},
    None,
    {"tenant": None, "a'b\"c": "odd"},
    {"tenant": "ACME", "n": -1e3},
    {"tenant": "100%", "n": 10**30},
]


def made(number):
    """A trace and an observation that have much in common, told apart by the number in version and id."""
    name = NAMES[number]
    trace = {"id": f"00000000-0000-4000-8000-00000000000{number}", "timestamp": at(number), "name": name, "userId": f"u{number % 3}",
             "sessionId": f"s{number % 2}", "release": f"r{number}", "version": f"v{number % 2}", "public": number % 2 == 0,
             "environment": ["production", "staging", None][number % 3], "tags": [[], ["a"], ["a", "b"], ["b,c", "\"{}"]][number % 4],
             "latency": number / 4, "metadata": METADATA[number], "input": {"q": f"what {number}"}}
    observation = new_observation(trace, id=f"10000000-0000-4000-8000-00000000000{number}", type=["SPAN", "GENERATION"][number % 2],
                                  name=name, startTime=at(number), level=[None, "ERROR", "WARNING"][number % 3], latency=number / 4,
                                  promptTokens=number, completionTokens=1, calculatedTotalCost=number / 8, metadata=METADATA[number],
                                  environment=trace["environment"], calculatedInputCost=number % 3 / 4, model=f"m{number % 2}", input=f"what {number}",
                                  parentObservationId=None if number % 2 else f"20000000-0000-4000-8000-00000000000{number}")
    return trace, observation


MADE = [made(number) for number in range(8)]
SCORES = [(3, "quality", 1), (3, "quality", 4), (4, "quality", 2), (5, "quality", 0.00001),
          (3, "tone", "good"), (3, "tone", "dull"), (5, "tone", "good"), (6, "mood", "good"),
          (1, "right", True), (2, "right", True), (2, "right", False), (4, "right", False)]  # fmt: skip


@pytest.fixture(scope="module")
def client(xtrace):
    client = xtrace.client()
    for trace, observation in MADE:
        assert client.batch(trace, [observation]).status == 200
    for number, name, value in SCORES:
        score = {"id": f"score {name} {number} {value}", "name": name, "value": value, "traceId": MADE[number][0]["id"]}
        if isinstance(value, bool):
            score.update(value=int(value), dataType="BOOLEAN")
        assert client.post("/api/public/scores", score).status == 200
    return client


def condition(type_, column, operator, value=None, key=None):
    made = {"type": type_, "column": column, "operator": operator, "value": value}
    return made if key is None else {**made, "key": key}


def ask(client, path, *conditions, **params):
    return client.get(path, {"filter": json.dumps(conditions), **params})


def found(client, path, *conditions, **params):
    """Numbers of what is found, ascending; where there are totals, they are those."""
    answer = ask(client, path, *conditions, **params)
    assert answer.status == 200, answer.text
    body = answer.json()
    if "totalItems" in body["meta"]:
        assert body["meta"]["totalItems"] == len(body["data"])
    return sorted(int(row["id"][-1]) for row in body["data"])


# What holds for traces and for observations alike.
SHARED = [
    (condition("string", "name", "=", "chat"), [0]),
    (condition("string", "name", "=", "CHAT"), []),
    (condition("string", "name", "=", NAMES[7]), [7]),
    (condition("string", "name", "contains", "chat"), [0, 1]),
    (condition("string", "name", "contains", "%"), [2, 6]),
    (condition("string", "name", "contains", "_"), [3, 6]),
    (condition("string", "name", "contains", ""), [0, 1, 2, 3, 5, 6, 7]),
    (condition("string", "name", "does not contain", "chat"), [2, 3, 4, 5, 6, 7]),
    (condition("string", "name", "does not contain", "%"), [0, 1, 3, 4, 5, 7]),
    (condition("string", "name", "starts with", "a"), [3, 5]),
    (condition("string", "name", "starts with", "a_"), [3]),
    (condition("string", "name", "ends with", "turn"), [1]),
    (condition("string", "name", "ends with", "%"), [2]),
    (condition("string", "name", "=", "x" * 5000), []),
    (condition("stringOptions", "name", "any of", ["chat", "axb", "nobody"]), [0, 5]),
    (condition("stringOptions", "name", "none of", ["chat", "axb"]), [1, 2, 3, 4, 6, 7]),
    (condition("stringOptions", "name", "any of", []), []),
    (condition("stringOptions", "name", "none of", []), list(range(8))),
    (condition("stringOptions", "environment", "any of", ["default", "staging"]), [1, 2, 4, 5, 7]),
    (condition("string", "environment", "=", "default"), [2, 5]),
    (condition("string", "userId", "=", "u1"), [1, 4, 7]),
    (condition("string", "user_id", "=", "u1"), [1, 4, 7]),
    (condition("stringOptions", "sessionId", "any of", ["s0"]), [0, 2, 4, 6]),
    (condition("string", "release", "=", "r5"), [5]),
    (condition("number", "latency", "=", 0.25), [1]),
    (condition("number", "latency", "<", 0.5), [0, 1]),
    (condition("number", "latency", ">", 1.25), [6, 7]),
    (condition("number", "latency", "<=", 0.5), [0, 1, 2]),
    (condition("number", "latency", ">=", 1e300), []),
    (condition("number", "totalCost", ">=", 0.75), [6, 7]),
    (condition("number", "inputTokens", ">", 5), [6, 7]),
    (condition("number", "totalTokens", "=", 3), [2]),
    (condition("boolean", "public", "=", True), [0, 2, 4, 6]),
    (condition("boolean", "public", "<>", True), [1, 3, 5, 7]),
    (condition("boolean", "bookmarked", "=", True), []),
    (condition("arrayOptions", "tags", "any of", ["b", "b,c"]), [2, 3, 6, 7]),
    (condition("arrayOptions", "tags", "all of", ["a", "b"]), [2, 6]),
    (condition("arrayOptions", "tags", "none of", ["a"]), [0, 3, 4, 7]),
    (condition("arrayOptions", "tags", "any of", ["\"{}"]), [3, 7]),
    (condition("arrayOptions", "tags", "all of", []), list(range(8))),
    (condition("arrayOptions", "tags", "any of", []), []),
    (condition("stringObject", "metadata", "=", "acme", "tenant"), [0]),
    (condition("stringObject", "metadata", "contains", "acme", "tenant"), [0, 1]),
    (condition("stringObject", "metadata", "does not contain", "acme", "tenant"), [2, 3, 4, 5, 6, 7]),
    (condition("stringObject", "metadata", "starts with", "acme ", "tenant"), [1]),
    (condition("stringObject", "metadata", "ends with", "%", "tenant"), [7]),
    (condition("stringObject", "metadata", "=", "", "tenant"), [2]),
    (condition("stringObject", "metadata", "=", "odd", "a'b\"c"), [5]),
    (condition("stringObject", "metadata", "contains", "\"a\"", "nested"), [0]),
    (condition("numberObject", "metadata", "=", 5, "n"), [0]),
    (condition("numberObject", "metadata", ">", 5, "n"), [1, 2, 7]),
    (condition("numberObject", "metadata", "<", 0, "n"), [6]),
    (condition("numberObject", "metadata", ">=", 7.5, "n"), [1, 2, 7]),
    (condition("numberObject", "metadata", "<=", 5.0, "n"), [0, 6]),
    (condition("booleanObject", "metadata", "=", True, "flag"), [0, 2]),
    (condition("booleanObject", "metadata", "<>", True, "flag"), [1, 3, 4, 5, 6, 7]),
    (condition("null", "name", "is null", ""), [4]),
    (condition("null", "name", "is not null", ""), [0, 1, 2, 3, 5, 6, 7]),
    (condition("null", "metadata", "is null", "", "tenant"), [3, 4, 5]),
    (condition("null", "metadata", "is null"), [4]),
    (condition("null", "tags", "is null"), [0, 4]),
    (condition("string", "input", "contains", "what 3"), [3]),
    (condition("string", "input", "matches", "WHAT 3"), [3]),
    (condition("string", "name", "matches", "CHAT"), [0, 1]),
    (condition("stringObject", "metadata", "matches", "acme", "tenant"), [0, 1]),
    (condition("stringObject", "metadata", "is set", "", "tenant"), [0, 1, 2, 6, 7]),
    (condition("stringObject", "metadata", "is not set", None, "tenant"), [3, 4, 5]),
    (condition("categoryOptions", "metadata", "any of", ["acme", "ACME"], "tenant"), [0, 6]),
    (condition("categoryOptions", "metadata", "none of", ["acme", "ACME"], "tenant"), [1, 2, 3, 4, 5, 7]),
    (condition("number", "tokens", "=", 3), [2]),
]  # fmt: skip

OF_TRACES = [
    (condition("datetime", "timestamp", ">=", at(5)), [5, 6, 7]),
    (condition("datetime", "timestamp", "<", "2026-05-01T02:00:02+02:00"), [0, 1]),
    (condition("datetime", "timestamp", "<=", at(1)), [0, 1]),
    (condition("datetime", "Timestamp", ">", at(6)), [7]),
    (condition("string", "version", "=", "v1"), [1, 3, 5, 7]),
    (condition("number", "errorCount", ">", 0), [1, 4, 7]),
    (condition("number", "warningCount", "=", 1), [2, 5]),
    (condition("number", "defaultCount", ">=", 1), [0, 3, 6]),
    (condition("number", "observationCount", "=", 1), list(range(8))),
    (condition("string", "id", "ends with", "03"), [3]),
    (condition("number", "inputCost", ">=", 0.5), [2, 5]),
    (condition("number", "outputCost", "=", 0), list(range(8))),
    (condition("string", "level", "=", "ERROR"), [1, 4, 7]),
    (condition("stringOptions", "level", "none of", ["ERROR", "WARNING"]), [0, 3, 6]),
    (condition("numberObject", "scores_avg", ">", 1.5, "quality"), [3, 4]),
    (condition("numberObject", "scores_avg", "=", 2.5, "quality"), [3]),
    (condition("numberObject", "scores_avg", ">", 0, "tone"), []),
    (condition("categoryOptions", "score_categories", "any of", ["good", "bad"], "tone"), [3, 5]),
    (condition("categoryOptions", "score_categories", "none of", ["good"], "tone"), [0, 1, 2, 4, 6, 7]),
    (condition("numberObject", "scores", "=", 2.5, "quality"), [3]),
    (condition("booleanObject", "score_booleans", "=", True, "right"), [1, 2]),
    (condition("booleanObject", "score_booleans", "=", False, "right"), [2, 4]),
    (condition("booleanObject", "score_booleans", "<>", True, "right"), [0, 3, 4, 5, 6, 7]),
    (condition("string", "input", "=", '{"q": "what 3"}'), [3]),
    (condition("null", "score_categories", "is not null", "", "tone"), [3, 5]),
]

OF_OBSERVATIONS = [
    (condition("datetime", "startTime", ">=", at(5)), [5, 6, 7]),
    (condition("datetime", "start_time", "<", at(2)), [0, 1]),
    (condition("string", "type", "=", "GENERATION"), [1, 3, 5, 7]),
    (condition("stringOptions", "level", "any of", ["ERROR", "DEFAULT"]), [0, 1, 3, 4, 6, 7]),
    (condition("stringOptions", "level", "none of", ["DEFAULT"]), [1, 2, 4, 5, 7]),
    (condition("string", "traceId", "=", MADE[3][0]["id"]), [3]),
    (condition("string", "traceName", "=", "chat"), [0]),
    (condition("string", "model", "=", "m1"), [1, 3, 5, 7]),
    (condition("stringOptions", "providedModelName", "none of", ["m1"]), [0, 2, 4, 6]),
    (condition("null", "parentObservationId", "is null"), [1, 3, 5, 7]),
    (condition("boolean", "isRootObservation", "=", True), [1, 3, 5, 7]),
    (condition("boolean", "hasParentObservation", "<>", False), [0, 2, 4, 6]),
    (condition("number", "tokensPerSecond", ">", 1.5), [1, 2]),
    (condition("null", "endTime", "is null"), list(range(8))),
    (condition("string", "input", "=", "what 3"), [3]),
    (condition("string", "input", "starts with", "what"), list(range(8))),
    (condition("stringOptions", "input", "any of", ["what 1", "what 2"]), [1, 2]),
]

CASES = [(path, *case) for path in (TRACES, V1, V2) for case in SHARED] + [(TRACES, *case) for case in OF_TRACES] + [
    (path, *case) for path in (V1, V2) for case in OF_OBSERVATIONS]


@pytest.mark.parametrize("path, wanted, expected", CASES, ids=lambda value: "")
def test_each_type_and_operator(client, path, wanted, expected):
    assert found(client, path, wanted) == expected, wanted


@pytest.mark.parametrize("path", [TRACES, V1, V2])
def test_all_conditions_must_hold_also_of_one_column(client, path):
    assert found(client, path) == list(range(8))
    assert found(client, path, condition("string", "name", "contains", "chat"), condition("boolean", "public", "=", False)) == [1]
    assert found(client, path, condition("string", "name", "contains", "chat"), condition("string", "name", "ends with", "turn")) == [1]
    many = [condition("stringObject", "metadata", "does not contain", f"no {n}", "tenant") for n in range(50)]
    assert found(client, path, *many) == list(range(8))


@pytest.mark.parametrize("path", [TRACES, V1, V2])
def test_a_condition_takes_precedence_over_the_parameter_of_its_column(client, path):
    chat = condition("string", "name", "=", "chat")
    assert found(client, path, chat, name="axb") == [0]
    assert found(client, path, chat, userId="u1") == []
    assert found(client, path, condition("string", "userId", "=", "u0"), userId="u1", name="chat") == [0]
    assert found(client, path, condition("stringOptions", "environment", "any of", ["staging"]), environment="production") == [1, 4, 7]
    if path == TRACES:
        assert found(client, path, condition("datetime", "timestamp", ">=", at(6)), fromTimestamp=at(7), toTimestamp=at(1)) == [6, 7]
        assert found(client, path, condition("arrayOptions", "tags", "all of", ["b"]), tags="a") == [2, 6]
        assert found(client, path, condition("string", "version", "=", "v1"), version="v0", release="r5", sessionId="s1") == [5]
    else:
        assert found(client, path, condition("datetime", "startTime", ">=", at(6)), fromStartTime=at(7), toStartTime=at(1)) == [6, 7]
        assert found(client, path, condition("string", "level", "=", "ERROR"), level="WARNING", type="SPAN") == [4]
        assert found(client, path, condition("string", "traceId", "=", MADE[2][0]["id"]), traceId=MADE[1][0]["id"]) == [2]
        assert found(client, path, condition("boolean", "isRootObservation", "=", True), isRootObservation="false") == [1, 3, 5, 7]


def test_a_filtered_list_of_traces_keeps_order_pages_and_fields(client):
    wanted = condition("stringOptions", "name", "none of", ["chat"])
    pages = [ask(client, TRACES, wanted, orderBy="latency.asc", limit=3, page=page, fields="metrics").json() for page in (1, 2, 3)]
    assert [[row["latency"] for row in page["data"]] for page in pages] == [[0.25, 0.5, 0.75], [1, 1.25, 1.5], [1.75]]
    assert pages[0]["meta"] == {"page": 1, "limit": 3, "totalItems": 7, "totalPages": 3}
    assert "input" not in pages[0]["data"][0]


BAD = [
    ("", "filter"), ("x", "filter"), ("{}", "filter"), ("[", "filter"), ("[1]", "filter[0]"), ('"x"', "filter"), ("null", "filter"),
    ("[" * 1000, "filter"),
    (json.dumps([condition("string", "nope", "=", "x")]), "nope"),
    (json.dumps([condition("string", "t.id) OR (1=1", "=", "x")]), "filter[0].column"),
    (json.dumps([condition("string", "name", "~", "x")]), "filter[0].operator"),
    (json.dumps([condition("string", "name", "= 'x' OR 1=1 --", "x")]), "filter[0].operator"),
    (json.dumps([condition("regex", "name", "=", "x")]), "filter[0].type"),
    (json.dumps([condition("number", "name", "=", 1)]), "filter[0].type"),
    (json.dumps([condition("string", "metadata", "=", "x")]), "filter[0].type"),
    (json.dumps([condition("string", "name", "=", 5)]), "filter[0].value"),
    (json.dumps([condition("string", "name", "=")]), "filter[0].value"),
    (json.dumps([condition("number", "latency", "=", "1; DROP TABLE traces")]), "filter[0].value"),
    (json.dumps([condition("stringObject", "metadata", "=", "x")]), "filter[0].key"),
    (json.dumps([condition("string", "name", "=", "x"), {}]), "filter[1]"),
    (json.dumps([condition("string", "name", "=", "x")] * 51), "filter"),
    (json.dumps([condition("stringOptions", "name", "any of", ["x"] * 1001)]), "filter[0].value"),
]  # fmt: skip


@pytest.mark.parametrize("path", [TRACES, V1, V2])
@pytest.mark.parametrize("text, named", BAD, ids=lambda value: "")
def test_what_is_wrong_is_400_and_named(client, path, text, named):
    answer = client.get(path, {"filter": text})
    assert answer.status == 400, answer.text
    assert answer.json()["error"] == "InvalidRequestError" and named in answer.json()["message"]


ATTACKS = ["'", "''", "\\", "$1", "$99", "'; SELECT pg_sleep(9); --", "/*", "*/", "/*filter*/", "{}", "{x}", "{v}", "\ufffd", "%s", "\n"]


@pytest.mark.parametrize("path", [TRACES, V1, V2])
@pytest.mark.parametrize("text", ATTACKS)
def test_values_and_keys_are_never_sql(client, path, text):
    assert found(client, path, condition("string", "name", "=", text)) == []
    assert found(client, path, condition("stringOptions", "name", "any of", [text, "chat"])) == [0]
    assert found(client, path, condition("arrayOptions", "tags", "any of", [text, "b"])) == [2, 6]
    assert found(client, path, condition("stringObject", "metadata", "=", "acme", text)) == []
    assert found(client, path, condition("stringObject", "metadata", "=", text, "tenant")) == []
    for member in ("type", "column", "operator"):
        assert ask(client, path, {**condition("string", "name", "=", "x"), member: text}).status == 400


@pytest.mark.parametrize("path", [TRACES, V1, V2])
def test_numbers_may_be_huge(client, path):
    for number in ("1e999", "-1e999", "1e-999", "9" * 390):
        for type_, more in (("number", '"column":"latency"'), ("numberObject", '"column":"metadata","key":"n"')):
            raw = '[{"type":"%s",%s,"operator":">","value":%s}]' % (type_, more, number)
            assert client.get(path, {"filter": raw}).status == 200


def test_u0000_and_lone_surrogates_are_no_errors_of_the_server(client):
    for path in (TRACES, V1, V2):
        for text in ("\\u0000", "\\ud800", "\\udc00x"):
            raw = '[{"type":"string","column":"name","operator":"contains","value":"' + text + '"}]'
            assert client.get(path, {"filter": raw}).status == 200


# --- plans ---


INDEXED = [
    (V1, {"filter": [condition("string", "traceId", "=", "t77")]}),
    (V1, {"filter": [condition("stringOptions", "traceId", "any of", ["t77", "t78"])]}),
    (V1, {"filter": [condition("string", "userId", "=", "u7")]}),
    (V1, {"filter": [condition("string", "sessionId", "=", "s7")]}),
    (V1, {"filter": [condition("string", "id", "=", "o77")]}),
    (V1, {"filter": [condition("datetime", "startTime", ">=", "2026-01-03T00:00:00Z"),
                     condition("datetime", "startTime", "<", "2026-01-03T01:00:00Z")]}),
    (V1, {"filter": [condition("stringObject", "metadata", "=", "turn99", "turn_id")]}),
    (V1, {"traceId": "t77"}),
    (V1, {"userId": "u7"}),
    (V1, {"fromStartTime": "2026-01-03T00:00:00Z", "toStartTime": "2026-01-03T01:00:00Z"}),
    (V2, {}),
    (V2, {"userId": "u7"}),
    (V2, {"filter": [condition("string", "level", "=", "ERROR")]}),
    (V2, {"filter": [condition("string", "traceId", "=", "t77")]}),
    (TRACES, {"filter": [condition("string", "userId", "=", "u7")]}),
    (TRACES, {"filter": [condition("string", "name", "=", "n7")]}),
    (TRACES, {"filter": [condition("string", "sessionId", "=", "s7")]}),
    (TRACES, {"filter": [condition("string", "id", "=", "t7")]}),
    (TRACES, {"filter": [condition("datetime", "timestamp", ">=", "2026-01-03T00:00:00Z"),
                         condition("datetime", "timestamp", "<", "2026-01-03T01:00:00Z")]}),
]  # fmt: skip


def fill(database):
    """Some thousands of rows, so that a plan by index is worth it."""
    database.query("INSERT INTO traces (project_id, id, timestamp, name, user_id, session_id, input, event_version)"
                   " SELECT 'default', 't' || n, '2026-01-01'::timestamptz + n * interval '1 minute', 'n' || n %% 500,"
                   " 'u' || n %% 500, 's' || n %% 400, '\"' || repeat(md5(n::text), 20) || '\"', 1 FROM generate_series(1, 12000) n WHERE %s", True)
    database.query("INSERT INTO observations (project_id, trace_id, id, start_time, name, level, metadata, input, event_version)"
                   " SELECT 'default', 't' || n / 5, 'o' || n, '2026-01-01'::timestamptz + n * interval '10 seconds', 'n' || n %% 100,"
                   " CASE WHEN n %% 50 = 0 THEN 'ERROR' END, jsonb_build_object('turn_id', 'turn' || n), '\"' || repeat(md5(n::text), 10) || '\"', 1"
                   " FROM generate_series(5, 20000) n WHERE %s", True)
    database.query("VACUUM ANALYZE traces, observations")


@pytest.fixture
def explaining_postgres():
    """It logs the plan of every statement."""
    server = Postgres({"session_preload_libraries": "auto_explain", "auto_explain.log_min_duration": "0"}).start()
    server.databases = Databases(server)
    yield server
    server.destroy()


def test_no_filter_that_has_an_index_reads_the_whole_table(explaining_postgres, make_xtrace):
    """The plans of what the gateway really sends."""
    own_postgres = explaining_postgres
    database = own_postgres.databases.create()
    fill(database)
    system = make_xtrace(on=database)
    client = system.client()
    for path, params in INDEXED:
        before = len(own_postgres.log)
        sent = {**params, **({"filter": json.dumps(params["filter"])} if "filter" in params else {})}
        answer = client.get(path, {**sent, "limit": 20})
        assert answer.status == 200, answer.text + system.log("gateway")[-1500:]
        assert answer.json()["data"] != [], (path, params)
        wait_until(lambda: "json_build_object" in own_postgres.log[before:] and "Result" in own_postgres.log[before:], 10, "the plan")
        plan = own_postgres.log[before:]
        assert "Seq Scan on observations" not in plan and "Seq Scan on traces" not in plan, (path, params, plan)
    for path in ("/api/public/observations/o77", "/api/public/observations/unknown"):
        before = len(own_postgres.log)
        assert client.get(path).status in (200, 404)
        wait_until(lambda: "observations_by_id" in own_postgres.log[before:], 10, "the plan by id")
