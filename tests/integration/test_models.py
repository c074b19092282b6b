"""Models: the built-in prices, and a project's own."""

import json
import uuid
from decimal import Decimal

import pytest
from support.records import new_observation, new_trace
from support.wait import wait_until

ROUTE = "/api/public/models"


@pytest.fixture(scope="module")
def client(xtrace):
    return xtrace.client()


# ---- built-in prices ----


def matches(xtrace, name):
    return [row[0] for row in xtrace.database.query(
        "SELECT model_name FROM models WHERE project_id = '' AND deleted_at IS NULL AND %s ~ match_pattern", name)]


def test_every_built_in_model_matches_its_own_name_and_no_other(xtrace):
    names = [row[0] for row in xtrace.database.query("SELECT model_name FROM models WHERE project_id = ''")]
    assert len(names) > 150 and len(set(names)) == len(names)
    for name in names:
        for spelling in (name, name.upper(), "some-router/" + name):
            assert matches(xtrace, spelling) == [name]


@pytest.mark.parametrize("spelling, name", [
    ("openai/gpt-4o-2024-08-06", "gpt-4o"),
    ("gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
    ("azure:gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
    ("azure/gpt-35-turbo", "gpt-3.5-turbo"),
    ("gpt-4-0613", "gpt-4"),
    ("gpt-4-turbo-2024-04-09", "gpt-4-turbo"),
    ("gpt-5-2025-08-07", "gpt-5"),
    ("gpt-5.1-codex-max", "gpt-5.1"),
    ("o4-mini-2025-04-16", "o4-mini"),
    ("gpt-4o-audio-preview-2025-06-03", "gpt-4o-audio-preview"),
    ("anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet"),
    ("bedrock/eu.anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku"),
    ("anthropic/claude-3.7-sonnet:thinking", "claude-3-7-sonnet"),
    ("claude-3-5-haiku-latest", "claude-3-5-haiku"),
    ("claude-opus-4-20250514", "claude-opus-4"),
    ("claude-opus-4-1-20250805", "claude-opus-4-1"),
    ("claude-opus-4-6", "claude-opus-4-5"),
    ("claude-haiku-4-5@20251001", "claude-haiku-4-5"),
    ("models/gemini-2.5-flash", "gemini-2.5-flash"),
    ("google/gemini-2.5-flash-lite-preview-09-2025", "gemini-2.5-flash-lite"),
    ("publishers/google/models/gemini-2.0-flash-001", "gemini-2.0-flash"),
    ("gemini-2.5-pro-preview-05-06", "gemini-2.5-pro"),
    ("gemini-1.5-pro-002", "gemini-1.5-pro"),
    ("gemini-flash-latest", "gemini-2.5-flash"),
    ("gemini-3-pro-preview", "gemini-3-pro"),
    ("mistral/mistral-large-latest", "mistral-large-latest"),
    ("mistral-small-2603", "mistral-small-latest"),
    ("deepseek/deepseek-chat", "deepseek-chat"),
    ("groq/llama-3.3-70b-versatile", "llama-3.3-70b-versatile"),
    ("together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
    ("us.meta.llama4-scout-17b-instruct-v1:0", "meta.llama4-scout-17b-instruct-v1:0"),
    ("qwen-plus-2025-07-28", "qwen-plus"),
    ("cohere/command-r-plus-08-2024", "command-r-plus-08-2024"),
    ("cohere/embed-multilingual-v3.0", "embed-english-v3.0"),
    ("text-embedding-ada-002-v2", "text-embedding-ada-002"),
])  # fmt: skip
def test_spellings_of_users_match(xtrace, spelling, name):
    assert matches(xtrace, spelling) == [name]


@pytest.mark.parametrize("name", ["gpt-4o-custom", "my-gpt-4o", "ft:gpt-4o-2024-08-06:org::id", "gemini-2.5-flash-preview-tts",
                                  "gpt-4o\n", "", "claude", "llama-3.3-70b", "gpt-4o:free"])  # fmt: skip
def test_what_is_another_model_does_not_match(xtrace, name):
    assert matches(xtrace, name) == []


def test_the_prices_of_a_row_are_positive_and_cover_what_ingest_makes(xtrace):
    for name, tiers in xtrace.database.query("SELECT model_name, pricing_tiers FROM models WHERE project_id = ''"):
        assert [tier["isDefault"] for tier in tiers] == [True] + [False] * (len(tiers) - 1)
        for tier in tiers:
            prices = tier["prices"]
            assert prices and all(0 < price < 0.001 for price in prices.values()), name
            assert ("output" in prices) != ("total" in prices), name
            for one, other in (("output_reasoning_tokens", "output_reasoning"), ("input", "input_tokens"),
                               ("input_cached_tokens", "cache_read_input_tokens"),
                               ("input_cache_creation", "cache_creation_input_tokens")):
                assert prices.get(one) == prices.get(other), name
            assert prices.get("output_reasoning_tokens", 1) >= prices.get("output", 0), name
            assert prices.get("input_cached_tokens", 0) < prices["input"], name


# ---- a project's own ----


def body_of(name, **more):
    return {"modelName": name, "matchPattern": f"(?i)^{name}$", "unit": "TOKENS", **more}


def flat(name, **more):
    return body_of(name, **({"inputPrice": 1, "outputPrice": 2} | more))


def new_name():
    return "model-" + uuid.uuid4().hex


def make(client, body):
    answer = client.post(ROUTE, body)
    assert answer.status == 200, answer.text
    return answer.json()


def delete(client, model_id):
    return client.request("DELETE", f"{ROUTE}/{model_id}")


def cost(xtrace, client, model, **usage):
    """What the next observation of the model costs, and by which row and tier."""
    trace = new_trace()
    values = {"promptTokens": 10, "completionTokens": 1} | usage
    assert client.batch(trace, [new_observation(trace, model=model, **values)]).status == 200
    rows = xtrace.database.query("SELECT computed_total_cost::text, priced_model_id, pricing_tier_name FROM observations"
                                 " WHERE trace_id = %s", trace["id"])
    return rows[0]


def test_a_model_prices_what_comes_after_the_answer(xtrace, client):
    name = new_name()
    assert cost(xtrace, client, name) == (None, None, None)
    made = make(client, flat(name, inputPrice=0.5, outputPrice=1e-3))
    assert cost(xtrace, client, name) == ("5.001", made["id"], "Standard")


def test_a_model_is_shown_as_it_was_made(client):
    made = make(client, flat(new_name(), startDate="2026-01-01T02:00:00.5+02:00", tokenizerId="openai",
                             tokenizerConfig={"tokensPerName": 1}))
    assert made["startDate"] == "2026-01-01T00:00:00.500Z"
    assert made["prices"] == {"input": {"price": 1}, "output": {"price": 2}}
    assert (made["inputPrice"], made["outputPrice"], made["totalPrice"]) == (1, 2, None)
    assert (made["isLangfuseManaged"], made["tokenizerId"], made["unit"]) == (False, "openai", "TOKENS")
    (tier,) = made["pricingTiers"]
    assert (tier["name"], tier["isDefault"], tier["priority"], tier["conditions"]) == ("Standard", True, 0, [])
    assert tier["prices"] == {"input": 1, "output": 2}
    answer = client.get(f"{ROUTE}/{made['id']}")
    assert (answer.status, answer.json()) == (200, made)
    assert answer.json().keys() == made.keys()
    assert client.get(ROUTE).json()["data"][0] == made


def test_a_date_alone_is_a_start_date(client):
    assert make(client, flat(new_name(), startDate="2026-01-01"))["startDate"] == "2026-01-01T00:00:00Z"


def test_a_total_price_is_the_price_of_all(xtrace, client):
    name = new_name()
    made = make(client, body_of(name, totalPrice=3))
    assert made["prices"] == {"total": {"price": 3}}
    assert cost(xtrace, client, name, totalTokens=11)[0] == "33"


def test_lists_show_own_ones_first_and_every_one_once(client):
    name = new_name()
    make(client, flat(name))
    seen, page = [], 1
    while True:
        answer = client.get(ROUTE, {"page": page, "limit": 100}).json()
        seen += [(model["isLangfuseManaged"], model["id"]) for model in answer["data"]]
        if page >= answer["meta"]["totalPages"]:
            break
        page += 1
    assert len(seen) == len(set(seen)) == answer["meta"]["totalItems"] > 150
    assert [managed for managed, _ in seen] == sorted(managed for managed, _ in seen)
    built_in = client.get(f"{ROUTE}/built-in-gpt-4o").json()
    assert (built_in["modelName"], built_in["isLangfuseManaged"]) == ("gpt-4o", True)
    assert (built_in["inputPrice"], built_in["prices"]["output"]) == (0.0000025, {"price": 0.00001})
    assert client.get(f"{ROUTE}/nowhere").status == 404


def test_own_models_come_before_built_in_ones(xtrace, client):
    made = make(client, {**flat(new_name()), "matchPattern": "^gpt-4o-2024-11-20$"})
    assert cost(xtrace, client, "gpt-4o-2024-11-20") == ("12", made["id"], "Standard")
    assert delete(client, made["id"]).status == 200
    assert cost(xtrace, client, "gpt-4o-2024-11-20")[1] == "built-in-gpt-4o"


def test_a_deleted_model_prices_nothing_any_more(xtrace, client):
    name = new_name()
    made = make(client, flat(name))
    assert cost(xtrace, client, name)[0] == "12"
    answer = delete(client, made["id"])
    assert (answer.status, answer.json()) == (200, {"message": "Model successfully deleted"})
    assert cost(xtrace, client, name) == (None, None, None)
    assert client.get(f"{ROUTE}/{made['id']}").status == 404
    assert delete(client, made["id"]).status == 404
    make(client, flat(name))  # its name is free again
    assert cost(xtrace, client, name)[0] == "12"


def test_built_in_and_unknown_models_cannot_be_deleted(client):
    for model_id in ("built-in-gpt-4o", "nowhere", "x" * 801, "%00", "a%2Fb"):
        answer = delete(client, model_id)
        assert (answer.status, answer.json()["code"]) == (404, "NOT_FOUND")


def test_the_latest_start_date_that_has_begun_counts(xtrace, client):
    name = new_name()
    for price, start in ((1, None), (2, "2026-02-01T00:00:00Z"), (3, "2026-03-01T00:00:00Z")):
        make(client, {**body_of(new_name()), "matchPattern": f"^{name}$", "startDate": start, "inputPrice": price})
    for time, wanted in (("2026-01-31T23:59:59.999Z", "10"), ("2026-02-01T00:00:00Z", "20"), ("2026-04-01T00:00:00Z", "30")):
        assert cost(xtrace, client, name, startTime=time, completionTokens=None)[0] == wanted
    assert cost(xtrace, client, name, completionTokens=None)[0] == "30"


def test_another_writer_notices_at_once(make_xtrace):
    system = make_xtrace(writers=3)
    client = system.client()
    name = new_name()
    for price in range(1, 6):
        made = make(client, body_of(name, inputPrice=price))
        for _ in range(10):
            assert cost(system, client, name, completionTokens=None)[0] == str(10 * price)
        assert delete(client, made["id"]).status == 200
        assert cost(system, client, name)[0] is None


# ---- tiers ----

USAGE_TIER = {"name": "long", "isDefault": False, "priority": 2, "prices": {"input": 5},
              "conditions": [{"usageDetailPattern": "^INPUT", "operator": "gt", "value": 100}]}  # fmt: skip
FLEX_TIER = {"name": "flex", "isDefault": False, "priority": 1, "prices": {"input": 0.5},
             "conditions": [{"source": "model_parameters", "key": "service_tier", "operator": "in", "values": ["flex", "batch"]},
                            {"source": "metadata", "key": "region", "operator": "in", "values": ["eu"]}]}  # fmt: skip
DEFAULT_TIER = {"name": "usual", "isDefault": True, "priority": 0, "conditions": [], "prices": {"input": 1}}


def test_tiers_look_at_usage_parameters_and_metadata(xtrace, client):
    name = new_name()
    made = make(client, body_of(name, pricingTiers=[USAGE_TIER, DEFAULT_TIER, FLEX_TIER]))
    assert [tier["name"] for tier in made["pricingTiers"]] == ["usual", "flex", "long"]
    assert made["pricingTiers"][2]["conditions"] == [USAGE_TIER["conditions"][0] | {"caseSensitive": False}]
    both = {"modelParameters": {"service_tier": "flex"}, "metadata": {"region": "eu"}}
    for usage, wanted in (({}, ("10", "usual")), ({"promptTokens": 101}, ("505", "long")), (both, ("5", "flex")),
                          ({**both, "promptTokens": 101}, ("50.5", "flex")),
                          ({"modelParameters": {"service_tier": "flex"}}, ("10", "usual")),
                          ({**both, "modelParameters": {"service_tier": "FLEX"}}, ("10", "usual"))):
        total, _, tier = cost(xtrace, client, name, completionTokens=None, **usage)
        assert (total, tier) == wanted


def test_what_a_tier_looks_at_may_come_later(xtrace, client):
    name = new_name()
    make(client, body_of(name, pricingTiers=[DEFAULT_TIER, FLEX_TIER]))
    pieces = [{"model": name, "promptTokens": 10}, {"metadata": {"region": "eu"}}, {"modelParameters": {"service_tier": "batch"}}]
    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)):
        trace = new_trace()
        observation = new_observation(trace)
        for i in order:
            assert client.batch(trace, [observation | pieces[i]]).status == 200
        assert xtrace.database.value("SELECT computed_total_cost::text || pricing_tier_name FROM observations"
                                     " WHERE trace_id = %s", trace["id"]) == "5flex"


# ---- refusals ----

USAGE = {"usageDetailPattern": "input", "operator": "gt", "value": 1}
IN = {"source": "metadata", "key": "k", "operator": "in", "values": ["v"]}


def tiers(*conditions, **more):
    return {"pricingTiers": [DEFAULT_TIER, {**USAGE_TIER, "conditions": list(conditions), **more}]}


@pytest.mark.parametrize("body, field", [
    ([], "the body is not an object"),
    ({"modelName": None}, "modelName"),
    ({"modelName": ""}, "modelName"),
    ({"modelName": 7}, "modelName"),
    ({"modelName": "x" * 801}, "modelName"),
    ({"matchPattern": None}, "matchPattern"),
    ({"matchPattern": "("}, "matchPattern"),
    ({"matchPattern": "[a"}, "matchPattern"),
    ({"matchPattern": "x" * 1001}, "matchPattern"),
    ({"unit": None}, "unit"),
    ({"unit": "tokens"}, "unit"),
    ({"startDate": "yesterday"}, "startDate"),
    ({"startDate": "2026-02-30"}, "startDate"),
    ({"tokenizerId": "other"}, "tokenizerId"),
    ({"inputPrice": None, "outputPrice": None}, "pricingTiers"),
    ({"inputPrice": -1}, "inputPrice"),
    ({"inputPrice": "1"}, "inputPrice"),
    ({"inputPrice": 1e10}, "inputPrice"),
    ({"outputPrice": 1e-40}, "outputPrice"),
    ({"totalPrice": 1}, "totalPrice"),
    ({**tiers(USAGE)}, "pricingTiers"),  # and flat prices too
    ({"pricingTiers": [], "flat": 0}, "pricingTiers"),
    ({"pricingTiers": {}, "flat": 0}, "pricingTiers"),
    ({"pricingTiers": [1], "flat": 0}, "pricingTiers[0]"),
    ({"pricingTiers": [DEFAULT_TIER, DEFAULT_TIER | {"name": "n", "priority": 1}], "flat": 0}, "pricingTiers[1].priority"),
    ({"pricingTiers": [USAGE_TIER], "flat": 0}, "pricingTiers"),
    ({"pricingTiers": [DEFAULT_TIER | {"priority": 1}], "flat": 0}, "pricingTiers[0].priority"),
    ({"pricingTiers": [DEFAULT_TIER | {"conditions": [USAGE]}], "flat": 0}, "pricingTiers[0].conditions"),
    ({"pricingTiers": [DEFAULT_TIER | {"prices": {}}], "flat": 0}, "pricingTiers[0].prices"),
    ({"pricingTiers": [DEFAULT_TIER | {"prices": {"input": -1}}], "flat": 0}, "pricingTiers[0].prices"),
    ({"pricingTiers": [DEFAULT_TIER | {"name": ""}], "flat": 0}, "pricingTiers[0].name"),
    ({**tiers(USAGE, name="usual"), "flat": 0}, "pricingTiers[1].name"),
    ({**tiers(USAGE, priority=0), "flat": 0}, "pricingTiers[1].priority"),
    ({**tiers(USAGE, priority=1.5), "flat": 0}, "pricingTiers[1].priority"),
    ({**tiers(), "flat": 0}, "pricingTiers[1].conditions"),
    ({**tiers({}), "flat": 0}, "pricingTiers[1].conditions[0].usageDetailPattern"),
    ({**tiers(USAGE | {"usageDetailPattern": "("}), "flat": 0}, "usageDetailPattern"),
    ({**tiers(USAGE | {"operator": "in"}), "flat": 0}, "pricingTiers[1].conditions[0].operator"),
    ({**tiers(USAGE | {"value": "1"}), "flat": 0}, "pricingTiers[1].conditions[0].value"),
    ({**tiers(USAGE | {"caseSensitive": 1}), "flat": 0}, "pricingTiers[1].conditions[0].caseSensitive"),
    ({**tiers(IN | {"source": "input"}), "flat": 0}, "pricingTiers[1].conditions[0].source"),
    ({**tiers(IN | {"key": ""}), "flat": 0}, "pricingTiers[1].conditions[0].key"),
    ({**tiers(IN | {"operator": "eq"}), "flat": 0}, "pricingTiers[1].conditions[0].operator"),
    ({**tiers(IN | {"values": []}), "flat": 0}, "pricingTiers[1].conditions[0].values"),
    ({**tiers(USAGE, IN | {"values": [None]}), "flat": 0}, "pricingTiers[1].conditions[1].values"),
])  # fmt: skip
def test_what_is_wrong_is_named(client, body, field):
    before = client.get(ROUTE).json()["meta"]["totalItems"]
    if isinstance(body, dict):
        base = body_of(new_name()) if "flat" in body else flat(new_name())
        body = base | body
    answer = client.post(ROUTE, body)
    assert answer.status == 400, answer.text
    assert answer.json()["message"].startswith(field), answer.text
    assert client.get(ROUTE).json()["meta"]["totalItems"] == before


@pytest.mark.parametrize("text", ["", "{", "null", '{"modelName":"\\ud800"}', '{"a":' * 400 + "1" + "}" * 400])
def test_a_body_that_is_no_model_is_a_400(client, text):
    answer = client.request("POST", ROUTE, body=text.encode(), headers={"Content-Type": "application/json"})
    assert answer.status == 400, answer.text


def test_a_name_is_taken_once(client, xtrace):
    name = new_name()
    make(client, flat(name))
    answer = client.post(ROUTE, flat(name))
    assert answer.status == 400
    assert answer.json()["message"].startswith("modelName")
    assert xtrace.database.value("SELECT count(*) FROM models WHERE model_name = %s", name) == 1


def test_a_race_for_a_name_has_one_winner(client, xtrace):
    import threading
    name, statuses = new_name(), []
    threads = [threading.Thread(target=lambda: statuses.append(xtrace.client().post(ROUTE, flat(name)).status)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [400] * 5
    assert xtrace.database.value("SELECT count(*) FROM models WHERE model_name = %s", name) == 1


SLOW = "(" + "a?" * 400 + ")*" + "a" * 90  # seconds to prepare


@pytest.mark.parametrize("pattern", [SLOW, SLOW, "(x{0,255}){0,40}", r"^(a+)\1$", r"\\\\\1"])
def test_a_pattern_that_would_take_long_is_refused(client, pattern):
    """The first one twice: PostgreSQL remembers what it has prepared."""
    answer = client.post(ROUTE, {**flat(new_name()), "matchPattern": pattern})
    assert answer.status == 400 and answer.json()["message"].startswith("matchPattern"), answer.text
    condition = {"usageDetailPattern": pattern, "operator": "gt", "value": 1}
    answer = client.post(ROUTE, body_of(new_name(), **tiers(condition)))
    assert answer.status == 400 and "usageDetailPattern" in answer.json()["message"], answer.text


def test_a_pattern_that_takes_longer_than_a_query_may_is_refused_too(make_xtrace):
    client = make_xtrace(env={"XTRACE_QUERY_TIMEOUT_MS": "500"}).client()
    answer = client.post(ROUTE, {**flat(new_name()), "matchPattern": SLOW})
    assert (answer.status, answer.json()["message"].split(":")[0]) == (400, "matchPattern or usageDetailPattern"), answer.text


def test_patterns_that_take_too_long_stop_nobody(make_xtrace):
    """Written by hand, past the gateway."""
    system = make_xtrace()
    client = system.client()
    system.database.query("INSERT INTO models (project_id, id, model_name, match_pattern, pricing_tiers)"
                          " VALUES ('default', 'slow', 'slow', %s, '[]')", SLOW)
    assert cost(system, client, "a" * 60) == (None, None, None)
    assert cost(system, client, "gpt-4o")[1] == "built-in-gpt-4o"
    for name in ("gpt-4o-mini", "gpt-5", "o3"):  # nobody waits again
        assert cost(system, client, name)[1] == "built-in-" + name
    assert system.log("writer-1").count("models not matched") == 1


def test_names_that_are_too_long_for_any_model_match_none(xtrace, client):
    name = new_name()
    make(client, {**flat(name), "matchPattern": f"^{name}x*$"})
    assert cost(xtrace, client, name + "x" * 200)[0] == "12"
    assert cost(xtrace, client, name + "x" * 300) == (None, None, None)


def test_rows_that_somebody_wrote_by_hand_do_no_harm(xtrace, client):
    for tiers_json in ("[]", "{}", '[{"isDefault":true,"prices":{"input":"x"}}]', '[{"isDefault":true,"prices":{"input":1e30}}]', "[null]"):
        name = new_name()
        xtrace.database.query("INSERT INTO models (project_id, id, model_name, match_pattern, pricing_tiers) VALUES"
                              " ('default', %s, %s, %s, %s)", name, name, f"^{name}$", tiers_json)
        assert cost(xtrace, client, name)[:2] == (None, name)
        assert client.get(f"{ROUTE}/{name}").status == 200
    xtrace.database.query("INSERT INTO models (project_id, id, model_name, match_pattern, pricing_tiers) VALUES"
                          " ('default', 'bad', 'bad', '(', '[]')")
    assert cost(xtrace, client, "gpt-4o")[1] == "built-in-gpt-4o"
    xtrace.database.query("DELETE FROM models WHERE id = 'bad'")
