"""Whatever a query string says: reads answer, or refuse with a 4xx in JSON that says what is wrong."""

import json
import re
import urllib.parse

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.metrics_oracle import DIMENSIONS, MEASURES, VIEWS, aggregations_of
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

# JSON as text, mostly of the right form: each member may be odd, or not be there.

RAW_NUMBERS = ["0", "-1", "1.5", "1e999", "-1e-999", "1" * 390, "1E+5", "123456789012345678901234567890.5"]
odd_values = st.one_of(
    st.sampled_from(WORDS).map(json.dumps), st.text(max_size=20).map(json.dumps), st.sampled_from(RAW_NUMBERS),
    st.sampled_from(["true", "false", "null", "{}", "[]", "[1]", '[["a"]]', '"2026-03-01T00:00:00Z"']))  # fmt: skip
RARELY = [True] + [False] * 80


def raw_object(draw, members):
    """members: name -> strategy of JSON text, or the text."""
    parts = []
    for name, value in members.items():
        if not draw(st.sampled_from(RARELY)):
            value = odd_values if draw(st.sampled_from(RARELY)) else value
            parts.append(f'"{name}":{value if isinstance(value, str) else draw(value)}')
    return "{" + ",".join(parts) + "}"


def quoted(words):
    return st.sampled_from(words).map(json.dumps)


def raw_lists(elements, least=0, most=3):
    return st.lists(elements, min_size=least, max_size=most).map(lambda texts: "[" + ",".join(texts) + "]")


texts = st.one_of(quoted(WORDS), st.text(max_size=20).map(json.dumps))
lists_of_texts = raw_lists(texts, most=5)
on_text = ["=", "contains", "does not contain", "starts with", "ends with"]
on_number = ["=", "<", ">", "<=", ">="]
KINDS = {
    "string": (on_text, texts), "number": (on_number, st.sampled_from(RAW_NUMBERS)),
    "datetime": (["<", ">", "<=", ">="], quoted([word for word in WORDS if "T" in word and word.endswith("Z")])),
    "stringOptions": (["any of", "none of"], lists_of_texts),
    "arrayOptions": (["any of", "none of", "all of"], lists_of_texts), "stringObject": (on_text, texts),
    "numberObject": (on_number, st.sampled_from(RAW_NUMBERS)),
    "booleanObject": (["=", "<>"], st.sampled_from(["true", "false"])),
    "boolean": (["=", "<>"], st.sampled_from(["true", "false"])), "null": (["is null", "is not null"], st.just("null")),
}  # fmt: skip
TEXTS = ["id", "name", "userId", "sessionId", "version", "release", "environment", "type", "level", "source", "traceName",
         "dataType", "stringValue", "input", "output", "observationName", "traceId", "timestampMonth", "model"]  # fmt: skip
NUMBERS = ["latency", "totalCost", "value", "promptVersion", "inputTokens", "totalTokens", "timeToFirstToken", "tokens"]
COLUMNS = {
    "string": TEXTS, "stringOptions": TEXTS, "number": NUMBERS, "datetime": ["timestamp", "startTime", "endTime", "createdAt"],
    "arrayOptions": ["tags", "traceTags"], "boolean": ["public", "bookmarked", "isRootObservation", "booleanValue"],
    "null": [*TEXTS, *NUMBERS, "tags", "metadata"],
}  # fmt: skip
OBJECTS = ["metadata", "usageDetails", "costDetails", "scores"]


@st.composite
def conditions(draw):
    kind = draw(st.sampled_from(list(KINDS)))
    operators, value = KINDS[kind]
    return raw_object(draw, {
        "type": json.dumps(kind), "column": quoted(COLUMNS.get(kind, OBJECTS)), "operator": quoted(operators),
        "key": quoted(["a", "", "input", "0", "a.b"]), "value": value})  # fmt: skip


@st.composite
def metrics(draw, view):
    measure = draw(st.sampled_from(MEASURES[view]))
    return raw_object(draw, {"measure": json.dumps(measure), "aggregation": quoted(aggregations_of(view, measure))})


@st.composite
def object_of(draw, **members):
    return raw_object(draw, members)


@st.composite
def queries(draw):
    view = draw(st.sampled_from(VIEWS))
    fields = quoted([*DIMENSIONS[view][:6], "time_dimension", "count_count", "sum_totalCost", "value"])
    starts = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2026-03-01T09:59:59.999999Z"]
    ends = ["2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-03-01T10:00:00Z"]
    return raw_object(draw, {
        "view": json.dumps(view), "metrics": raw_lists(metrics(view), least=1),
        "dimensions": raw_lists(object_of(field=quoted(DIMENSIONS[view]))),
        "filters": raw_lists(conditions(), most=1),
        "timeDimension": st.one_of(st.just("null"), object_of(granularity=quoted(["auto", "day", "minute", "month"]))),
        "fromTimestamp": quoted(starts), "toTimestamp": quoted(ends),
        "orderBy": st.one_of(st.just("null"), raw_lists(object_of(field=fields, direction=quoted(["asc", "desc"])), most=2)),
        "config": object_of(bins=st.sampled_from(["7", "100", "1"]), row_limit=st.sampled_from(["1", "1000"]))})  # fmt: skip


def encoded(text):
    return urllib.parse.quote(text.encode("utf-8", "surrogatepass"), safe="")


def pairs():
    one = st.one_of(
        st.tuples(st.sampled_from(NAMES), st.one_of(st.sampled_from(WORDS), st.text(max_size=30))),
        st.tuples(st.just("filter"), raw_lists(conditions(), most=2)), st.tuples(st.just("query"), queries()))  # fmt: skip
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
@given(query=queries())
@pytest.mark.parametrize("path", ["/api/public/metrics", "/api/public/v2/metrics"])
def test_no_metrics_query_is_an_error_of_ours(client, path, query):
    ask(client, path, "query=" + encoded(query))


@settings(max_examples=150, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # fmt: skip
@given(text=raw_lists(conditions(), most=2))
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
