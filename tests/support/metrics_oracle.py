"""The query language of metrics once more, in Python over records in memory: what the gateway must answer.

Records are what was sent (traces and observations as for /v1/l/batch, scores as rows); `answer(records, query)` is the
list that `data` must hold, apart from its order.
"""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

PERCENTILES = {"p50": Fraction(1, 2), "p75": Fraction(3, 4), "p90": Fraction(9, 10), "p95": Fraction(95, 100),
               "p99": Fraction(99, 100)}  # fmt: skip
AGGREGATIONS = ["sum", "avg", "count", "max", "min", *PERCENTILES, "histogram", "uniq"]
GRANULARITIES = ["minute", "hour", "day", "week", "month"]

SCORE_DIMENSIONS = ["id", "name", "source", "dataType", "configId", "environment", "timestampMonth", "timestampDay",
                    "traceId", "observationId", "sessionId", "userId", "tags", "traceName", "traceRelease",
                    "traceVersion", "observationName", "observationModelName", "observationPromptName",
                    "observationPromptVersion"]  # fmt: skip
DIMENSIONS = {
    "traces": ["id", "name", "tags", "userId", "sessionId", "release", "version", "environment", "timestampMonth"],
    "observations": ["id", "traceId", "traceName", "environment", "parentObservationId", "type", "name", "level",
                     "version", "tags", "providedModelName", "promptName", "promptVersion", "userId", "sessionId",
                     "traceRelease", "traceVersion", "release", "isRootObservation", "startTimeMonth"],
    "scores-numeric": [*SCORE_DIMENSIONS, "value"],
    "scores-categorical": [*SCORE_DIMENSIONS, "stringValue"],
    "scores-boolean": [*SCORE_DIMENSIONS, "booleanValue"],
}  # fmt: skip
MEASURES = {
    "traces": ["count", "observationsCount", "scoresCount", "uniqueUserIds", "uniqueSessionIds", "latency",
               "totalTokens", "totalCost"],
    "observations": ["count", "latency", "streamingLatency", "timeToFirstToken", "inputTokens", "outputTokens",
                     "totalTokens", "outputTokensPerSecond", "tokensPerSecond", "inputCost", "outputCost", "totalCost",
                     "countScores"],
    "scores-numeric": ["count", "value"],
    "scores-categorical": ["count", "value"],
    "scores-boolean": ["count", "value"],
}  # fmt: skip


def aggregations_of(view, measure):
    return ["count", "uniq"] if (view, measure) == ("scores-categorical", "value") else AGGREGATIONS


