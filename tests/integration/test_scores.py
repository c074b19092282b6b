"""Reading scores: lists and single ones of versions 1 and 2, and version 3 behind a cursor."""

import base64
import json
import re
import urllib.parse

import pytest
from support.fixtures import running
from support.records import new_id
from support.wait import wait_until

V1, V2, V3 = "/api/public/scores", "/api/public/v2/scores", "/api/public/v3/scores"


def at(day, second=0):
    return f"2026-05-{day:02}T12:00:{second:02}Z"


def get(client, path, **params):
    answer = client.get(path, params)
    assert answer.status == 200, answer.text
    return answer.json()


def names(page):
    return [each["name"] for each in page["data"]]


def refused(client, path, **params):
    answer = client.get(path, params)
    assert answer.status == 400, answer.text
    body = answer.json()
    assert body["code"] == "BAD_REQUEST"
    return body["message"]


def put(client, **score):
    """Sends one; returns its id."""
    score = {"id": new_id(), "timestamp": at(1), **score}
    answer = client.post("/api/public/scores", score)
    assert (answer.status, answer.json()) == (200, {"id": score["id"]})
    return score["id"]


def event(kind, **body):
    return {"id": new_id(), "type": kind, "timestamp": at(1), "body": body}


@pytest.fixture(scope="module")
def world(xtrace):
    """Two traces of two users, and a score of every kind; the newest last. By name: score id."""
    client = xtrace.client()
    answer = client.post("/api/public/ingestion", {"batch": [
        event("trace-create", id="trace/anna", userId="anna", sessionId="s-1", tags=["red", "green"], environment="staging"),
        event("trace-create", id="trace-bert", userId="bert", tags=["red"]),
        event("span-create", id="step 1", traceId="trace/anna"),
    ]})
    assert (answer.status, answer.json()["errors"]) == (207, [])
    scores = [
        dict(name="numeric", dataType="NUMERIC", value=0.75, traceId="trace/anna", comment="höflich",
             metadata={"judge": {"model": "gpt"}, "n": 3}),
        dict(name="boolean", dataType="BOOLEAN", value=1, traceId="trace/anna", observationId="step 1", source="EVAL"),
        dict(name="categorical", dataType="CATEGORICAL", value="good", traceId="trace-bert", environment="prod"),
        dict(name="text", dataType="TEXT", value="a remark, with a comma", traceId="trace-bert",
             source="ANNOTATION", queueId="queue-1"),
        dict(name="correction", dataType="CORRECTION", value="better so", traceId="trace-bert", configId="cfg-1"),
        dict(name="no", dataType="BOOLEAN", value=0, traceId="trace-bert"),
        dict(name="early", dataType="NUMERIC", value=-2.5, traceId="nobody has seen it"),
        dict(name="session", dataType="NUMERIC", value=7, sessionId="s-1"),
        dict(name="run", dataType="NUMERIC", value=1e21, datasetRunId="run-1"),
    ]
    return {score["name"]: put(client, timestamp=at(3, second), **score)
            for second, score in enumerate(scores)}


@pytest.fixture(scope="module")
def client(xtrace, world):
    return xtrace.client()


ALL = ["run", "session", "early", "no", "correction", "text", "categorical", "boolean", "numeric"]
OF_TRACES = ALL[2:]


# Shapes


