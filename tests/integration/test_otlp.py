"""OTLP spans, in JSON and protobuf: what exporters send is what is read back."""

import gzip
import itertools
import json
import random
import struct

import pytest

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from support import captured
from support.otlp import (BASE_NS, PROTOBUF, ROUTES, any_value, as_protobuf, export, new_span_id, new_trace_id, span)


def post(xtrace, body, route=ROUTES[0], headers=None):
    return xtrace.client().post(route, body, headers)


def send(xtrace, spans, **more):
    answer = post(xtrace, export(spans, **more))
    assert (answer.status, answer.text) == (200, "{}")


def read(xtrace, trace_id):
    answer = xtrace.client().get(f"/api/public/traces/{trace_id}")
    assert answer.status == 200, answer.text
    return answer.json()


def read_stored(xtrace, trace_id):
    """Without what a server may show as it likes: the time of writing, the order of equal starts."""
    trace = read(xtrace, trace_id)
    for record in [trace, *trace["observations"]]:
        del record["createdAt"], record["updatedAt"]
    trace["observations"].sort(key=lambda observation: observation["id"])
    return trace


def read_one(xtrace, trace_id):
    (observation,) = read(xtrace, trace_id)["observations"]
    return observation


# Captured traffic


def replay(xtrace, name):
    for request in captured.requests(name):
        answer = xtrace.client().request(request[0], request[1], None, *request[2:])
        assert (answer.status, answer.body) == (200, b""), answer.text
        assert answer.headers["content-type"] == "application/x-protobuf"
        yield


def test_the_captured_exporter_is_read_as_expected(xtrace):
    expected = captured.expected("otel-proto-gzip")
    open_trace = expected["traces"][0]["id"]
    requests = replay(xtrace, "otel-proto-gzip")
    next(requests)
    assert len(read(xtrace, open_trace)["observations"]) == 6  # while the root is still open
    list(requests)

    def check():
        traces = {trace["id"]: read(xtrace, trace["id"]) for trace in expected["traces"]}
        observations = {o["id"]: o for trace in traces.values() for o in trace["observations"]}
        assert len(observations) == expected["counts"]["observations"]
        for wanted in expected["traces"]:
            captured.compare(traces[wanted["id"]], wanted)
        for wanted in expected["observations"]:
            captured.compare(observations[wanted["id"]], wanted)
        return [read_stored(xtrace, trace_id) for trace_id in traces]

    first = check()
    list(replay(xtrace, "otel-proto-gzip"))
    assert check() == first


# Both encodings

