"""model: what the rows must be at the end, said a second time and in another language.

Two models live here. `Model` knows requests: which of them were acknowledged, and hence what each row may
hold. `merge_rows` knows rows as they travel to a writer (proto/row.h): versions, bands, metadata leaf by
leaf, unions. Both are pure and know nothing of the programs.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

# JSON field of POST /v1/l/batch -> (column, type). Types: text, json (stored as sent), metadata, texts, time,
# int, float, decimal, bool.
TRACE_FIELDS = {
    "timestamp": ("timestamp", "time"),
    "name": ("name", "text"),
    "userId": ("user_id", "text"),
    "sessionId": ("session_id", "text"),
    "release": ("release", "text"),
    "version": ("version", "text"),
    "environment": ("environment", "text"),
    "externalId": ("external_id", "text"),
    "public": ("public", "bool"),
    "bookmarked": ("bookmarked", "bool"),
    "tags": ("tags", "texts"),
    "input": ("input", "json"),
    "output": ("output", "json"),
    "metadata": ("metadata", "metadata"),
    "latency": ("latency", "float"),
    "totalCost": ("total_cost", "decimal"),
}
OBSERVATION_FIELDS = {
    "type": ("type", "text"),
    "name": ("name", "text"),
    "startTime": ("start_time", "time"),
    "endTime": ("end_time", "time"),
    "completionStartTime": ("completion_start_time", "time"),
    "parentObservationId": ("parent_observation_id", "text"),
    "level": ("level", "text"),
    "statusMessage": ("status_message", "text"),
    "environment": ("environment", "text"),
    "model": ("model", "text"),
    "modelId": ("model_id", "text"),
    "modelParameters": ("model_parameters", "json"),
    "input": ("input", "json"),
    "output": ("output", "json"),
    "promptTokens": ("prompt_tokens", "int"),
    "completionTokens": ("completion_tokens", "int"),
    "totalTokens": ("total_tokens", "int"),
    "unit": ("unit", "text"),
    "inputPrice": ("input_price", "decimal"),
    "outputPrice": ("output_price", "decimal"),
    "totalPrice": ("total_price", "decimal"),
    "calculatedInputCost": ("input_cost", "decimal"),
    "calculatedOutputCost": ("output_cost", "decimal"),
    "calculatedTotalCost": ("total_cost", "decimal"),
    "latency": ("latency", "float"),
    "timeToFirstToken": ("time_to_first_token", "float"),
    "promptId": ("prompt_id", "text"),
    "promptName": ("prompt_name", "text"),
    "promptVersion": ("prompt_version", "text"),
    "metadata": ("metadata", "metadata"),
}
FIELDS = {"trace": TRACE_FIELDS, "observation": OBSERVATION_FIELDS}
COLUMNS = {
    kind: {column: type_ for column, type_ in fields.values()} for kind, fields in FIELDS.items()
}
COLUMNS["trace"]["tags_added"] = "texts"
COLUMNS["observation"].update({"version": "text", "usage_details": "jsonb", "cost_details": "jsonb"})


class Absent:
    """The value of a column that nothing was written to."""

    def __repr__(self):
        return "absent"


ABSENT = Absent()


def freeze(value):
    """A value that compares and hashes by content; numbers compare by value, booleans apart from them."""
    if isinstance(value, bool) or value is None:
        return ("constant", value)
    if isinstance(value, dict):
        return ("object", frozenset((k, freeze(v)) for k, v in value.items()))
    if isinstance(value, (list, tuple)):
        return ("array", tuple(freeze(v) for v in value))
    if isinstance(value, float):
        return Decimal(repr(value))
    return value


def leaves(value, path=()):
    """The leaves of a metadata object: (path, value). An empty object inside is a leaf of its own."""
    if isinstance(value, dict) and (value or not path):
        for key, inner in value.items():
            yield from leaves(inner, path + (key,))
    else:
        yield path, value


@dataclass
class Record:
    """One trace or observation of a request, as columns. key: (id,) or (trace id, id)."""

    kind: str
    key: tuple
    columns: dict  # column -> value; metadata as ("metadata", path...) -> value


def record(kind, body, dumps):
    """The row that a JSON object of a request asks for. dumps: how the body writes JSON, so that payloads
    are known byte for byte."""
    key = (body["id"],) if kind == "trace" else (body["traceId"], body["id"])
    columns = {}
    for name, (column, type_) in FIELDS[kind].items():
        value = body.get(name)
        if value is None or (type_ == "texts" and value == []):
            continue
        if type_ == "metadata":
            for path, leaf in leaves(value):
                columns[("metadata",) + path] = leaf
        elif type_ == "json":
            columns[column] = dumps(value)
        else:
            columns[column] = value
    return Record(kind, key, columns)


@dataclass
class Request:
    """One request of the load: what goes out, and what it means. It is sent until acknowledged."""

    name: str
    body: bytes
    records: list
    acknowledged: bool = False
    attempts: int = 0  # how many times it was sent, in whole or in part
    path: str = "/v1/l/batch"
    headers: dict = field(default_factory=dict)
    points: Counter = field(default_factory=Counter)  # of metrics: (name, time in us, value)
    stored_events: set = field(default_factory=set)  # of /ingestion: ids of events
    refused_events: set = field(default_factory=set)
    ids: list = field(default_factory=list)

    def is_answered_by(self, status, answer):
        """A 2xx says just what such a request is promised."""
        if not self.stored_events:
            return status == 200 and answer == {"message": "Request Successful."}
        stored, refused = ({event["id"] for event in answer[of]} for of in ("successes", "errors"))
        return status == 207 and (stored, refused) == (self.stored_events, self.refused_events)

    def __post_init__(self):
        self.ids = [(r.kind,) + r.key for r in self.records] + [("point",) + p for p in self.points]


def placeholders(trace, observations, environment):
    """Traces that a request's observations speak of and that are not its own."""
    own = trace["id"] if trace else None
    seen = []
    for observation in observations:
        if observation["traceId"] != own and observation["traceId"] not in seen:
            seen.append(observation["traceId"])
    return [Record("trace", (t,), {"environment": environment}) for t in seen]


