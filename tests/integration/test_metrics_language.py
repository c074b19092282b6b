"""GET /api/public/metrics and /api/public/v2/metrics, against the same language in Python (support/metrics_oracle.py)."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support import metrics_oracle as oracle
from support.metrics_oracle import DIMENSIONS, MEASURES, aggregations_of
from support.metrics_records import insert_score, make_records, store
from support.records import new_id, new_observation, new_trace

RANGE = {"fromTimestamp": "2026-01-01T00:00:00Z", "toTimestamp": "2026-03-31T23:59:59.999999Z"}
IDS = {"id", "traceId", "observationId", "parentObservationId", "userId", "sessionId"}


def metric(measure, aggregation="count"):
    return {"measure": measure, "aggregation": aggregation}


def ask(system, query, version=1):
    path = "/api/public/metrics" if version == 1 else "/api/public/v2/metrics"
    return system.client().get(path, {"query": query if isinstance(query, str) else json.dumps(query)})


def data_of(system, query, version=1):
    answer = ask(system, query, version)
    assert answer.status == 200, answer.text
    body = answer.json()
    assert list(body) == ["data"]
    return body["data"]


@pytest.fixture(scope="module")
def filled(xtrace):
    """The system, and what is in it."""
    records = make_records(5)
    store(xtrace, records)
    return xtrace, records


def check(filled, query, version=1):
    system, records = filled
    data = data_of(system, query, version)
    oracle.check(data, records, query)
    return data


@pytest.mark.parametrize("view, measure", [(view, measure) for view in oracle.VIEWS for measure in MEASURES[view]])
def test_every_aggregation_of_every_measure_is_right(filled, view, measure):
    metrics = [metric(measure, aggregation) for aggregation in aggregations_of(view, measure)]
    check(filled, {"view": view, "metrics": metrics, **RANGE})
    check(filled, {"view": view, "metrics": metrics, "dimensions": [{"field": "environment"}], **RANGE})


@pytest.mark.parametrize("view, field", [(view, field) for view in oracle.VIEWS for field in DIMENSIONS[view]])
def test_every_dimension_groups(filled, view, field):
    data = check(filled, {"view": view, "metrics": [metric("count")], "dimensions": [{"field": field}], **RANGE})
    assert len(data) > 1 or (view, field) == ("scores-boolean", "dataType")
    if field in IDS and view != "traces":
        answer = ask(filled[0], {"view": view, "metrics": [metric("count")], "dimensions": [{"field": field}], **RANGE}, 2)
        assert answer.status == 400
        assert field in answer.json()["message"] and "high cardinality" in answer.json()["message"]
    elif view != "traces":
        query = {"view": view, "metrics": [metric("count")], "dimensions": [{"field": field}], **RANGE}
        assert data_of(filled[0], query, 2) == data


@pytest.mark.parametrize("view", oracle.VIEWS)
def test_all_measures_at_once_do_not_multiply_each_other(filled, view):
    metrics = [metric(measure, "sum") for measure in MEASURES[view] if "sum" in aggregations_of(view, measure)]
    check(filled, {"view": view, "metrics": metrics, **RANGE})


@pytest.mark.parametrize("view", oracle.VIEWS)
@pytest.mark.parametrize("granularity", ["auto", "hour", "day", "week", "month"])
def test_time_has_buckets_and_empty_ones_are_filled(filled, view, granularity):
    query = {"view": view, "metrics": [metric("count"), metric("count", "sum"), metric("count", "avg")],
             "timeDimension": {"granularity": granularity}, **RANGE}  # fmt: skip
    data = check(filled, query)
    assert [row["time_dimension"] for row in data] == sorted(row["time_dimension"] for row in data)
    assert sum(row["count_count"] for row in data) == len([
        row for row in oracle.rows_of(filled[1], view) if row["time"] <= oracle.time_of(RANGE["toTimestamp"])])  # fmt: skip


def test_minutes_are_filled_too(filled):
    query = {"view": "observations", "metrics": [metric("latency", "p95")], "timeDimension": {"granularity": "minute"},
             "fromTimestamp": "2026-01-01T10:00:30+01:00", "toTimestamp": "2026-01-01T19:15:00.5+01:00"}  # fmt: skip
    assert len(check(filled, query)) == 9 * 60 + 16


def test_auto_has_about_fifty_buckets(filled):
    for end, count in (("2026-01-01T01:00:00Z", 60), ("2026-01-03T00:00:00Z", 48), ("2026-02-20T00:00:00Z", 50),
                       ("2026-12-10T00:00:00Z", 50), ("2030-01-01T00:00:00Z", 48)):  # fmt: skip
        query = {"view": "traces", "metrics": [metric("count")], "timeDimension": {"granularity": "auto"},
                 "fromTimestamp": "2026-01-01T00:00:00Z", "toTimestamp": end}  # fmt: skip
        assert len(check(filled, query)) == count


def test_a_filled_bucket_counts_nothing_and_belongs_to_nobody(filled):
    query = {"view": "observations", "dimensions": [{"field": "type"}, {"field": "tags"}],
             "metrics": [metric("count"), metric("totalCost", "sum"), metric("latency", "uniq"), metric("latency", "p50"),
                         metric("latency", "histogram")],
             "timeDimension": {"granularity": "day"},
             "fromTimestamp": "2026-01-20T00:00:00Z", "toTimestamp": "2026-01-21T00:00:00Z"}  # fmt: skip
    assert check(filled, query) == [
        {"time_dimension": "2026-01-20T00:00:00.000Z", "type": None, "tags": None, "count_count": 0, "sum_totalCost": 0,
         "uniq_latency": 0, "p50_latency": None, "histogram_latency": []}]  # fmt: skip


def test_with_an_order_nothing_is_filled(filled):
    query = {"view": "traces", "metrics": [metric("count")], "timeDimension": {"granularity": "day"},
             "orderBy": [{"field": "count_count", "direction": "asc"}, {"field": "time_dimension", "direction": "desc"}],
             **RANGE}  # fmt: skip
    assert all(row["count_count"] > 0 for row in check(filled, query))


def test_an_empty_range_has_no_groups_but_one_sum(filled):
    nowhere = {"fromTimestamp": "2020-01-01T00:00:00Z", "toTimestamp": "2020-02-01T00:00:00Z"}
    for view in oracle.VIEWS:
        query = {"view": view, "metrics": [metric("count"), metric("count", "avg")], **nowhere}
        assert check(filled, query) == [{"count_count": 0, "avg_count": None}]
        assert check(filled, {**query, "dimensions": [{"field": "name"}]}) == []


def test_both_ends_of_the_range_are_in_it(filled):
    first = min(filled[1][0], key=lambda trace: trace["timestamp"])["timestamp"]
    query = {"view": "traces", "metrics": [metric("count")], "fromTimestamp": first, "toTimestamp": RANGE["toTimestamp"]}
    assert check(filled, query) == [{"count_count": len(filled[1][0])}]
    assert check(filled, {**query, "fromTimestamp": RANGE["fromTimestamp"], "toTimestamp": first}) == [{"count_count": 1}]


def test_an_offset_is_a_spelling_of_the_same_instant(filled):
    query = {"view": "observations", "metrics": [metric("count")], "timeDimension": {"granularity": "day"}}
    utc = {"fromTimestamp": "2026-01-01T00:00:00Z", "toTimestamp": "2026-01-09T00:00:00Z"}
    east = {"fromTimestamp": "2026-01-01T05:30:00+05:30", "toTimestamp": "2026-01-08T19:00:00-05:00"}
    assert check(filled, {**query, **east}) == check(filled, {**query, **utc})


# Orders and limits


@pytest.mark.parametrize("field", ["name", "sum_totalCost", "totalCost", "p95_latency", "time_dimension"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_rows_go_by_whatever_is_asked_for_with_null_last(filled, field, direction):
    query = {"view": "traces", "dimensions": [{"field": "name"}, {"field": "userId"}],
             "metrics": [metric("totalCost", "sum"), metric("latency", "p95")], "timeDimension": {"granularity": "month"},
             "orderBy": [{"field": "sum_totalCost" if field == "totalCost" else field, "direction": direction}],
             **RANGE}  # fmt: skip
    data = check(filled, query)
    assert data_of(filled[0], {**query, "orderBy": [{"field": field, "direction": direction}]}) == data


def test_without_an_order_the_greatest_comes_first(filled):
    query = {"view": "observations", "dimensions": [{"field": "providedModelName"}],
             "metrics": [metric("totalTokens", "sum")], **RANGE}  # fmt: skip
    sums = [row["sum_totalTokens"] for row in check(filled, query)]
    assert sums == sorted(sums, reverse=True)


def test_rows_can_be_limited(filled):
    query = {"view": "observations", "dimensions": [{"field": "id"}], "metrics": [metric("latency", "max")], **RANGE}
    everything = check(filled, query)
    assert data_of(filled[0], {**query, "config": {"row_limit": 7}}) == everything[:7]
    assert data_of(filled[0], {**query, "config": {"row_limit": None, "bins": None}}) == everything


# Histograms


@pytest.mark.parametrize("bins", [1, 2, 15, 100])
def test_a_histogram_has_as_many_bins_as_asked_for(filled, bins):
    query = {"view": "observations", "dimensions": [{"field": "type"}], "metrics": [metric("latency", "histogram")],
             "config": {"bins": bins}, **RANGE}  # fmt: skip
    assert all(len(row["histogram_latency"]) == bins for row in check(filled, query))


def test_a_histogram_of_equal_values_has_one_bin(filled):
    (row,) = check(filled, {"view": "observations", "metrics": [metric("count", "histogram")], **RANGE})
    assert row == {"histogram_count": [[1, 1, len(filled[1][1])]]}


# Filters

FILTERS = {
    "traces": [
        {"type": "string", "column": "name", "operator": "=", "value": "chat"},
        {"type": "arrayOptions", "column": "tags", "operator": "all of", "value": ["a", "b"]},
        {"type": "stringOptions", "column": "environment", "operator": "none of", "value": ["staging"]},
        {"type": "stringObject", "column": "metadata", "key": "tenant", "operator": "=", "value": "x"},
        {"type": "null", "column": "userId", "operator": "is null"},
    ],
    "observations": [
        {"type": "string", "column": "traceName", "operator": "contains", "value": "a"},
        {"type": "string", "column": "name", "operator": "does not contain", "value": "l"},
        {"type": "arrayOptions", "column": "tags", "operator": "any of", "value": ["c"]},
        {"type": "stringOptions", "column": "level", "operator": "any of", "value": ["ERROR", "DEFAULT"]},
        {"type": "boolean", "column": "isRootObservation", "operator": "=", "value": True},
        {"type": "string", "column": "promptVersion", "operator": "=", "value": "12"},
        {"type": "stringObject", "column": "metadata", "key": "tenant", "operator": "starts with", "value": "y"},
        {"type": "string", "column": "userId", "operator": "=", "value": "ann"},
    ],
    "scores-numeric": [
        {"type": "string", "column": "name", "operator": "=", "value": "quality"},
        {"type": "string", "column": "observationModelName", "operator": "=", "value": "gpt-x"},
        {"type": "string", "column": "traceName", "operator": "ends with", "value": "t"},
        {"type": "stringOptions", "column": "dataType", "operator": "any of", "value": ["NUMERIC"]},
    ],
    "scores-categorical": [{"type": "string", "column": "stringValue", "operator": "=", "value": "übel"}],
    "scores-boolean": [{"type": "boolean", "column": "booleanValue", "operator": "<>", "value": True}],
}  # fmt: skip


@pytest.mark.parametrize("view, condition", [(v, c) for v in oracle.VIEWS for c in FILTERS[v]])
def test_filters_hold(filled, view, condition):
    query = {"view": view, "metrics": [metric("count")], **RANGE}
    (everything,) = check(filled, query)
    (filtered,) = check(filled, {**query, "filters": [condition]})
    assert 0 < filtered["count_count"] < everything["count_count"]
    if view != "traces":
        assert data_of(filled[0], {**query, "filters": [condition]}, 2) == [filtered]


def test_time_and_numbers_can_be_filtered(filled):
    system, records = filled
    query = {"view": "observations", "metrics": [metric("count")], **RANGE, "filters": [
        {"type": "number", "column": "promptVersion", "operator": ">=", "value": 2}]}  # fmt: skip
    assert data_of(system, query) == [{"count_count": sum(o.get("promptVersion") == "12" for o in records[1])}]
    late = [o for o in records[1] if oracle.time_of(o["startTime"]) >= oracle.time_of("2026-01-02T00:00:00Z")]
    query = {"view": "observations", "metrics": [metric("count")], **RANGE, "filters": [
        {"type": "datetime", "column": "startTime", "operator": ">=", "value": "2026-01-02T00:00:00Z"}]}  # fmt: skip
    assert data_of(system, query) == [{"count_count": len(late)}]
    high = [s for s in records[2] if s["data_type"] in ("NUMERIC", "BOOLEAN") and s["value"] > 0.5]
    query = {"view": "scores-numeric", "metrics": [metric("count")], **RANGE, "filters": [
        {"type": "number", "column": "value", "operator": ">", "value": 0.5}]}  # fmt: skip
    assert data_of(system, query) == [{"count_count": len(high)}]


# Any query of the language


@st.composite
def queries(draw):
    view = draw(st.sampled_from(oracle.VIEWS))
    pairs = [(measure, aggregation) for measure in MEASURES[view] for aggregation in aggregations_of(view, measure)]
    metrics = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=8, unique=True))
    days = sorted(draw(st.lists(st.integers(0, 92), min_size=2, max_size=2, unique=True)))
    start, end = (oracle.time_of(RANGE["fromTimestamp"]) + oracle.timedelta(days=day) for day in days)
    query = {
        "view": view,
        "metrics": [metric(*pair) for pair in metrics],
        "dimensions": [{"field": field} for field in
                       draw(st.lists(st.sampled_from(DIMENSIONS[view]), max_size=3, unique=True))],
        "filters": draw(st.lists(st.sampled_from(FILTERS[view]), max_size=2)),
        "fromTimestamp": start.isoformat(), "toTimestamp": end.isoformat(),
        "config": {"bins": draw(st.integers(1, 100))},
    }  # fmt: skip
    granularity = draw(st.sampled_from([None, "auto", "hour", "day", "week", "month"]))
    query["timeDimension"] = granularity and {"granularity": granularity}
    fields = [f"{aggregation}_{measure}" for measure, aggregation in metrics if aggregation != "histogram"]
    fields += [dimension["field"] for dimension in query["dimensions"]] + (["time_dimension"] if granularity else [])
    order = draw(st.lists(st.sampled_from(fields), max_size=3, unique=True)) if fields else []
    query["orderBy"] = [{"field": field, "direction": draw(st.sampled_from(["asc", "desc"]))} for field in order] or None
    return query


@settings(max_examples=150, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # fmt: skip
@given(query=queries())
def test_any_query_is_answered_as_the_language_says(filled, query):
    check(filled, query)


# What other protocols store


def at_noon(trace_id, observation_id, **body):
    body = {"id": observation_id, "traceId": trace_id, "startTime": "2029-01-01T12:00:00.000Z", **body}
    return {"id": new_id(), "type": "generation-create", "timestamp": "2029-01-01T12:00:00.000Z", "body": body}


def test_tokens_and_costs_of_every_kind_are_in_the_sums(xtrace):
    """Given, computed from a price, and none; usage as a map of kinds."""
    usage = {"input": 1000, "input_cached_tokens": 500, "output": 100, "output_reasoning_tokens": 50}
    batch = [at_noon("kinds", "priced", model="gpt-4o", usageDetails=usage),
             at_noon("kinds", "given", model="gpt-4o", usageDetails=usage, costDetails={"input": 0.5, "input_x": 0.25, "output": 2}),
             at_noon("kinds", "unknown", model="nobody's", usageDetails={"input": 7})]  # fmt: skip
    answer = xtrace.client().post("/api/public/ingestion", {"batch": batch})
    assert (answer.status, answer.json()["errors"]) == (207, [])
    shown = {one: xtrace.client().get(f"/api/public/observations/{one}").json() for one in ("priced", "given", "unknown")}
    query = {"view": "observations", "dimensions": [{"field": "id"}],
             "metrics": [metric(measure, "sum") for measure in ("inputTokens", "outputTokens", "totalTokens", "inputCost",
                                                                "outputCost", "totalCost")],
             "fromTimestamp": "2029-01-01T00:00:00Z", "toTimestamp": "2029-01-02T00:00:00Z"}  # fmt: skip
    rows = {row["id"]: row for row in data_of(xtrace, query)}
    assert rows["priced"] == {"id": "priced", "sum_inputTokens": 1500, "sum_outputTokens": 150, "sum_totalTokens": 1650,
                              "sum_inputCost": 1000 * 2.5e-6 + 500 * 1.25e-6, "sum_outputCost": 100e-5 + 50e-5,
                              "sum_totalCost": shown["priced"]["calculatedTotalCost"]}  # fmt: skip
    assert shown["priced"]["calculatedTotalCost"] == pytest.approx(
        rows["priced"]["sum_inputCost"] + rows["priced"]["sum_outputCost"])
    assert (rows["given"]["sum_inputCost"], rows["given"]["sum_outputCost"]) == (0.75, 2)
    assert rows["given"]["sum_totalCost"] == (shown["given"]["calculatedTotalCost"] or 0)
    assert (rows["unknown"]["sum_inputTokens"], rows["unknown"]["sum_totalCost"]) == (7, 0)
    (traces,) = data_of(xtrace, {**query, "view": "traces", "dimensions": [], "metrics": [metric("totalCost", "sum")],
                                 "fromTimestamp": "2020-01-01T00:00:00Z", "toTimestamp": "2100-01-01T00:00:00Z",
                                 "filters": [{"type": "string", "column": "id", "operator": "=", "value": "kinds"}]})  # fmt: skip
    assert traces["sum_totalCost"] == pytest.approx(sum(row["sum_totalCost"] for row in rows.values()))


# What is wrong


GOOD = {"view": "observations", "metrics": [metric("count")], **RANGE}


@pytest.mark.parametrize("change, words", [
    ({"view": "sessions"}, ["view", "sessions"]),
    ({"view": None}, ["view", "missing"]),
    ({"view": 7}, ["view"]),
    ({"metrics": None}, ["metrics", "missing"]),
    ({"metrics": []}, ["metrics"]),
    ({"metrics": {}}, ["metrics"]),
    ({"metrics": [metric("nonsense")]}, ["metrics[0].measure", "nonsense", "observations"]),
    ({"metrics": [metric("count"), metric("latency", "median")]}, ["metrics[1].aggregation", "median"]),
    ({"metrics": [{"measure": "count"}]}, ["metrics[0].aggregation", "missing"]),
    ({"metrics": [{"aggregation": "count"}]}, ["metrics[0].measure", "missing"]),
    ({"metrics": ["count"]}, ["metrics[0]"]),
    ({"dimensions": [{"field": "nonsense"}]}, ["dimensions[0].field", "nonsense", "observations"]),
    ({"dimensions": [{}]}, ["dimensions[0].field", "missing"]),
    ({"dimensions": "name"}, ["dimensions"]),
    ({"dimensions": [{"field": "stringValue"}]}, ["stringValue"]),
    ({"filters": [{"type": "string", "column": "nonsense", "operator": "=", "value": "x"}]}, ["nonsense"]),
    ({"filters": [{"type": "string", "column": "tags", "operator": "contains", "value": "x"}]}, ["filter", "type"]),
    ({"filters": [{"type": "string", "column": "metadata", "operator": "contains", "value": "x"}]}, ["filter", "type"]),
    ({"filters": {}}, ["filter"]),
    ({"timeDimension": {"granularity": "second"}}, ["granularity"]),
    ({"timeDimension": {}}, ["granularity"]),
    ({"timeDimension": "day"}, ["timeDimension"]),
    ({"fromTimestamp": None}, ["fromTimestamp", "missing"]),
    ({"fromTimestamp": "2026-01-01"}, ["fromTimestamp"]),
    ({"toTimestamp": 5}, ["toTimestamp"]),
    ({"toTimestamp": RANGE["fromTimestamp"]}, ["fromTimestamp", "before", "toTimestamp"]),
    ({"toTimestamp": "2025-01-01T00:00:00Z"}, ["fromTimestamp", "before", "toTimestamp"]),
    ({"orderBy": [{"field": "name", "direction": "asc"}]}, ["orderBy[0].field", "name"]),
    ({"orderBy": [{"field": "count_count", "direction": "up"}]}, ["orderBy[0].direction"]),
    ({"orderBy": [{"field": "count_count"}]}, ["orderBy[0].direction"]),
    ({"orderBy": [{"field": "time_dimension", "direction": "asc"}]}, ["orderBy[0].field"]),
    ({"orderBy": "name"}, ["orderBy"]),
    ({"config": {"bins": 0}}, ["config.bins"]),
    ({"config": {"bins": 101}}, ["config.bins"]),
    ({"config": {"bins": 1.5}}, ["config.bins"]),
    ({"config": {"row_limit": 1001}}, ["config.row_limit"]),
    ({"config": {"row_limit": "10"}}, ["config.row_limit"]),
    ({"config": []}, ["config"]),
])  # fmt: skip
def test_what_is_wrong_is_named(xtrace, change, words):
    for version in (1, 2):
        answer = ask(xtrace, {**GOOD, **change}, version)
        assert answer.status == 400, answer.text
        assert (answer.json()["code"], answer.json()["error"]) == ("BAD_REQUEST", "InvalidRequestError")
        for word in words:
            assert word in answer.json()["message"]


@pytest.mark.parametrize("text", ["", "x", "[]", "null", "{", '{"view":"traces"', "{}", "7", '"view"'])
def test_what_is_no_object_is_400(xtrace, text):
    assert ask(xtrace, text).status == 400
    assert ask(xtrace, text, 2).status == 400


def test_a_query_is_needed(xtrace):
    answer = xtrace.client().get("/api/public/metrics")
    assert (answer.status, answer.json()["message"]) == (400, "query: missing")


def test_traces_are_not_a_view_of_version_2(xtrace):
    answer = ask(xtrace, {**GOOD, "view": "traces"}, 2)
    assert answer.status == 400
    assert "traces" in answer.json()["message"]


def test_texts_can_only_be_counted(xtrace):
    answer = ask(xtrace, {**GOOD, "view": "scores-categorical", "metrics": [metric("value", "avg")]})
    assert answer.status == 400
    assert "avg" in answer.json()["message"] and "value" in answer.json()["message"]


def test_too_many_buckets_are_422_and_an_order_helps(xtrace):
    query = {**GOOD, "timeDimension": {"granularity": "minute"}}
    answer = ask(xtrace, query)
    assert answer.status == 422
    assert set(answer.json()) == {"message", "code", "error"} and "granularity" in answer.json()["message"]
    assert ask(xtrace, {**query, "orderBy": [{"field": "count_count", "direction": "desc"}]}).status == 200


def test_credentials_come_first(xtrace):
    for path in ("/api/public/metrics", "/api/public/v2/metrics"):
        assert xtrace.client(headers={}).get(path, {"query": "nonsense"}).status == 401


# What is at the end of what can be stored


def test_numbers_at_the_end_of_the_doubles_are_no_error(xtrace):
    day = {"fromTimestamp": "2027-01-01T00:00:00Z", "toTimestamp": "2027-01-02T00:00:00Z"}
    trace = new_trace(timestamp="2027-01-01T12:00:00Z", latency=1.7e308, totalCost=10**29)
    observations = [new_observation(trace, startTime="2027-01-01T12:00:00Z", latency=latency, timeToFirstToken=latency,
                                    promptTokens=10**18, completionTokens=10**18, calculatedTotalCost=10**29)
                    for latency in (1.7e308, -1.7e308, 5e-324, 0, 1e-300)]  # fmt: skip
    assert xtrace.client().batch(trace, observations).status == 200
    for value in (1.7e308, -1.7e308, 5e-324, 1.7e308, -5e-324, 0.0):
        insert_score(xtrace.database, {"id": new_id(), "timestamp": "2027-01-01T12:00:00Z", "data_type": "NUMERIC",
                                       "name": "odd", "value": value})  # fmt: skip
    for view in ("traces", "observations", "scores-numeric"):
        for measure in MEASURES[view]:
            query = {"view": view, "metrics": [metric(measure, a) for a in oracle.AGGREGATIONS], **day}
            (row,) = data_of(xtrace, query)
            heights = [height for _, _, height in row[f"histogram_{measure}"]]
            assert sum(heights) == (row[f"count_{measure}"] if "unique" not in measure else 1)
    (row,) = data_of(xtrace, {"view": "scores-numeric", "metrics": [metric("value", "max"), metric("value", "uniq")], **day})
    assert row == {"max_value": 1.7e308, "uniq_value": 5}
    (row,) = data_of(xtrace, {"view": "observations", "metrics": [metric("totalCost", "sum"), metric("inputTokens", "sum")], **day})
    assert row == {"sum_totalCost": 5 * 10**29, "sum_inputTokens": 5 * 10**18}


def test_an_observation_without_a_start_counts_when_it_came(xtrace):
    trace = new_trace()
    assert xtrace.client().batch(trace, [new_observation(trace, name="no start")]).status == 200
    query = {"view": "observations", "metrics": [metric("count")], "dimensions": [{"field": "name"}],
             "filters": [{"type": "string", "column": "name", "operator": "=", "value": "no start"}],
             "fromTimestamp": "2026-01-01T00:00:00Z", "toTimestamp": "2100-01-01T00:00:00Z"}  # fmt: skip
    assert data_of(xtrace, query) == [{"name": "no start", "count_count": 1}]


def test_a_name_may_hold_anything(xtrace):
    name = "'; DROP TABLE traces; -- \" \\ $1 {x} %s \u0001 ünï\n"
    assert xtrace.client().batch(new_trace(name=name, timestamp="2028-01-01T00:00:00Z")).status == 200
    query = {"view": "traces", "metrics": [metric("count")], "dimensions": [{"field": "name"}],
             "filters": [{"type": "string", "column": "name", "operator": "=", "value": name}],
             "fromTimestamp": "2028-01-01T00:00:00Z", "toTimestamp": "2028-01-02T00:00:00Z"}  # fmt: skip
    assert data_of(xtrace, query) == [{"name": name, "count_count": 1}]
