"""Who may call: Bearer and Basic, and credentials before everything that could tell a stranger something."""

import base64

import pytest

from support.xtrace import PUBLIC_KEY, SECRET_KEY, TOKEN

PROTECTED = [
    ("GET", "/api/public/projects"),
    ("GET", "/api/public/traces"),
    ("GET", "/api/public/traces/00000000-0000-4000-8000-000000000000"),
    ("GET", "/api/public/metrics/daily"),
    ("POST", "/v1/l/batch"),
]


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def status_with(xtrace, authorization, path="/api/public/projects"):
    return xtrace.client(headers={"Authorization": authorization}).get(path).status


@pytest.mark.parametrize("method, path", PROTECTED)
def test_no_credentials_is_401_with_the_json_error(xtrace, method, path):
    answer = xtrace.client(headers={}).request(method, path)
    assert answer.status == 401
    assert answer.json()["code"] == "UNAUTHORIZED"
    assert answer.json()["message"] == "Unauthorized"
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize(
    "authorization",
    [
        f"Bearer {TOKEN}",
        f"bearer {TOKEN}",
        f"BEARER   {TOKEN}  ",
        basic(PUBLIC_KEY, SECRET_KEY),
        basic(PUBLIC_KEY, SECRET_KEY).replace("Basic", "basic"),
    ],
)
def test_right_credentials_open(xtrace, authorization):
    assert status_with(xtrace, authorization) == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        f"Token {TOKEN}",
        TOKEN,
        basic(PUBLIC_KEY, SECRET_KEY + "x"),
        basic(PUBLIC_KEY, ""),
        basic("", SECRET_KEY),
        basic("", ""),
        "Basic !!!!",
        "Basic " + base64.b64encode(PUBLIC_KEY.encode()).decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
    ],
)
def test_wrong_credentials_do_not(xtrace, authorization):
    assert status_with(xtrace, authorization) == 401


def test_credentials_come_before_parsing(xtrace):
    client = xtrace.client(headers={})
    for path in ("/api/public/traces?page=x", "/api/public/traces?orderBy=nonsense", "/api/public/traces/nonsense"):
        assert client.get(path).status == 401
    assert client.post("/v1/l/batch", b"{not json").status == 401


def test_a_big_body_without_credentials_is_401(xtrace):
    assert xtrace.client(headers={}).post("/v1/l/batch", b"x" * 2_000_000).status == 401


def test_the_open_compat_routes_need_no_credentials_only_without_basic_keys(make_xtrace):
    env = {"XTRACE_ALLOW_UNAUTHENTICATED_COMPAT": "1", "XTRACE_PUBLIC_KEY": "", "XTRACE_SECRET_KEY": ""}
    system = make_xtrace(env=env)
    assert system.client(headers={}).get("/api/public/projects").status == 200
    assert system.client(headers={}).get("/api/public/traces").status == 401
    keyed = make_xtrace(env={"XTRACE_ALLOW_UNAUTHENTICATED_COMPAT": "1"})
    assert keyed.client(headers={}).get("/api/public/projects").status == 401


def test_langfuse_names_of_the_keys_work(make_xtrace):
    env = {"XTRACE_PUBLIC_KEY": "", "XTRACE_SECRET_KEY": "", "LANGFUSE_PUBLIC_KEY": "pk-lf-1",
           "LANGFUSE_SECRET_KEY": "sk-lf-1"}
    assert status_with(make_xtrace(env=env), basic("pk-lf-1", "sk-lf-1")) == 200


@pytest.mark.parametrize("method, path", PROTECTED + [("DELETE", "/api/public/traces/x"), ("GET", "/metrics")])
def test_a_public_key_alone_is_too_weak(xtrace, method, path):
    answer = xtrace.client(headers={"Authorization": f"Bearer {PUBLIC_KEY}"}).request(method, path)
    assert answer.status == 403
    assert answer.json() == {"message": "this key may only create scores", "code": "FORBIDDEN", "error": "ForbiddenError"}