def time_of(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def between_ms(earlier, later):
    """Milliseconds, or None."""
    if earlier is None or later is None:
        return None
    return Fraction((time_of(later) - time_of(earlier)) // timedelta(microseconds=1), 1000)


def seconds_to_ms(seconds):
    return None if seconds is None else Fraction(str(seconds)) * 1000


def first_given(*values):
    return next((value for value in values if value is not None), None)


def exact(number):
    return None if number is None else Fraction(str(number))


def end_of(observation):
    """An end before the start is the start."""
    end = observation.get("endTime")
    return end and max(end, observation["startTime"], key=time_of)


# What a row of each view is: its time, its dimensions, its measures. None is null.


def observation_row(observation, trace, scores):
    get = observation.get
    start, end, first_token = get("startTime"), end_of(observation), get("completionStartTime")
    latency = first_given(seconds_to_ms(get("latency")), between_ms(start, end))
    streaming = between_ms(first_token, end)
    total = first_given(get("totalTokens"), (get("promptTokens") or 0) + (get("completionTokens") or 0))
    part_costs = [exact(get(name)) for name in ("calculatedInputCost", "calculatedOutputCost")]
    both = sum(part_costs) if None not in part_costs else None
    return {
        "time": time_of(start),
        "dimensions": {
            "id": get("id"), "traceId": get("traceId"), "traceName": trace.get("name"),
            "environment": get("environment") or "default", "parentObservationId": get("parentObservationId"),
            "type": get("type") or "GENERATION", "name": get("name"), "level": get("level") or "DEFAULT",
            "version": get("version"), "tags": sorted(set(trace.get("tags", []))), "providedModelName": get("model"),
            "promptName": get("promptName"),
            "promptVersion": int(get("promptVersion")) if get("promptVersion") else None,
            "userId": trace.get("userId"), "sessionId": trace.get("sessionId"), "traceRelease": trace.get("release"),
            "traceVersion": trace.get("version"), "release": trace.get("release"),
            "isRootObservation": get("parentObservationId") is None, "startTimeMonth": f"{time_of(start):%Y-%m}",
        },
        "measures": {
            "count": 1,
            "latency": latency,
            "streamingLatency": streaming,
            "timeToFirstToken": first_given(seconds_to_ms(get("timeToFirstToken")), between_ms(start, first_token)),
            "inputTokens": get("promptTokens") or 0,
            "outputTokens": get("completionTokens") or 0,
            "totalTokens": total,
            "outputTokensPerSecond": (
                Fraction(get("completionTokens") or 0) / streaming * 1000 if streaming and streaming > 0 else None),
            "tokensPerSecond": Fraction(total) / latency * 1000 if latency else None,
            "inputCost": part_costs[0],
            "outputCost": part_costs[1],
            "totalCost": first_given(exact(get("calculatedTotalCost")), both, *part_costs),
            "countScores": sum(s["trace_id"] == get("traceId") and s["observation_id"] == get("id") for s in scores),
        },
        "metadata": get("metadata") or {},
    }  # fmt: skip


def trace_row(trace, observations, scores):
    get = trace.get
    rows = [observation_row(o, trace, []) for o in observations]
    starts = [o["startTime"] for o in observations]
    ends = [end_of(o) for o in observations if o.get("endTime")]
    costs = [row["measures"]["totalCost"] for row in rows if row["measures"]["totalCost"] is not None]
    computed = between_ms(min(starts, key=time_of), max(ends, key=time_of)) if starts and ends else None
    return {
        "time": time_of(get("timestamp")),
        "dimensions": {
            "id": get("id"), "name": get("name"), "tags": sorted(set(get("tags", []))), "userId": get("userId"),
            "sessionId": get("sessionId"), "release": get("release"), "version": get("version"),
            "environment": get("environment") or "default", "timestampMonth": f"{time_of(get('timestamp')):%Y-%m}",
        },
        "measures": {
            "count": 1,
            "observationsCount": len(observations),
            "scoresCount": sum(s["trace_id"] == get("id") for s in scores),
            "uniqueUserIds": Distinct(get("userId")),
            "uniqueSessionIds": Distinct(get("sessionId")),
            "latency": first_given(seconds_to_ms(get("latency")), computed),
            "totalTokens": sum(row["measures"]["totalTokens"] for row in rows),
            "totalCost": first_given(exact(get("totalCost")), sum(costs) if costs else None),
        },
        "metadata": get("metadata") or {},
    }  # fmt: skip


def score_row(score, trace, observation, value_name):
    get = score.get
    value = get("string_value") if value_name == "stringValue" else exact(get("value"))
    return {
        "time": time_of(get("timestamp")),
        "dimensions": {
            "id": get("id"), "name": get("name"), "source": get("source") or "API", "dataType": get("data_type"),
            "configId": get("config_id"), "environment": get("environment") or "default",
            "timestampMonth": get("timestamp")[:7], "timestampDay": get("timestamp")[:10],
            "traceId": get("trace_id"), "observationId": get("observation_id"), "datasetRunId": get("dataset_run_id"),
            "sessionId": first_given(get("session_id"), trace.get("sessionId")), "userId": trace.get("userId"),
            "tags": sorted(set(trace.get("tags", []))), "traceName": trace.get("name"),
            "traceRelease": trace.get("release"), "traceVersion": trace.get("version"),
            "observationName": observation.get("name"), "observationModelName": observation.get("model"),
            "observationPromptName": observation.get("promptName"),
            "observationPromptVersion": int(observation["promptVersion"]) if observation.get("promptVersion") else None,
            value_name: bool(value) if value_name == "booleanValue" else value,
        },
        "measures": {"count": 1, "value": value},
        "metadata": {},
    }  # fmt: skip


SCORE_VIEWS = {
    "scores-numeric": (("NUMERIC", "BOOLEAN"), "value"),
    "scores-categorical": (("CATEGORICAL", "TEXT"), "stringValue"),
    "scores-boolean": (("BOOLEAN",), "booleanValue"),
}
VIEWS = ["traces", "observations", *SCORE_VIEWS]


class Distinct:
    """A value of a measure that is one of the whole group: how many different ones there are."""

    def __init__(self, value):
        self.value = value


def rows_of(records, view):
    traces, observations, scores = records
    by_id = {trace["id"]: trace for trace in traces}
    of_trace = defaultdict(list)
    for observation in observations:
        of_trace[observation["traceId"]].append(observation)
    if view == "traces":
        return [trace_row(trace, of_trace[trace["id"]], scores) for trace in traces]
    if view == "observations":
        return [observation_row(o, by_id[o["traceId"]], scores) for o in observations]
    types, value_name = SCORE_VIEWS[view]
    by_both = {(o["traceId"], o["id"]): o for o in observations}
    return [score_row(score, by_id.get(score["trace_id"], {}),
                      by_both.get((score["trace_id"], score["observation_id"]), {}), value_name)
            for score in scores if score["data_type"] in types]  # fmt: skip


# Time


def bucket_of(time, granularity):
    day = time.replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "minute": time.replace(second=0, microsecond=0),
        "hour": time.replace(minute=0, second=0, microsecond=0),
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
    }[granularity]


def next_bucket(bucket, granularity):
    if granularity == "month":
        return (bucket + timedelta(days=32)).replace(day=1)
    return bucket + {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1),
                     "week": timedelta(days=7)}[granularity]  # fmt: skip