@pytest.mark.parametrize("version, listed, nested", [
    ("2.60.10", {"NUMERIC", "CATEGORICAL", "BOOLEAN"}, {"CATEGORICAL", "BOOLEAN"}),
    ("3.14.5", {"NUMERIC", "CATEGORICAL", "BOOLEAN"}, {"CATEGORICAL", "BOOLEAN"}),
    ("4.18.0", {"NUMERIC", "CATEGORICAL", "BOOLEAN", "TEXT", "CORRECTION"}, {"CATEGORICAL", "BOOLEAN", "TEXT"}),
    ("5.0.4", {"NUMERIC", "CATEGORICAL", "BOOLEAN", "TEXT", "CORRECTION"}, {"CATEGORICAL", "BOOLEAN", "TEXT", "CORRECTION"}),
])
def test_an_sdk_for_python_gets_no_types_that_it_cannot_read(client, version, listed, nested):
    """One score of another type, and the whole page would be an error to its caller."""
    headers = {"x-langfuse-sdk-name": "python", "x-langfuse-sdk-version": version}
    for path in (V1, V2):
        page = client.get(path, headers=headers).json()
        assert {score["dataType"] for score in page["data"]} == listed
        assert page["meta"]["totalItems"] == len(page["data"])
    scores = client.get("/api/public/traces/trace-bert", headers=headers).json()["scores"]
    assert {score["dataType"] for score in scores} == nested
    assert client.get(V2, {"dataType": "TEXT"}, headers).json()["meta"]["totalItems"] == 1


def test_lists_come_newest_first_with_an_exact_total(client):
    page = get(client, V2)
    assert names(page) == ALL
    assert page["meta"] == {"page": 1, "limit": 50, "totalItems": 9, "totalPages": 1}
    page = get(client, V2, limit=2, page=2)
    assert names(page) == ALL[2:4]
    assert page["meta"] == {"page": 2, "limit": 2, "totalItems": 9, "totalPages": 5}
    page = get(client, V2, limit=2, page=7)
    assert (page["data"], page["meta"]["totalItems"]) == ([], 9)


def test_version_1_knows_scores_of_traces_only(client, world):
    page = get(client, V1)
    assert names(page) == OF_TRACES
    assert page["meta"]["totalItems"] == 7
    assert client.get(f"{V1}/{world['session']}").status == 404
    assert client.get(f"{V1}/{world['run']}").status == 404
    assert client.get(f"{V1}/{world['numeric']}").status == 200
    assert client.get(f"{V2}/{world['session']}").json()["sessionId"] == "s-1"
    assert client.get(f"{V2}/{world['run']}").json()["datasetRunId"] == "run-1"


def element(world, name, second, **more):
    return {
        "id": world[name], "projectId": "default", "name": name, "source": "API", "timestamp": at(3, second),
        "traceId": None, "observationId": None, "sessionId": None, "datasetRunId": None, "comment": None,
        "configId": None, "queueId": None, "authorUserId": None, "metadata": None, "environment": "default",
        "stringValue": None, **more,
    }  # fmt: skip


def expected_elements(world):
    return [
        element(world, "numeric", 0, dataType="NUMERIC", value=0.75, traceId="trace/anna", comment="höflich",
                metadata={"judge": {"model": "gpt"}, "n": 3}),
        element(world, "boolean", 1, dataType="BOOLEAN", value=1, stringValue="True", traceId="trace/anna",
                observationId="step 1", source="EVAL"),
        element(world, "categorical", 2, dataType="CATEGORICAL", value=0, stringValue="good", traceId="trace-bert",
                environment="prod"),
        element(world, "text", 3, dataType="TEXT", stringValue="a remark, with a comma", traceId="trace-bert",
                source="ANNOTATION", queueId="queue-1"),
        element(world, "correction", 4, dataType="CORRECTION", value=0, stringValue="better so", traceId="trace-bert",
                configId="cfg-1"),
        element(world, "no", 5, dataType="BOOLEAN", value=0, stringValue="False", traceId="trace-bert"),
        element(world, "early", 6, dataType="NUMERIC", value=-2.5, traceId="nobody has seen it"),
        element(world, "session", 7, dataType="NUMERIC", value=7, sessionId="s-1"),
        element(world, "run", 8, dataType="NUMERIC", value=1e21, datasetRunId="run-1"),
    ]


def without_times(score):
    assert score.keys() >= {"createdAt", "updatedAt"}
    return {key: value for key, value in score.items() if key not in ("createdAt", "updatedAt")}


