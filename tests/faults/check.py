"""check: compares what is stored with what was promised.

`Stored` is what PostgreSQL and the API say, read once after recovery; `compare` is pure and holds it against
ledger and model. The words of the verdict:
    lost       acknowledged and not (or not wholly) there
    doubled    there, or counted, more often than it was sent
    mangled    there with content that nobody sent, or that an earlier event should not have kept
    strange    stored and never sent, or a book that does not add up
"""

import json
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from urllib.parse import quote

import psycopg

from ledger import content_hash
from model import ABSENT, COLUMNS, freeze, leaves


@dataclass
class Verdict:
    lost: list = field(default_factory=list)
    doubled: list = field(default_factory=list)
    mangled: list = field(default_factory=list)
    strange: list = field(default_factory=list)
    stored: Counter = field(default_factory=Counter)  # rows by kind

    def problems(self):
        return [
            f"{word}: {text}"
            for word in ("lost", "doubled", "mangled", "strange")
            for text in getattr(self, word)
        ]

    def assert_clean(self):
        problems = self.problems()
        shown = "\n  ".join(problems[:20])
        assert not problems, f"{len(problems)} broken promises:\n  {shown}"


@dataclass
class Stored:
    traces: list = field(default_factory=list)  # rows as dicts of column -> value
    observations: list = field(default_factory=list)
    points: dict = field(default_factory=dict)  # request -> Counter of (name, time in us, value)
    batches: int = 0  # in ingest_batches
    dead_letters: list = field(default_factory=list)
    trace_counts: dict = field(default_factory=dict)  # day -> traces
    daily_totals: dict = field(default_factory=dict)  # day -> (traces, observations, cost), clean days only
    daily_usage: dict = field(default_factory=dict)  # (day, model) -> (input, output, total, traces, observations, cost)
    api_days: dict = field(default_factory=dict)  # the same by the API; None: not asked
    api_usage: dict = field(default_factory=dict)
    api_total: int | None = None  # totalItems of the trace list
    api_listed: list = field(default_factory=list)  # trace ids, page by page
    api_details: dict = field(default_factory=dict)  # trace id -> detail object


# ---- Reading ----


def read_stored(dsn, client=None, sample=40, project="default"):
    """From PostgreSQL, and from the API when a client (load.Client) is given."""
    stored = Stored()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        stored.traces = copy_out(connection, "SELECT * FROM traces")
        stored.observations = copy_out(connection, "SELECT * FROM observations")
        for point in copy_out(
            connection,
            "SELECT s.name, s.labels->>'request' AS request, p.ts, p.value"
            " FROM metric_points p JOIN metric_series s ON s.id = p.series_id",
        ):
            of_request = stored.points.setdefault(point["request"], Counter())
            of_request[point["name"], micros(point["ts"]), float(point["value"])] += 1
        stored.batches = connection.execute("SELECT count(*) FROM ingest_batches").fetchone()[0]
        stored.dead_letters = copy_out(
            connection, "SELECT project_id, batch_id, row_index, kind, record_id, reason FROM dead_letters"
        )
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            for day, traces in connection.execute(
                "SELECT day::text, sum(traces)::bigint FROM trace_counts WHERE project_id = %s GROUP BY day", [project]
            ):
                if traces != 0:
                    stored.trace_counts[day] = traces
            clean = "project_id = %s AND day NOT IN (SELECT day FROM dirty_days WHERE project_id = %s)"
            for day, *totals in connection.execute(
                f"SELECT day::text, count_traces, count_observations, total_cost FROM daily_totals WHERE {clean}",
                [project, project],
            ):
                stored.daily_totals[day] = tuple(totals)
            for day, model, *usage in connection.execute(
                "SELECT day::text, model, input_usage, output_usage, total_usage, count_traces, count_observations,"
                f" total_cost FROM daily_usage WHERE {clean}",
                [project, project],
            ):
                stored.daily_usage[day, model] = tuple(usage)
    if client is not None:
        read_api(stored, client, sample)
    return stored


def copy_out(connection, query):
    rows = []
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY (SELECT row_to_json(t) FROM ({query}) t) TO STDOUT") as copy:
            for (text,) in copy.rows():
                rows.append(exact_json(text))
    return rows


def exact_json(text):
    return json.loads(text, parse_float=Decimal)