def make_request(name, trace, observations, environment, ascii_only=False):
    def dumps(value):
        return json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":"))

    records = placeholders(trace, observations, environment)
    if trace is not None:
        records.append(record("trace", trace, dumps))
    records += [record("observation", o, dumps) for o in observations]
    body = dumps({"trace": trace, "observations": observations}).encode()
    return Request(name, body, records)


def make_metrics_request(name, points):
    """Points are no entities: only the key of the request keeps its repetitions from counting twice. points:
    (name, time as text, time in us, value) each; the label `request` says later whose they are."""
    metrics = [
        {"name": metric, "labels": {"request": name, "unit": "s"}, "value": value, "timestamp": text}
        for metric, text, _, value in points
    ]
    return Request(
        name,
        json.dumps({"metrics": metrics}).encode(),
        [],
        path="/v1/metrics/batch",
        headers={"Idempotency-Key": name.replace(" ", "_")},
        points=Counter((metric, us, value) for metric, _, us, value in points),
    )


class Model:
    """What each row may hold after a run. Requests are added in the order in which they were sent by one
    thread; different threads may write to one row, but to different columns of it (or the same values).

    ordered=False is for runs in which clocks jump: then the later event need not have the later time, and
    of several values sent for one column any may have won.
    """

    def __init__(self, ordered=True):
        self.ordered = ordered
        self.requests = {}
        self._rows = {}  # (kind, key) -> {column: [candidates]}
        self._certain = {}  # (kind, key) -> an acknowledged request wrote it

    def add(self, request):
        if request.name in self.requests:
            raise ValueError(f"request {request.name} was added twice")
        if request.attempts == 0 and not request.acknowledged:
            return  # never left the client
        self.requests[request.name] = request
        for row in request.records:
            columns = self._rows.setdefault((row.kind, row.key), {})
            self._certain.setdefault((row.kind, row.key), False)
            self._certain[row.kind, row.key] |= request.acknowledged
            for column, value in row.columns.items():
                before = columns.get(column, [ABSENT])
                if not request.acknowledged:
                    columns[column] = before + [value]
                elif self.ordered:
                    columns[column] = [value]
                else:
                    columns[column] = [v for v in before if v is not ABSENT] + [value]

    def rows(self, kind):
        """key -> (must be there, {column: candidates})"""
        return {
            key: (self._certain[k, key], columns)
            for (k, key), columns in self._rows.items()
            if k == kind
        }

    def acknowledged(self):
        return [r for r in self.requests.values() if r.acknowledged]

    def uncertain(self):
        """Requests that were sent, whole or in part, and never acknowledged: applied as a whole or not at
        all."""
        return [r for r in self.requests.values() if not r.acknowledged]