ANNA = {"userId": "anna", "tags": ["green", "red"], "environment": "staging", "sessionId": "s-1"}
BERT = {"userId": "bert", "tags": ["red"], "environment": "default", "sessionId": None}
NOBODY = {"userId": None, "tags": [], "environment": "default", "sessionId": None}


def trace_of(score, unknown):
    return {"trace/anna": ANNA, "trace-bert": BERT}.get(score["traceId"], unknown)


def test_an_element_has_what_its_data_type_says(client, world):
    """TEXT has no value at all."""
    expected = [{**each, "trace": trace_of(each, None)} for each in expected_elements(world)]
    assert [without_times(each) for each in reversed(get(client, V2)["data"])] == expected


def test_every_element_of_version_1_has_a_trace(client, world):
    expected = [{**each, "trace": trace_of(each, NOBODY)} for each in expected_elements(world)[:7]]
    assert [without_times(each) for each in reversed(get(client, V1)["data"])] == expected


def test_a_single_score_has_the_same_shape_without_the_trace(client, world):
    for each in expected_elements(world):
        assert without_times(get(client, f"{V2}/{each['id']}")) == each
        if each["traceId"]:
            assert without_times(get(client, f"{V1}/{each['id']}")) == each


def test_a_trace_has_its_scores_in_that_shape(client, world):
    trace = get(client, "/api/public/traces/" + urllib.parse.quote("trace/anna", safe=""))
    assert [without_times(each) for each in trace["scores"]] == expected_elements(world)[:2]


def test_fields_leave_the_trace_out(client):
    assert all("trace" not in each for each in get(client, V2, fields="score")["data"])
    for fields in ("score,trace", "trace", "score,trace,unknown"):
        assert all("trace" in each for each in get(client, V2, fields=fields)["data"])


def test_an_unknown_score_is_not_found(client):
    for path in (V1, V2):
        answer = client.get(f"{path}/nobody")
        assert answer.status == 404
        assert answer.json()["code"] == "NOT_FOUND"


def test_both_spellings_of_a_uuid_find_a_score(client):
    bare = put(client, id=new_id().replace("-", ""), name="bare", timestamp="2001-01-01T00:00:00Z",
               traceId="x", dataType="NUMERIC", value=1)
    hyphenated = f"{bare[:8]}-{bare[8:12]}-{bare[12:16]}-{bare[16:20]}-{bare[20:]}"
    for spelling in (bare, hyphenated, hyphenated.upper()):
        assert get(client, f"{V2}/{spelling}")["id"] == bare
    assert client.request("DELETE", f"{V1}/{bare}").status == 202


def test_totals_follow_what_is_sent_again_and_deleted(make_xtrace):
    system = make_xtrace(writers=2)
    client = system.client()

    def totals():
        counted = system.database.value("SELECT coalesce(sum(scores), 0) FROM score_counts")
        assert counted == system.database.value("SELECT count(*) FROM scores")
        return [get(client, path)["meta"]["totalItems"] for path in (V1, V2)]

    assert totals() == [0, 0]
    first = put(client, name="a", value=1, traceId="t")
    put(client, name="a", value=2, traceId="t")
    of_session = put(client, name="a", value=3, sessionId="s")
    assert totals() == [2, 3]
    put(client, id=first, name="a", value=4, traceId="t")
    assert totals() == [2, 3]
    for each in (of_session, of_session, first, "nobody"):
        assert client.request("DELETE", f"{V1}/{each}").status == 202
    assert totals() == [1, 1]
    assert client.request("DELETE", "/api/public/traces/t").status == 200
    assert totals() == [0, 0]


# Filters of versions 1 and 2


@pytest.mark.parametrize("params, expected", [
    ({"name": "text"}, ["text"]),
    ({"name": "tex"}, []),
    ({"userId": "anna"}, ["boolean", "numeric"]),
    ({"userId": "nobody"}, []),
    ({"fromTimestamp": at(3, 4)}, ALL[:5]),
    ({"toTimestamp": at(3, 4)}, ALL[4:]),
    ({"fromTimestamp": at(3, 4), "toTimestamp": at(3, 4)}, ["correction"]),
    ({"environment": "prod"}, ["categorical"]),
    ({"environment": ["prod", "default"]}, ALL),
    ({"environment": "prod,staging"}, ["categorical"]),
    ({"source": "EVAL"}, ["boolean"]),
    ({"source": "annotation"}, ["text"]),
    ({"dataType": "BOOLEAN"}, ["no", "boolean"]),
    ({"dataType": "BOOLEAN,TEXT"}, ["no", "text", "boolean"]),
    ({"operator": ">=", "value": "0.75"}, ["run", "session", "boolean", "numeric"]),
    ({"operator": ">", "value": "0.75"}, ["run", "session", "boolean"]),
    ({"operator": "<", "value": "0"}, ["early"]),
    ({"operator": "<=", "value": "-2.5"}, ["early"]),
    ({"operator": "=", "value": "7"}, ["session"]),
    ({"operator": "!=", "value": "0"}, ["run", "session", "early", "boolean", "numeric"]),
    ({"value": "1e21"}, ["run"]),
    ({"operator": "<"}, ALL),
    ({"configId": "cfg-1"}, ["correction"]),
    ({"queueId": "queue-1"}, ["text"]),
    ({"traceTags": "red"}, ["no", "correction", "text", "categorical", "boolean", "numeric"]),
    ({"traceTags": ["red", "green"]}, ["boolean", "numeric"]),
    ({"traceTags": "red,green"}, ["boolean", "numeric"]),
    ({"traceTags": "blue"}, []),
    ({"traceId": "trace/anna"}, ["boolean", "numeric"]),
    ({"observationId": "step 1"}, ["boolean"]),
    ({"observationId": "step 1,step 2"}, ["boolean"]),
    ({"sessionId": "s-1"}, ["session"]),
    ({"datasetRunId": "run-1"}, ["run"]),
    ({"name": "no", "userId": "bert", "dataType": "BOOLEAN", "operator": "<", "value": "1"}, ["no"]),
    ({"name": "no", "userId": "anna"}, []),
    ({"unheard": "of"}, ALL),
])
def test_filters(client, params, expected):
    page = get(client, V2, **params)
    assert names(page) == expected
    assert page["meta"]["totalItems"] == len(expected)
    page = get(client, V1, **params)
    assert names(page) == [name for name in expected if name in OF_TRACES]
    assert page["meta"]["totalItems"] == len(page["data"])


def test_score_ids_are_a_comma_list(client, world):
    ids = f"{world['run']},{world['text']},unknown"
    assert names(get(client, V2, scoreIds=ids)) == ["run", "text"]
    assert names(get(client, V1, scoreIds=ids)) == ["text"]


