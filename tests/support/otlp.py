"""Spans as exporters send them, in OTLP/JSON and in protobuf."""

import json
import os

from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

ROUTES = ("/api/public/otel/v1/traces", "/v1/traces")
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
    return Parse(json.dumps(copy), ExportTraceServiceRequest()).SerializeToString()
