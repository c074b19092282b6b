"""Whatever a query string says: reads answer, or refuse with a 4xx in JSON that says what is wrong."""

import json
import re
import urllib.parse

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.records import new_id, new_observation, new_trace
from support.xtrace import ROOT

IDS = ["x", "%", "%2F", "%00", "%ff", "..%2f..", "a%20b", "00000000-0000-4000-8000-000000000000", "0" * 900, "%F0%9F%92%A9"]
NAMES = ["page", "limit", "userId", "name", "sessionId", "version", "release", "tags", "environment", "orderBy", "fields",
         "fromTimestamp", "toTimestamp", "traceName", "turnId", "runId", "type", "traceId", "level", "parentObservationId",
         "fromStartTime", "toStartTime", "isRootObservation", "cursor", "expandMetadata", "parseIoAsJson", "source",
         "operator", "value", "scoreIds", "configId", "queueId", "dataType", "traceTags", "observationId", "datasetRunId",
         "id", "authorUserId", "experimentId", "valueMin", "valueMax", "from", "to", "labels", "step", "agg", "group_by",
         "filter", "query", "nonsense", ""]  # fmt: skip
WORDS = ["", "0", "1", "-1", "true", "false", "null", "asc", "name.asc", "timestamp.desc", "latency.desc", "totalCost.asc",
         "core,io", "core,io,scores,observations,metrics", "details,subject,annotation", "time,io,metadata,model,usage,prompt",
         "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1" * 40, "1e309", "1e-400", "NaN", "inf",
         "-0", "0x10", "1.5", "=", "<", ">=", "!=", "NUMERIC", "BOOLEAN", "CATEGORICAL", "CORRECTION", "API,EVAL",
         "1m", "5m", "1h", "1d", "avg", "last", "p99", "SPAN", "GENERATION", "ERROR", "default", "a,b,,c", ",", "{}", "[]",
         '{"a":"b"}', '{"a":{"b":[1,2,{}]}}', '{"a":1e999}', "[" * 600, '{"a":' * 200, '"', "\\", "'", "{a,b}", '{"', "%", "$1",
         "\u0000", "\ud800", "é\u0301", "\U0010ffff", "x" * 5000, "eyJ0IjoiIn0=", "MjAyNi0wMS0wMQ==", "====",
         "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00+14:00",
         "2026-02-30T10:00:00Z", "2026-03-01", "1772359200", "infinity", "epoch", "now"]  # fmt: skip

# Columns and what may be said of them, well and ill.
TYPES = ["string", "number", "datetime", "stringOptions", "arrayOptions", "stringObject", "numberObject", "booleanObject",
         "boolean", "null", "categoryOptions", "nonsense"]  # fmt: skip
OPERATORS = ["=", "<>", "<", ">", "<=", ">=", "any of", "none of", "all of", "contains", "does not contain", "starts with",
             "ends with", "is null", "is not null", "matches", ""]  # fmt: skip
COLUMNS = ["id", "name", "timestamp", "startTime", "endTime", "latency", "totalCost", "tags", "traceTags", "metadata",
           "userId", "sessionId", "level", "type", "version", "release", "environment", "public", "bookmarked", "input",
           "output", "usageDetails", "costDetails", "scores", "value", "stringValue", "booleanValue", "dataType", "source",
           "isRootObservation", "promptVersion", "providedModelName", "traceName", "observationName", "timeToFirstToken",
           "inputTokens", "totalTokens", "createdAt", "timestampMonth", "startTimeMonth", "nonsense"]  # fmt: skip
RAW_NUMBERS = ["0", "-1", "1.5", "1e999", "-1e-999", "1" * 390, "1E+5", "123456789012345678901234567890.5"]

raw_values = st.one_of(
    st.sampled_from(WORDS).map(json.dumps), st.text(max_size=20).map(json.dumps), st.sampled_from(RAW_NUMBERS),
    st.sampled_from(["true", "false", "null", "{}", "[]", "[1]", '[["a"]]', '"2026-03-01T00:00:00Z"']),
    st.lists(st.sampled_from(WORDS[:40]), max_size=4).map(json.dumps))  # fmt: skip


@st.composite
def raw_objects(draw, members):
    """JSON text of an object with most of these members; members: name -> strategy of JSON text."""
    kept = [name for name in members if draw(st.integers(0, 9)) > 0]
    return "{" + ",".join(f'"{name}":{draw(members[name])}' for name in kept) + "}"


def quoted(words):
    return st.sampled_from(words).map(json.dumps)


def raw_lists(elements, most=3):
    return st.lists(elements, max_size=most).map(lambda texts: "[" + ",".join(texts) + "]")


conditions = raw_objects({"type": quoted(TYPES), "column": quoted(COLUMNS), "operator": quoted(OPERATORS),
                          "key": quoted(["a", "", "input", "0", "a.b"]), "value": raw_values})  # fmt: skip
