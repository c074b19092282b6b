"""Spans, metrics and log records as exporters send them, in OTLP/JSON and in protobuf."""

import json
import os

from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

ROUTES = ("/api/public/otel/v1/traces", "/v1/traces")
METRIC_ROUTES = ("/api/public/otel/v1/metrics", "/v1/metrics")
LOG_ROUTES = ("/api/public/otel/v1/logs", "/v1/logs")
REQUESTS = {"resourceSpans": ExportTraceServiceRequest, "resourceMetrics": ExportMetricsServiceRequest,
            "resourceLogs": ExportLogsServiceRequest}
PROTOBUF = {"Content-Type": "application/x-protobuf"}
BASE_NS = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z


def new_trace_id():
    return os.urandom(16).hex()


def new_span_id():
    return os.urandom(8).hex()


def any_value(value):
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, (list, tuple)):
        return {"arrayValue": {"values": [any_value(element) for element in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": attributes(value)}}
    return {} if value is None else {"stringValue": value}


def attributes(values):
    return [{"key": key, "value": any_value(value)} for key, value in values.items()]


def span(trace_id, name="span", parent=None, start=0, end=1000, values=None, **more):
    """start, end: microseconds after BASE_NS."""
    made = {"traceId": trace_id, "spanId": new_span_id(), "name": name,
            "startTimeUnixNano": str(BASE_NS + start * 1000), "endTimeUnixNano": str(BASE_NS + end * 1000),
            "attributes": attributes(values or {}), **more}
    if parent:
        made["parentSpanId"] = parent["spanId"]
    return made


def export(spans, resource=None, scope="test-scope", version="1.0"):
    return {"resourceSpans": [{"resource": {"attributes": attributes(resource or {"service.name": "test"})},
                               "scopeSpans": [{"scope": {"name": scope, "version": version}, "spans": list(spans)}]}]}


def export_metrics(metrics, resource=None, scope="test-scope"):
    return {"resourceMetrics": [{"resource": {"attributes": attributes(resource or {"service.name": "test"})},
                                 "scopeMetrics": [{"scope": {"name": scope}, "metrics": list(metrics)}]}]}


def log(trace_id, span_id, event, body=None, at=0, values=None, **more):
    """at: microseconds after BASE_NS."""
    made = {"timeUnixNano": str(BASE_NS + at * 1000), "attributes": attributes(values or {}), **more}
    made |= {"traceId": trace_id} if trace_id else {}
    made |= {"spanId": span_id} if span_id else {}
    made |= {"eventName": event} if event else {}
    return made if body is None else {**made, "body": any_value(body)}


def export_logs(records, resource=None, scope="test-scope"):
    return {"resourceLogs": [{"resource": {"attributes": attributes(resource or {"service.name": "test"})},
                              "scopeLogs": [{"scope": {"name": scope}, "logRecords": list(records)}]}]}


def as_protobuf(body):
    """protobuf's own JSON wants base64 where OTLP/JSON has hex digits."""
    import base64
    copy = json.loads(json.dumps(body))

    def fix(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key in ("traceId", "spanId", "parentSpanId"):
                    node[key] = base64.b64encode(bytes.fromhex(value)).decode()
                else:
                    fix(value)
        elif isinstance(node, list):
            for element in node:
                fix(element)

    fix(copy)
    (request,) = (made() for member, made in REQUESTS.items() if member in body)
    return Parse(json.dumps(copy), request).SerializeToString()