def buckets_between(start, end, granularity):
    bucket = bucket_of(start, granularity)
    while bucket < end:
        yield bucket
        bucket = next_bucket(bucket, granularity)


def granularity_of(query):
    asked = (query.get("timeDimension") or {}).get("granularity")
    if asked != "auto":
        return asked
    hours = (time_of(query["toTimestamp"]) - time_of(query["fromTimestamp"])) / timedelta(hours=1)
    return ("minute" if hours < 2 else "hour" if hours < 72 else "day" if hours < 60 * 24
            else "week" if hours < 365 * 24 else "month")  # fmt: skip


# Filters


def text_meets(operator, have, want):
    return {
        "=": have == want,
        "contains": have is not None and want in have,
        "does not contain": have is None or want not in have,
        "starts with": have is not None and have.startswith(want),
        "ends with": have is not None and have.endswith(want),
    }[operator]


def meets(row, condition):
    have = row["metadata"].get(condition["key"]) if condition["column"] == "metadata" else (
        row["dimensions"][condition["column"]])  # fmt: skip
    operator, want = condition["operator"], condition.get("value")
    match condition["type"]:
        case "string" | "stringObject":
            return text_meets(operator, str(have) if isinstance(have, int) else have, want)
        case "stringOptions":
            return (have in want) == (operator == "any of")
        case "arrayOptions":
            return {"any of": bool(set(have) & set(want)), "none of": not set(have) & set(want),
                    "all of": set(want) <= set(have)}[operator]  # fmt: skip
        case "boolean":
            return (have == want) == (operator == "=")
        case "null":
            return (have in (None, [])) == (operator == "is null")
    raise AssertionError(condition)


# Aggregation


def percentile(values, fraction):
    ordered = sorted(values)
    place = fraction * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


class Histogram:
    """Not the list itself, because where an edge lies exactly is a matter of rounding."""

    def __init__(self, values, bins):
        self.values = sorted(float(value) for value in values)
        self.bins = bins if self.values and self.values[0] < self.values[-1] else len(self.values[:1])

    def check(self, shown):
        assert len(shown) == self.bins
        if not shown:
            return
        low, high = self.values[0], self.values[-1]
        slack = (abs(low) + abs(high)) * 1e-12
        counted = 0
        for number, (lower, upper, height) in enumerate(shown):
            assert abs(lower - (low + (high - low) / self.bins * number)) <= slack
            assert abs(upper - (low + (high - low) / self.bins * (number + 1))) <= slack
            counted += height
            assert sum(v < upper - slack for v in self.values) <= counted <= sum(v <= upper + slack for v in self.values)
        assert counted == len(self.values)