RICH = {"text": "é😀", "yes": True, "count": 2**53 + 1, "half": 0.5, "list": [1, "two", [False]],
        "map": {"a": {"b": 1}}, "gen_ai.request.model": "m-1", "gen_ai.usage.input_tokens": 7,
        "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "hi"}


@pytest.mark.parametrize("route", ROUTES)
def test_json_and_protobuf_of_the_same_spans_are_the_same_rows(xtrace, route):
    traces = []
    for encode, headers in ((lambda body: body, None), (as_protobuf, PROTOBUF)):
        trace_id = new_trace_id()
        root = span(trace_id, "root", end=5000, values=RICH, spanId="00f067aa0ba902b7",
                    events=[{"name": "exception", "timeUnixNano": str(BASE_NS),
                             "attributes": [{"key": "exception.message", "value": any_value("boom")}]}],
                    links=[{"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b8"}],
                    status={"code": 2, "message": "broken"})
        child = span(trace_id, "child", root, 1000, 2000, spanId="00f067aa0ba902b9")
        answer = post(xtrace, encode(export([child, root])), route, headers)
        assert answer.status == 200, answer.text
        stored = json.dumps(read_stored(xtrace, trace_id)).replace(trace_id, "TRACE")
        traces.append(json.loads(stored))
    assert traces[0] == traces[1]
    (root,) = [o for o in traces[0]["observations"] if o["parentObservationId"] is None]
    assert root["metadata"]["attributes"]["list"] == [1, "two", [False]]
    assert root["metadata"]["attributes"]["count"] == 2**53 + 1
    assert root["metadata"]["attributes"]["map"] == {"a": {"b": 1}}
    assert root["metadata"]["events"][0]["attributes"] == {"exception.message": "boom"}
    assert root["metadata"]["links"][0]["spanId"] == "00f067aa0ba902b8"
    assert root["metadata"]["resourceAttributes"] == {"service.name": "test"}
    assert root["metadata"]["scope"] == {"name": "test-scope", "version": "1.0", "attributes": {}}
    assert (root["level"], root["statusMessage"], root["type"]) == ("ERROR", "broken", "GENERATION")


def test_what_json_senders_write_in_many_ways(xtrace):
    trace_id = new_trace_id()
    sent = span(trace_id.upper(), "many")
    sent["spanId"] = list(bytes.fromhex(sent["spanId"]))
    sent["startTimeUnixNano"] = int(sent["startTimeUnixNano"])
    sent["unknown"] = {"deep": [1, {"er": None}]}
    sent["kind"] = "SPAN_KIND_SERVER"
    sent["attributes"] = [
        {"key": "int", "value": {"intValue": 7}}, {"key": "nan", "value": {"doubleValue": "NaN"}},
        {"key": "infinite", "value": {"doubleValue": "-Infinity"}}, {"key": "bytes", "value": {"bytesValue": "AQI="}},
        {"key": "none", "value": {}}, {"key": "empty", "value": {"arrayValue": {}}},
    ]
    # The scope after its spans, the resource after its scopes.
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [sent], "scope": {"name": "late"}}],
                               "resource": {"attributes": [{"key": "service.version",
                                                            "value": {"stringValue": "9"}}]}}]}
    assert post(xtrace, body).status == 200
    got = read_one(xtrace, trace_id)
    assert got["metadata"]["attributes"] == {"int": 7, "nan": "NaN", "infinite": "-Infinity", "bytes": "AQI=",
                                             "none": None, "empty": []}
    assert got["metadata"]["scope"]["name"] == "late"
    assert got["version"] == "9"


def test_kind_state_flags_and_what_was_dropped(xtrace):
    for encode, headers in ((lambda body: json.dumps(body).encode(), {}), (as_protobuf, PROTOBUF)):
        trace_id = new_trace_id()
        usual = span(trace_id, "usual", kind=1, flags=257, traceState="")
        rare = span(trace_id, "rare", usual, kind=3, flags=769, traceState="a=1,b=ü", droppedAttributesCount=2,
                    droppedEventsCount=3, droppedLinksCount=4,
                    links=[{"traceId": trace_id, "spanId": new_span_id(), "traceState": "c=2", "flags": 768,
                            "droppedAttributesCount": 5}],
                    events=[{"name": "e", "timeUnixNano": "1", "droppedAttributesCount": 6}])
        assert post(xtrace, encode(export([usual, rare])), headers=headers).status == 200
        got = {made["name"]: made["metadata"] for made in read(xtrace, trace_id)["observations"]}
        assert "span" not in got["usual"]
        assert got["rare"]["span"] == {"kind": "CLIENT", "flags": 769, "traceState": "a=1,b=ü", "droppedAttributesCount": 2,
                                       "droppedEventsCount": 3, "droppedLinksCount": 4}
        (link,), (event,) = got["rare"]["links"], got["rare"]["events"]
        assert (link["traceState"], link["flags"], link["droppedAttributesCount"]) == ("c=2", 768, 5)
        assert event["droppedAttributesCount"] == 6


def test_gzip_of_either_encoding(xtrace):
    for encode, headers in ((lambda body: json.dumps(body).encode(), {}), (as_protobuf, PROTOBUF)):
        trace_id = new_trace_id()
        body = gzip.compress(encode(export([span(trace_id)])))
        assert post(xtrace, body, ROUTES[0], {**headers, "Content-Encoding": "gzip"}).status == 200
        assert read(xtrace, trace_id)["name"] == "span"


