"""OTLP metrics, in JSON and protobuf: what instruments measured is what metric queries find."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from support.metrics import Metrics
from support.otlp import BASE_NS, METRIC_ROUTES, PROTOBUF, as_protobuf, attributes, export_metrics
from support.points import new_name, stored

ENCODINGS = {"json": (lambda body: json.dumps(body).encode(), {}), "protobuf": (as_protobuf, PROTOBUF)}
T0 = datetime.fromtimestamp(BASE_NS / 1e9, UTC)


def number(value=1, at=0, values=None, **more):
    """at: microseconds after BASE_NS."""
    key = "asDouble" if isinstance(value, float) else "asInt"
    return {"timeUnixNano": str(BASE_NS + at * 1000), key: value if key == "asDouble" else str(value),
            "attributes": attributes(values or {}), **more}


def gauge(name, *points, **more):
    return {"name": name, "unit": "s", "gauge": {"dataPoints": list(points)}, **more}


def post(xtrace, body, encoding="json", route=METRIC_ROUTES[0], headers=None, pack=False):
    encode, media = ENCODINGS[encoding]
    body = encode(body)
    coding = {"Content-Encoding": "gzip"} if pack else {}
    return xtrace.client().post(route, gzip.compress(body) if pack else body, {**media, **coding, **(headers or {})})


def common(kind, temporality=None):
    made = {"service.name": "test", "otel.scope.name": "test-scope", "otel.metric.type": kind, "otel.metric.unit": "s"}
    return made if temporality is None else {**made, "otel.metric.temporality": temporality}


@pytest.mark.parametrize("pack", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("route", METRIC_ROUTES)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_kind_of_metric(xtrace, encoding, route, pack):
    name = new_name("größe")
    at = {"timeUnixNano": str(BASE_NS)}
    totals = {"count": "6", "sum": 12.5, "min": 0.5, "max": 9.0, **at}
    answer = post(xtrace, export_metrics([
        gauge(name + ".gauge", number(0.5, 0, {"a": "ü", "n": 7})),
        {"name": name + ".sum", "unit": "s", "sum": {
            "dataPoints": [number(-7)], "aggregationTemporality": "AGGREGATION_TEMPORALITY_DELTA"}},
        {"name": name + ".counter", "unit": "s", "sum": {
            "isMonotonic": True, "dataPoints": [number(9007199254740993)], "aggregationTemporality": 2}},
        {"name": name + ".histogram", "unit": "s", "histogram": {"aggregationTemporality": 2, "dataPoints": [
            {**totals, "explicitBounds": [1.0, 2.5], "bucketCounts": ["1", "2", "3"]}]}},
        {"name": name + ".exponential", "unit": "s", "exponentialHistogram": {"aggregationTemporality": 1, "dataPoints": [
            {**at, "count": "6", "sum": 4.5, "scale": 0, "zeroCount": "1",
             "positive": {"offset": -1, "bucketCounts": ["2", "0", "3"]}}]}},
        {"name": name + ".summary", "unit": "s", "summary": {"dataPoints": [
            {**at, "count": "4", "sum": 8.0, "quantileValues": [{"quantile": 0.5, "value": 2.0},
                                                                {"quantile": 0.99, "value": 3.5}]}]}},
    ]), encoding, route, pack=pack)
    assert (answer.status, answer.body) == (200, b"{}" if encoding == "json" else b"")
    assert stored(xtrace, name + ".gauge") == [({**common("gauge"), "a": "ü", "n": "7"}, T0, 0.5)]
    assert stored(xtrace, name + ".sum") == [(common("sum", "delta"), T0, -7)]
    assert stored(xtrace, name + ".counter") == [(common("counter", "cumulative"), T0, 9007199254740992)]
    histogram = common("histogram", "cumulative")
    for ending, value in {"count": 6, "sum": 12.5, "min": 0.5, "max": 9}.items():
        assert stored(xtrace, f"{name}.histogram.{ending}") == [(histogram, T0, value)]
    assert buckets(xtrace, name + ".histogram") == {"1": 1, "2.5": 3, "+Inf": 6}
    assert buckets(xtrace, name + ".exponential") == {"0": 1, "1": 3, "4": 6, "+Inf": 6}
    assert stored(xtrace, name + ".exponential.count") == [(common("histogram", "delta"), T0, 6)]
    assert [(labels["quantile"], value) for labels, _, value in stored(xtrace, name + ".summary.quantile")] == [
        ("0.5", 2), ("0.99", 3.5)]
    assert stored(xtrace, name + ".summary.sum") == [(common("summary"), T0, 8)]


def buckets(xtrace, name):
    return {labels["le"]: value for labels, _, value in stored(xtrace, name + ".bucket")}


def test_what_queries_make_of_them(xtrace):
    name = new_name("latency")
    points = [number(float(value), value * 1000, {"model": "m" if value % 2 else "n"}) for value in range(1, 11)]
    assert post(xtrace, export_metrics([gauge(name, *points)])).status == 200
    window = {"name": name, "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00Z", "step": "1h"}
    for agg, wanted in {"avg": 5.5, "p50": 5.5, "max": 10, "sum": 55, "last": 10}.items():
        answer = xtrace.client().get("/api/public/metrics/query", {**window, "agg": agg, "group_by": "service.name"})
        (series,) = answer.json()["data"]
        assert (series["labels"], series["values"][0]["value"]) == ({"service.name": "test"}, wanted), agg
    by_model = xtrace.client().get("/api/public/metrics/query", {**window, "labels": '{"model":"m"}', "agg": "sum"})
    assert [series["values"][0]["value"] for series in by_model.json()["data"]] == [25]
    assert name in xtrace.client().get("/api/public/metrics/names").json()["data"]


def test_resources_are_labels_unless_the_point_says_otherwise(xtrace):
    name = new_name()
    resource = {"service.name": "shop", "service.instance.id": "i-1", "deployment.environment.name": "Prod",
                "telemetry.sdk.name": "x", "process.pid": 7}
    assert post(xtrace, export_metrics([gauge(name, number(1, 0, {"service.name": "own"}))], resource)).status == 200
    ((labels, _, _),) = stored(xtrace, name)
    assert labels == {**common("gauge"), "service.name": "own", "service.instance.id": "i-1",
                      "deployment.environment.name": "Prod"}


BAD = [
    ({"asDouble": "NaN"}, "dataPoints[1].value", "not a finite number"),
    ({"asDouble": "Infinity"}, "dataPoints[1].value", "not a finite number"),
    ({"asInt": "1", "flags": 1}, "dataPoints[1].flags", "there is no recorded value"),
    ({}, "dataPoints[1].value", "missing"),
    ({"asInt": "1", "timeUnixNano": "0"}, "dataPoints[1].timeUnixNano", "missing"),
    ({"asInt": "1", "attributes": attributes({"a": "x" * 2001})}, "dataPoints[1].attributes", "longer than 2000 bytes"),
    ({"asInt": "1", "attributes": attributes({f"k{n}": "v" for n in range(65)})}, "dataPoints[1].attributes",
     "more than 64 labels"),
]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("change, path, reason", BAD, ids=[f"{path} {reason}" for _, path, reason in BAD])
def test_a_bad_point_is_counted_and_its_neighbours_are_stored(xtrace, change, path, reason, encoding):
    name = new_name()
    bad = {"timeUnixNano": str(BASE_NS), **change}
    answer = post(xtrace, export_metrics([gauge(name, number(1), bad, number(3))]), encoding)
    assert answer.status == 200, answer.text
    words = f"1 of 3 data points were refused: {path} ({name}): {reason}"
    if encoding == "json":
        assert answer.json() == {"partialSuccess": {"rejectedDataPoints": 1, "errorMessage": words}}
    else:
        partial = ExportMetricsServiceResponse.FromString(answer.body).partial_success
        assert (partial.rejected_data_points, partial.error_message) == (1, words)
    assert [value for _, _, value in stored(xtrace, name)] == [1, 3]


def test_of_a_histogram_all_is_stored_or_nothing(xtrace):
    name = new_name()
    good = {"timeUnixNano": str(BASE_NS), "count": "1", "sum": 1.0, "explicitBounds": [1.0], "bucketCounts": ["1", "0"]}
    bad = [{**good, "bucketCounts": ["1"]}, {**good, "explicitBounds": [2.0, 1.0], "bucketCounts": ["1", "0", "0"]},
           {**good, "max": "NaN"}]
    answer = post(xtrace, export_metrics([{"name": name, "histogram": {"dataPoints": [*bad, good]}}]))
    assert answer.json()["partialSuccess"]["rejectedDataPoints"] == 3
    assert [value for _, _, value in stored(xtrace, name + ".count")] == [1]
    assert buckets(xtrace, name) == {"1": 1, "+Inf": 1}


def test_nothing_but_bad_points_is_a_400(xtrace):
    answer = post(xtrace, export_metrics([gauge("", number(1))]))
    assert (answer.status, answer.json()["partialSuccess"]["rejectedDataPoints"]) == (400, 1)
    assert answer.json()["code"] == "BAD_REQUEST"


@pytest.mark.parametrize("body", [b'{"resourceSpans":[]}', b'{"resourceMetrics":{}}', b"[]", b"{", b'{"x":1}'])
def test_another_body_is_a_400(xtrace, body):
    answer = xtrace.client().post(METRIC_ROUTES[0], body)
    assert answer.status == 400
    assert xtrace.client().post(METRIC_ROUTES[1], b"\x0a\x7f", PROTOBUF).status == 400
    assert xtrace.client().post(METRIC_ROUTES[0], body, {"Content-Type": "text/plain"}).status == 400


def test_nothing_to_store_is_fine(xtrace):
    for body in ({}, {"resourceMetrics": []}, export_metrics([]), export_metrics([gauge("x")])):
        assert (post(xtrace, body).status, post(xtrace, body).text) == (200, "{}")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_export_that_is_sent_again_adds_nothing(xtrace, encoding):
    name = new_name()
    body = export_metrics([gauge(name, number(1), number(2, 1), {"timeUnixNano": "0"})])
    answers = [post(xtrace, body, encoding, pack=pack) for pack in (False, True, False)]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert len({answer.body for answer in answers}) == 1
    assert [value for _, _, value in stored(xtrace, name)] == [1, 2]
    later = export_metrics([gauge(name, number(1, 5))])
    assert post(xtrace, later, encoding).status == 200
    assert len(stored(xtrace, name)) == 3


def test_a_key_of_the_clients_counts_instead_of_the_body(xtrace):
    name = new_name()
    body = export_metrics([gauge(name, number(1))])
    for key in ("a", "b", "a"):
        assert post(xtrace, body, headers={"Idempotency-Key": name + key}).status == 200
    assert len(stored(xtrace, name)) == 2


def test_the_gateways_own_numbers_and_the_batch_route_are_others(xtrace):
    assert xtrace.client().get("/metrics").status == 200
    assert xtrace.client().post("/metrics", b"{}").status == 405
    for route in METRIC_ROUTES:
        assert xtrace.client().get(route).status == 405
    before = Metrics(xtrace.client().get("/metrics").text).total(
        "xtrace_gateway_records_settled_total", kind="metric", outcome="stored")
    name = new_name()
    assert post(xtrace, export_metrics([gauge(name, number(1))])).status == 200
    after = Metrics(xtrace.client().get("/metrics").text).total(
        "xtrace_gateway_records_settled_total", kind="metric", outcome="stored")
    assert after == before + 1


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_the_opentelemetry_sdk_of_python(xtrace, compression):
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
    from opentelemetry.sdk.resources import Resource

    word = new_name("sdk")
    exporter = OTLPMetricExporter(endpoint=xtrace.url + METRIC_ROUTES[0], headers=xtrace.auth,
                                  compression=Compression(compression))
    provider = MeterProvider(
        resource=Resource.create({"service.name": "shop"}),
        metric_readers=[PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)],
        views=[View(instrument_name=word + ".ttft", aggregation=ExponentialBucketHistogramAggregation())])
    meter = provider.get_meter("shop.meter", "1.0")
    meter.create_counter(word + ".orders", unit="1").add(3, {"kind": "book"})
    meter.create_up_down_counter(word + ".queue").add(-2)
    meter.create_gauge(word + ".load", unit="%").set(0.25, {"cpu": 0})
    duration = meter.create_histogram("gen_ai.client.operation.duration", unit="s",
                                      explicit_bucket_boundaries_advisory=[0.1, 1, 10])
    for seconds in (0.05, 0.5, 0.7, 20):
        duration.record(seconds, {"gen_ai.request.model": word})
    for seconds in (0.5, 1.5, 3):
        meter.create_histogram(word + ".ttft", unit="s").record(seconds)
    assert provider.force_flush()
    provider.shutdown()

    def only(name, **wanted):
        rows = [(labels, value) for labels, _, value in stored(xtrace, name) if wanted.items() <= labels.items()]
        return rows[-1]

    labels, value = only(word + ".orders")
    assert (value, labels["kind"], labels["service.name"], labels["otel.scope.name"]) == (3, "book", "shop", "shop.meter")
    assert (labels["otel.metric.type"], labels["otel.metric.temporality"]) == ("counter", "cumulative")
    assert only(word + ".queue")[1] == -2
    assert only(word + ".load")[1] == 0.25 and only(word + ".load")[0]["cpu"] == "0"
    model = {"gen_ai.request.model": word}
    assert only("gen_ai.client.operation.duration.count", **model)[1] == 4
    assert only("gen_ai.client.operation.duration.sum", **model)[1] == pytest.approx(21.25)
    assert [only("gen_ai.client.operation.duration.bucket", le=le, **model)[1] for le in ("0.1", "1", "10", "+Inf")] == [
        1, 3, 3, 4]
    assert (only(word + ".ttft.count")[1], only(word + ".ttft.max")[1]) == (3, 3)
    assert only(word + ".ttft.bucket", le="+Inf")[1] == 3
    (_, at, _) = stored(xtrace, word + ".queue")[-1]
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)