def ask(client, path, patience_s=15.0):
    """GET until 200: the query limit and a database that has just come back are waited out."""
    end = time.monotonic() + patience_s
    while True:
        answer = client.get(path)
        if answer.status == 200:
            return exact_json(answer.body)
        if answer.status not in (0, 429, 503) or time.monotonic() > end:
            raise AssertionError(f"GET {path}: {answer.status} {answer.error} {answer.body[:300]!r}")
        time.sleep(min(1.0, float(answer.headers.get("retry-after", "0.1"))))


def read_api(stored, client, sample):
    span = "fromTimestamp=1990-01-01T00:00:00Z&toTimestamp=2199-01-01T00:00:00Z"
    page, pages = 1, 1
    while page <= pages:
        answer = ask(client, f"/api/public/metrics/daily?{span}&limit=200&page={page}")
        pages = answer["meta"]["totalPages"]
        for day in answer["data"]:
            if day["date"] in stored.api_days:
                raise AssertionError(f"daily lists {day['date']} twice")
            stored.api_days[day["date"]] = (day["countTraces"], day["countObservations"], day["totalCost"])
            for usage in day["usage"]:
                stored.api_usage[day["date"], usage["model"]] = (
                    usage["inputUsage"], usage["outputUsage"], usage["totalUsage"],
                    usage["countTraces"], usage["countObservations"], usage["totalCost"],
                )  # fmt: skip
        page += 1
    page, pages = 1, 1
    while page <= pages:
        answer = ask(client, f"/api/public/traces?limit=200&page={page}&fields=core")
        pages = answer["meta"]["totalPages"]
        stored.api_total = answer["meta"]["totalItems"]
        stored.api_listed += [trace["id"] for trace in answer["data"]]
        page += 1
    step = max(1, len(stored.traces) // max(1, sample))
    for row in stored.traces[::step][:sample]:
        stored.api_details[row["id"]] = ask(client, f"/api/public/traces/{quote(row['id'], safe='')}")


# ---- Comparing ----


def compare(model, ledger, stored, began_us=None):
    """ledger: read_ledger's entries. began_us: wall clock at the start, the earliest a made-up time may be."""
    verdict = Verdict()
    verdict.stored = Counter(
        trace=len(stored.traces),
        observation=len(stored.observations),
        point=sum(sum(points.values()) for points in stored.points.values()),
    )
    compare_ledger(model, ledger, verdict)
    rows = {
        "trace": index(stored.traces, ("id",), "trace", verdict),
        "observation": index(stored.observations, ("trace_id", "id"), "observation", verdict),
    }
    for kind, stored_rows in rows.items():
        compare_rows(kind, model.rows(kind), stored_rows, verdict)
    compare_uncertain(model, rows, verdict)
    compare_points(model, stored.points, verdict)
    compare_counts(stored, rows, began_us, verdict)
    attempts = sum(r.attempts for r in model.requests.values())
    if not len(model.acknowledged()) <= stored.batches <= attempts:
        verdict.strange.append(
            f"ingest_batches has {stored.batches} ids for {len(model.acknowledged())} acknowledged requests"
            f" of {attempts} sent"
        )
    for letter in stored.dead_letters:
        verdict.strange.append(f"a dead letter that nobody poisoned: {letter}")
    return verdict


def compare_ledger(model, ledger, verdict):
    for name, entry in ledger.items():
        request = model.requests.get(name)
        if request is None:
            verdict.strange.append(f"the ledger has {name}, which was never sent")
        elif entry["hash"] != content_hash(request.body) or entry["ids"] != [list(i) for i in request.ids]:
            verdict.strange.append(f"the ledger's {name} is not what was sent")
    for request in model.acknowledged():
        if request.name not in ledger:
            verdict.strange.append(f"{request.name} counts as acknowledged and is not in the ledger")


def index(rows, key_columns, kind, verdict):
    found = {}
    for row in rows:
        key = tuple(row[c] for c in key_columns)
        if key in found:
            verdict.doubled.append(f"{kind} {key}")
        found[key] = row
    return found


def compare_rows(kind, expected, stored_rows, verdict):
    for key, (certain, columns) in expected.items():
        row = stored_rows.get(key)
        if row is None:
            if certain:
                verdict.lost.append(f"{kind} {key}")
            continue
        values = stored_columns(kind, row)
        for column, candidates in columns.items():
            value = values.pop(column, ABSENT)
            allowed = {normal(kind, column, c) for c in candidates}
            if not certain:
                allowed.add(ABSENT)
            if value not in allowed:
                verdict_of = verdict.lost if value is ABSENT else verdict.mangled
                verdict_of.append(f"{kind} {key} {column}: {short(value)} is none of {short(allowed)}")
        for column, value in values.items():
            if value is not ABSENT and not (kind == "trace" and column == "timestamp"):
                verdict.strange.append(f"{kind} {key} {column}: {short(value)} was never sent")
    for key in stored_rows.keys() - expected.keys():
        verdict.strange.append(f"{kind} {key} was never sent")


def stored_columns(kind, row):
    """Column (or metadata path) -> comparable value; unset ones are left out."""
    values = {}
    for column, type_ in COLUMNS[kind].items():
        value = row[column]
        if value is None:
            continue
        if type_ == "metadata":
            for path, leaf in leaves(value):
                values[("metadata",) + path] = freeze(leaf)
        else:
            values[column] = normal(kind, column, value)
    return values


def normal(kind, column, value):
    """What the client sent and what the database shows, brought to one comparable form."""
    if value is ABSENT:
        return ABSENT
    type_ = "metadata" if isinstance(column, tuple) else COLUMNS[kind][column]
    if type_ == "time":
        return micros(value)
    if type_ in ("decimal", "float"):
        return Decimal(str(value))
    return freeze(value)


def micros(text):
    at = datetime.fromisoformat(text)
    delta = at - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return (delta.days * 86400 + delta.seconds) * 10**6 + delta.microseconds


def compare_uncertain(model, rows, verdict):
    """A request that was never acknowledged is there as a whole or not at all."""
    for request in model.uncertain():
        applied = {}
        for record in request.records:
            certain, columns = model.rows(record.kind)[record.key]
            row = rows[record.kind].get(record.key)
            if not certain:
                applied[f"{record.kind} {record.key}"] = row is not None
                continue
            values = stored_columns(record.kind, row) if row else {}
            for column, value in record.columns.items():
                value = normal(record.kind, column, value)
                others = [normal(record.kind, column, c) for c in columns[column]]
                if others.count(value) == 1:
                    applied[f"{record.kind} {record.key} {column}"] = values.get(column, ABSENT) == value
        if len(set(applied.values())) > 1:
            verdict.mangled.append(f"{request.name} was applied in part: {applied}")


def compare_points(model, stored, verdict):
    """Points do not merge: each must be there as often as it was sent, in however many attempts."""
    for name, request in model.requests.items():
        there = stored.get(name, Counter())
        if there == request.points or (not there and not request.acknowledged):
            continue
        more, less = there - request.points, request.points - there
        if more:
            word = verdict.doubled if more.keys() <= request.points.keys() else verdict.strange
            word.append(f"points of {name}: {short(dict(more))} too many")
        if less:
            (verdict.lost if request.acknowledged else verdict.mangled).append(f"points of {name}: {short(dict(less))} missing")
    for name in stored.keys() - model.requests.keys():
        verdict.strange.append(f"points of {name} were never sent")


def day_of(row):
    return row["timestamp"][:10]


def compare_counts(stored, rows, began_us, verdict):
    """All counts against the rows themselves, whose content has been compared already."""
    days, usage = live(rows)
    if stored.trace_counts != {day: counts[0] for day, counts in days.items()}:
        shown = {d: (stored.trace_counts.get(d, 0), days.get(d, (0,))[0]) for d in stored.trace_counts | days}
        wrong = {d: pair for d, pair in shown.items() if pair[0] != pair[1]}
        more = any(counted > there for counted, there in wrong.values())
        (verdict.doubled if more else verdict.lost).append(f"trace_counts, counted against there: {wrong}")
    for day, totals in stored.daily_totals.items():
        if totals != days.get(day, (0, 0, 0)):
            verdict.strange.append(f"daily_totals {day}: {totals}, live {days.get(day)}")
    for (day, model), totals in stored.daily_usage.items():
        if totals != usage.get((day, model or "unknown")):
            verdict.strange.append(f"daily_usage {day} {model}: {totals}, live {usage.get((day, model or 'unknown'))}")
    for day, model in usage:
        if day in stored.daily_totals and not {(day, model), (day, None)} & stored.daily_usage.keys():
            verdict.strange.append(f"daily_usage {day} {model} is missing")
    if stored.api_total is not None:
        compare_api(stored, rows, days, usage, verdict)
    if began_us is not None:
        for row in rows["trace"].values():
            if row["timestamp"] >= "2026-02" and micros(row["timestamp"]) < began_us - 86400 * 10**6:
                verdict.strange.append(f"trace {row['id']}: made-up time {row['timestamp']}")


def live(rows):
    """day -> (traces, observations, cost), (day, model) -> usage, computed from the rows by the contract."""
    of_trace = defaultdict(list)
    for row in rows["observation"].values():
        of_trace[row["trace_id"]].append(row)
    days, usage = {}, {}
    for row in rows["trace"].values():
        day = day_of(row)
        observations = of_trace[row["id"]]
        given = row["total_cost"]
        cost = sum(observation_cost(o) for o in observations) if given is None else given
        before = days.get(day, (0, 0, Decimal(0)))
        days[day] = (before[0] + 1, before[1] + len(observations), before[2] + Decimal(cost))
        models = set()
        for o in observations:
            if (o["type"] or "GENERATION") != "GENERATION":
                continue
            key = (day, o["model"] or "unknown")
            tokens_in, tokens_out = o["prompt_tokens"] or 0, o["completion_tokens"] or 0
            total = tokens_in + tokens_out if o["total_tokens"] is None else o["total_tokens"]
            was = usage.get(key, (0, 0, 0, 0, 0, Decimal(0)))
            usage[key] = (
                was[0] + tokens_in, was[1] + tokens_out, was[2] + total,
                was[3] + (key not in models), was[4] + 1, was[5] + observation_cost(o),
            )  # fmt: skip
            models.add(key)
    return days, usage


def observation_cost(row):
    for cost in (row["total_cost"], None if row["input_cost"] is None and row["output_cost"] is None else
                 (row["input_cost"] or 0) + (row["output_cost"] or 0), row["computed_total_cost"]):
        if cost is not None:
            return Decimal(cost)
    return Decimal(0)


def compare_api(stored, rows, days, usage, verdict):
    if stored.api_days != days:
        wrong = {d: (stored.api_days.get(d), days.get(d)) for d in stored.api_days | days
                 if stored.api_days.get(d) != days.get(d)}
        verdict.strange.append(f"daily, API against live: {wrong}")
    if stored.api_usage != usage:
        wrong = {k: (stored.api_usage.get(k), usage.get(k)) for k in stored.api_usage | usage
                 if stored.api_usage.get(k) != usage.get(k)}
        verdict.strange.append(f"daily usage, API against live: {wrong}")
    traces = rows["trace"]
    if stored.api_total != len(traces):
        verdict.strange.append(f"the list's totalItems is {stored.api_total} for {len(traces)} traces")
    listed = Counter(stored.api_listed)
    for trace_id, count in listed.items():
        if count > 1:
            verdict.doubled.append(f"trace {trace_id} is listed {count} times")
        if (trace_id,) not in traces:
            verdict.strange.append(f"trace {trace_id} is listed and not there")
    for (trace_id,) in traces.keys() - {(t,) for t in listed}:
        verdict.lost.append(f"trace {trace_id} is not listed")
    for trace_id, detail in stored.api_details.items():
        compare_detail(trace_id, detail, rows, verdict)


def compare_detail(trace_id, detail, rows, verdict):
    row = rows["trace"][trace_id,]
    own = {key[1]: o for key, o in rows["observation"].items() if key[0] == trace_id}
    pairs = [
        ("name", detail["name"], row["name"]),
        ("userId", detail["userId"], row["user_id"]),
        ("sessionId", detail["sessionId"], row["session_id"]),
        ("tags", detail["tags"], (row["tags"] or []) + (row["tags_added"] or [])),
        ("metadata", detail["metadata"], row["metadata"]),
        ("input", detail["input"], payload(row["input"])),
        ("output", detail["output"], payload(row["output"])),
        ("observations", sorted(o["id"] for o in detail["observations"]), sorted(own)),
    ]
    for o in detail["observations"]:
        there = own.get(o["id"])
        if there is not None:
            pairs += [
                (f"{o['id']}.name", o["name"], there["name"]),
                (f"{o['id']}.input", o["input"], payload(there["input"])),
                (f"{o['id']}.output", o["output"], payload(there["output"])),
                (f"{o['id']}.promptTokens", o["promptTokens"], there["prompt_tokens"] or 0),
            ]
    for name, said, there in pairs:
        if freeze(said) != freeze(there):
            verdict.mangled.append(f"detail of {trace_id}, {name}: {short(said)} for {short(there)}")


def payload(text):
    return None if text is None else exact_json(text)


def short(value):
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "..."
