"""Keys of projects: what they open, what they do not, and how they come and go while the gateway runs."""

import pathlib
import re
import threading
import time

import pytest

from support.keys import add_key, add_project, basic, bearer, done
from support.records import new_id, new_observation, new_trace
from support.wait import wait_until
from support.xtrace import PUBLIC_KEY, SECRET_KEY, TOKEN

PROJECTS = "/api/public/projects"
TRACES = "/api/public/traces"


def status(system, headers, path=PROJECTS, method="GET"):
    return system.client(headers=headers).request(method, path, body=b"{}" if method == "POST" else None,
                                                  headers={"Content-Type": "application/json"}).status


def ready_key(system, project, *words):
    """A key that the gateway knows already."""
    key = add_key(system, project, *words)
    wait_until(lambda: status(system, key.basic) in (200, 403), 10, "the new key being known")
    return key


@pytest.fixture(scope="module")
def acme(xtrace):
    add_project(xtrace, "acme", "--name", "Acme Corporation")
    return ready_key(xtrace, "acme")


# What a key opens


def test_a_key_opens_its_project_by_both_schemes(xtrace, acme):
    for headers in (acme.basic, acme.bearer):
        [project] = xtrace.client(headers=headers).get(PROJECTS).json()["data"]
        assert (project["id"], project["name"]) == ("acme", "Acme Corporation")
    [default] = xtrace.client().get(PROJECTS).json()["data"]
    assert default["id"] == "default"
    assert status(xtrace, basic(PUBLIC_KEY, SECRET_KEY)) == 200


def test_data_lands_in_the_keys_project_alone(xtrace, acme):
    client = xtrace.client(headers=acme.basic)
    trace = new_trace(name="ours", projectId="default")
    assert client.batch(trace, [new_observation(trace)]).status == 200
    assert client.get(f"{TRACES}/{trace['id']}").json()["projectId"] == "acme"
    assert xtrace.client().get(f"{TRACES}/{trace['id']}").status == 404
    assert xtrace.database.query("SELECT project_id FROM traces WHERE id = %s", trace["id"]) == [("acme",)]


def wrong_credentials(key):
    return {
        "wrong secret": basic(key.public, key.secret + "x"),
        "no secret": basic(key.public, ""),
        "no public key": basic("", key.secret),
        "swapped": basic(key.secret, key.public),
        "another's secret": basic(key.public, SECRET_KEY),
        "another's public key": basic(PUBLIC_KEY, key.secret),
        "unknown": basic("pk-xt-0", "sk-xt-0"),
        "shorter": bearer(key.secret[:-1]),
        "longer": bearer(key.secret + "0"),
        "other case": bearer(key.secret.upper()),
        "pair as a token": bearer(f"{key.public}:{key.secret}"),
        "digest of it": bearer("%064x" % 0),
    }


def test_wrong_credentials_are_401(xtrace, acme):
    for name, headers in wrong_credentials(acme).items():
        answer = xtrace.client(headers=headers).get(PROJECTS)
        assert (answer.status, answer.json()["code"]) == (401, "UNAUTHORIZED"), name


def test_a_stored_digest_is_no_credential(xtrace, acme):
    digest = xtrace.database.value("SELECT encode(secret_sha256, 'hex') FROM api_keys WHERE public_key = %s", acme.public)
    assert status(xtrace, bearer(digest)) == 401
    assert status(xtrace, basic(acme.public, digest)) == 401


# What it does not


SCOPED = [  # method, path, and the scopes that open it; 0 stands for 400 and above but 401 and 403
    ("GET", PROJECTS, {"read", "ingest"}),
    ("GET", TRACES, {"read"}),
    ("GET", "/api/public/sessions", {"read"}),
    ("GET", "/api/public/metrics/names", {"read"}),
    ("HEAD", TRACES, {"read"}),
    ("POST", "/v1/l/batch", {"ingest"}),
    ("POST", "/api/public/otel/v1/traces", {"ingest"}),
    ("DELETE", TRACES + "/x", set()),
    ("GET", "/metrics", set()),
    ("GET", "/api/internal/rate_limit_stats", set()),
]


@pytest.mark.parametrize("scope", ["read", "ingest", "scores"])
def test_a_weak_key_is_403_where_it_is_too_weak(xtrace, acme, scope):
    key = ready_key(xtrace, "acme", "--scope", scope)
    for method, path, scopes in SCOPED:
        for headers in (key.basic, key.bearer):
            answer = xtrace.client(headers=headers).request(method, path, body=b"{}" if method == "POST" else None,
                                                            headers={"Content-Type": "application/json"})
            assert answer.status == (200 if scope in scopes else 403), (method, path, answer.status)
            if answer.status == 403 and method != "HEAD":
                assert answer.json()["code"] == "FORBIDDEN" and answer.json()["error"] == "ForbiddenError"
                assert answer.json()["message"].startswith("this key may")


