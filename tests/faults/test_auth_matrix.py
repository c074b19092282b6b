"""No route but /healthz and /readyz says anything without credentials, whatever the method, the credentials'
shape or the path's spelling."""

import base64
import pathlib
import re
import uuid

import pytest
from load import Client, basic, bearer
from support.keys import add_key, add_project
from support.wait import wait_until

# All that may be open; each says no data, and but for the description of the API hardly anything.
OPEN = {"/healthz", "/readyz", "/api/public/health", "/api/public/ready", "/api/openapi.json"}
# Contract section 2; routes.c may have more, and they are tested too.
CONTRACT = {
    "/v1/l/batch": "POST",
    "/v1/metrics/batch": "POST",
    "/api/public/otel/v1/traces": "POST",
    "/api/public/projects": "GET",
    "/api/public/traces": "GET",
    "/api/public/traces/11111111-1111-4111-8111-111111111111": "GET",
    "/api/public/metrics/daily": "GET",
    "/api/public/metrics/query": "GET",
    "/api/public/metrics/names": "GET",
    "/api/internal/rate_limit_stats": "GET",
    "/metrics": "GET",
}


def table():
    """(method, path) of gateway/routes.c, parameters filled in."""
    source = pathlib.Path(__file__).parents[2] / "gateway" / "routes.c"
    found = re.findall(r'\{\s*"(GET|POST|PUT|PATCH|DELETE)",\s*"(/[^"]*)"', source.read_text())
    assert len(found) >= 5, "cannot read the table of routes.c any more"
    return [(method, re.sub(r"\{\w+\}", "x", path)) for method, path in found]


def routes():
    return sorted({(m, p) for m, p in table() if p not in OPEN} | {(m, p) for p, m in CONTRACT.items()})


def wrong_credentials(stack):
    token, public, secret = stack.token, stack.public_key, stack.secret_key
    encoded = base64.b64encode(f"{public}:{secret}".encode()).decode()
    return {
        "none": None,
        "empty": "",
        "scheme only": "Bearer",
        "empty bearer": "Bearer ",
        "wrong bearer": bearer("x" * len(token)),
        "shorter bearer": bearer(token[:-1]),
        "longer bearer": bearer(token + "x"),
        "other case": bearer(token.swapcase()),
        "token without scheme": token,
        "token as Basic": f"Basic {token}",
        "pair as Bearer": f"Bearer {encoded}",
        "secret as Bearer": bearer(secret),
        "public only": basic(public, ""),
        "secret only": basic("", secret),
        "pair swapped": basic(secret, public),
        "wrong secret": basic(public, secret + "x"),
        "wrong public": basic(public + "x", secret),
        "empty pair": basic("", ""),
        "no colon": "Basic " + base64.b64encode(public.encode()).decode(),
        "no base64": "Basic !!!!",
        "NUL behind the secret": basic(public, secret + "\0"),
        "NUL before it": basic(public, "\0" + secret),
        "token as the pair": basic(token, token),
        "giant": "Bearer " + "a" * 20000,
        "other scheme": f"Digest {token}",
        "injection": bearer("' OR '1'='1"),
    }


@pytest.mark.parametrize(("method", "path"), routes())
def test_no_route_answers_without_credentials(stack, method, path):
    stack.seed()
    for name, header in wrong_credentials(stack).items():
        client = Client(stack.address, None, 5)
        answer = client.request(method, path, b"{}" if method == "POST" else None,
                                {"Authorization": header} if header is not None else {})
        client.close()
        allowed = (401,) if (method, path) in table_set() else (401, 404)
        assert answer.status in allowed, f"{name}: {answer.status} {answer.body[:200]!r}"
        assert stack.marker.encode() not in answer.body
        if answer.status == 401:
            assert answer.json()["code"] == "UNAUTHORIZED" and len(answer.body) < 300


def table_set():
    return {(m, p) for m, p in table()} | {("GET", CONTRACT_ID)}


