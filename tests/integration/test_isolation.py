"""Two projects in one database: nobody reads, changes or deletes what is the other's."""

import json
import urllib.parse

import pytest

from support.keys import add_key, add_project
from support.records import new_observation, new_trace
from support.wait import wait_until

AT = "2026-01-02T03:04:05Z"
READS = [
    "/api/public/traces",
    "/api/public/traces?userId={user}",
    "/api/public/traces?tags=ours",
    "/api/public/traces?runId=run-1",
    "/api/public/metrics/daily?fromTimestamp=2026-01-01T00:00:00Z&toTimestamp=2026-01-03T00:00:00Z",
    "/api/public/observations",
    "/api/public/observations?userId={user}",
    "/api/public/observations?traceId={trace}",
    "/api/public/v2/observations?fields=core,basic,io,trace_context",
    '/api/public/observations?filter=[{{"type":"string","column":"userId","operator":"=","value":"{user}"}}]',
    '/api/public/traces?filter=[{{"type":"number","column":"observationCount","operator":"=","value":1}}]',
    "/api/public/sessions",
    "/api/public/metrics/names",
    "/api/public/metrics/query?name=speed&from=2026-01-02T00:00:00Z&to=2026-01-02T23:00:00Z",
]


class Keyed:
    """A gateway as the holder of one key sees it."""

    def __init__(self, system, project):
        self.system = system
        add_project(system, project)
        self.key = add_key(system, project)

    def client(self):
        return self.system.client(headers=self.key.basic)


def with_keys(system):
    both = [Keyed(system, project) for project in ("ours", "theirs")]
    for each in both:
        wait_until(lambda each=each: each.client().get("/api/public/projects").status == 200, 10, "the key being known")
    return both


@pytest.fixture(params=["a gateway each", "a key each"])
def two(request, make_xtrace):
    """Two projects on one database: one gateway and one writer for each, or one gateway with a key for each."""
    if request.param == "a key each":
        return with_keys(make_xtrace())
    return [make_xtrace(env={"DEFAULT_PROJECT_ID": project}) for project in ("ours", "theirs")]


def store(system, trace, observation):
    client = system.client()
    assert client.batch(trace, [observation]).status == 200
    point = {"name": "speed", "labels": {"of": "a"}, "value": 1.5, "timestamp": AT}
    assert client.post("/v1/metrics/batch", {"metrics": [point]}).status == 200


def test_reads_show_the_credentials_project_only(two):
    ours, theirs = (system.client() for system in two)
    trace = new_trace(timestamp=AT, name="ours", userId="u", sessionId="s", tags=["ours"], metadata={"run_id": "run-1"})
    observation = new_observation(trace, startTime=AT, metadata={"run_id": "run-1"})
    store(two[0], trace, observation)
    for path in READS:
        path = urllib.parse.quote(path.format(user="u", trace=trace["id"]), safe="/?=&,:")
        assert ours.get(path).json()["data"], path
        assert theirs.get(path).json()["data"] == [], path
    for path in (f"/api/public/traces/{trace['id']}", f"/api/public/observations/{observation['id']}", "/api/public/sessions/s", "/api/public/runs/run-1"):
        assert ours.get(path).status == 200, path
        assert theirs.get(path).status == 404, path


def test_one_id_in_two_projects_is_two_records(two):
    ours, theirs = (system.client() for system in two)
    trace = new_trace(timestamp=AT, name="ours")
    observation = new_observation(trace, name="ours", startTime=AT)
    store(two[0], trace, observation)
    store(two[1], {**trace, "name": "theirs", "projectId": "ours"}, {**observation, "name": "theirs", "projectId": "ours"})
    path = f"/api/public/traces/{trace['id']}"
    for client, name in ((ours, "ours"), (theirs, "theirs")):
        found = client.get(path).json()
        assert (found["name"], found["projectId"], [each["name"] for each in found["observations"]]) == (name, name, [name])
    assert theirs.request("DELETE", path).status == 200
    assert theirs.get(path).status == 404
    assert ours.get(path).json()["observations"][0]["name"] == "ours"


def test_models_price_their_own_project_only(two):
    ours, theirs = (system.client() for system in two)
    body = {"modelName": "m", "matchPattern": "^m$", "unit": "TOKENS", "inputPrice": 1}
    made = ours.post("/api/public/models", body).json()
    path = f"/api/public/models/{made['id']}"
    assert ours.get(path).status == 200
    assert theirs.get(path).status == 404
    assert theirs.request("DELETE", path).status == 404
    assert not [model for model in theirs.get("/api/public/models").json()["data"] if not model["isLangfuseManaged"]]
    costs = []
    for system in two:
        trace = new_trace(timestamp=AT)
        observation = new_observation(trace, model="m", promptTokens=5)
        assert system.client().batch(trace, [observation]).status == 200
        costs.append(system.client().get(f"/api/public/traces/{trace['id']}").json()["totalCost"])
        cost = f"/api/public/observations/{observation['id']}/cost"
        assert [other.client().get(cost).status == 200 for other in two] == [other is system for other in two]
    assert costs == [5, None]
    assert theirs.post("/api/public/models", body).status == 200  # the name is free there


def metrics_of(client, view, measures, dimensions=()):
    query = {"view": view, "metrics": [{"measure": measure, "aggregation": "sum"} for measure in measures],
             "dimensions": [{"field": field} for field in dimensions],
             "fromTimestamp": "2026-01-01T00:00:00Z", "toTimestamp": "2026-01-03T00:00:00Z"}  # fmt: skip
    answer = client.get("/api/public/metrics", {"query": json.dumps(query)})
    assert answer.status == 200, answer.text
    return [list(row.values()) for row in answer.json()["data"]]


def test_numbers_of_two_projects_with_the_same_ids_are_not_mixed(two):
    clients = [system.client() for system in two]
    trace = new_trace(timestamp=AT)
    observation = new_observation(trace, startTime=AT)
    for client, name, number in zip(clients, ("ours", "theirs"), (1, 10)):
        step = {**observation, "name": name, "calculatedTotalCost": number}
        more = [new_observation(trace, startTime=AT, name=name, calculatedTotalCost=0) for _ in range(number - 1)]
        assert client.batch({**trace, "name": name}, [step, *more]).status == 200
        score = {"id": "score", "traceId": trace["id"], "observationId": observation["id"], "name": name, "value": number}
        event = {"id": "event", "type": "score-create", "timestamp": AT, "body": {**score, "timestamp": AT}}
        assert client.post("/api/public/ingestion", {"batch": [event]}).json()["errors"] == []
    for client, name, number in zip(clients, ("ours", "theirs"), (1, 10)):
        assert metrics_of(client, "traces", ["count", "observationsCount", "scoresCount", "totalCost"], ["name"]) == [
            [name, 1, number, 1, number]]  # fmt: skip
        assert metrics_of(client, "observations", ["count", "countScores", "totalCost"], ["traceName", "name"]) == [
            [name, name, number, 1, number]]  # fmt: skip
        assert metrics_of(client, "scores-numeric", ["count", "value"], ["traceName", "observationName"])[0][:3] == [
            name, name, 1]  # fmt: skip
