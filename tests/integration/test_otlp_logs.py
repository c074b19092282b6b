"""OTLP logs: events of GenAI become a part of their span, whichever comes first; the rest is counted."""

import gzip
import itertools
import json

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from support.metrics import Metrics
from support.otlp import (LOG_ROUTES, PROTOBUF, ROUTES, as_protobuf, export, export_logs, log, new_span_id, new_trace_id,
                          span)

ENCODINGS = {"json": (lambda body: json.dumps(body).encode(), {}), "protobuf": (as_protobuf, PROTOBUF)}


def post(xtrace, body, encoding="json", route=LOG_ROUTES[0], pack=False):
    encode, media = ENCODINGS[encoding]
    body = encode(body)
    coding = {"Content-Encoding": "gzip"} if pack else {}
    return xtrace.client().post(route, gzip.compress(body) if pack else body, {**media, **coding})


def send(xtrace, *records, **more):
    answer = post(xtrace, export_logs(records, **more))
    assert (answer.status, answer.text) == (200, "{}")


def send_span(xtrace, made, **more):
    assert xtrace.client().post(ROUTES[0], export([made], **more)).status == 200


def read(xtrace, trace_id):
    answer = xtrace.client().get(f"/api/public/traces/{trace_id}")
    assert answer.status == 200, answer.text
    return answer.json()


def read_one(xtrace, trace_id):
    (observation,) = read(xtrace, trace_id)["observations"]
    return observation


def conversation(trace_id, span_id):
    return [
        log(trace_id, span_id, "gen_ai.system.message", {"content": "Be kind."}, 10, {"gen_ai.system": "openai"}),
        log(trace_id, span_id, "gen_ai.user.message", {"content": "größer? 😀", "n": 1}, 20),
        log(trace_id, span_id, "gen_ai.assistant.message", {"tool_calls": [{"id": "c", "type": "function"}]}, 30),
        log(trace_id, span_id, None, {"content": "4", "id": "c"}, 40, {"event.name": "gen_ai.tool.message"}),
        log(trace_id, span_id, "gen_ai.choice", {"index": 0, "finish_reason": "stop", "message": {"content": "Yes."}}, 50),
    ]


INPUT = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "größer? 😀", "n": 1},
         {"role": "assistant", "tool_calls": [{"id": "c", "type": "function"}]},
         {"role": "tool", "content": "4", "id": "c"}]
OUTPUT = {"index": 0, "finish_reason": "stop", "message": {"content": "Yes."}}


@pytest.mark.parametrize("pack", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("route", LOG_ROUTES)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_messages_are_input_and_output_of_their_span(xtrace, encoding, route, pack):
    made = span(new_trace_id(), "chat", values={"gen_ai.request.model": "m"})
    send_span(xtrace, made)
    answer = post(xtrace, export_logs(conversation(made["traceId"], made["spanId"])), encoding, route, pack)
    assert (answer.status, answer.body) == (200, b"{}" if encoding == "json" else b"")
    got = read_one(xtrace, made["traceId"])
    assert (got["input"], got["output"], got["name"], got["model"]) == (INPUT, OUTPUT, "chat", "m")
    records = [record for _, record in sorted(got["metadata"]["logRecords"].items())]
    assert [record["eventName"] for record in records] == [
        "gen_ai.system.message", "gen_ai.user.message", "gen_ai.assistant.message", "gen_ai.tool.message", "gen_ai.choice"]
    assert records[0]["attributes"] == {"gen_ai.system": "openai"}
    (second,) = xtrace.client().get("/api/public/v2/observations", {"traceId": made["traceId"], "fields": "core,io"}).json()["data"]
    assert (json.loads(second["input"]), json.loads(second["output"])) == (INPUT, OUTPUT)
    assert records[0]["scope"] == {"name": "test-scope", "attributes": {}}


def test_any_order_and_any_split_ends_in_the_same(xtrace):
    for number, order in enumerate(itertools.permutations(range(4))):
        made = span(new_trace_id(), "chat", {"spanId": new_span_id()}, start=5, end=60)
        records = conversation(made["traceId"], made["spanId"])
        parts = [lambda: send_span(xtrace, made), lambda: send(xtrace, *records[:2]), lambda: send(xtrace, records[2]),
                 lambda: send(xtrace, records[3], records[4])]
        for part in order:
            parts[part]()
            if number % 3 == 0:
                parts[part]()  # again
        got = read_one(xtrace, made["traceId"])
        assert (got["input"], got["output"]) == (INPUT, OUTPUT), order
        assert (got["name"], got["type"], got["startTime"]) == ("chat", "SPAN", "2026-01-01T00:00:00.000005Z")
        assert len(got["metadata"]["logRecords"]) == 5


def test_a_log_alone_makes_its_span_and_trace_readable(xtrace):
    trace_id, span_id = new_trace_id(), new_span_id()
    send(xtrace, log(trace_id, span_id, "gen_ai.user.message", {"content": "hi"}, 7000),
         resource={"deployment.environment.name": "Prod", "service.name": "shop"})
    trace = read(xtrace, trace_id)
    (got,) = trace["observations"]
    assert (trace["timestamp"], trace["environment"]) == ("2026-01-01T00:00:00.007Z", "prod")
    assert (got["id"], got["input"], got["output"]) == (span_id, [{"role": "user", "content": "hi"}], None)
    assert got["metadata"]["resourceAttributes"] == {"deployment.environment.name": "Prod", "service.name": "shop"}


def test_what_the_span_says_itself_counts_more(xtrace):
    for first in ("span", "log"):
        made = span(new_trace_id(), "chat", values={"langfuse.observation.input": "own", "langfuse.observation.output": "[7]"})
        parts = [lambda: send_span(xtrace, made), lambda: send(xtrace, *conversation(made["traceId"], made["spanId"]),
                 log(made["traceId"], made["spanId"], "gen_ai.client.inference.operation.details", None, 1,
                     {"gen_ai.input.messages": "[1]"}))]
        for part in parts if first == "span" else reversed(parts):
            part()
        got = read_one(xtrace, made["traceId"])
        assert (got["input"], got["output"]) == ("own", [7])
        assert len(got["metadata"]["logRecords"]) == 6


def test_details_have_both_sides(xtrace):
    made = span(new_trace_id(), "chat")
    messages = [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]
    answers = [{"role": "assistant", "parts": [{"type": "text", "content": "ho"}], "finish_reason": "stop"}]
    send(xtrace, log(made["traceId"], made["spanId"], "gen_ai.client.inference.operation.details", None, 1, {
        "gen_ai.input.messages": json.dumps(messages), "gen_ai.output.messages": answers,
        "gen_ai.system_instructions": [{"type": "text", "content": "Be kind."}], "gen_ai.request.model": "m"}))
    send_span(xtrace, made)
    got = read_one(xtrace, made["traceId"])
    assert got["input"] == [{"role": "system", "content": "Be kind."}, *messages]
    assert got["output"] == answers
    (record,) = got["metadata"]["logRecords"].values()
    assert record["attributes"] == {"gen_ai.request.model": "m"}


def test_several_choices_are_a_list_and_other_events_are_kept(xtrace):
    trace_id, span_id = new_trace_id(), new_span_id()
    send(xtrace, log(trace_id, span_id, "gen_ai.choice", {"index": 0}, 5), log(trace_id, span_id, "gen_ai.choice", {"index": 1}, 5),
         log(trace_id, span_id, "gen_ai.evaluation.result", None, 9, {"gen_ai.evaluation.score.value": 0.5},
             severityNumber=9, severityText="INFO"),
         log(trace_id, span_id, None, "free text", 8, {"gen_ai.system": "x"}))
    got = read_one(xtrace, trace_id)
    assert (got["input"], got["output"]) == (None, [{"index": 0}, {"index": 1}])
    records = [record for _, record in sorted(got["metadata"]["logRecords"].items())]
    assert (records[2]["body"], records[3]["severityText"]) == ("free text", "INFO")
    assert records[3]["attributes"] == {"gen_ai.evaluation.score.value": 0.5}


def ignored(xtrace):
    return Metrics(xtrace.client().get("/metrics").text).total("xtrace_gateway_logs_ignored_total")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_other_logs_are_accepted_and_counted(xtrace, encoding):
    before = ignored(xtrace)
    trace_id = new_trace_id()
    answer = post(xtrace, export_logs([
        log(trace_id, new_span_id(), None, "plain"), log(trace_id, new_span_id(), "user.login", "plain"),
        log(None, None, "gen_ai.user.message", {"content": "lost"}), log(trace_id, None, "gen_ai.choice", {"index": 0})]), encoding)
    assert (answer.status, answer.body) == (200, b"{}" if encoding == "json" else b"")
    assert ignored(xtrace) == before + 4
    assert xtrace.client().get(f"/api/public/traces/{trace_id}").status == 404


def test_a_bad_record_is_counted_and_its_neighbours_are_stored(xtrace):
    trace_id, span_id = new_trace_id(), new_span_id()
    bad = {"traceId": "abcd", "spanId": span_id, "eventName": "gen_ai.choice"}
    answer = post(xtrace, export_logs([log(trace_id, span_id, "gen_ai.choice", {"index": 0}), bad, log(None, None, None, "x")]))
    words = f"1 of 3 log records were refused: logRecords[1].traceId ({span_id}): not an id of the right length in hex digits"
    assert answer.json() == {"partialSuccess": {"rejectedLogRecords": 1, "errorMessage": words}}
    assert read_one(xtrace, trace_id)["output"] == {"index": 0}
    broken = as_protobuf(export_logs([log(trace_id, span_id, "gen_ai.choice", {"index": 0})])).replace(
        bytes.fromhex(trace_id), bytes.fromhex(trace_id)[:15] + b"\x00")
    assert xtrace.client().post(LOG_ROUTES[0], broken, PROTOBUF).status == 200  # another trace
    assert post(xtrace, export_logs([bad])).status == 400


def test_logs_on_the_route_of_traces_are_refused(xtrace):
    body = export_logs(conversation(new_trace_id(), new_span_id()))
    assert xtrace.client().post(ROUTES[0], body).status == 400
    assert xtrace.client().post(ROUTES[0], as_protobuf(body), PROTOBUF).status == 400
    assert xtrace.client().post(LOG_ROUTES[0], export([span(new_trace_id())])).status == 400
    assert xtrace.client().post(LOG_ROUTES[0], as_protobuf(export([span(new_trace_id())])), PROTOBUF).status == 400
    assert xtrace.client().get(LOG_ROUTES[0]).status == 405


def test_capture_keeps_messages_of_logs_out(make_xtrace):
    system = make_xtrace(env={"XTRACE_CAPTURE": "metadata_only"})
    trace_id, span_id = new_trace_id(), new_span_id()
    send(system, *conversation(trace_id, span_id), log(trace_id, span_id, None, "free text", 8, {"gen_ai.system": "x"}))
    answer = system.client().get(f"/api/public/traces/{trace_id}")
    for word in ("größer", "Be kind", "Yes.", "free text"):
        assert word not in answer.text


@pytest.mark.parametrize("one_by_one", [True, False])
def test_the_opentelemetry_sdk_of_python(xtrace, one_by_one):
    from opentelemetry._logs import LogRecord, SeverityNumber
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, SimpleLogRecordProcessor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": "shop"})
    tracers, loggers = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=xtrace.url + ROUTES[0], headers=xtrace.auth)))
    exporter = OTLPLogExporter(endpoint=xtrace.url + LOG_ROUTES[0], headers=xtrace.auth,
                               compression=Compression.NoCompression if one_by_one else Compression.Gzip)
    loggers.add_log_record_processor((SimpleLogRecordProcessor if one_by_one else BatchLogRecordProcessor)(exporter))
    logger = loggers.get_logger("shop.llm", "2.0")
    with tracers.get_tracer("shop.llm").start_as_current_span("chat m", attributes={"gen_ai.request.model": "m"}) as made:
        for event, body in (("gen_ai.system.message", {"content": "Be kind."}), ("gen_ai.user.message", {"content": "hi"}),
                            ("gen_ai.user.message", {"content": "hi"}),
                            ("gen_ai.choice", {"index": 0, "message": {"role": "assistant", "content": "ho"}})):
            logger.emit(LogRecord(event_name=event, body=body, attributes={"gen_ai.system": "openai"},
                                  severity_number=SeverityNumber.INFO))
        logger.emit(LogRecord(body="nothing of GenAI"))
    loggers.shutdown()
    tracers.shutdown()
    got = read_one(xtrace, format(made.get_span_context().trace_id, "032x"))
    assert got["input"] == [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hi"},
                            {"role": "user", "content": "hi"}]
    assert got["output"] == {"index": 0, "message": {"role": "assistant", "content": "ho"}}
    assert got["name"] == "chat m"


def test_records_of_a_broken_body_are_refused_whole(xtrace):
    for body in (b'{"resourceLogs":{}}', b'{"resourceLogs":[{"scopeLogs":7}]}', b"{", b'{"x":1}'):
        assert xtrace.client().post(LOG_ROUTES[0], body).status == 400
    for body in ({}, {"resourceLogs": []}, export_logs([])):
        assert (post(xtrace, body).status, post(xtrace, body).text) == (200, "{}")
    assert post(xtrace, {}, "json").status == 200
    assert ExportLogsServiceResponse.FromString(xtrace.client().post(LOG_ROUTES[0], b"", PROTOBUF).body).ByteSize() == 0