CONTRACT_ID = "/api/public/traces/11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
def test_other_methods_answer_no_data_either(stack, method):
    stack.seed()
    client = Client(stack.address, None, 5)
    for _, path in routes():
        answer = client.request(method, path, None, {})
        # OPTIONS tells browsers what they may ask for.
        allowed = (204,) if method == "OPTIONS" else (401, 404, 405, 501)
        assert answer.status in allowed, (method, path, answer)
        assert stack.marker.encode() not in answer.body
    client.close()


@pytest.mark.parametrize(
    "path",
    ["//api/public/traces", "/api/public/./traces", "/api/public/x/../traces", "/api/public/traces/", "/api//public/traces",
     "/%61pi/public/traces", "/api/public/traces%3F", "/healthz/../api/public/traces", "/healthz/%2e%2e/api/public/traces",
     "/API/PUBLIC/TRACES", "/api/public/traces;x=1", "/healthz/x", "/readyz/..%2fapi/public/traces",
     "/api/public/traces\\", "/healthz?/api/public/traces", "http://x/api/public/traces"],
)  # fmt: skip
def test_spellings_of_a_path_open_nothing(stack, path):
    stack.seed()
    client = Client(stack.address, None, 5)
    answer = client.get(path)
    client.close()
    assert stack.marker.encode() not in answer.body, answer
    assert answer.status in (0, 400, 401, 404, 405) or (answer.status == 200 and len(answer.body) == 0), answer


def test_right_credentials_open_every_read_route(stack):
    stack.seed()
    for header in (bearer(stack.token), basic(stack.public_key, stack.secret_key), f"bearer {stack.token}",
                   f"  Bearer   {stack.token}  "):
        client = Client(stack.address, None, 5)
        for path in ("/api/public/projects", "/api/public/traces", "/api/public/metrics/daily"):
            assert client.request("GET", path, None, {"Authorization": header}).status == 200, (path, header[:8])
        client.close()


@pytest.fixture
def keys(stack):
    """A key that opens a project of its own, and three that no longer or hardly open it."""
    project = "keyed-" + uuid.uuid4().hex
    add_project(stack, project)
    good, revoked, expired, weak = (add_key(stack, project, *words) for words in ([], [], [], ["--scope", "scores"]))
    stack.database.query("UPDATE api_keys SET revoked_at = now() WHERE public_key = %s", revoked.public)
    stack.database.query("UPDATE api_keys SET expires_at = now() WHERE public_key = %s", expired.public)

    def are_known():
        return [status_of(stack, "GET", "/api/public/projects", key.basic) for key in (good, revoked, expired, weak)]

    wait_until(lambda: are_known() == [200, 401, 401, 403], 10, "the keys being known")
    return {"good": good, "revoked": revoked, "expired": expired, "weak": weak}


def status_of(stack, method, path, headers):
    client = Client(stack.address, None, 5)
    answer = client.request(method, path, b"{}" if method == "POST" else None, headers)
    client.close()
    assert stack.marker.encode() not in answer.body, (method, path)
    return answer.status


def test_keys_that_are_over_open_no_route(stack, keys):
    stack.seed()
    for name in ("revoked", "expired"):
        for method, path in table():
            if path not in OPEN:
                for headers in (keys[name].basic, keys[name].bearer, keys[name].public_bearer):
                    assert status_of(stack, method, path, headers) == 401, (name, method, path)


def test_a_key_shows_nothing_of_other_projects(stack, keys):
    stack.seed()
    for method, path in table():
        for headers in (keys["good"].basic, keys["good"].bearer):
            if method != "DELETE":
                assert status_of(stack, method, path, headers) not in (401, 500), (method, path)


def test_a_weak_key_opens_no_read_route(stack, keys):
    stack.seed()
    for method, path in table():
        if method == "GET" and path not in OPEN:
            for headers in (keys["weak"].basic, keys["weak"].bearer, keys["good"].public_bearer):
                assert status_of(stack, method, path, headers) == 403, path


def test_open_routes_say_no_data(stack):
    stack.seed()
    client = Client(stack.address, None, 5)
    for path in OPEN & {path for _, path in table()}:
        answer = client.get(path)
        assert answer.status == 200 and stack.marker.encode() not in answer.body
        assert len(answer.body) < 300 or path.startswith("/api/openapi")
    client.close()
