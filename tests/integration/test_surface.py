"""What clients meet beside the routes: every answer is JSON, what xtrace does not have is a clean 404, media are answered."""

import base64
import gzip
import hashlib
import json

import pytest

ELSEWHERE = [
    "/api/public/v2/prompts", "/api/public/v2/prompts/greeting?label=production", "/api/public/prompts",
    "/api/public/v2/prompts/folder%2Fname/versions/3", "/api/public/datasets", "/api/public/datasets/d/runs/r",
    "/api/public/v2/datasets/d", "/api/public/dataset-items", "/api/public/dataset-items/1", "/api/public/dataset-run-items",
    "/api/public/score-configs/1", "/api/public/comments", "/api/public/annotation-queues/q/items",
    "/api/public/llm-connections", "/api/public/experiments/e", "/api/public/scim/Users",
    "/api/public/organizations/projects",
]  # fmt: skip


def check_json(answer, status, code):
    assert answer.status == status
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    body = answer.json()
    assert set(body) >= {"message", "code", "error"} and body["code"] == code and body["message"]
    assert answer.headers["X-Request-Id"]
    return body


@pytest.mark.parametrize("path", ELSEWHERE)
def test_what_is_no_part_of_xtrace_is_404_and_says_so(xtrace, path):
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        body = b'{"name":"x"}' if method in ("POST", "PUT", "PATCH") else None
        answer = xtrace.client().request(method, path, body=body, headers={"Content-Type": "application/json"})
        error = check_json(answer, 404, "NOT_FOUND")
        assert error["error"] == "LangfuseNotFoundError"
        assert "not part of xtrace" in error["message"]
    assert xtrace.client().request("HEAD", path).status == 404


@pytest.mark.parametrize("path", ["/", "/nonsense", ELSEWHERE[0]])
def test_paths_come_before_credentials(xtrace, path):
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        check_json(xtrace.client(headers=headers).get(path), 404, "NOT_FOUND")


def test_a_browser_at_the_root_hears_what_this_is(xtrace):
    message = xtrace.client(headers={}).get("/").json()["message"]
    assert "xtrace" in message and "/api/openapi.json" in message


def test_other_methods_are_405_in_json(xtrace):
    for method in ("PUT", "PATCH", "TRACE", "PROPFIND", "get", "FOO"):
        answer = xtrace.client().request(method, "/api/public/traces")
        assert check_json(answer, 405, "METHOD_NOT_ALLOWED")["error"] == "MethodNotAllowedError"
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "DELETE", "OPTIONS"}


@pytest.mark.parametrize("head", [
    b"nonsense\r\n\r\n",
    b"GET /healthz\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nno colon\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nbad name: x\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: \x01\r\n\r\n",
    b"GET /healthz HTTP/7.1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /healthz HTTP/1.1\r\n" + b"".join(b"h%d: x\r\n" % n for n in range(101)) + b"\r\n",
    b"GET /healthz HTTP/1.1\r\nlong: " + b"x" * 450_000,
], ids=lambda head: repr(head[:40]))  # fmt: skip
def test_a_malformed_head_is_400_in_json(xtrace, head):
    answer = xtrace.client(headers={}).raw(head, method="GET")
    check_json(answer, 400, "BAD_REQUEST")
    assert answer.headers["Connection"] == "close"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert xtrace.client(headers={}).get("/healthz").status == 200


def test_a_head_that_comes_in_pieces_is_read_as_one(xtrace):
    with xtrace.client().socket() as connection:
        for byte in b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":
            connection.sendall(bytes([byte]))
        assert connection.makefile("rb").readline() == b"HTTP/1.1 200 OK\r\n"


def test_broken_bodies_are_json_too(xtrace):
    for head, status, code in (
        (b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde", 400, "BAD_REQUEST"),
        (b"Content-Length: x\r\n\r\n", 400, "BAD_REQUEST"),
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "BAD_REQUEST"),
        (b"Transfer-Encoding: gzip\r\n\r\n", 400, "BAD_REQUEST"),
        (b"Expect: something\r\nContent-Length: 1\r\n\r\nx", 417, "BAD_REQUEST"),
        (b"Content-Length: 99999999999\r\n\r\n", 413, "PAYLOAD_TOO_LARGE"),
    ):
        answer = xtrace.client().raw(b"POST /v1/l/batch HTTP/1.1\r\nHost: x\r\n" + head)
        check_json(answer, status, code)


# Projects