@pytest.mark.parametrize("condition, expected", [
    ({"type": "string", "column": "name", "operator": "contains", "value": "t"},
     ["correction", "text", "categorical"]),
    ({"type": "string", "column": "name", "operator": "=", "value": "text"}, ["text"]),
    ({"type": "stringOptions", "column": "source", "operator": "none of", "value": ["API"]}, ["text", "boolean"]),
    ({"type": "number", "column": "value", "operator": ">", "value": 0.5},
     ["run", "session", "boolean", "numeric"]),
    ({"type": "datetime", "column": "timestamp", "operator": "<", "value": at(3, 1)}, ["numeric"]),
    ({"type": "stringObject", "column": "metadata", "key": "judge", "operator": "contains", "value": "gpt"},
     ["numeric"]),
    ({"type": "numberObject", "column": "metadata", "key": "n", "operator": "=", "value": 3}, ["numeric"]),
    ({"type": "arrayOptions", "column": "traceTags", "operator": "all of", "value": ["red", "green"]},
     ["boolean", "numeric"]),
    ({"type": "string", "column": "userId", "operator": "starts with", "value": "an"}, ["boolean", "numeric"]),
    ({"type": "null", "column": "traceId", "operator": "is null", "value": ""}, ["run", "session"]),
    ({"type": "stringOptions", "column": "dataType", "operator": "any of", "value": ["TEXT"]}, ["text"]),
    ({"type": "string", "column": "comment", "operator": "=", "value": "höflich"}, ["numeric"]),
    ({"type": "string", "column": "stringValue", "operator": "=", "value": "True"}, ["boolean"]),
])
def test_a_filter_is_a_list_of_conditions(client, condition, expected):
    page = get(client, V2, filter=json.dumps([condition]))
    assert names(page) == expected
    assert page["meta"]["totalItems"] == len(expected)


def test_ids_are_found_in_every_spelling_of_a_uuid(client):
    made = put(client, name="spelled", value=1, traceId="0c7d1c5a-1f0e-4a53-9c53-5a4dd50a7f01", observationId="2b1bd1b2bbd94dd1a4a1c3ae5a3e7f02")
    for trace, observation, score in (("0c7d1c5a1f0e4a539c535a4dd50a7f01", "2b1bd1b2-bbd9-4dd1-a4a1-c3ae5a3e7f02", made.replace("-", "")),
                                      ("0C7D1C5A-1F0E-4A53-9C53-5A4DD50A7F01", "x,2B1BD1B2BBD94DD1A4A1C3AE5A3E7F02", made.upper())):
        assert names(get(client, V2, traceId=trace, observationId=observation, scoreIds=score)) == ["spelled"]
        assert names(get(client, V3, traceId=trace, observationId=observation, id=score)) == ["spelled"]
    assert client.request("DELETE", f"/api/public/scores/{made}").status == 202


def test_a_filter_has_all_digits_of_a_value(client):
    assert client.post("/api/public/scores", {"id": "digits", "name": "digits", "value": 0.1 + 0.2, "traceId": "digits"}).status == 200
    for value, expected in ((0.1 + 0.2, ["digits"]), (0.3, [])):
        wanted = json.dumps([{"type": "string", "column": "name", "operator": "=", "value": "digits"},
                             {"type": "number", "column": "value", "operator": "=", "value": value}])
        assert names(client.get(V2, {"filter": wanted}).json()) == expected
    assert client.request("DELETE", "/api/public/scores/digits").status == 202


def test_a_filter_replaces_the_parameters_of_its_columns_and_no_others(client):
    by_name = json.dumps([{"type": "string", "column": "name", "operator": "=", "value": "no"}])
    assert names(get(client, V2, filter=by_name, name="text")) == ["no"]
    assert names(get(client, V2, filter=by_name, userId="anna")) == []
    by_time = json.dumps([{"type": "datetime", "column": "timestamp", "operator": ">", "value": at(3, 7)}])
    assert names(get(client, V2, filter=by_time, toTimestamp=at(1), fromTimestamp=at(9))) == ["run"]
    by_tag = json.dumps([{"type": "arrayOptions", "column": "tags", "operator": "any of", "value": ["green"]}])
    assert names(get(client, V2, filter=by_tag, traceTags="blue")) == ["boolean", "numeric"]


@pytest.mark.parametrize("params, named", [
    ({"operator": "~", "value": "1"}, "operator"),
    ({"value": "much"}, "value"),
    ({"value": "inf"}, "value"),
    ({"value": "1e999"}, "value"),
    ({"value": "0x10"}, "value"),
    ({"value": ""}, "value"),
    ({"dataType": "FLOAT"}, "dataType"),
    ({"source": "NOBODY"}, "source"),
    ({"fromTimestamp": "yesterday"}, "fromTimestamp"),
    ({"page": "x"}, "page"),
    ({"filter": "{"}, "filter"),
    ({"filter": '[{"type":"string","column":"pg_sleep(9)","operator":"=","value":"x"}]'}, "filter"),
])
def test_what_is_wrong_is_named(client, params, named):
    for path in (V1, V2):
        assert named in refused(client, path, **params)


