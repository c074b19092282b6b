"""The query routes have a token bucket for each credential; writes and health checks have none."""

import base64

from support.wait import wait_until
from support.xtrace import PUBLIC_KEY, SECRET_KEY

LIMIT = {"RATE_LIMIT_QPS": "2", "RATE_LIMIT_BURST": "5"}


def test_over_the_burst_is_429_with_when_to_come_back(make_xtrace):
    client = make_xtrace(env=LIMIT).client()
    answers = [client.get("/api/public/traces") for _ in range(12)]
    limited = [answer for answer in answers if answer.status == 429]
    assert 5 <= len(answers) - len(limited) <= 9
    body = limited[0].json()
    assert body["code"] == "TOO_MANY_REQUESTS" and body["message"] == "Too Many Requests" and body["data"] is None
    assert body["meta"]["rate_limit"]["remaining"] == 0 and body["meta"]["rate_limit"]["reset_at"]
    assert int(limited[0].headers["Retry-After"]) >= 1
    wait_until(lambda: client.get("/api/public/traces").status == 200, 5, "the bucket filling again")


def test_credentials_have_buckets_of_their_own_over_all_query_routes(make_xtrace):
    system = make_xtrace(env=LIMIT)
    paths = ["/api/public/traces", "/api/public/metrics/daily", "/api/public/traces/00000000-0000-4000-8000-000000000000"]
    statuses = [system.client().get(paths[i % 3]).status for i in range(15)]
    assert 429 in statuses
    pair = base64.b64encode(f"{PUBLIC_KEY}:{SECRET_KEY}".encode()).decode()
    assert system.client(headers={"Authorization": f"Basic {pair}"}).get(paths[0]).status == 200


def test_writes_projects_and_health_are_not_limited(make_xtrace):
    client = make_xtrace(env=LIMIT).client()
    for _ in range(15):
        assert client.batch().status == 200
        assert client.get("/api/public/projects").status == 200
        assert client.get("/healthz").status == 200


def test_nonsense_in_the_setting_is_the_default(make_xtrace):
    client = make_xtrace(env={"RATE_LIMIT_QPS": "many", "RATE_LIMIT_BURST": "-"}).client()
    assert [client.get("/api/public/traces").status for _ in range(20)] == [200] * 20


def test_strangers_use_up_nobodys_bucket(make_xtrace):
    system = make_xtrace(env=LIMIT)
    stranger = system.client(headers={"Authorization": "Bearer wrong"})
    assert {stranger.get("/api/public/traces").status for _ in range(20)} == {401}
    assert system.client().get("/api/public/traces").status == 200