# Traces out of spans


def test_a_child_alone_makes_its_trace_readable(xtrace):
    trace_id = new_trace_id()
    send(xtrace, [span(trace_id, "child", {"spanId": new_span_id()}, 7000, 9000,
                       {"langfuse.observation.input": "in", "gen_ai.conversation.id": "c"})],
         resource={"deployment.environment.name": "Prod"})
    trace = read(xtrace, trace_id)
    assert trace["timestamp"] == "2026-01-01T00:00:00.007Z"
    assert (trace["name"], trace["input"], trace["sessionId"], trace["environment"]) == (None, None, None, "prod")


def test_a_name_for_the_trace_on_any_span_beats_the_roots(xtrace):
    for order in itertools.permutations(range(3)):
        trace_id = new_trace_id()
        root = span(trace_id, "root", end=9000, values={"input.value": "root in", "output.value": "root out"})
        child = span(trace_id, "child", root, 100, 200, {"user.id": "u", "input.value": "no", "output.value": "no"})
        named = span(trace_id, "named", root, 300, 400, {"langfuse.trace.name": "said", "langfuse.trace.output": "42"})
        spans = [root, child, named]
        for number in order:
            send(xtrace, [spans[number]])
        trace = read(xtrace, trace_id)
        assert (trace["name"], trace["input"], trace["output"]) == ("said", "root in", 42)
        assert trace["userId"] == "u"


def session_of_spans(trace_id):
    root = span(trace_id, "turn", end=90_000, values={"session.id": "s", "langfuse.trace.tags": ["b", "a"],
                                                      "langfuse.trace.metadata.plan": '{"x":1}', "input": "q"})
    spans = [root]
    for number in range(6):
        spans.append(span(trace_id, f"step {number}", spans[number // 2], 1000 * number, 1000 * number + 500, {
            "user.id": f"u{number % 2}", "langfuse.trace.tags": f"t{number},a", "gen_ai.request.model": "m",
            "gen_ai.usage.input_tokens": number, f"langfuse.trace.metadata.k{number % 3}": str(number),
            "langfuse.environment": "one" if number % 2 else "two"}))
    return spans