def test_sizes_of_pages_are_clamped(client):
    assert get(client, V2, limit=100000)["meta"]["limit"] == 200
    assert get(client, V2, limit=0)["meta"]["limit"] == 1
    assert get(client, V3, limit=100000)["meta"]["limit"] == 100


def test_scores_need_credentials(client, xtrace):
    for path in (V1, V2, V3, V1 + "/x", V2 + "/x"):
        assert xtrace.client(headers={}).get(path + "?limit=x").status == 401


# Version 3


def core(world, name, second, value, data_type, **more):
    return {"id": world[name], "projectId": "default", "name": name, "value": value, "dataType": data_type,
            "source": "API", "timestamp": at(3, second), "environment": "default", **more}


def test_one_value_is_typed_by_the_data_type(client, world):
    page = get(client, V3)
    assert page["meta"] == {"limit": 50}
    assert [without_times(each) for each in reversed(page["data"])] == [
        core(world, "numeric", 0, 0.75, "NUMERIC"),
        core(world, "boolean", 1, True, "BOOLEAN", source="EVAL"),
        core(world, "categorical", 2, "good", "CATEGORICAL", environment="prod"),
        core(world, "text", 3, "a remark, with a comma", "TEXT", source="ANNOTATION"),
        core(world, "correction", 4, "better so", "CORRECTION"),
        core(world, "no", 5, False, "BOOLEAN"),
        core(world, "early", 6, -2.5, "NUMERIC"),
        core(world, "session", 7, 7, "NUMERIC"),
        core(world, "run", 8, 1e21, "NUMERIC"),
    ]
    assert type(page["data"][7]["value"]) is bool


def test_groups_of_fields_add_their_members(client):
    of_core = get(client, V3)["data"]
    groups = {"details": {"comment", "configId", "metadata"}, "subject": {"subject"},
              "annotation": {"authorUserId", "queueId"}}  # fmt: skip
    for fields in ("details", "subject", "annotation", "details,subject", "subject,annotation",
                   "annotation,details", "details,annotation,subject"):
        more = set().union(*(groups[name] for name in fields.split(",")))
        for whole, plain in zip(get(client, V3, fields=fields)["data"], of_core, strict=True):
            assert whole.keys() == plain.keys() | more
            assert {key: whole[key] for key in plain} == plain
    numeric = get(client, V3, fields="details", name="numeric")["data"][0]
    assert (numeric["comment"], numeric["configId"]) == ("höflich", None)
    assert numeric["metadata"] == {"judge": {"model": "gpt"}, "n": 3}
    assert get(client, V3, fields="annotation", name="text")["data"][0]["queueId"] == "queue-1"
    assert "fields" in refused(client, V3, fields="details,all")


def test_a_subject_names_its_kind(client):
    subjects = {each["name"]: each["subject"] for each in get(client, V3, fields="subject")["data"]}
    assert subjects["numeric"] == {"kind": "trace", "id": "trace/anna"}
    assert subjects["boolean"] == {"kind": "observation", "id": "step 1", "traceId": "trace/anna"}
    assert subjects["session"] == {"kind": "session", "id": "s-1"}
    assert subjects["run"] == {"kind": "experiment", "id": "run-1"}


