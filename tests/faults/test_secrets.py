"""Secrets and payloads never reach a log. Both programs run at debug level, see every kind of traffic and every
kind of trouble, and then all that they wrote is searched: their logs, their answers to strangers, what
PostgreSQL logged of their statements, and what the process list shows."""

import json
import pathlib
import signal
import uuid
from urllib.parse import quote

import pytest
from load import Client, basic, bearer
from stack import FAST

PAYLOAD = "payload-marker-7f3a"
NAME = "name-marker-7f3a"
GUESS = "guessed-secret-7f3a"


@pytest.fixture(params=["text", "json"])
def loud(request, loud_in):
    return loud_in(request.param)


@pytest.fixture
def loud_in(stack_of, fragile_postgres):
    """loud_in(log format): a stack at debug level, with a password in DATABASE_URL."""
    fragile_postgres.execute("CHECKPOINT")
    return lambda log_format: stack_of(
        writers=1,
        settings={**FAST, "XTRACE_LOG_LEVEL": "debug", "XTRACE_LOG_FORMAT": log_format},
        database_password="db-password-7f3a",
        postgres=fragile_postgres,
    )


def talk(stack):
    """Everything that a program may want to log: successes, refusals, bad JSON, wrong credentials, faults."""
    record = {
        "trace": {"id": str(uuid.uuid4()), "name": NAME, "input": PAYLOAD, "userId": PAYLOAD, "tags": [PAYLOAD],
                  "metadata": {PAYLOAD: PAYLOAD}},
        "observations": [{"id": str(uuid.uuid4()), "traceId": str(uuid.uuid4()), "input": {"a": PAYLOAD},
                          "output": PAYLOAD, "statusMessage": PAYLOAD}],
    }  # fmt: skip
    bodies = [
        json.dumps(record),
        json.dumps({**record, "observations": [{"id": PAYLOAD, "traceId": PAYLOAD, "startTime": PAYLOAD}]}),
        json.dumps({**record, "trace": {"id": PAYLOAD, "input": PAYLOAD}}),
        json.dumps(record)[:-10],
        f'{{"trace": {PAYLOAD}',
        f'["{PAYLOAD}"',
        json.dumps({"trace": {**record["trace"], "latency": PAYLOAD}}),
        json.dumps({"trace": {**record["trace"], "metadata": {"a": PAYLOAD + "\0"}}}),
    ]
    headers = [stack.authorization, basic(stack.public_key, stack.secret_key), bearer(GUESS), basic(GUESS, GUESS),
               basic(stack.public_key, GUESS), GUESS]  # fmt: skip
    for header in headers:
        client = Client(stack.address, header, 10)
        for body in bodies:
            client.post("/v1/l/batch", body.encode())
        for path in ("/api/public/traces", f"/api/public/traces/{record['trace']['id']}", "/api/public/metrics/daily",
                     "/api/public/projects", "/metrics", f"/api/public/traces?userId={quote(PAYLOAD)}&name={quote(NAME)}",
                     f"/api/public/traces?orderBy={quote(PAYLOAD)}", f"/api/public/traces?page={quote(PAYLOAD)}"):  # fmt: skip
            client.get(path)
        client.close()


def test_no_secret_and_no_payload_is_logged(loud, tmp_path):
    talk(loud)
    # A row that only PostgreSQL refuses: its words may quote the row.
    loud.sql(f"ALTER TABLE traces ADD CONSTRAINT poison CHECK (name IS NULL OR name NOT LIKE '{NAME}%') NOT VALID")
    talk(loud)
    loud.sql("ALTER TABLE traces DROP CONSTRAINT poison")
    # Trouble with the database, in which connection strings like to be printed.
    loud.cluster.stop(signal.SIGQUIT)
    client = Client(loud.address, loud.authorization, 2)
    client.get("/api/public/traces")
    client.post("/v1/l/batch", b'{"trace": {"id": "%s"}}' % str(uuid.uuid4()).encode())
    client.close()
    loud.cluster.start()
    loud.wait_ready()
    talk(loud)
    for program in loud.programs():
        program.stop(signal.SIGTERM)

    secrets = {
        "bearer token": loud.token,
        "secret key": loud.secret_key,
        "database password": "db-password-7f3a",
        "guessed secret": GUESS,
        "payload": PAYLOAD,
        "encoded pair": basic(loud.public_key, loud.secret_key).split()[1],
    }
    found = []
    for program in loud.programs():
        text = pathlib.Path(program.log_path).read_bytes()
        assert len(text) > 1000, f"{program.name} logged next to nothing at debug level"
        for name, secret in secrets.items():
            at = text.find(secret.encode())
            if at >= 0:
                line = text[text.rfind(b"\n", 0, at) + 1 : text.find(b"\n", at)]
                found.append(f"{program.name} logged the {name}: {line[:300]!r}")
    assert not found, "\n".join(found)


def test_secrets_are_in_no_command_line_and_no_answer(loud_in):
    loud = loud_in("text")
    for program in loud.programs():
        line = pathlib.Path(f"/proc/{program.pid}/cmdline").read_bytes()
        for secret in (loud.token, loud.secret_key, "db-password-7f3a"):
            assert secret.encode() not in line
    client = Client(loud.address, loud.authorization, 2)
    loud.cluster.stop(signal.SIGQUIT)
    for path in ("/readyz", "/healthz", "/api/public/traces", "/metrics"):
        answer = client.get(path)
        for secret in (loud.token, loud.secret_key, "db-password-7f3a", loud.dsn):
            assert secret.encode() not in answer.body
    client.close()
    loud.cluster.start()
    loud.wait_ready()
