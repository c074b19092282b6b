"""xtrace-writer reprice: the prices of now on what is stored."""

import json
import subprocess
import threading

import pytest
from support.records import new_id, new_observation, new_trace
from support.wait import wait_until

ROUTE = "/api/public/models"


@pytest.fixture(scope="module")
def client(xtrace):
    return xtrace.client()


def reprice(system, *words):
    return subprocess.run([system.program_path("writer"), "reprice", *words], env=system.environment("writer-1"), text=True,
                          capture_output=True, timeout=120)


def done(system, *words):
    ended = reprice(system, *words)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def make(client, name, price, **more):
    body = {"modelName": "model-" + new_id(), "matchPattern": f"^{name}$", "unit": "TOKENS", "inputPrice": price, **more}
    answer = client.post(ROUTE, body)
    assert answer.status == 200, answer.text
    return answer.json()["id"]


def send(client, model, time="2026-05-01T10:00:00Z", **more):
    trace = new_trace(timestamp=time)
    observation = new_observation(trace, model=model, startTime=time, **({"promptTokens": 10} | more))
    assert client.batch(trace, [observation]).status == 200
    return observation["id"]


def cost_of(system, observation_id):
    return system.database.query("SELECT computed_total_cost::text, priced_model_id, computed_cost_details::text"
                                 " FROM observations WHERE id = %s", observation_id)[0]


def test_history_gets_the_prices_of_now(xtrace, client):
    name = "m-" + new_id()
    ids = [send(client, name) for _ in range(3)]
    given = send(client, name, calculatedTotalCost=5)
    assert cost_of(xtrace, ids[0]) == (None, None, None)
    model = make(client, name, 0.5)
    before = xtrace.database.value("SELECT updated_at FROM observations WHERE id = %s", ids[0])
    told = done(xtrace, "--model", name, "--dry-run")
    assert told == ("4 observations with a model: 4 would change (3 have a cost now, 0 have none any more,"
                    " 0 have kinds without a price), from about 0.000000 to 15.000000 USD\n")
    assert cost_of(xtrace, ids[0]) == (None, None, None)
    assert done(xtrace, "--model", name).startswith("4 observations with a model: 4 changed (3 have a cost now")
    for observation_id in ids:
        total, by, details = cost_of(xtrace, observation_id)
        assert (total, by, json.loads(details)) == ("5", model, {"input": 5, "total": 5})
    assert cost_of(xtrace, given) == (None, model, None)
    assert xtrace.database.value("SELECT updated_at FROM observations WHERE id = %s", ids[0]) > before
    # Once more changes nothing, nor does anything that the writer would compute otherwise.
    assert "4 observations with a model: 0 changed" in done(xtrace, "--model", name)
    again = send(client, name)
    assert cost_of(xtrace, again)[:2] == ("5", model)
    assert ": 0 changed" in done(xtrace, "--model", name)


def test_a_price_that_has_gone_takes_its_costs_along(xtrace, client):
    name = "m-" + new_id()
    model = make(client, name, 1)
    observation = send(client, name)
    assert cost_of(xtrace, observation)[0] == "10"
    assert client.request("DELETE", f"{ROUTE}/{model}").status == 200
    assert "1 have none any more" in done(xtrace, "--model", name)
    assert cost_of(xtrace, observation) == (None, None, None)


def test_only_what_was_asked_for(xtrace, client):
    name, other = "m-" + new_id(), "m-" + new_id()
    times = ["2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z", "2026-05-03T00:00:00Z", "2026-05-04T00:00:00Z"]
    ids = [send(client, name, time) for time in times]
    others = send(client, other, times[1])
    make(client, name, 1)
    make(client, other, 1)
    done(xtrace, "--model", name, "--from", "2026-05-02", "--to", "2026-05-03T00:00:00Z", "--project", "default")
    assert [cost_of(xtrace, observation)[0] for observation in ids] == [None, "10", "10", None]
    assert cost_of(xtrace, others)[0] is None
    assert done(xtrace, "--project", "nowhere").startswith("0 observations")
    done(xtrace)
    assert [cost_of(xtrace, observation)[0] for observation in [*ids, others]] == ["10"] * 5


def test_tiers_with_conditions_and_start_dates(xtrace, client):
    name = "m-" + new_id()
    small, large = send(client, name), send(client, name, promptTokens=1000)
    flex = send(client, name, modelParameters={"tier": "flex"}, metadata={"a": 1})
    early = send(client, name, "2026-01-01T00:00:00Z")
    tiers = [{"name": "usual", "isDefault": True, "priority": 0, "prices": {"input": 1}},
             {"name": "flex", "isDefault": False, "priority": 1, "prices": {"input": 0.5},
              "conditions": [{"source": "model_parameters", "key": "tier", "operator": "in", "values": ["flex"]}]},
             {"name": "large", "isDefault": False, "priority": 2, "prices": {"input": 2},
              "conditions": [{"usageDetailPattern": "input", "operator": "gte", "value": 1000}]}]
    make(client, name, None, pricingTiers=tiers, startDate="2026-02-01T00:00:00Z")
    done(xtrace, "--model", name)
    assert [cost_of(xtrace, one)[0] for one in (small, large, flex, early)] == ["10", "2000", "5", None]


def test_the_days_follow(make_xtrace):
    system = make_xtrace()
    client = system.client()
    send(client, "m", "2026-05-01T10:00:00Z")

    def day():
        return client.get("/api/public/metrics/daily", {"fromTimestamp": "2026-05-01T00:00:00Z"}).json()["data"][0]["totalCost"]

    wait_until(lambda: system.database.value("SELECT count(*) FROM dirty_days") == 0, 60, "the day being rolled up")
    assert day() == 0
    make(client, "m", 1)
    done(system)
    assert day() == 10
    assert system.database.value("SELECT count(*) FROM dirty_days") > 0


def test_many_pages_beside_running_writers(make_xtrace):
    system = make_xtrace(writers=2)
    client = system.client()
    traces = 12
    for _ in range(traces):
        trace = new_trace()
        assert client.batch(trace, [new_observation(trace, model="m", promptTokens=n) for n in range(500)]).status == 200
    make(client, "m", 1)
    stop, failed = threading.Event(), []

    def write():
        mine = system.client()
        while not stop.is_set():
            trace = new_trace()
            if mine.batch(trace, [new_observation(trace, model="m", promptTokens=n) for n in range(50)]).status != 200:
                failed.append(trace)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    ends = []
    both = [threading.Thread(target=lambda: ends.append(reprice(system))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    stop.set()
    for thread in threads:
        thread.join()
    assert not failed and [end.returncode for end in ends] == [0, 0], [end.stderr for end in ends]
    assert system.database.value("SELECT count(*) FROM observations WHERE computed_total_cost IS DISTINCT FROM prompt_tokens") == 0
    assert system.database.value("SELECT count(*) FROM observations") >= 500 * traces


@pytest.mark.parametrize("words", [["--from", "yesterday"], ["--to", "2026-13-01"], ["--model"], ["--other"], ["everything"]])
def test_wrong_words_are_a_wrong_usage(xtrace, words):
    ended = reprice(xtrace, *words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr
