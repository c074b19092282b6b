"""/healthz and /readyz: no credentials; not ready says what is missing."""

import re
import signal
import subprocess

from support.wait import wait_until


def ready_of(system):
    answer = system.client(headers={}).get("/readyz")
    return answer.status, answer.json()


def langfuse_of(system, path):
    answer = system.client(headers={}).get(path)
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert set(body) == {"status", "version"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", body["version"])
    return answer.status, body["status"]


def test_langfuses_health_routes_say_ok_and_the_version(xtrace):
    for path in ("/api/public/health", "/api/public/health?failIfDatabaseUnavailable=true", "/api/public/ready",
                 "/api/public/health?failIfDatabaseUnavailable=false&unknown=1"):
        assert langfuse_of(xtrace, path) == (200, "OK")
    version = subprocess.run([xtrace.program_path("gateway"), "--version"], capture_output=True, text=True).stdout
    assert xtrace.client(headers={}).get("/api/public/health").json()["version"] in version


def test_healthz_is_empty_and_needs_no_credentials(xtrace):
    answer = xtrace.client(headers={}).get("/healthz")
    assert (answer.status, answer.body) == (200, b"")


def test_readyz_says_ready(xtrace):
    assert ready_of(xtrace) == (200, {"status": "ready"})


def test_health_routes_answer_head_without_a_body(xtrace):
    for path in ("/healthz", "/readyz", "/api/public/health", "/api/public/ready"):
        answer = xtrace.client(headers={}).request("HEAD", path)
        assert (answer.status, answer.body) == (200, b"")


def test_readyz_names_the_missing_writer(make_xtrace):
    system = make_xtrace()
    system.kill("writer-1")

    def writer_is_missed():
        status, body = ready_of(system)
        return status == 503 and body["status"] == "not_ready" and "writer" in str(body)

    wait_until(writer_is_missed, 15, "/readyz missing the writer")
    status, text = langfuse_of(system, "/api/public/ready")
    assert status == 503 and "writer" in text.lower()
    assert langfuse_of(system, "/api/public/health?failIfDatabaseUnavailable=true") == (200, "OK")
    assert system.client(headers={}).get("/healthz").status == 200
    system.start("writer-1")
    system.wait_ready()


def test_readyz_names_the_missing_database(own_postgres, make_xtrace):
    system = make_xtrace(on=own_postgres.databases.create())
    own_postgres.stop(signal.SIGQUIT)

    def database_is_missed():
        status, body = ready_of(system)
        text = str(body).lower()
        return status == 503 and body["status"] == "not_ready" and ("database" in text or "postgres" in text)

    wait_until(database_is_missed, 15, "/readyz missing the database")
    for path in ("/api/public/ready", "/api/public/health?failIfDatabaseUnavailable=true"):
        status, text = langfuse_of(system, path)
        assert status == 503 and "database" in text.lower()
    assert langfuse_of(system, "/api/public/health") == (200, "OK")
    assert langfuse_of(system, "/api/public/health?failIfDatabaseUnavailable=false") == (200, "OK")
    own_postgres.start()
    system.wait_ready(60)


def test_every_answer_carries_a_request_id(xtrace):
    client = xtrace.client()
    made = client.get("/healthz").headers["X-Request-Id"]
    assert made and made != client.get("/healthz").headers["X-Request-Id"]
    given = client.get("/api/public/traces", headers={"X-Request-Id": "from-the-caller-1"})
    assert given.headers["X-Request-Id"] == "from-the-caller-1"
