"""Scraping both programs' own numbers, and what must be true of them."""

import re

from prometheus_client.parser import text_string_to_metric_families

from .client import Client
from .wait import wait_until

KINDS = ("trace", "observation", "score", "metric")
ADDRESS = {"XTRACE_METRICS_ADDR": "127.0.0.1:0"}  # for make_xtrace(env=...): each program takes a free port


class Metrics:
    """One scrape, parsed by the reference parser; text that it does not take is a ValueError."""

    def __init__(self, text):
        self.text = text
        self.families = list(text_string_to_metric_families(text))
        self.samples = [sample for family in self.families for sample in family.samples]

    def total(self, name, **labels):
        """The sum of all series of that name with these labels; 0 when there is none."""
        return int(sum(sample.value for sample in self.samples if sample.name == name and matches(sample, labels)))

    def series(self, name):
        return [dict(sample.labels) for sample in self.samples if sample.name == name]


def matches(sample, labels):
    return all(sample.labels.get(label) == value for label, value in labels.items())


def metrics_client(system, name):
    """A client without credentials of the listener that a program made on ADDRESS."""
    ports = re.findall(r"event=metrics address=127\.0\.0\.1:(\d+)", system.log(name))
    return Client(f"http://127.0.0.1:{ports[-1]}")


def scrape(system, name):
    answer = metrics_client(system, name).get("/metrics")
    assert answer.status == 200, answer.text
    return Metrics(answer.text)


def settled(metrics, kind, outcome=None):
    labels = {"kind": kind, **({"outcome": outcome} if outcome else {})}
    return metrics.total("xtrace_gateway_records_settled_total", **labels)


def received(metrics, kind):
    return metrics.total("xtrace_gateway_records_received_total", kind=kind)


def rows(metrics, what, kind, **labels):
    """what: received, stored, duplicate, dead_lettered, given_up."""
    return metrics.total(f"xtrace_writer_rows_{what}_total", kind=kind, **labels)


def assert_gateway_balances(metrics):
    for kind in KINDS:
        assert received(metrics, kind) == settled(metrics, kind), kind


def assert_writer_balances(metrics):
    for kind in KINDS:
        ends = sum(rows(metrics, what, kind) for what in ("stored", "duplicate", "dead_lettered", "given_up"))
        assert rows(metrics, "received", kind) == ends, kind
    assert metrics.total("xtrace_writer_batches_received_total") == metrics.total("xtrace_writer_batches_settled_total")


def wait_for_rest(system):
    """Nothing in flight and nothing in hand; returns the last scrape of each program by name."""

    def at_rest():
        last = {name: scrape(system, name) for name in system.processes}
        held = sum(metrics.total("xtrace_gateway_in_flight_batches") + metrics.total("xtrace_writer_in_hand_batches")
                   for metrics in last.values())
        return last if held == 0 else None

    return wait_until(at_rest, 20, "both programs being at rest")
