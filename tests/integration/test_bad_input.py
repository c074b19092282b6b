"""Bad bodies: a 4xx that names what and where, neighbours stored, the process unharmed; never a 2xx for
something that is not stored."""

import gzip
import json
import zlib

import pytest

from support.records import new_id, new_observation, new_trace

T0 = "2026-03-01T10:00:00Z"


def refuse(xtrace, body, status=400, headers=None):
    answer = xtrace.client().post("/v1/l/batch", body, headers)
    assert answer.status == status, answer.text
    error = answer.json()
    assert error["code"] == "BAD_REQUEST" or status in (413, 415)
    assert error["message"]
    assert xtrace.client(headers={}).get("/healthz").status == 200
    return error


def stored(xtrace, record):
    return xtrace.client().get(f"/api/public/traces/{record['id']}").status == 200


NOT_JSON = [
    b"", b" ", b"{", b"}", b"[", b'{"trace"', b'{"trace":', b'{"trace":{}', b"{'trace':null}", b"{trace:null}",
    b'{"trace":null,}', b'{"observations":[,]}', b'{"observations":[1 2]}', b"nul", b"{}{}", b"{} x", b'{"a":01}',
    b'{"a":1.}', b'{"a":+1}', b'{"a":.5}', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":"\n"}', b'{"a":"\\x"}',
    b'{"a":"\\u12"}', b'{"a":"', b"\xef\xbb\xbf{}", b"<xml/>", b"trace=1", b'{"a":"\xff"}', b'{"a":"\xc0\x80"}',
    b'{"a":"\xed\xa0\x80"}', b'{"a":"\xf4\x90\x80\x80"}', b"\x00", "{}".encode("utf-16"),
]  # fmt: skip


@pytest.mark.parametrize("body", NOT_JSON, ids=repr)
def test_what_is_not_json_is_400(xtrace, body):
    refuse(xtrace, body)


@pytest.mark.parametrize("body", [b"null", b"[]", b"1", b'"text"', b"true"])
def test_json_that_is_no_object_is_400(xtrace, body):
    refuse(xtrace, body)


@pytest.mark.parametrize("body", [{"trace": 1}, {"trace": []}, {"trace": "x"}, {"observations": {}}, {"observations": 1}])
def test_the_wrong_shape_is_400_and_named(xtrace, body):
    assert next(iter(body)) in json.dumps(refuse(xtrace, body))


def test_bad_json_text_names_the_byte(xtrace):
    message = refuse(xtrace, b'{"trace": nonsense}')["message"]
    assert any(str(number) in message for number in (10, 11))


BAD_TRACE_FIELDS = {
    "id": [1, True, [], {}, "", "x", "not-a-uuid", "00000000-0000-4000-8000-00000000000", None],
    "timestamp": [1, 1.5, True, [], "", "yesterday", "2026-03-01", "2026-03-01T10:00:00", "2026-13-01T10:00:00Z",
                  "2026-02-30T10:00:00Z", "2026-03-01T24:30:00Z", "2026-03-01T10:00:00Z trailing"],
    "name": [1, True, [], {}],
    "userId": [1, [], {}],
    "sessionId": [1, []],
    "tags": ["x", 1, {}, [1], [None], [["a"]]],
    "public": [1, "true", []],
    "latency": ["1", True, []],
    "totalCost": ["1", {}],
    "environment": [1, []],
}  # fmt: skip
BAD_OBSERVATION_FIELDS = {
    "id": [1, "", "x", None],
    "traceId": [1, "", "x", None],
    "startTime": [1, "2026-03-01", "soon"],
    "endTime": [[], "2026-03-01T10:00:00"],
    "promptTokens": ["1", 1.5, True, [], 9223372036854775808],
    "completionTokens": ["x", 0.1],
    "totalTokens": [{}, 1e30],
    "calculatedTotalCost": ["0.1", []],
    "model": [1, {}],
    "level": [1],
    "parentObservationId": [1, "x"],
    "promptVersion": [1.5, True, []],
}  # fmt: skip


def cases(fields):
    return [pytest.param(key, value, id=f"{key}={json.dumps(value)[:30]}") for key, values in fields.items() for value in values]


