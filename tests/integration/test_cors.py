"""Pages of any origin may call the API: every answer says so, and OPTIONS is answered on every path."""

import http.client

import pytest

from support.records import new_trace

ORIGIN = {"Origin": "https://app.example"}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "authorization,content-type,x-langfuse-sdk-name"}  # fmt: skip
EXPOSED = {"retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-request-id"}


def check_open(answer):
    assert answer.headers.get_all("Access-Control-Allow-Origin") == ["*"]
    exposed = answer.headers["Access-Control-Expose-Headers"].lower().replace(" ", "").split(",")
    assert set(exposed) == EXPOSED
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("path, methods", [
    ("/api/public/traces", {"GET", "HEAD", "POST", "DELETE", "OPTIONS"}),
    ("/api/public/traces/an%2Fid?x=y", {"GET", "HEAD", "DELETE", "OPTIONS"}),
    ("/v1/l/batch", {"POST", "OPTIONS"}),
    ("/api/public/otel/v1/traces", {"POST", "OPTIONS"}),
    ("/api/public/health", {"GET", "HEAD", "OPTIONS"}),
    ("/metrics", {"GET", "HEAD", "OPTIONS"}),
])  # fmt: skip
def test_a_preflight_needs_no_credentials_and_allows_what_the_path_has(xtrace, path, methods):
    answer = xtrace.client(headers={}).request("OPTIONS", path, headers=PREFLIGHT)
    assert (answer.status, answer.body) == (204, b"")
    assert "Content-Length" not in answer.headers
    check_open(answer)
    assert set(answer.headers["Access-Control-Allow-Methods"].split(", ")) == methods
    allowed = {name.strip().lower() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}
    assert {"authorization", "content-type", "x-langfuse-sdk-name"} <= allowed
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


def test_whatever_header_a_page_asks_for_it_may_send(xtrace):
    answer = xtrace.client(headers={}).request(
        "OPTIONS", "/api/public/traces", headers={**PREFLIGHT, "Access-Control-Request-Headers": "x-of-my-own, traceparent"})
    assert answer.headers["Access-Control-Allow-Headers"] == "x-of-my-own, traceparent"
    assert "access-control-request-headers" in answer.headers["Vary"].lower()


def test_options_without_a_preflight_names_the_usual_headers(xtrace):
    answer = xtrace.client(headers={}).request("OPTIONS", "/v1/l/batch")
    assert answer.status == 204
    assert answer.headers["Allow"] == "POST, OPTIONS"
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert "authorization" in allowed and "content-type" in allowed and "idempotency-key" in allowed


def test_the_connection_goes_on_after_options(xtrace):
    connection = xtrace.client().connect()
    for _ in range(3):
        connection.request("OPTIONS", "/v1/l/batch")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (204, b"")
        assert not answer.will_close
    connection.close()


def test_the_preflight_of_an_unknown_path_is_404_in_json(xtrace):
    answer = xtrace.client(headers={}).request("OPTIONS", "/nonsense", headers=PREFLIGHT)
    assert (answer.status, answer.json()["code"]) == (404, "NOT_FOUND")
    check_open(answer)


def test_a_page_may_hear_that_something_is_no_part_of_xtrace(xtrace):
    path = "/api/public/v2/prompts/greeting"
    assert xtrace.client(headers={}).request("OPTIONS", path, headers=PREFLIGHT).status == 204
    assert xtrace.client().request("OPTIONS", path).status == 404


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/healthz", 200), ("HEAD", "/healthz", 200), ("GET", "/api/public/traces", 200),
    ("GET", "/api/public/projects", 200), ("GET", "/nonsense", 404), ("PUT", "/api/public/traces", 405),
    ("GET", "/api/public/traces?page=x", 400), ("GET", "/api/public/traces/unknown", 404), ("POST", "/v1/l/batch", 400),
])  # fmt: skip
def test_every_answer_may_be_read_by_any_origin(xtrace, method, path, status):
    answer = xtrace.client().request(method, path, headers=ORIGIN)
    assert answer.status == status
    check_open(answer)


def test_so_are_refusals_of_credentials_and_of_bodies(xtrace):
    refused = xtrace.client(headers=ORIGIN).get("/api/public/traces")
    assert refused.status == 401
    check_open(refused)
    for head in (b"Content-Length: 99999999999", b"Content-Length: x", b"Transfer-Encoding: gzip", b"Expect: more"):
        answer = xtrace.client().raw(b"POST /v1/l/batch HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")
        assert answer.status in (400, 401, 413, 417)
        check_open(answer)
        answer.json()


def test_a_streamed_answer_is_open_too(xtrace):
    payload = "x" * 200_000
    trace = new_trace(input=payload)
    assert xtrace.client().batch(trace).status == 200
    answer = xtrace.client(headers={**xtrace.auth, **ORIGIN}).get(f"/api/public/traces/{trace['id']}")
    assert answer.headers["Transfer-Encoding"] == "chunked" and answer.json()["input"] == payload
    check_open(answer)


def test_429_says_how_much_there_is_and_when(make_xtrace):
    client = make_xtrace(env={"RATE_LIMIT_QPS": "1", "RATE_LIMIT_BURST": "3"}).client(timeout=20)
    limited = next(answer for answer in (client.get("/api/public/traces") for _ in range(20)) if answer.status == 429)
    check_open(limited)
    assert (limited.headers["X-RateLimit-Limit"], limited.headers["X-RateLimit-Remaining"]) == ("3", "0")
    date = http.client.email.utils.parsedate_to_datetime(limited.headers["Date"]).timestamp()
    assert 0 <= int(limited.headers["X-RateLimit-Reset"]) - date <= 5
    assert int(limited.headers["Retry-After"]) >= 1