@pytest.mark.parametrize("params, expected", [
    ({"name": "text,no"}, ["no", "text"]),
    ({"source": "eval,ANNOTATION"}, ["text", "boolean"]),
    ({"dataType": "boolean,TEXT"}, ["no", "text", "boolean"]),
    ({"environment": "prod"}, ["categorical"]),
    ({"configId": "cfg-1,cfg-2"}, ["correction"]),
    ({"queueId": "queue-1"}, ["text"]),
    ({"authorUserId": "somebody"}, []),
    ({"traceId": "trace-bert,trace/anna"}, ["no", "correction", "text", "categorical", "boolean", "numeric"]),
    ({"traceId": "trace/anna", "observationId": "step 1,step 2"}, ["boolean"]),
    ({"sessionId": "s-1,s-2"}, ["session"]),
    ({"experimentId": "run-1"}, ["run"]),
    ({"dataType": "NUMERIC", "value": "7,-2.50"}, ["session", "early"]),
    ({"dataType": "boolean", "value": "true"}, ["boolean"]),
    ({"dataType": "BOOLEAN", "value": "true,false"}, ["no", "boolean"]),
    ({"dataType": "CATEGORICAL", "value": "good,bad"}, ["categorical"]),
    ({"dataType": "NUMERIC", "valueMin": "0.75"}, ["run", "session", "numeric"]),
    ({"dataType": "NUMERIC", "valueMin": "-2.5", "valueMax": "0.75"}, ["early", "numeric"]),
    ({"fromTimestamp": at(3, 2), "toTimestamp": at(3, 4)}, ["correction", "text", "categorical"]),
    ({"unheard": "of"}, ALL),
])
def test_filters_of_version_3(client, params, expected):
    assert names(get(client, V3, **params)) == expected


def test_ids_of_version_3(client, world):
    assert names(get(client, V3, id=f"{world['no']},{world['run']}")) == ["run", "no"]


@pytest.mark.parametrize("params, named", [
    ({"observationId": "step 1"}, "observationId"),
    ({"traceId": "a", "sessionId": "b"}, "traceId"),
    ({"traceId": "a", "experimentId": "b"}, "experimentId"),
    ({"sessionId": "a", "experimentId": "b"}, "sessionId"),
    ({"sessionId": "a", "observationId": "b"}, "observationId"),
    ({"value": "1"}, "dataType"),
    ({"value": "1", "dataType": "NUMERIC,BOOLEAN"}, "dataType"),
    ({"value": "x", "dataType": "NUMERIC"}, "value"),
    ({"value": "yes", "dataType": "BOOLEAN"}, "value"),
    ({"value": "x", "dataType": "TEXT"}, "value"),
    ({"valueMin": "1"}, "dataType"),
    ({"valueMax": "1", "dataType": "BOOLEAN"}, "NUMERIC"),
    ({"valueMin": "x", "dataType": "NUMERIC"}, "valueMin"),
    ({"dataType": "FLOAT"}, "dataType"),
    ({"source": "x"}, "source"),
    ({"fields": "x"}, "fields"),
    ({"cursor": "x"}, "cursor"),
    ({"cursor": "%%%"}, "cursor"),
    ({"cursor": "bm90aGluZw"}, "cursor"),
])
def test_rules_of_version_3(client, params, named):
    assert named in refused(client, V3, **params)