@pytest.mark.parametrize("key, value", cases(BAD_TRACE_FIELDS))
def test_a_bad_field_of_a_trace_is_named(xtrace, key, value):
    error = refuse(xtrace, {"trace": {**new_trace(), key: value}})
    assert f"trace.{key}" in json.dumps(error)


@pytest.mark.parametrize("key, value", cases(BAD_OBSERVATION_FIELDS))
def test_a_bad_field_of_an_observation_is_named_and_its_neighbours_are_stored(xtrace, key, value):
    trace, neighbour = new_trace(timestamp=T0), new_trace()
    bad = {**new_observation(trace), key: value}
    error = refuse(xtrace, {"trace": trace, "observations": [new_observation(neighbour), bad, new_observation(trace)]})
    assert error["errors"][0]["path"].startswith(f"observations[1].{key}")
    assert error["stored"] == {"traces": 1, "observations": 2}
    assert stored(xtrace, neighbour)
    assert len(xtrace.client().get(f"/api/public/traces/{trace['id']}").json()["observations"]) == 1


def test_a_missing_id_is_named(xtrace):
    assert "trace.id" in json.dumps(refuse(xtrace, {"trace": {"name": "x"}}))
    assert "observations[0].traceId" in json.dumps(refuse(xtrace, {"observations": [{"id": new_id()}]}))


def test_an_observation_that_is_no_object_is_named(xtrace):
    trace = new_trace()
    error = refuse(xtrace, {"trace": trace, "observations": [1, new_observation(trace)]})
    assert error["errors"][0]["path"].startswith("observations[0]")
    assert stored(xtrace, trace)


def test_a_bad_trace_does_not_hurt_its_observations(xtrace):
    other = new_trace()
    error = refuse(xtrace, {"trace": {"id": new_id(), "public": "maybe"}, "observations": [new_observation(other)]})
    assert error["stored"] == {"traces": 0, "observations": 1}
    assert stored(xtrace, other)


def test_many_bad_records_are_counted_and_a_hundred_are_named(xtrace):
    trace = new_trace()
    bad = [new_observation(trace, startTime="never") for _ in range(250)]
    error = refuse(xtrace, {"trace": trace, "observations": bad + [new_observation(trace)]})
    assert "250" in error["message"]
    assert len(error["errors"]) == 100
    assert error["stored"] == {"traces": 1, "observations": 1}


def test_payloads_are_not_echoed(xtrace):
    secret = "do-not-repeat-me"
    error = refuse(xtrace, {"trace": {**new_trace(), "timestamp": secret, "input": secret}})
    assert secret not in json.dumps(error)


@pytest.mark.parametrize("key, size", [("userId", 801), ("sessionId", 801), ("externalId", 801), ("name", 4001), ("version", 4001)])
def test_text_over_its_limit_is_refused_and_at_its_limit_stored(xtrace, key, size):
    assert f"trace.{key}" in json.dumps(refuse(xtrace, {"trace": {**new_trace(), key: "x" * size}}))
    trace = new_trace(**{key: "x" * (size - 1)})
    assert xtrace.client().batch(trace).status == 200
    assert xtrace.client().get(f"/api/public/traces/{trace['id']}").json()[key] == "x" * (size - 1)


def test_tags_have_limits(xtrace):
    refuse(xtrace, {"trace": new_trace(tags=["x" * 801])})
    refuse(xtrace, {"trace": new_trace(tags=[str(n) for n in range(1001)])})
    assert xtrace.client().batch(new_trace(tags=[str(n) for n in range(1000)])).status == 200


@pytest.mark.parametrize("when", ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+23:59",
                                  "9999-12-31T23:59:59-23:59", "1969-12-31T23:59:59Z", "1582-10-10T00:00:00Z"])
def test_absurd_times_are_stored_or_refused_never_an_accident(xtrace, when):
    trace = new_trace(timestamp=when)
    answer = xtrace.client().batch(trace)
    assert answer.status in (200, 400), answer.text
    assert stored(xtrace, trace) == (answer.status == 200)


