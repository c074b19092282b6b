"""Traces, observations and scores of three months, made by a seed, with every field that the metrics language knows
there and not there, for tests of that language."""

import random
import uuid
from datetime import UTC, datetime, timedelta

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 90


def text_of(time):
    return f"{time:%Y-%m-%dT%H:%M:%S.%f}Z"


def maybe(draw, make, share=0.7):
    return make() if draw.random() < share else None


def without_none(record):
    return {key: value for key, value in record.items() if value is not None}


def make_id(draw):
    return str(uuid.UUID(int=draw.getrandbits(128), version=4))


def make_time(draw):
    """Some days have much, most have nothing."""
    day = draw.choice([0, 0, 0, 1, 2, 7, 33, 34, 60, DAYS - 1])
    return FIRST + timedelta(days=day, microseconds=draw.randrange(86_400_000_000))


def make_trace(draw):
    return without_none({
        "id": make_id(draw),
        "timestamp": text_of(make_time(draw)),
        "name": maybe(draw, lambda: draw.choice(["chat", "agent", "Größe"])),
        "userId": maybe(draw, lambda: draw.choice(["ann", "bob", "çelik"])),
        "sessionId": maybe(draw, lambda: draw.choice(["s1", "s2"])),
        "release": maybe(draw, lambda: draw.choice(["r1", "r2"])),
        "version": maybe(draw, lambda: draw.choice(["1", "2"])),
        "environment": maybe(draw, lambda: draw.choice(["production", "staging"])),
        "tags": draw.sample(["a", "b", "c"], draw.randrange(4)),
        "latency": maybe(draw, lambda: draw.randrange(1, 9000) / 1000, 0.2),
        "totalCost": maybe(draw, lambda: draw.randrange(1, 900) / 100000, 0.2),
        "metadata": maybe(draw, lambda: {"tenant": draw.choice(["x", "y"])}),
    })  # fmt: skip


def make_observation(draw, trace, parents):
    start = datetime.fromisoformat(trace["timestamp"]) + timedelta(microseconds=draw.randrange(60_000_000))
    took = timedelta(milliseconds=draw.choice([0, 1, 250, -40, draw.randrange(1, 30_000)]))
    return without_none({
        "id": make_id(draw),
        "traceId": trace["id"],
        "type": maybe(draw, lambda: draw.choice(["GENERATION", "SPAN", "EVENT"])),
        "name": maybe(draw, lambda: draw.choice(["llm", "tool", "plan"])),
        "startTime": text_of(start),
        "endTime": maybe(draw, lambda: text_of(start + took), 0.8),
        "completionStartTime": maybe(draw, lambda: text_of(start + abs(took) / 3), 0.5),
        "parentObservationId": maybe(draw, lambda: draw.choice(parents), 0.5) if parents else None,
        "level": maybe(draw, lambda: draw.choice(["DEBUG", "DEFAULT", "ERROR"]), 0.5),
        "version": maybe(draw, lambda: draw.choice(["1", "2"]), 0.3),
        "environment": maybe(draw, lambda: draw.choice(["production", "staging"])),
        "model": maybe(draw, lambda: draw.choice(["gpt-x", "claude-y", "mini"])),
        "promptName": maybe(draw, lambda: draw.choice(["greet", "sum"]), 0.4),
        "promptVersion": maybe(draw, lambda: draw.choice(["1", "12"]), 0.4),
        "promptTokens": maybe(draw, lambda: draw.randrange(5000), 0.6),
        "completionTokens": maybe(draw, lambda: draw.randrange(2000), 0.6),
        "totalTokens": maybe(draw, lambda: draw.randrange(9000), 0.2),
        "calculatedInputCost": maybe(draw, lambda: draw.randrange(1000) / 1000000, 0.4),
        "calculatedOutputCost": maybe(draw, lambda: draw.randrange(1000) / 1000000, 0.4),
        "calculatedTotalCost": maybe(draw, lambda: draw.randrange(1000) / 1000000, 0.3),
        "latency": maybe(draw, lambda: draw.randrange(1, 5000) / 1000, 0.1),
        "timeToFirstToken": maybe(draw, lambda: draw.randrange(1, 900) / 1000, 0.1),
        "metadata": maybe(draw, lambda: {"tenant": draw.choice(["x", "y"])}, 0.5),
    })  # fmt: skip


def make_score(draw, traces, observations):
    """A row of the table scores; of an observation, a trace, a session, or of a trace that is not there."""
    kind = draw.choice(["NUMERIC", "NUMERIC", "BOOLEAN", "CATEGORICAL", "TEXT", "CORRECTION"])
    observation, trace = draw.choice(observations), draw.choice(traces)
    target = draw.choice([
        (observation["traceId"], observation["id"], None), (observation["traceId"], observation["id"], None),
        (trace["id"], None, None), (None, None, "s1"), ("no such trace", None, None)])  # fmt: skip
    return {
        "id": make_id(draw), "timestamp": text_of(make_time(draw)), "trace_id": target[0],
        "observation_id": target[1], "session_id": target[2],
        "dataset_run_id": None, "name": draw.choice(["quality", "speed"]),
        "source": draw.choice(["API", "EVAL", None]), "data_type": kind,
        "value": draw.choice([0.0, 1.0]) if kind == "BOOLEAN" else draw.randrange(-500, 500) / 100
        if kind == "NUMERIC" else None,
        "string_value": draw.choice(["good", "bad", "übel"]) if kind in ("CATEGORICAL", "TEXT", "CORRECTION") else None,
        "config_id": draw.choice(["c1", None]), "environment": draw.choice(["production", None]),
    }  # fmt: skip


def make_records(seed, trace_count=60, score_count=150):
    draw = random.Random(seed)
    traces = [make_trace(draw) for _ in range(trace_count)]
    observations = []
    for trace in traces:
        ids = []
        for _ in range(draw.randrange(7)):
            observation = make_observation(draw, trace, ids)
            ids.append(observation["id"])
            observations.append(observation)
    scores = [make_score(draw, traces, observations) for _ in range(score_count)]
    return traces, observations, scores


def store(system, records):
    traces, observations, scores = records
    for trace in traces:
        own = [observation for observation in observations if observation["traceId"] == trace["id"]]
        answer = system.client().batch(trace, own)
        assert answer.status == 200, answer.text
    for observation in observations:  # /v1/l/batch has no version there
        system.database.query("UPDATE observations SET version = %s WHERE id = %s", observation.get("version"), observation["id"])
    for score in scores:
        insert_score(system.database, score)


def insert_score(database, score):
    columns = {"project_id": "default", "event_version": 1, **score}
    database.query(f"INSERT INTO scores ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})",
                   *columns.values())  # fmt: skip
