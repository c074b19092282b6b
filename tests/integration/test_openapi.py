"""/api/openapi.json: valid, names every route of routes.c and no other, and is what the running server does."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
from openapi_spec_validator import validate

from support.records import new_observation, new_trace

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LONG = os.environ.get("XTRACE_LONG") == "1"
SECONDS = 3600 if LONG else 150
METHODS = ("get", "put", "post", "delete", "patch")
ROUTE = re.compile(r'\{\s*"([A-Z]+)",\s*"(/[^"]*)",\s*(\w+),\s*([A-Z_ |]+),\s*(true|false),\s*(true|false)\s*\}')


@pytest.fixture(scope="module")
def document(xtrace):
    answer = xtrace.client(headers={}).get("/api/openapi.json")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    return answer.json()


def routes():
    """(path, method) -> (access, rate limited, has a body), of routes.c."""
    found = ROUTE.findall((ROOT / "gateway/routes.c").read_text())
    table = {(path, method.lower()): (access, limited == "true", body == "true") for method, path, _, access, limited, body in found}
    assert len(table) == len(found) > 20
    return table


def operations(document):
    return {(path, method): operation for path, of_path in document["paths"].items()
            for method, operation in of_path.items() if method in METHODS}  # fmt: skip


def test_the_document_is_valid_and_of_this_version(document, xtrace):
    validate(document)
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["version"] == xtrace.client(headers={}).get("/api/public/health").json()["version"]


def test_it_names_every_route_and_no_other(document):
    described, there = set(operations(document)), set(routes())
    assert described - there == set(), "described and not there"
    assert there - described == set(), "there and not described"


def test_it_knows_who_may_call_what_is_limited_and_what_has_a_body(document):
    described = operations(document)
    for route, (access, limited, body) in routes().items():
        operation = described[route]
        statuses = operation["responses"]
        assert (operation["security"] == []) == (access == "ACCESS_OPEN"), route
        assert ("401" in statuses) == (access != "ACCESS_OPEN"), route
        assert not limited or "429" in statuses, route
        assert ("requestBody" in operation) == body, route
        assert ("413" in statuses) == body, route


def test_every_operation_is_complete(document):
    ids = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(ids)) == len(ids)
    for route, operation in operations(document).items():
        assert operation["summary"] and operation["tags"] and operation["responses"], route
        parameters = [*document["paths"][route[0]].get("parameters", []), *operation.get("parameters", [])]
        names = [resolve(document, parameter) for parameter in parameters]
        in_path = {parameter["name"] for parameter in names if parameter["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", route[0])), route
        for parameter in names:
            assert parameter["description"], (route, parameter["name"])
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert "schema" in content, route
    tags = {tag["name"] for tag in document["tags"]}
    assert {tag for operation in operations(document).values() for tag in operation["tags"]} == tags


def resolve(document, value):
    while "$ref" in value:
        *path, last = value["$ref"].removeprefix("#/").split("/")
        within = document
        for step in path:
            within = within[step]
        value = within[last]
    return value


def test_nothing_is_described_in_vain(document):
    text = json.dumps(document)
    for kind, named in document["components"].items():
        for name in named:
            if kind != "securitySchemes":
                assert f'"#/components/{kind}/{name}"' in text, f"{kind}/{name} is used nowhere"


def fill(xtrace):
    """Some of everything, so that reads have something to show."""
    client = xtrace.client()
    for number in range(3):
        trace = new_trace(timestamp="2026-03-01T10:00:00Z", name=f"turn {number}", userId="u", sessionId="s", tags=["a", "b"],
                          metadata={"run_id": "run", "turn_id": number}, input={"question": [number]}, output="text")  # fmt: skip
        observation = new_observation(trace, type="GENERATION", startTime="2026-03-01T10:00:00Z", model="gpt-4o-mini",
                                      endTime="2026-03-01T10:00:01.25Z", promptTokens=12, completionTokens=34, level="ERROR",
                                      completionStartTime="2026-03-01T10:00:00.5Z", calculatedTotalCost=0.25)  # fmt: skip
        assert client.batch(trace, [observation]).status == 200
    points = [{"name": "span_duration", "labels": {"of": str(n % 3)}, "value": n, "timestamp": f"2026-03-01T10:{n:02}:00Z"} for n in range(30)]
    assert client.post("/v1/metrics/batch", {"metrics": points}).status == 200


def test_schemathesis_finds_no_difference_to_the_server(make_xtrace, tmp_path):
    """Every operation with what it describes and with what it rules out: no 5xx; statuses, types and bodies as described."""
    system = make_xtrace()
    fill(system)
    (tmp_path / "schemathesis.toml").write_text((ROOT / "tests/support/schemathesis.toml").read_text())
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "--config-file", tmp_path / "schemathesis.toml", "run",
         f"{system.url}/api/openapi.json", "--header", f"Authorization: {system.auth['Authorization']}",
         "--max-examples", "300" if LONG else "5", "--no-color", "--report", "junit", "--report-junit-path", tmp_path / "junit.xml"],
        cwd=tmp_path, text=True, capture_output=True, timeout=SECONDS * 3)  # fmt: skip
    if (folder := os.environ.get("XTRACE_SCHEMATHESIS_LOG")) is not None:
        pathlib.Path(folder).write_text(done.stdout + done.stderr)
    assert done.returncode == 0, (done.stdout + done.stderr)[-20000:]
    assert system.client(headers={}).get("/readyz").status == 200