# ---- Rows as they travel (proto/row.h) ----

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)


def version_event(time_us):
    return time_us


def version_first(time_us):
    return INT64_MAX - time_us


def version_assumed(time_us):
    return INT64_MIN // 8 - time_us


def version_weak(time_us):
    return INT64_MIN // 2 - time_us


def merge_rows(rows, kind_columns, received_us):
    """What one key ends as, whatever the order in which its rows came. rows: (version, {column: wire value}).
    kind_columns: (name, type, merge) each. Wire values: JSON, sets and decimals as text. Returns column ->
    value, metadata as a Python value."""
    result = {}
    for name, type_, merge in kind_columns:
        said = [(version, columns[name]) for version, columns in rows if columns.get(name) is not None]
        if name == "timestamp":
            said += [(version_weak(received_us), received_us) for _, columns in rows if columns.get(name) is None]
        if not said:
            continue
        if merge == "union":
            result[name] = sorted({text for _, value in said for text in json.loads(value)}, key=str.encode)
        elif merge == "metadata":
            result[name] = merge_metadata([(version, json.loads(value)) for version, value in said])
        else:
            result[name] = max(said, key=lambda pair: (pair[0], value_order(type_, pair[1])))[1]
    return result


def value_order(type_, value):
    """How values of one column are ordered where versions tie."""
    if type_ in ("text", "json"):
        return value.encode()
    if type_ == "texts":
        return [text.encode() for text in json.loads(value)]
    if type_ == "jsonb":
        return json_order(json.loads(value))
    if type_ == "decimal":
        return Decimal(value)
    return value


def json_order(value):
    """Type first (null, boolean, number, string, array, object), then content."""
    if value is None:
        return (0,)
    if isinstance(value, bool):
        return (1, value)
    if isinstance(value, (int, float, Decimal)):
        return (2, value)
    if isinstance(value, str):
        return (3, value.encode())
    if isinstance(value, list):
        return (4, [json_order(v) for v in value])
    members = sorted(value.items(), key=lambda m: (len(m[0].encode()), m[0].encode()))
    return (5, [((len(k.encode()), k.encode()), json_order(v)) for k, v in members])


def merge_metadata(said):
    """said: (version, value). Leaf by leaf: at one path the later wins; a leaf erases what is older below its
    path; what is below at its version or later hides it; {} says only that something is an object."""
    nowhere = -(2**63)
    best = {}
    for version, value in said:
        for path, leaf in all_leaves(value):
            told = (nowhere if leaf == {} else version, json_order(leaf), leaf)
            if path not in best or told[:2] > best[path][:2]:
                best[path] = told
    alive = {
        path: told
        for path, told in best.items()
        if all(best[path[:n]][0] <= told[0] for n in range(len(path)) if path[:n] in best)
    }
    shown = {}
    for path, (_, _, leaf) in alive.items():
        if not any(other != path and other[: len(path)] == path for other in alive):
            shown[path] = leaf
    return tree_of(shown)


def all_leaves(value, path=()):
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from all_leaves(inner, path + (key,))
    else:
        yield path, value


def tree_of(shown):
    if () in shown:
        return shown[()]
    tree = {}
    for path, leaf in shown.items():
        inner = tree
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = leaf
    return tree