def aggregate(name, values, bins):
    if values and isinstance(values[0], Distinct):
        distinct = len({each.value for each in values} - {None})
        return Histogram([distinct], bins) if name == "histogram" else distinct
    values = [value for value in values if value is not None]
    if name == "histogram":
        return Histogram(values, bins)
    if name in ("count", "uniq"):
        return len(values) if name == "count" else len(set(values))
    if name == "sum":
        return sum(values)
    if not values:
        return None
    if name in PERCENTILES:
        return percentile(values, PERCENTILES[name])
    return {"avg": lambda: Fraction(sum(values)) / len(values), "max": lambda: max(values), "min": lambda: min(values)}[
        name]()  # fmt: skip


def group_key(row, query, granularity):
    key = [bucket_of(row["time"], granularity)] if granularity else []
    values = [row["dimensions"][dimension["field"]] for dimension in query.get("dimensions", [])]
    return tuple(key + [tuple(value) if isinstance(value, list) else value for value in values])


def answer(records, query):
    """Rows as dicts; a histogram is a Histogram, other numbers are exact."""
    start, end = time_of(query["fromTimestamp"]), time_of(query["toTimestamp"])
    granularity = granularity_of(query)
    dimensions = [dimension["field"] for dimension in query.get("dimensions", [])]
    groups = defaultdict(list)
    for row in rows_of(records, query["view"]):
        if start <= row["time"] <= end and all(meets(row, condition) for condition in query.get("filters", [])):
            groups[group_key(row, query, granularity)].append(row)
    if not dimensions and not granularity:
        groups[()]  # one row, whatever there is
    if granularity and not query.get("orderBy"):
        seen = {key[0] for key in groups}
        for bucket in buckets_between(start, end, granularity):
            if bucket not in seen:
                groups[(bucket, *[None] * len(dimensions))] = []
    names = (["time_dimension"] if granularity else []) + dimensions
    bins = (query.get("config") or {}).get("bins", 10)
    return [{**{name: f"{value:%Y-%m-%dT%H:%M:%S}.000Z" if isinstance(value, datetime)
                else list(value) if isinstance(value, tuple) else value for name, value in zip(names, key)},
             **{f"{m['aggregation']}_{m['measure']}":
                aggregate(m["aggregation"], [row["measures"][m["measure"]] for row in rows], bins)
                for m in query["metrics"]}} for key, rows in groups.items()]  # fmt: skip


def is_near(shown, wanted):
    if isinstance(wanted, (int, Fraction, Decimal)) and not isinstance(wanted, bool):
        return isinstance(shown, (int, float)) and abs(shown - wanted) <= 1e-9 * max(1e-6, abs(wanted))
    return shown == wanted


def check_row(shown, wanted):
    assert list(shown) == list(wanted)
    for name, value in wanted.items():
        if isinstance(value, Histogram):
            value.check(shown[name])
        else:
            assert is_near(shown[name], value), (name, shown[name], value)


def identity(row, query):
    values = [row.get("time_dimension"), *(row[dimension["field"]] for dimension in query.get("dimensions", []))]
    return tuple(tuple(v) if isinstance(v, list) else float(v) if isinstance(v, Fraction) else v for v in values)


def order_of(query):
    """(name, is descending) for each key that rows go by."""
    keys = [(each["field"], each["direction"] == "desc") for each in query.get("orderBy") or []]
    if granularity_of(query):
        keys.append(("time_dimension", False))
    first = query["metrics"][0]
    if not query.get("orderBy") and first["aggregation"] != "histogram":
        keys.append((f"{first['aggregation']}_{first['measure']}", True))
    return keys + [(dimension["field"], False) for dimension in query.get("dimensions", [])]


def check_order(data, query):
    for before, after in zip(data, data[1:]):
        for name, is_descending in order_of(query):
            a, b = before[name], after[name]
            if a == b:
                continue
            assert b is None or a is not None and (a > b if is_descending else a < b), (name, a, b)
            break


def check(data, records, query):
    """data: as answered, without a row limit."""
    wanted = {identity(row, query): row for row in answer(records, query)}
    shown = {identity(row, query): row for row in data}
    assert len(shown) == len(data)
    assert set(shown) == set(wanted)
    for key, row in wanted.items():
        check_row(shown[key], row)
    check_order(data, query)
