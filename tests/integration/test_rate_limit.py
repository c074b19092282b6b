"""The query routes have a token bucket for each credential; writes and health checks have none."""

import base64

from support.wait import wait_until
from support.xtrace import PUBLIC_KEY, SECRET_KEY, TOKEN

STATS = "/api/internal/rate_limit_stats"
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


def test_stats_count_and_show_no_secret(make_xtrace):
    system = make_xtrace(env={"RATE_LIMIT_QPS": "1", "RATE_LIMIT_BURST": "5"})
    pair = base64.b64encode(f"{PUBLIC_KEY}:{SECRET_KEY}".encode()).decode()
    basic = system.client(headers={"Authorization": f"Basic {pair}"})
    assert system.client(headers={}).get(STATS).status == 401
    assert system.client().get(STATS).json() == {
        "rate_limit_qps": 1, "rate_limit_burst": 5, "total_allowed": 0, "total_rejected": 0, "rejection_rate": 0,
        "top_rejected_tokens": []}
    statuses = [client.get("/api/public/metrics/names").status for client in [system.client()] * 12 + [basic] * 30]
    answer = system.client().get(STATS)
    stats = answer.json()
    assert (stats["total_allowed"], stats["total_rejected"]) == (statuses.count(200), statuses.count(429))
    assert abs(stats["rejection_rate"] - statuses.count(429) / 42) < 1e-5
    first, second = stats["top_rejected_tokens"]
    assert first == {"token": f"basic:{PUBLIC_KEY}", "count": statuses[12:].count(429)}
    assert second["token"].startswith("bearer:") and second["count"] == statuses[:12].count(429)
    assert TOKEN[:8] not in answer.text and SECRET_KEY not in answer.text
    assert system.client().post(STATS, {}).headers["Allow"] == "GET, HEAD, OPTIONS"


def test_stats_without_a_limit(make_xtrace):
    stats = make_xtrace().client().get(STATS).json()
    assert (stats["rate_limit_qps"], stats["total_allowed"], stats["top_rejected_tokens"]) == (0, 0, [])