def test_a_project_is_as_both_generations_of_clients_want_it(make_xtrace):
    system = make_xtrace(env={"DEFAULT_PROJECT_ID": "shop"})
    (project,) = system.client().get("/api/public/projects").json()["data"]
    assert (project["id"], project["name"], project["metadata"]) == ("shop", "shop", {})
    assert set(project["organization"]) == {"id", "name"} and all(project["organization"].values())
    assert project["createdAt"].endswith("Z") and project["updatedAt"].endswith("Z")
    assert "retentionDays" not in project
    system.database.query("INSERT INTO retention VALUES ('shop', 'traces', 30), ('shop', 'metrics', 7), ('other', 'traces', 9)")
    (project,) = system.client().get("/api/public/projects").json()["data"]
    assert project["retentionDays"] == 30


# Media

CONTENT = b"\x89PNG and so on \xff\xfe"
HASH = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
MEDIUM = {"traceId": "t", "observationId": "o", "field": "input", "contentType": "image/png",
          "contentLength": len(CONTENT), "sha256Hash": HASH}  # fmt: skip


def test_media_count_as_stored_already(xtrace):
    for content in (b"", CONTENT, *(bytes([n]) for n in range(40))):
        digest = hashlib.sha256(content).digest()
        medium = {**MEDIUM, "sha256Hash": base64.b64encode(digest).decode()}
        answer = xtrace.client().post("/api/public/media", medium)
        assert answer.status in (200, 201)
        assert answer.json() == {"mediaId": base64.urlsafe_b64encode(digest).decode()[:22], "uploadUrl": None}


def test_media_may_lack_an_observation_come_compressed_and_have_more_members(xtrace):
    for body in ({**MEDIUM, "observationId": None}, {key: MEDIUM[key] for key in MEDIUM if key != "observationId"},
                 {**MEDIUM, "further": [1]}, {**MEDIUM, "field": "output"}, {**MEDIUM, "contentLength": 12.0}, {**MEDIUM, "field": "metadata"}):
        assert xtrace.client().post("/api/public/media", body).status == 200
    zipped = gzip.compress(json.dumps(MEDIUM).encode())
    assert xtrace.client().post("/api/public/media", zipped, {"Content-Encoding": "gzip"}).status == 200


@pytest.mark.parametrize("key, values", [
    ("traceId", [None, "", 1, [], "x" * 801]), ("observationId", [1, "x" * 801]), ("field", [None, "", "x", "INPUT", 1]),
    ("contentType", [None, "", 7, "x" * 801]), ("contentLength", [None, 0, -1, 1.5, "12", 1e300]),
    ("sha256Hash", [None, "", "x", HASH[:-1], HASH + "=", HASH[:-2] + "==", "ü" * 22, "!" + HASH[1:], 5]),
])  # fmt: skip
def test_bad_media_are_400_and_name_the_member(xtrace, key, values):
    for value in values:
        error = check_json(xtrace.client().post("/api/public/media", {**MEDIUM, key: value}), 400, "BAD_REQUEST")
        assert key in error["message"]
    missing = {name: MEDIUM[name] for name in MEDIUM if name != key}
    assert xtrace.client().post("/api/public/media", missing).status == (200 if key == "observationId" else 400)


def test_bad_bodies_of_media(xtrace):
    for body in (b"", b"{", b"[]", b"1", b'{"traceId":"\xff"}', b"[" * 1000):
        check_json(xtrace.client().post("/api/public/media", body), 400, "BAD_REQUEST")
    check_json(xtrace.client().post("/api/public/media", MEDIUM, {"Content-Type": "text/plain"}), 415, "UNSUPPORTED_MEDIA_TYPE")
    check_json(xtrace.client().post("/api/public/media", {**MEDIUM, "x": "x" * 100_000}), 413, "PAYLOAD_TOO_LARGE")
    check_json(xtrace.client().post("/api/public/media", gzip.compress(b" " * 10**6), {"Content-Encoding": "gzip"}), 413,
               "PAYLOAD_TOO_LARGE")  # fmt: skip
    assert xtrace.client(headers={}).post("/api/public/media", MEDIUM).status == 401


def test_no_medium_is_kept(xtrace):
    made = xtrace.client().post("/api/public/media", MEDIUM).json()["mediaId"]
    check_json(xtrace.client().get(f"/api/public/media/{made}"), 404, "NOT_FOUND")
    sent = {"uploadedAt": "2026-01-01T00:00:00Z", "uploadHttpStatus": 200}
    answer = xtrace.client().request("PATCH", f"/api/public/media/{made}", body=json.dumps(sent).encode(),
                                     headers={"Content-Type": "application/json"})  # fmt: skip
    check_json(answer, 404, "NOT_FOUND")
