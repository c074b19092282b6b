"""Paths and methods: JSON errors for what is not there, HEAD for what is."""

import pytest

ROUTES = {
    "/healthz": "GET",
    "/readyz": "GET",
    "/v1/l/batch": "POST",
    "/v1/metrics": "POST",
    "/v1/logs": "POST",
    "/metrics": "GET",
    "/api/public/otel/v1/metrics": "POST",
    "/api/public/otel/v1/logs": "POST",
    "/api/public/projects": "GET",
    "/api/public/traces": "GET",
    "/api/public/traces/00000000-0000-4000-8000-000000000000": "GET",
    "/api/public/sessions": "GET",
    "/api/public/sessions/00000000-0000-4000-8000-000000000000": "GET",
    "/api/public/runs/00000000-0000-4000-8000-000000000000": "GET",
    "/api/public/metrics/daily": "GET",
}


@pytest.mark.parametrize("path", ["/", "/nonsense", "/api", "/api/public", "/api/public/tracesX", "/healthz/x",
                                  "/v1/l/batch/x", "/v1/l", "/API/public/traces", "/api/public/traces/a/b"])
def test_unknown_paths_are_404_in_json(xtrace, path):
    answer = xtrace.client().get(path)
    assert answer.status == 404
    assert answer.json()["code"] == "NOT_FOUND"
    assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_405_and_name_the_right_one(xtrace, path, method):
    if method == ROUTES[path] or (method == "DELETE" and path.startswith("/api/public/traces")):
        return
    if (method, path) == ("POST", "/api/public/traces"):
        return  # of old clients of Langfuse
    answer = xtrace.client().request(method, path, body=b"" if method != "GET" else None)
    assert answer.status == 405
    assert ROUTES[path] in answer.headers["Allow"]
    assert set(answer.json()) >= {"message", "code"}


@pytest.mark.parametrize("path", [p for p, method in ROUTES.items() if method == "GET" and not p.endswith("0")])
def test_head_is_get_without_the_body(xtrace, path):
    answer = xtrace.client().request("HEAD", path)
    assert (answer.status, answer.body) == (200, b"")


def test_a_get_may_carry_a_content_type(xtrace):
    answer = xtrace.client().get("/api/public/traces", headers={"Content-Type": "application/json"})
    assert answer.status == 200


def test_projects_show_the_one_project(xtrace):
    body = xtrace.client().get("/api/public/projects").json()
    (project,) = body["data"]
    assert (project["id"], project["name"], project["metadata"]) == ("default", "default", {})
    assert project["createdAt"].endswith("Z") and project["updatedAt"].endswith("Z")


def test_the_project_is_a_setting(make_xtrace):
    system = make_xtrace(env={"DEFAULT_PROJECT_ID": "shop"})
    assert system.client().get("/api/public/projects").json()["data"][0]["id"] == "shop"
    made = "00000000-0000-4000-8000-00000000abcd"
    assert system.client().batch({"id": made, "projectId": "somebody-else"}).status == 200
    trace = system.client().get(f"/api/public/traces/{made}").json()
    assert (trace["projectId"], trace["htmlPath"]) == ("shop", f"/project/shop/traces/{made}")