def test_scopes_add_up(xtrace, acme):
    key = ready_key(xtrace, "acme", "--scope", "read,ingest")
    assert status(xtrace, key.basic, TRACES) == 200
    assert status(xtrace, key.basic, "/v1/l/batch", "POST") == 200
    assert status(xtrace, key.basic, TRACES + "/x", "DELETE") == 403


def test_a_whole_key_is_not_the_gateways_operator(xtrace, acme):
    assert status(xtrace, acme.basic, TRACES + "/x", "DELETE") == 200
    for path in ("/metrics", "/api/internal/rate_limit_stats"):
        assert status(xtrace, acme.basic, path) == 403
        assert status(xtrace, bearer(TOKEN), path) == 200


def routes_for_projects():
    """(method, path) of gateway/routes.c that need more than a public key."""
    source = (pathlib.Path(__file__).parents[2] / "gateway" / "routes.c").read_text()
    found = re.findall(r'\{\s*"(\w+)",\s*"(/[^"]*)",\s*\w+,\s*(ACCESS_[\w| ]+)', source)
    assert len(found) > 15
    return [(method, re.sub(r"\{\w+\}", "x", path)) for method, path, access in found
            if "ACCESS_OPEN" not in access and "ACCESS_SCORES" not in access]


def test_a_public_key_alone_opens_nothing_but_the_way_of_scores(xtrace, acme):
    for headers in (acme.public_bearer, bearer(PUBLIC_KEY)):
        for method, path in routes_for_projects():
            assert status(xtrace, headers, path, method) == 403, (method, path)
    assert status(xtrace, basic(acme.public, acme.public)) == 401


def test_a_public_key_alone_creates_scores(xtrace, acme):
    for headers, project in ((acme.public_bearer, "acme"), (bearer(PUBLIC_KEY), "default")):
        trace = new_id()
        answer = xtrace.client(headers=headers).post("/api/public/scores", {"traceId": trace, "name": "liked", "value": 1})
        assert answer.status == 200, answer.text
        assert xtrace.database.query("SELECT project_id FROM scores WHERE trace_id = %s", trace) == [(project,)]


# Coming and going


def test_a_revoked_key_is_401_and_the_others_stay(xtrace, acme):
    key = ready_key(xtrace, "acme")
    done(xtrace, "key", "revoke", key.public)
    wait_until(lambda: status(xtrace, key.basic) == 401, 10, "the key being refused")
    assert [status(xtrace, headers) for headers in (key.bearer, key.public_bearer)] == [401, 401]
    assert status(xtrace, acme.basic) == 200


def test_an_expired_key_is_401_without_a_change_of_the_table(xtrace, acme):
    key = ready_key(xtrace, "acme", "--expires", "4s")
    assert status(xtrace, key.basic) == 200
    token = xtrace.database.value("SELECT token FROM access_change")
    wait_until(lambda: status(xtrace, key.basic) == 401, 15, "the key being over")
    assert [status(xtrace, headers) for headers in (key.bearer, key.public_bearer)] == [401, 401]
    assert xtrace.database.value("SELECT token FROM access_change") == token


def test_a_key_that_clients_have_already_is_good(xtrace, acme):
    secret = "sk-lf-from-elsewhere-0123456789"
    key = add_key(xtrace, "acme", "--public-key", "pk-lf-elsewhere", "--secret-stdin", stdin=secret)
    wait_until(lambda: status(xtrace, key.basic) == 200, 10, "the key being known")
    assert status(xtrace, basic("pk-lf-elsewhere", secret)) == 200


class Clients:
    """Threads that write and read without a pause, with whatever headers are the current ones."""

    def __init__(self, system, headers, count=3):
        self.system = system
        self.headers = headers
        self.failed = []
        self.sent = 0
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(count)]

    def run(self):
        while not self.over.is_set():
            client = self.system.client(headers=self.headers)
            trace = new_trace()
            answers = [client.batch(trace), client.get(f"{TRACES}/{trace['id']}"), client.get(PROJECTS)]
            self.failed += [answer.text for answer in answers if answer.status != 200]
            self.sent += len(answers)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def sent_more(clients):
    least = clients.sent + 20
    wait_until(lambda: clients.sent >= least, 30, "requests going on")


def test_keys_are_rotated_under_load_without_a_failed_request(make_xtrace):
    system = make_xtrace()
    add_project(system, "acme")
    old = ready_key(system, "acme")
    pid = system.processes["gateway"].pid
    with Clients(system, old.basic) as clients:
        for _ in range(3):
            sent_more(clients)
            new = ready_key(system, "acme")
            clients.headers = new.basic
            sent_more(clients)  # whoever began with the old one has finished
            done(system, "key", "revoke", old.public)
            wait_until(lambda old=old: status(system, old.basic) == 401, 10, "the old key being refused")
            sent_more(clients)
            old = new
    assert clients.failed == []
    assert system.processes["gateway"].pid == pid and system.running("gateway")


# Without the database


