"""Metric points, as tests send and find them."""

import itertools
from datetime import UTC, datetime

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
numbers = itertools.count(1)


def new_name(word="m"):
    return f"{word}-{next(numbers)}"


def point(name, value=1.0, at=T0, **labels):
    return {"name": name, "labels": labels, "value": value, "timestamp": at.isoformat()}


def send(system, points, **headers):
    answer = system.client().post("/v1/metrics/batch", {"metrics": points}, {k.replace("_", "-"): v for k, v in headers.items()})
    assert answer.status == 200, answer.text
    assert answer.json() == {"message": "Request Successful."}


def stored(system, name):
    return system.database.query(
        "SELECT labels, timestamp, value FROM xtrace.metrics WHERE name = %s ORDER BY labels::text, timestamp, value", name)