def test_any_split_order_and_repetition_ends_in_the_same_rows(xtrace):
    dice = random.Random(5)
    ids = {}
    wanted = None
    for attempt in range(6):
        trace_id = new_trace_id()
        spans = session_of_spans(trace_id)
        for made in spans:  # the same ids in each trace, so that the rows can be compared
            made["spanId"] = ids.setdefault(made["name"], made["spanId"])
            parent = made.get("parentSpanId")
            if parent:
                made["parentSpanId"] = spans[int(made["name"][-1]) // 2]["spanId"]
        if attempt == 0:
            send(xtrace, spans)
        else:
            pieces = spans + dice.sample(spans, 3)
            dice.shuffle(pieces)
            while pieces:
                size = dice.randint(1, 3)
                body = export(pieces[:size])
                answer = post(xtrace, as_protobuf(body), headers=PROTOBUF) if dice.random() < 0.5 else post(xtrace, body)
                assert answer.status == 200, answer.text
                pieces = pieces[size:]
        stored = json.loads(json.dumps(read_stored(xtrace, trace_id)).replace(trace_id, "TRACE"))
        wanted = wanted or stored
        assert stored == wanted
    assert wanted["name"] == "turn" and wanted["sessionId"] == "s" and wanted["userId"] == "u1"
    assert wanted["tags"] == ["a", "b", "t0", "t1", "t2", "t3", "t4", "t5"]
    assert wanted["metadata"]["plan"] == {"x": 1} and wanted["metadata"]["k2"] == 5


def test_the_same_span_id_in_two_traces_is_two_observations(xtrace):
    span_id = new_span_id()
    for name in ("one", "two"):
        trace_id = new_trace_id()
        send(xtrace, [span(trace_id, name, spanId=span_id)])
        assert read_one(xtrace, trace_id)["name"] == name


# Refusals


def test_refused_spans_are_counted_and_named_and_their_neighbours_stored(xtrace):
    trace_id = new_trace_id()
    good = span(trace_id, "good")
    bad = [dict(span(trace_id), spanId="abcd"), dict(span(trace_id), traceId="0" * 32),
           dict(span(trace_id), startTimeUnixNano="yesterday"), dict(span(trace_id), attributes={"a": 1}), 17,
           span(trace_id, values={"session.id": "x" * 801})]
    answer = post(xtrace, export([bad[0], good, *bad[1:]]))
    assert answer.status == 200
    partial = answer.json()["partialSuccess"]
    assert int(partial["rejectedSpans"]) == len(bad)
    assert partial["errorMessage"].startswith("6 of 7 spans were refused: spans[0].spanId: ")
    assert "spans[3].startTimeUnixNano" in partial["errorMessage"]
    assert [o["name"] for o in read(xtrace, trace_id)["observations"]] == ["good"]


def test_partial_success_in_protobuf(xtrace):
    trace_id = new_trace_id()
    body = as_protobuf(export([span(trace_id, "good"), dict(span(trace_id), spanId="")]))
    answer = post(xtrace, body, headers=PROTOBUF)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-protobuf")
    response = ExportTraceServiceResponse.FromString(answer.body)
    assert response.partial_success.rejected_spans == 1
    assert "spanId" in response.partial_success.error_message
    assert read_one(xtrace, trace_id)["name"] == "good"


def test_nothing_stored_is_never_a_success(xtrace):
    answer = post(xtrace, export([dict(span(new_trace_id()), spanId="")]))
    assert answer.status == 400
    body = answer.json()
    assert (body["code"], body["error"]) == ("BAD_REQUEST", "InvalidRequestError")
    assert body["partialSuccess"]["rejectedSpans"] == 1


@pytest.mark.parametrize("body", [
    b"", b"[]", b"{", b'{"resourceSpans":{}}', b'{"resourceSpans":[17]}', b'{"resourceSpans":[{"scopeSpans":1}]}',
    b'{"resourceSpans":[{"scopeSpans":[{"spans":{}}]}]}', b'{"resourceLogs":[]}', b'{"resource_spans":[]}',
    b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"\xff"}]}]}]}', b'{"resourceSpans":' + b"[" * 100_000,
])
def test_a_body_that_is_no_export_is_refused_whole(xtrace, body):
    answer = post(xtrace, body)
    assert answer.status == 400
    assert answer.json().keys() >= {"message", "code", "error"}


@pytest.mark.parametrize("body", [b"{}", b'{"resourceSpans":[]}', b'{"resourceSpans":null}',
                                  b'{"resourceSpans":[{"scopeSpans":[{"spans":[]}]}]}'])
def test_no_spans_is_a_success(xtrace, body):
    answer = post(xtrace, body)
    assert (answer.status, answer.text) == (200, "{}")
    assert post(xtrace, b"", headers=PROTOBUF).status == 200


def test_media_that_otlp_does_not_have(xtrace):
    for headers in ({"Content-Type": "text/plain"}, {"Content-Type": "application/grpc"},
                    {"x-langfuse-ingestion-version": "5"}, {"x-langfuse-ingestion-version": "new"}):
        assert post(xtrace, {}, headers=headers).status == 400
    assert post(xtrace, {}, headers={"x-langfuse-ingestion-version": "4"}).status == 200
    assert post(xtrace, b"not gzip", headers={"Content-Encoding": "gzip"}).status == 400


def varint(number):
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def wrapped(*spans):
    return field(1, field(2, b"".join(field(2, one) for one in spans)))


def raw_span(trace_id, *more):
    times = b"\x39" + struct.pack("<Q", BASE_NS) + b"\x41" + struct.pack("<Q", BASE_NS + 1000)
    return field(1, bytes.fromhex(trace_id)) + field(2, bytes.fromhex(new_span_id())) + times + b"".join(more)


