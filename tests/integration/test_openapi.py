"""/api/openapi.json: valid, names every route of routes.c and no other, and is what the running server does."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import validate

from support.records import new_observation, new_trace

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LONG = os.environ.get("XTRACE_LONG") == "1"
DEADLINE_S = 4 * 3600 if LONG else 900
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


AT = "2026-03-01T10:00:00Z"
SPAN = {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "00f067aa0ba902b7", "name": "span", "startTimeUnixNano": "1772359200000000000",
        "endTimeUnixNano": "1772359201500000000", "status": {"code": 2, "message": "broke"}, "attributes": [
            {"key": "langfuse.observation.type", "value": {"stringValue": "agent"}},
            {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "12"}}]}  # fmt: skip


def fill(xtrace):
    """Some of everything, so that reads have something to show. Answers id by kind."""
    client = xtrace.client()

    def post(path, body, status=200):
        answer = client.post(path, body)
        assert answer.status == status, answer.text
        return answer.json()

    for number in range(3):
        trace = new_trace(timestamp=AT, name=f"turn {number}", userId="u", sessionId="s", tags=["a", "b"],
                          metadata={"run_id": "run", "turn_id": number}, input={"question": [number]}, output="text")  # fmt: skip
        observation = new_observation(trace, type="GENERATION", startTime=AT, model="gpt-4o-mini",
                                      endTime="2026-03-01T10:00:01.25Z", promptTokens=12, completionTokens=34, level="ERROR",
                                      completionStartTime="2026-03-01T10:00:00.5Z", promptVersion="3")  # fmt: skip
        post("/v1/l/batch", {"trace": trace, "observations": [observation, new_observation(trace, calculatedTotalCost=0.25)]})
    points = [{"name": "span_duration", "labels": {"of": str(n % 3)}, "value": n, "timestamp": f"2026-03-01T10:{n:02}:00Z"} for n in range(30)]
    post("/v1/metrics/batch", {"metrics": points})
    post("/v1/traces", {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "demo"}, "spans": [SPAN]}]}]})
    scores = [{"traceId": trace["id"], "value": 0.5}, {"traceId": trace["id"], "observationId": observation["id"], "value": "good"},
              {"traceId": trace["id"], "value": 1, "dataType": "BOOLEAN"}, {"sessionId": "s", "value": "well done", "dataType": "TEXT"},
              {"datasetRunId": "d", "value": "right", "dataType": "CORRECTION", "metadata": {"by": "me"}, "comment": "c"}]  # fmt: skip
    ids = [post("/api/public/scores", {"name": "quality", **score})["id"] for score in scores]
    model = {"modelName": "mine", "matchPattern": "^mine$", "unit": "TOKENS", "startDate": AT, "pricingTiers": [
        {"name": "usual", "isDefault": True, "priority": 0, "prices": {"input": 0.001, "output": 0.002}},
        {"name": "long", "isDefault": False, "priority": 1, "prices": {"input": 0.01},
         "conditions": [{"usageDetailPattern": "input", "operator": "gt", "value": 100}]}]}  # fmt: skip
    made = post("/api/public/models", model)["id"]
    events = [("trace-create", {"id": "t-1", "timestamp": AT}), ("agent-create", {"id": "o-1", "traceId": "t-1", "startTime": AT}),
              ("generation-create", {"id": "o-2", "traceId": "t-1", "startTime": AT, "model": "mine", "usageDetails": {"input": 500, "other": 1}}),
              ("no-such-type", {})]  # fmt: skip
    post("/api/public/ingestion", {"batch": [{"id": f"e{at}", "type": kind, "timestamp": AT, "body": body}
                                             for at, (kind, body) in enumerate(events)]}, 207)  # fmt: skip
    return {"traces": [trace["id"], SPAN["traceId"], "t-1"], "sessions": ["s"], "runs": ["run"], "scores": ids[:3], "v2/scores": ids,
            "observations": [observation["id"], SPAN["spanId"], "o-1", "o-2"], "models": [made], "media": []}  # fmt: skip


LANGUAGE = {"dimensions": [{"field": "name"}], "metrics": [{"measure": "count", "aggregation": "count"}, {"measure": "value", "aggregation": "histogram"}],
            "timeDimension": {"granularity": "day"}, "fromTimestamp": AT, "toTimestamp": "2026-03-03T00:00:00Z"}  # fmt: skip
QUERIES = {
    "/api/public/metrics": [{"query": json.dumps({**LANGUAGE, "view": "scores-numeric"})}],
    "/api/public/v2/metrics": [{"query": json.dumps({**LANGUAGE, "view": "scores-numeric"})}],
    "/api/public/metrics/query": [{"name": "span_duration", "from": AT, "to": "2026-03-01T11:00:00Z", "group_by": group} for group in ("", "of", "no")],
    "/api/public/metrics/daily": [{"fromTimestamp": AT, "toTimestamp": "2026-03-02T00:00:00Z"}],
    "/api/public/v2/observations": [{}, {"limit": 2}, {"fields": "core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context"}],
    "/api/public/v3/scores": [{}, {"limit": 2}, {"fields": "details,subject,annotation"}],
    "/api/public/traces": [{}, {"fields": "core"}, {"limit": 1}],
}


def check_body(document, operation, answer):
    described = resolve(document, operation["responses"][str(answer.status)])
    content = described.get("content")
    if content is None:
        assert answer.body == b""
    elif "application/json" in content:
        schema = {"components": document["components"], **content["application/json"]["schema"]}
        OAS31Validator(schema, format_checker=oas31_format_checker).validate(answer.json())


def test_answers_about_real_records_are_as_described(make_xtrace):
    """What schemathesis seldom hits upon: records that are there, of every kind."""
    system = make_xtrace()
    ids, client = fill(system), system.client()
    document = client.get("/api/openapi.json").json()
    seen = 0
    for (path, method), operation in operations(document).items():
        if method != "get":
            continue
        collection = path.removeprefix("/api/public/").split("/{id}")[0]
        paths = [path.replace("{id}", each) for each in ids[collection]] if "{id}" in path else [path]
        for each in paths:
            for params in QUERIES.get(path, [{}]):
                answer = client.get(each, params)
                assert answer.status == 200, (each, answer.text)
                check_body(document, operation, answer)
                seen += 1
        if "{id}" in path:
            missing = client.get(path.replace("{id}", "no-such-id"))
            assert missing.status == 404, path
            check_body(document, operation, missing)
    assert seen > 40


def schemas_with_examples(document):
    for route, operation in operations(document).items():
        parameters = [resolve(document, each) for each in operation.get("parameters", [])]
        bodies = [resolve(document, each) for each in operation["responses"].values()]
        places = [operation.get("requestBody", {}), *bodies, *parameters]
        for content in (content for place in places for content in place.get("content", {}).values() if "example" in content):
            yield route, content["schema"], content["example"]
        for parameter in (parameter for parameter in parameters if "example" in parameter and "schema" in parameter):
            yield route, parameter["schema"], parameter["example"]


def test_examples_are_what_they_are_examples_of(document):
    examples = list(schemas_with_examples(document))
    assert len(examples) > 50
    for route, schema, example in examples:
        for error in OAS31Validator({"components": document["components"], **schema}, format_checker=oas31_format_checker).iter_errors(example):
            pytest.fail(f"{route}: {error.message}")


def test_schemathesis_finds_no_difference_to_the_server(make_xtrace, tmp_path):
    """Every operation with what it describes and with what it rules out: no 5xx; statuses, types and bodies as described."""
    system = make_xtrace()
    fill(system)
    (tmp_path / "schemathesis.toml").write_text((ROOT / "tests/support/schemathesis.toml").read_text())
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "--config-file", tmp_path / "schemathesis.toml", "run",
         f"{system.url}/api/openapi.json", "--header", f"Authorization: {system.auth['Authorization']}",
         "--max-examples", "300" if LONG else "5", "--no-color", "--report", "junit", "--report-junit-path", tmp_path / "junit.xml"],
        cwd=tmp_path, text=True, capture_output=True, timeout=DEADLINE_S)  # fmt: skip
    if (folder := os.environ.get("XTRACE_SCHEMATHESIS_LOG")) is not None:
        pathlib.Path(folder).write_text(done.stdout + done.stderr)
    assert done.returncode == 0, (done.stdout + done.stderr)[-20000:]
    assert system.client(headers={}).get("/readyz").status == 200