fields = quoted(COLUMNS + ["time_dimension", "count_count", "sum_totalCost", "value"])
queries = raw_objects({
    "view": quoted(["traces", "observations", "scores-numeric", "scores-categorical", "scores-boolean", "x"]),
    "metrics": raw_lists(raw_objects({
        "measure": quoted(["count", "latency", "totalCost", "value", "totalTokens", "countScores", "scoresCount", "x"]),
        "aggregation": quoted(["sum", "avg", "count", "max", "p50", "p99", "histogram", "uniq", "x"])})),
    "dimensions": raw_lists(raw_objects({"field": fields})),
    "filters": st.one_of(raw_lists(conditions), raw_values),
    "timeDimension": st.one_of(st.just("null"), raw_objects({"granularity": quoted(["auto", "minute", "day", "month", ""])})),
    "fromTimestamp": quoted(["2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2026-03-01T09:59:59.999999Z"]),
    "toTimestamp": quoted(["2026-03-02T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-03-01T10:00:00Z"]),
    "orderBy": st.one_of(st.just("null"), raw_lists(raw_objects({"field": fields, "direction": quoted(["asc", "desc"])}))),
    "config": raw_objects({"bins": st.sampled_from(RAW_NUMBERS + ["7", "100"]), "row_limit": st.sampled_from(["1", "1000", "0"])}),
})  # fmt: skip


def encoded(text):
    return urllib.parse.quote(text.encode("utf-8", "surrogatepass"), safe="")


def pairs():
    one = st.one_of(
        st.tuples(st.sampled_from(NAMES), st.one_of(st.sampled_from(WORDS), st.text(max_size=30))),
        st.tuples(st.just("filter"), raw_lists(conditions)), st.tuples(st.just("query"), queries))  # fmt: skip
    return one.map(lambda pair: f"{pair[0]}={encoded(pair[1])}")


strings = st.one_of(
    st.lists(pairs(), max_size=5).map("&".join),
    st.binary(max_size=30).map(lambda data: "".join(f"%{byte:02x}" for byte in data)),
    st.lists(st.sampled_from(["&", "=", "%", "%2", "%zz", "+", "?", "page", ";", "[]", "name"]), max_size=8).map("".join))


def read_routes():
    """All that are rate limited, which all reads of the database are; from the table itself."""
    table = (ROOT / "gateway/routes.c").read_text()
    return re.findall(r'\{"GET", "(/api/[^"]+)", \w+, [^}]*?ACCESS_READ[^}]*?true, false\}', table)


ROUTES = read_routes()


@pytest.fixture(scope="module")
def client(xtrace):
    """Somebody to ask, with a little of everything to find."""
    client = xtrace.client()
    trace = new_trace(timestamp="2026-03-01T10:00:00Z", name="n", userId="u", sessionId="s", tags=["a", "b"], latency=1e300,
                      totalCost=1e29, metadata={"a": "1e5", "run_id": "r", "0": {"b": 1}})  # fmt: skip
    steps = [new_observation(trace, startTime="2026-03-01T10:00:00Z", latency=latency, promptVersion=version,
                             calculatedTotalCost=1e29, promptTokens=10**18, metadata={"a": value}, usage={"input": 3})
             for latency, version, value in ((1e300, "1", True), (5e-324, "9" * 18, 10**30), (None, "x", "true"))]  # fmt: skip
    assert client.batch(trace, steps).status == 200
    scores = [{"id": new_id(), "name": "q", "traceId": trace["id"], "value": value, "dataType": kind} for value, kind in (
        (1.7e308, "NUMERIC"), (-5e-324, "NUMERIC"), (1, "BOOLEAN"), ("good", "CATEGORICAL"), ("text", "TEXT"))]  # fmt: skip
    for score in scores:
        assert client.post("/api/public/scores", score).status == 200
    points = [{"name": "n", "labels": {"a": "b"}, "value": value, "timestamp": "2026-03-01T10:00:00Z"} for value in (1e308, -1e308)]
    assert client.post("/v1/metrics/batch", {"metrics": points}).status == 200
    return client


def test_every_read_is_asked():
    assert len(ROUTES) >= 15 and "/api/public/v2/metrics" in ROUTES and "/api/public/observations" in ROUTES


def ask(client, path, string):
    answer = client.get(f"{path}?{string}")
    assert answer.status < 500, (path, string, answer.text[:500])
    assert answer.headers["Content-Type"].startswith("application/json")
    body = json.loads(answer.body)
    if answer.status != 200:
        assert body["message"] and body["code"] and body["error"]


@settings(max_examples=60, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # fmt: skip
@given(string=strings, one_id=st.sampled_from(IDS))
@pytest.mark.parametrize("path", ROUTES)
def test_no_query_string_is_an_error_of_ours(client, path, string, one_id):
    ask(client, re.sub(r"\{\w+\}", lambda _: one_id, path), string)


@settings(max_examples=150, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # fmt: skip
@given(query=queries)
@pytest.mark.parametrize("path", ["/api/public/metrics", "/api/public/v2/metrics"])
def test_no_metrics_query_is_an_error_of_ours(client, path, query):
    ask(client, path, "query=" + encoded(query))


@settings(max_examples=150, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # fmt: skip
@given(text=raw_lists(conditions))
@pytest.mark.parametrize("path", ["/api/public/traces", "/api/public/observations", "/api/public/v2/observations",
                                  "/api/public/scores", "/api/public/v2/scores"])  # fmt: skip
def test_no_filter_is_an_error_of_ours(client, path, text):
    ask(client, path, "filter=" + encoded(text))


@settings(max_examples=80, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # fmt: skip
@given(pairs=st.fixed_dictionaries({}, optional={name: st.one_of(st.sampled_from(WORDS), st.text(max_size=10)) for name in
                                                 ("from", "to", "labels", "step", "agg", "group_by")}))  # fmt: skip
def test_no_metric_series_is_an_error_of_ours(client, pairs):
    string = "&".join(f"{name}={encoded(value)}" for name, value in {"name": "n", **pairs}.items())
    ask(client, "/api/public/metrics/query", string)