def nested(depth):
    value = field(1, b"deep")
    for _ in range(depth):
        value = field(5, field(1, value))
    return field(9, field(1, b"k") + field(2, value))


def test_hostile_protobuf_harms_nobody(xtrace):
    trace_id = new_trace_id()
    good = raw_span(trace_id, field(5, b"good"))
    # Refused by themselves; the neighbour is stored.
    for bad in (raw_span(trace_id, b"\x4a\xff\x01"),
                raw_span(trace_id, b"\x08\x01"), raw_span(trace_id, b"\x4a" + b"\xff" * 10), b"\x0a\x10",
                raw_span(trace_id, field(9, b"\x12\x02\x0a\x7f")), raw_span(trace_id, b"\x0b"),
                raw_span(trace_id, *[field(9, b"")] * 100_001), raw_span(trace_id, field(5, b"\x01" * 1_000_001))):
        answer = post(xtrace, wrapped(bad, good), headers=PROTOBUF)
        assert answer.status == 200, answer.text
        assert ExportTraceServiceResponse.FromString(answer.body).partial_success.rejected_spans == 1
    assert read_one(xtrace, trace_id)["name"] == "good"
    # Stored, as deep as it goes.
    for depth in (32, 33, 100_000):
        assert post(xtrace, wrapped(raw_span(trace_id, nested(depth))), headers=PROTOBUF).body == b""
    # Nothing can be told apart.
    for body in (b"\xff", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", wrapped(good)[:-3], b'{"resourceSpans":[]}',
                 b"\x0b\x0c", b"\x08\x01", field(1, b"\x12\xff\xff\xff\x0f"), b"\x00\x00"):
        assert post(xtrace, body, headers=PROTOBUF).status == 400
    assert xtrace.client().get("/healthz").status == 200


def test_texts_that_postgresql_cannot_hold_are_repaired(xtrace):
    trace_id = new_trace_id()
    body = wrapped(raw_span(trace_id, field(5, b"a\x00b\xffc\xed\xa0\x80"),
                            field(9, field(1, b"k\x00") + field(2, field(1, b"v\xc3")))))
    assert post(xtrace, body, headers=PROTOBUF).status == 200
    got = read_one(xtrace, trace_id)
    assert got["name"] == "a\ufffdb\ufffdc\ufffd\ufffd\ufffd"
    assert got["metadata"]["attributes"] == {"k\ufffd": "v\ufffd"}


def test_a_path_cannot_ask_for_a_huge_array(xtrace):
    trace_id = new_trace_id()
    sent = {f"gen_ai.prompt.{number}99999.content.99999.x": "x" for number in range(1, 300)}
    send(xtrace, [span(trace_id, values=sent)])
    assert len(json.dumps(read_one(xtrace, trace_id)["input"])) < 500_000


def nested_value(depth):
    return '{"arrayValue":{"values":[' * depth + '{"stringValue":"deep"}' + "]}}" * depth


@pytest.mark.parametrize("odd, stored", [
    (nested_value(32), None), (nested_value(33), None), (nested_value(50_000), None),
    ('{"intValue":%s}' % ("9" * 5000), "9" * 5000), ('{"doubleValue":1e9999}', "1e9999"),
    ('{"intValue":"abc"}', "abc"), ('{"boolValue":[1]}', "[1]"), ("7", "7"),
])
def test_an_odd_value_harms_neither_its_span_nor_its_neighbours(xtrace, odd, stored):
    """Wherever it stands: in attributes, of the span or around it, or where nothing is read."""
    trace_id = new_trace_id()
    made = dict(span(trace_id, "odd"), attributes=[{"key": "before", "value": {"intValue": 1}},
                                                   {"key": "k", "value": "ODD"}], unknown="ODD",
                events=[{"name": "e", "attributes": [{"key": "k", "value": "ODD"}]}])
    body = export([made, span(trace_id, "good")])
    body["resourceSpans"][0]["resource"]["attributes"].append({"key": "k", "value": "ODD"})
    body["resourceSpans"][0]["scopeSpans"][0]["scope"]["attributes"] = [{"key": "k", "value": "ODD"}]
    answer = post(xtrace, json.dumps(body).replace('"ODD"', odd).encode())
    assert (answer.status, answer.text) == (200, "{}")
    got = {observation["name"]: observation["metadata"] for observation in read(xtrace, trace_id)["observations"]}
    assert set(got) == {"odd", "good"}
    assert got["odd"]["attributes"]["before"] == 1
    values = [got["odd"]["attributes"]["k"], got["odd"]["events"][0]["attributes"]["k"],
              got["good"]["resourceAttributes"]["k"], got["good"]["scope"]["attributes"]["k"]]
    assert all("deep" in json.dumps(value) if stored is None else value == stored for value in values)


