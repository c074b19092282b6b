"""Requests that two parsers may cut apart differently. Behind a lenient proxy such a request carries a second
one inside, whose answer reaches somebody else. So whatever is ambiguous gets one refusal at most, and the
connection ends: nothing behind it is ever taken for a request."""

import json

import pytest
from raw import exchange

BODY = json.dumps({"trace": {"id": "11111111-1111-4111-8111-111111111111"}, "observations": []}).encode()
INNER = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


def post(stack, lines, body=b"", path=b"/v1/l/batch", version=b"HTTP/1.1", end=b"\r\n"):
    head = [b"POST %s %s" % (path, version), b"Host: x", b"Authorization: " + stack.authorization.encode()]
    head += [b"Content-Type: application/json", *lines]
    return end.join(head) + end * 2 + body


def length(body=BODY):
    return b"Content-Length: %d" % len(body)


# name -> (header lines, body). Behind each stands INNER, as the request that must not be taken for one.
AMBIGUOUS = {
    "length and chunked": ([length(CHUNKED + INNER), b"Transfer-Encoding: chunked"], CHUNKED),
    "chunked and length": ([b"Transfer-Encoding: chunked", length(b"x" * 4)], CHUNKED),
    "two lengths": ([length(), length(BODY + INNER)], BODY),
    "two lengths, the short one second": ([length(BODY + INNER), length()], BODY),
    "list of lengths": ([length() + b", %d" % len(BODY + INNER)], BODY),
    "length with plus": ([b"Content-Length: +%d" % len(BODY)], BODY),
    "length with minus": ([b"Content-Length: -%d" % len(BODY)], BODY),
    "length in hex": ([b"Content-Length: 0x%x" % len(BODY)], BODY),
    "length with blank inside": ([b"Content-Length: %d 0" % len(BODY)], BODY),
    "length with letters": ([b"Content-Length: %dabc" % len(BODY)], BODY),
    "length beyond 64 bits": ([b"Content-Length: 18446744073709551616"], BODY),
    "length that wraps to the body's": ([b"Content-Length: %d" % (2**64 + len(BODY))], BODY),
    "empty length": ([b"Content-Length:"], BODY),
    "blank before the colon": ([b"Content-Length : %d" % len(BODY)], BODY),
    "blank before the colon of chunked": ([length(), b"Transfer-Encoding : chunked"], CHUNKED),
    "unknown coding": ([b"Transfer-Encoding: xchunked"], CHUNKED),
    "unknown coding and length": ([length(), b"Transfer-Encoding: xchunked"], BODY),
    "chunked not last": ([b"Transfer-Encoding: chunked, identity"], CHUNKED),
    "two codings": ([b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"], CHUNKED),
    "chunked twice": ([b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"], CHUNKED),
    "quoted coding": ([b'Transfer-Encoding: "chunked"'], CHUNKED),
    "vertical tab before chunked": ([length(), b"Transfer-Encoding:\x0bchunked"], CHUNKED),
    "folded length": ([b"Content-Length:", b" %d" % len(BODY)], BODY),
    "folded coding": ([length(), b"Transfer-Encoding:", b" chunked"], CHUNKED),
    "folded other header": ([length(), b"X-A: a", b" Transfer-Encoding: chunked"], BODY),
    "line without colon": ([length(), b"nonsense"], BODY),
    "empty name": ([length(), b": x"], BODY),
    "blank line of blanks": ([b" ", length()], BODY),
    "NUL in a value": ([length(), b"X-A: a\0b"], BODY),
    "NUL in a name": ([length(), b"X\0A: b"], BODY),
    "bare CR in a value": ([length(), b"X-A: a\rTransfer-Encoding: chunked"], BODY),
    "bare LF between headers": ([length() + b"\nTransfer-Encoding: chunked"], BODY),
    "chunk size that is none": ([b"Transfer-Encoding: chunked"], b"zz\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "chunk size with minus": ([b"Transfer-Encoding: chunked"], b"-5\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "chunk size with plus": ([b"Transfer-Encoding: chunked"], b"+%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"),
    "chunk size with 0x": ([b"Transfer-Encoding: chunked"], b"0x%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"),
    "chunk size beyond 64 bits": (
        [b"Transfer-Encoding: chunked"], b"1%016x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"),
    "no chunk size": ([b"Transfer-Encoding: chunked"], b"\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "chunk longer than said": ([b"Transfer-Encoding: chunked"], b"%x\r\n" % (len(BODY) - 3) + BODY + b"\r\n0\r\n\r\n"),
    "chunk ended by LF": ([b"Transfer-Encoding: chunked"], b"%x\n" % len(BODY) + BODY + b"\n0\n\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_ambiguous_request_is_refused_and_nothing_behind_it_is_answered(stack, name):
    lines, body = AMBIGUOUS[name]
    seen = exchange(stack.address, post(stack, lines, body) + INNER)
    assert_refused(seen)
    stack.assert_alive()


def assert_refused(seen):
    statuses = [answer.status for answer in seen.answers]
    assert len(statuses) <= 1, f"answers {statuses} to one ambiguous request"
    assert all(400 <= status < 600 for status in statuses), f"took an ambiguous request: {statuses}"
    assert seen.closed, f"went on with the connection after {statuses}"
    assert not seen.rest


def test_bare_line_feeds_are_no_line_ends_or_end_the_connection(stack):
    seen = exchange(stack.address, post(stack, [length()], BODY, end=b"\n") + INNER)
    # RFC 9112 2.2 lets a server take a lone LF as a line end; then it must do so throughout.
    statuses = [answer.status for answer in seen.answers]
    assert statuses in ([200, 200], []) or (len(statuses) == 1 and statuses[0] >= 400 and seen.closed), statuses


def test_chunked_with_http_1_0_is_refused(stack):
    seen = exchange(stack.address, post(stack, [b"Transfer-Encoding: chunked"], CHUNKED, version=b"HTTP/1.0") + INNER)
    assert len(seen.answers) <= 1 and seen.closed


def test_expectations_other_than_continue_do_not_desynchronise(stack):
    seen = exchange(stack.address, post(stack, [length(), b"Expect: 200-ok"], BODY))
    assert len(seen.answers) <= 1


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Big: " + b"a" * 500_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: a\r\n" % i for i in range(5000)) + b"\r\n",
        b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"A" * 1_000_000,
    ],
    ids=["one giant header", "5,000 headers", "giant path", "no line end at all"],
)
def test_giant_heads_are_refused_and_closed(stack, head):
    seen = exchange(stack.address, head + INNER, timeout_s=10)
    assert_refused(seen)
    stack.assert_alive()


@pytest.mark.parametrize(
    "line",
    [
        b"GET  /healthz HTTP/1.1", b"GET /healthz HTTP/1.1 x", b"GET /healthz", b"GET /healthz HTTP/9.9",
        b"GET /healthz http/1.1", b"G\0T /healthz HTTP/1.1", b"/healthz HTTP/1.1", b"GET /health z HTTP/1.1",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)  # fmt: skip
def test_bad_request_lines_get_no_success(stack, line):
    seen = exchange(stack.address, line + b"\r\nHost: x\r\n\r\n")
    assert all(answer.status >= 400 for answer in seen.answers), [a.status for a in seen.answers]
    assert len(seen.answers) <= 1
    stack.assert_alive()


def test_h2c_is_not_spoken(stack):
    """HTTP/2 of this library version is not for untrusted clients (notes on libraries)."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
    seen = exchange(stack.address, preface)
    assert all(answer.status >= 400 for answer in seen.answers) and not seen.rest.startswith(b"\0\0")
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
    seen = exchange(stack.address, b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + upgrade + b"\r\n")
    assert [a.status for a in seen.answers] != [101] and b"HTTP/1.1 101" not in seen.rest


# The other side: what is well formed must pass, or the refusals above prove nothing.


def test_pipelined_requests_are_answered_in_order(stack):
    request = post(stack, [length()], BODY)
    seen = exchange(stack.address, request + INNER + request, quiet_s=2)
    assert [answer.status for answer in seen.answers] == [200, 200, 200]
    assert [len(answer.body) > 0 for answer in seen.answers] == [True, False, True]


def test_chunked_bodies_are_taken(stack):
    pieces = b"".join(b"%x\r\n%s\r\n" % (1, BODY[i : i + 1]) for i in range(len(BODY)))
    seen = exchange(stack.address, post(stack, [b"Transfer-Encoding: chunked"], pieces + b"0\r\n\r\n"), quiet_s=2)
    assert [answer.status for answer in seen.answers] == [200]


def test_a_body_cut_short_is_not_stored(stack):
    seen = exchange(stack.address, post(stack, [b"Content-Length: %d" % (len(BODY) + 1)], BODY), end_sending=True)
    assert all(answer.status >= 400 for answer in seen.answers)
    chunks = b"%x\r\n%s\r\n" % (len(BODY), BODY)  # and no last chunk
    seen = exchange(stack.address, post(stack, [b"Transfer-Encoding: chunked"], chunks), end_sending=True)
    assert all(answer.status >= 400 for answer in seen.answers)