@pytest.mark.parametrize("number", ["1e308", "-1e308", "1e309", "1e-400", "0." + "1" * 300, "9" * 300, "1e99999999999"])
def test_absurd_numbers_are_stored_or_refused_never_an_accident(xtrace, number):
    made = new_id()
    body = '{"trace":{"id":"%s","latency":%s,"totalCost":%s,"metadata":{"n":%s}}}' % (made, number, number, number)
    answer = xtrace.client().post("/v1/l/batch", body.encode())
    assert answer.status in (200, 400), answer.text
    assert stored(xtrace, {"id": made}) == (answer.status == 200)


@pytest.mark.parametrize("depth, status", [(100, 200), (1_000, 400), (100_000, 400)])
def test_depth_is_bounded(xtrace, depth, status):
    body = b'{"trace":{"id":"%s","input":%s}}' % (new_id().encode(), b"[" * depth + b"]" * depth)
    assert xtrace.client().post("/v1/l/batch", body).status == status


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_another_content_type_is_415(xtrace, content_type):
    answer = xtrace.client().post("/v1/l/batch", b"{}", {"Content-Type": content_type})
    assert answer.status == 415
    assert answer.json()["message"]


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON",
                                          "application/vnd.thing+json"])
def test_json_content_types_are_taken(xtrace, content_type):
    assert xtrace.client().post("/v1/l/batch", b"{}", {"Content-Type": content_type}).status == 200


def test_gzip_is_taken(xtrace):
    trace = new_trace(name="zipped", input="x" * 100_000)
    body = gzip.compress(json.dumps({"trace": trace}).encode())
    assert xtrace.client().post("/v1/l/batch", body, {"Content-Encoding": "gzip"}).status == 200
    assert xtrace.client().get(f"/api/public/traces/{trace['id']}").json()["name"] == "zipped"


@pytest.mark.parametrize("body", [b"{}", b"", b"\x1f\x8b", gzip.compress(b"{}")[:-4], gzip.compress(b"{}") + b"junk",
                                  zlib.compress(b"{}")], ids=range(6))
def test_broken_gzip_is_400(xtrace, body):
    refuse(xtrace, body, headers={"Content-Encoding": "gzip"})


def test_an_unknown_encoding_is_refused(xtrace):
    answer = xtrace.client().post("/v1/l/batch", b"{}", {"Content-Encoding": "br"})
    assert answer.status in (400, 415)
    assert answer.json()["message"]


def test_a_gzip_bomb_is_413_and_memory_stays(xtrace):
    bomb = gzip.compress(b"[" + b" " * 300_000_000 + b"]", 9)
    before = xtrace.rss_kb("gateway")
    refuse(xtrace, bomb, 413, {"Content-Encoding": "gzip"})
    assert xtrace.rss_kb("gateway") - before < 150_000


def test_a_body_over_the_cap_is_413(make_xtrace):
    system = make_xtrace(env={"XTRACE_MAX_REQUEST_BODY_BYTES": "100000"})
    big = json.dumps({"trace": new_trace(input="x" * 100_000)}).encode()
    refuse(system, big, 413)
    trace = new_trace(input="x" * 90_000)
    assert system.client().batch(trace).status == 200
    assert stored(system, trace)


def test_a_chunked_body_is_taken(xtrace):
    trace = new_trace(name="chunked")
    body = json.dumps({"trace": trace}).encode()
    pieces = [body[start : start + 7] for start in range(0, len(body), 7)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    head = (f"POST /v1/l/batch HTTP/1.1\r\nHost: x\r\nAuthorization: {xtrace.auth['Authorization']}\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n").encode()
    assert xtrace.client().raw(head + chunks).status == 200
    assert stored(xtrace, trace)


@pytest.mark.parametrize("data", [b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00", b"x" * 10_000,
                                  b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n"], ids=range(6))
def test_what_is_not_http_harms_nobody(xtrace, data):
    client = xtrace.client(timeout=15)
    with client.socket() as connection:
        connection.sendall(data)
        connection.shutdown(1)
        while connection.recv(65536):
            pass
    assert client.get("/healthz").status == 200


def test_a_client_that_leaves_in_the_middle_harms_nobody(xtrace):
    client = xtrace.client()
    for size in (0, 10, 1000):
        with client.socket() as connection:
            connection.sendall(b"POST /v1/l/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n" + b"x" * size)
    assert client.get("/healthz").status == 200