def test_a_cursor_walks_over_all_of_them_once(client):
    """Scores of one moment, whose order is that of their ids."""
    ids = sorted((put(client, id=f"walk, {i} ü{'ÿ' * (i % 3)}", name="walk", traceId="t", value=i,
                      timestamp="2020-02-02T02:02:02.000001Z") for i in range(25)),
                 key=lambda text: text.encode(), reverse=True)
    for limit in (1, 7, 24, 25, 26):
        found, params = [], {"name": "walk", "limit": limit}
        while True:
            page = get(client, V3, **params)
            found += [each["id"] for each in page["data"]]
            assert len(page["data"]) <= limit and page["meta"]["limit"] == limit
            if "cursor" not in page["meta"]:
                break
            assert set(page["meta"]["cursor"]) <= set(
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
            params["cursor"] = page["meta"]["cursor"]
        assert found == ids
    for each in ids:
        assert client.request("DELETE", f"{V1}/{urllib.parse.quote(each, safe='')}").status == 202


# At scale


def watch_plans(database):
    """Every statement of the gateway's next connections goes to PostgreSQL's log with its plan."""
    for setting in ("session_preload_libraries = 'auto_explain'", "auto_explain.log_min_duration = 0"):
        database.query(f"ALTER DATABASE {database.name} SET {setting}")


@pytest.mark.parametrize("path, params", [
    (V1, {}), (V2, {}), (V3, {"fields": "details,subject"}),
    (V2, {"userId": "u7"}), (V2, {"traceTags": "tag7"}), (V2, {"name": "name7"}), (V2, {"sessionId": "se10"}),
    (V2, {"traceId": "t7"}), (V2, {"observationId": "o17,o18"}), (V2, {"scoreIds": "s1,s2"}),
    (V2, {"datasetRunId": "none"}), (V2, {"queueId": "none"}), (V2, {"configId": "none"}),
    (V2, {"filter": '[{"type":"string","column":"name","operator":"=","value":"name7"}]'}),
    (V3, {"name": "name7,name8"}), (V3, {"traceId": "t7"}), (V3, {"sessionId": "se10,se20"}),
    (V2, {"page": 500}), (V2, {"fromTimestamp": "2026-01-02T00:00:00Z", "toTimestamp": "2026-01-02T00:01:00Z"}),
])  # fmt: skip
def test_no_read_goes_through_a_whole_table(postgres, crowd, path, params):
    client, database = crowd
    before = len(postgres.log)
    get(client, path, **params)
    wait_until(lambda: "Query Text" in postgres.log[before:], 10, "a plan in PostgreSQL's log")
    plans = postgres.log[before:]
    assert "Seq Scan" not in plans, plans


def test_a_late_page_of_version_3_starts_where_its_cursor_says(postgres, crowd):
    client, _ = crowd
    cursor = base64.urlsafe_b64encode(b"1767330000000000\rs100").decode().rstrip("=")
    before = len(postgres.log)
    page = get(client, V3, cursor=cursor, limit=5)
    assert page["data"][0]["timestamp"] == "2026-01-02T04:59:59Z"
    wait_until(lambda: "Query Text" in postgres.log[before:], 10, "a plan in PostgreSQL's log")
    assert re.search(r"Index Cond: .*ROW\(", postgres.log[before:])


@pytest.fixture(scope="module")
def crowd(databases):
    """200,000 scores of 50,000 traces, and as many of another project."""
    database = databases.create()
    database.query("INSERT INTO traces (project_id, id, timestamp, user_id, event_version, tags)"
                   " SELECT 'default', 't' || i, timestamptz '2026-01-01' + i * interval '1 s', 'u' || i % 5000, 1,"
                   " ARRAY['tag' || i % 5000] FROM generate_series(1, 50000) i")
    database.query("INSERT INTO scores (project_id, id, timestamp, trace_id, observation_id, session_id, name,"
                   " data_type, value, event_version, comment)"
                   " SELECT p, 's' || i, timestamptz '2026-01-01' + i * interval '1 s',"
                   " CASE WHEN i % 10 > 0 THEN 't' || i % 50000 END, CASE WHEN i % 10 > 5 THEN 'o' || i END,"
                   " CASE WHEN i % 10 = 0 THEN 'se' || i % 1000 END, 'name' || i % 2000, 'NUMERIC', i, 1,"
                   " repeat('why ', 20) FROM generate_series(1, 200000) i, (VALUES ('default'), ('other')) p (p)")
    database.query("INSERT INTO score_counts SELECT project_id, count(*) FROM scores GROUP BY 1")
    database.query("VACUUM ANALYZE traces")
    database.query("VACUUM ANALYZE scores")
    watch_plans(database)
    for system in running(database, 1, None):
        yield system.client(), database
