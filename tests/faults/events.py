"""events: the load's requests to POST /api/public/ingestion, and what they mean.

Each script has traces of its own here: whole ones, ones that are begun and completed by updates, observations that
come before their trace, tags, metadata and names set later. An event's time decides which of two counts: times only
grow. The order of the events within a request is any, some are there twice, and some requests have one that nobody
can store, which must be refused alone.
"""

import json
from datetime import datetime, timedelta, timezone

from model import Request, placeholders, record

FIRST = datetime(2026, 1, 20, tzinfo=timezone.utc)
TYPES = {"GENERATION": "generation", "SPAN": "span", "EVENT": "event"}
LATER = ("endTime", "output", "level", "usageDetails", "costDetails")
TRACE_WITHOUT = ("latency", "totalCost", "bookmarked")


class Events:
    """source: random; make_trace(), make_observation(trace id): bodies of the batch route, of known fields."""

    def __init__(self, source, environment, make_trace, make_observation):
        self._random = source
        self._environment = environment
        self._make_trace = make_trace
        self._make_observation = make_observation
        self._events = 0
        self._open = []  # begun and not complete: (update's type, body)
        self._owed = []  # traces whose observations were sent first
        self._known = {}  # trace id -> tags so far

    def request(self, name):
        steps = [self._whole, self._begin, self._finish, self._early, self._late, self._touch]
        return self._pack(name, *self._random.choices(steps, weights=[3, 3, 3, 1, 2, 3])[0]())

    def owed(self, name):
        """A request that completes what is half told; None: nothing is."""
        return self._pack(name, *self._late()) if self._owed else None

    # The steps: each gives (trace or None, [(type of the event, body)]).

    def _whole(self):
        trace = self._trace()
        return trace, [self._observation(trace["id"]) for _ in range(self._random.randint(0, 4))]

    def _begin(self):
        trace = self._trace()
        kind, body = self._observation(trace["id"])
        later = {name: body.pop(name) for name in LATER if name in body}
        update = {"id": body["id"], "traceId": trace["id"], "environment": self._environment, **later}
        self._open.append((kind, update | {"name": "renamed at the end", "metadata": {"finished": {"by": "worker"}}}))
        return trace, [(kind, body)]

    def _finish(self):
        if not self._open:
            return self._begin()
        kind, update = self._open.pop(self._random.randrange(len(self._open)))
        return None, [(kind.replace("-create", "-update") if kind != "event-create" else kind, update)]

    def _early(self):
        trace = self._trace()
        self._owed.append(trace)
        return None, [self._observation(trace["id"]) for _ in range(self._random.randint(1, 3))]

    def _late(self):
        return (self._owed.pop(self._random.randrange(len(self._owed))), []) if self._owed else self._whole()

    def _touch(self):
        if not self._known:
            return self._whole()
        trace = {"id": self._random.choice(list(self._known)), "environment": self._environment}
        if self._random.random() < 0.5:
            trace["tags"] = self._random.sample(["alpha", "prod", "later", "🏷"], 2)
        else:
            trace |= {"name": "touched", "metadata": {"nested": {f"k{self._random.randrange(3)}": self._events}}}
        return trace, []

    # What they are made of.

    def _trace(self):
        body = {name: value for name, value in self._make_trace().items() if name not in TRACE_WITHOUT}
        self._known[body["id"]] = set()
        return truthy(body)

    def _observation(self, trace_id):
        body = self._make_observation(trace_id)
        kind = body.pop("type")
        if kind == "GENERATION":
            body["usageDetails"] = {"input": body.pop("promptTokens"), "output": body.pop("completionTokens")}
            body["costDetails"] = {"total": body.pop("calculatedTotalCost")}
        if kind == "EVENT":
            del body["endTime"]
        return f"{TYPES[kind]}-create", truthy(body)

    def _event(self, name, kind, body):
        self._events += 1
        at = FIRST + timedelta(seconds=self._events)
        return {"id": f"{name}/{self._events}", "type": kind, "timestamp": at.isoformat(), "body": body}

    def _pack(self, name, trace, observations):
        events = [self._event(name, "trace-create", trace)] if trace is not None else []
        events += [self._event(name, kind, body) for kind, body in observations]
        stored = [event["id"] for event in events]
        events += [event for event in events if self._random.random() < 0.1]
        refused = [self._event(name, "nobody-create", {})] if self._random.random() < 0.2 else []
        events += refused
        self._random.shuffle(events)
        records = placeholders(trace, [body for _, body in observations], self._environment)
        records += [self._trace_record(trace)] if trace is not None else []
        records += [observation_record(kind, body) for kind, body in observations]
        return Request(
            name,
            dumps({"batch": events}).encode(),
            records,
            path="/api/public/ingestion",
            stored_events=set(stored),
            refused_events={event["id"] for event in refused},
        )

    def _trace_record(self, trace):
        row = record("trace", trace, dumps)
        if row.columns.pop("tags", None):
            known = self._known[trace["id"]]
            known.update(trace["tags"])
            row.columns["tags_added"] = sorted(known, key=str.encode)
        return row


def dumps(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def truthy(body):
    """An input or output that is false or 0 never overwrites: the load has none."""
    return body | {name: {"of": body[name]} for name in ("input", "output") if name in body and not body[name]}


def observation_record(kind, body):
    row = record("observation", body, dumps)
    row.columns |= {"type": kind.split("-")[0].upper(), "usage_details": {}}  # empty: it has no usage
    if "usageDetails" in body:
        tokens_in, tokens_out = body["usageDetails"]["input"], body["usageDetails"]["output"]
        row.columns |= {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}
        row.columns["usage_details"] = body["usageDetails"] | {"total": tokens_in + tokens_out}
    if "costDetails" in body:
        row.columns |= {"cost_details": body["costDetails"], "total_cost": body["costDetails"]["total"]}
    return row