# Access


def test_who_may_send(xtrace, make_xtrace):
    for route in ROUTES:
        assert xtrace.client(headers={}).post(route, {}).status == 401
    assert xtrace.client().get(ROUTES[0]).status == 405
    open_system = make_xtrace(env={"XTRACE_ALLOW_UNAUTHENTICATED_COMPAT": "1", "XTRACE_PUBLIC_KEY": "",
                                   "XTRACE_SECRET_KEY": ""})
    assert open_system.client(headers={}).post(ROUTES[0], {}).status == 200
    assert open_system.client(headers={}).post(ROUTES[1], {}).status == 401


# OpenTelemetry's own SDK


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_the_opentelemetry_sdk_of_python(xtrace, compression):
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import Status, StatusCode

    provider = TracerProvider(resource=Resource.create({"service.name": "shop", "service.version": "2.1",
                                                        "deployment.environment.name": "Staging"}))
    exporter = OTLPSpanExporter(endpoint=xtrace.url + ROUTES[0], headers=xtrace.auth,
                                compression=Compression(compression))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("shop.tracing", "0.3")
    with tracer.start_as_current_span("checkout", attributes={"user.id": "ada", "session.id": "s-9"}) as root:
        root.set_attribute("langfuse.trace.tags", ["x", "y"])
        with tracer.start_as_current_span("chat gpt-4o") as child:
            child.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o",
                                  "gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 3,
                                  "gen_ai.request.temperature": 0.25, "app.flags": [True, False]})
            child.add_event("retry", {"attempt": 2})
        with pytest.raises(ValueError):
            with tracer.start_as_current_span("pay"):
                raise ValueError("no money")
        root.set_status(Status(StatusCode.OK))
    provider.shutdown()

    trace = read(xtrace, format(root.get_span_context().trace_id, "032x"))
    assert (trace["name"], trace["userId"], trace["sessionId"], trace["tags"]) == ("checkout", "ada", "s-9", ["x", "y"])
    assert (trace["version"], trace["environment"]) == ("2.1", "staging")
    by_name = {observation["name"]: observation for observation in trace["observations"]}
    chat, pay, checkout = by_name["chat gpt-4o"], by_name["pay"], by_name["checkout"]
    assert checkout["id"] == format(root.get_span_context().span_id, "016x")
    assert {chat["parentObservationId"], pay["parentObservationId"]} == {checkout["id"]}
    assert (chat["type"], chat["model"], chat["modelParameters"]) == ("GENERATION", "gpt-4o", {"temperature": 0.25})
    assert chat["usageDetails"] == {"input": 12, "output": 3, "total": 15}
    assert chat["metadata"]["attributes"]["app.flags"] == [True, False]
    assert chat["metadata"]["events"][0]["attributes"] == {"attempt": 2}
    assert (pay["level"], pay["statusMessage"]) == ("ERROR", "ValueError: no money")
    assert pay["metadata"]["events"][0]["attributes"]["exception.type"] == "ValueError"
    assert (checkout["level"], checkout["type"]) == ("DEFAULT", "SPAN")
    assert checkout["metadata"]["scope"]["name"] == "shop.tracing"