def test_known_keys_stay_known_while_the_database_is_away(make_xtrace, own_postgres):
    system = make_xtrace(on=own_postgres.databases.create())
    add_project(system, "acme")
    key, gone = ready_key(system, "acme"), ready_key(system, "acme")
    own_postgres.stop()
    wait_until(lambda: "keys cannot be read" in system.log("gateway"), 20, "the gateway noticing")
    for headers in (key.basic, gone.bearer, bearer(TOKEN)):
        assert status(system, headers, TRACES) == 503  # known, but there is nothing to read from
    assert status(system, basic(key.public, "wrong"), TRACES) == 401
    own_postgres.start()
    wait_until(lambda: status(system, key.basic, TRACES) == 200, 20, "reads coming back")
    done(system, "key", "revoke", gone.public)
    wait_until(lambda: status(system, gone.basic, TRACES) == 401, 20, "changes being seen again")
    assert status(system, key.basic, TRACES) == 200


def test_a_gateway_that_has_never_seen_the_tables_says_try_again(make_xtrace, own_postgres):
    system = make_xtrace(on=own_postgres.databases.create())
    add_project(system, "acme")
    key = ready_key(system, "acme")
    system.stop("gateway")
    own_postgres.stop()
    system.start("gateway")
    wait_until(lambda: system.client(headers={}).get("/healthz").status == 200, 20, "the gateway listening")
    assert status(system, bearer(TOKEN), TRACES) == 503
    for headers in (key.basic, key.bearer, bearer("unknown")):
        answer = system.client(headers=headers).get(PROJECTS)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")  # it may be good: nobody can tell
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Digest x"}):
        assert status(system, headers) == 401
    answer = system.client().batch(new_trace())
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert system.client(headers={}).get("/readyz").status == 503
    own_postgres.start()
    system.wait_ready()
    assert status(system, key.basic) == 200
    assert status(system, bearer("unknown")) == 401
    assert system.client(headers=key.basic).batch(new_trace()).status == 200


def test_tables_that_are_not_there_yet_are_waited_for(make_xtrace):
    system = make_xtrace(start=False)
    system.database.query("ALTER TABLE access_change RENAME TO not_yet")
    system.start()
    wait_until(lambda: "keys cannot be read" in system.log("gateway"), 20, "the gateway noticing")
    assert status(system, bearer(TOKEN), TRACES) == 200
    assert system.client().batch(new_trace()).status == 503
    assert system.client(headers={}).get("/readyz").json()["database"] == "keys not read yet"
    system.database.query("ALTER TABLE not_yet RENAME TO access_change")
    system.wait_ready()
    assert system.client().batch(new_trace()).status == 200


# What is shown


def test_each_project_has_its_own_numbers(xtrace, acme):
    def received(project):
        text = xtrace.client().get("/metrics").text
        found = re.search(rf'^xtrace_gateway_records_received_total{{project="{project}",kind="trace"}} (\d+)$', text, re.M)
        return int(found[1]) if found else 0

    before = [received("acme"), received("default")]
    assert xtrace.client(headers=acme.basic).batch(new_trace()).status == 200
    assert [received("acme"), received("default")] == [before[0] + 1, before[1]]


def test_rate_limits_are_each_keys_and_stats_name_it_without_its_secret(make_xtrace):
    system = make_xtrace(env={"RATE_LIMIT_QPS": "1", "RATE_LIMIT_BURST": "3"})
    keys = [ready_key(system, "default") for _ in range(2)]
    assert 429 in [status(system, keys[0].basic, TRACES) for _ in range(8)]
    assert status(system, keys[1].basic, TRACES) == 200
    assert 429 in [status(system, keys[1].bearer, TRACES) for _ in range(8)]
    stats = system.client().get("/api/internal/rate_limit_stats")
    names = {entry["token"] for entry in stats.json()["top_rejected_tokens"]}
    assert f"basic:{keys[0].public}" in names
    assert any(re.fullmatch(r"bearer:[0-9a-f]{8}", name) for name in names)
    for key in keys:
        assert key.secret not in stats.text and key.secret[6:14] not in stats.text


def test_no_log_has_a_secret_or_its_digest(make_xtrace):
    system = make_xtrace()
    key = ready_key(system, "default")
    for headers in [key.basic, key.bearer, *wrong_credentials(key).values()]:
        status(system, headers)
    digest = system.database.value("SELECT encode(secret_sha256, 'hex') FROM api_keys")
    encoded = key.basic["Authorization"].split()[1]
    for log in system.logs().values():
        assert log and not any(secret in log for secret in (key.secret, key.secret[6:], digest, encoded))


def test_the_gateways_role_may_not_change_keys(xtrace, acme):
    assert xtrace.database.value("SELECT bool_or(has_table_privilege('xtrace_gateway', t, p)) FROM unnest(ARRAY["
                                 "'api_keys', 'capture', 'access_change']) t, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE',"
                                 " 'TRUNCATE']) p") is False


def test_a_change_is_seen_within_a_few_seconds(xtrace, acme):
    key = add_key(xtrace, "acme")
    began = time.monotonic()
    wait_until(lambda: status(xtrace, key.basic) == 200, 10, "the key being known")
    assert time.monotonic() - began < 5
