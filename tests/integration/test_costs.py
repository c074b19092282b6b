"""Costs that the writer computes from prices (contract/langfuse.md 4.7): real-looking calls, merges in any order."""

import decimal
import itertools
import json
import random
from decimal import Decimal

import pytest
from support.framed import ask
from support.metrics import ADDRESS, scrape
from support.otlp import ROUTES, export, new_trace_id, span
from support.records import new_id, new_observation, new_trace
from support.wait import wait_until

AT = "2026-04-01T10:00:00Z"
COSTS = ("computed_cost_details", "computed_total_cost", "priced_model_id", "pricing_tier_name", "unpriced_usage")
NOTHING = (None, None, None, None, None)


@pytest.fixture(scope="module")
def client(xtrace):
    return xtrace.client()


def costs_of(xtrace, trace_id, observation_id=None):
    """The columns of COSTS, numbers as text."""
    rows = xtrace.database.query(
        "SELECT computed_cost_details::text, computed_total_cost::text, priced_model_id, pricing_tier_name, unpriced_usage"
        " FROM observations WHERE trace_id = %s AND (%s::text IS NULL OR id = %s)", trace_id, observation_id, observation_id)
    assert len(rows) == 1
    details, *others = rows[0]
    return (details and json.loads(details, parse_float=Decimal, parse_int=Decimal), *others)


def send(client, **more):
    trace = new_trace(timestamp=AT)
    answer = client.batch(trace, [new_observation(trace, startTime=AT, **more)])
    assert answer.status == 200, answer.text
    return trace["id"]


def send_span(client, values, **more):
    trace_id = new_trace_id()
    answer = client.post(ROUTES[0], export([span(trace_id, values=values, **more)]))
    assert answer.status == 200, answer.text
    return trace_id


def send_usage(client, model, usage, **values):
    """usage: a map of kinds, as Langfuse's SDKs send it."""
    return send_span(client, {"langfuse.observation.model.name": model,
                              "langfuse.observation.usage_details": json.dumps(usage), **values})


def decimals(**values):
    return {key: Decimal(value) for key, value in values.items()}


# ---- real-looking calls ----


def test_gpt_4o(client, xtrace):
    trace_id = send(client, model="gpt-4o-2024-08-06", promptTokens=1000, completionTokens=500)
    assert costs_of(xtrace, trace_id) == (
        decimals(input="0.0025", output="0.005", total="0.0075"), "0.0075", "built-in-gpt-4o", "Standard", None)
    trace = client.get(f"/api/public/traces/{trace_id}").json()
    assert trace["totalCost"] == 0.0075
    assert trace["observations"][0]["calculatedTotalCost"] == 0.0075


def test_cached_tokens_of_openai(client, xtrace):
    trace_id = send_usage(client, "openai/gpt-4o", {
        "prompt_tokens": 2000, "completion_tokens": 100, "total_tokens": 2100,
        "prompt_tokens_details": {"cached_tokens": 1536, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0}})
    details, total, *_, unpriced = costs_of(xtrace, trace_id)
    assert details == decimals(input="0.00116", input_cached_tokens="0.00192", output="0.001",
                               output_reasoning_tokens="0", total="0.00408")
    assert (total, unpriced) == ("0.00408", None)


def test_claude_with_its_cache(client, xtrace):
    usage = {"input": 12, "output": 350, "cache_read_input_tokens": 10000, "cache_creation_input_tokens": 2000}
    for model in ("claude-sonnet-4-5-20250929", "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                  "claude-sonnet-4-5@20250929", "openrouter/anthropic/claude-sonnet-4.5"):
        details, total, row, tier, unpriced = costs_of(xtrace, send_usage(client, model, usage))
        assert details == decimals(input="0.000036", output="0.00525", cache_read_input_tokens="0.003",
                                   cache_creation_input_tokens="0.0075", total="0.015786")
        assert (total, row, tier, unpriced) == ("0.015786", "built-in-claude-sonnet-4-5", "Standard", None)


def test_names_of_a_kind_cost_the_same(client, xtrace):
    sums = {costs_of(xtrace, send_usage(client, "claude-haiku-4-5", {"input": 5, kind: 1000}))[1]
            for kind in ("input_cached_tokens", "cache_read_input_tokens", "input_cache_read")}
    assert sums == {"0.000105"}


def test_a_span_of_gen_ai_attributes(client, xtrace):
    trace_id = send_span(client, {"gen_ai.request.model": "claude-opus-4-5", "gen_ai.usage.input_tokens": 11000,
                                  "gen_ai.usage.output_tokens": 100, "gen_ai.usage.cache_read.input_tokens": 10000})
    assert costs_of(xtrace, trace_id)[:2] == (
        decimals(input="0.005", input_cached_tokens="0.005", output="0.0025", total="0.0125"), "0.0125")


def test_gemini_costs_more_beyond_200000_tokens(client, xtrace):
    below = costs_of(xtrace, send_usage(client, "models/gemini-2.5-pro", {"input": 200000, "output": 1000}))
    assert below[1:4] == ("0.26", "built-in-gemini-2.5-pro", "Standard")
    above = costs_of(xtrace, send_usage(client, "models/gemini-2.5-pro",
                                        {"input": 150000, "input_cached_tokens": 50001, "output": 1000}))
    assert above[1:4] == ("0.40250025", "built-in-gemini-2.5-pro", "Long context")


def test_reasoning_costs_what_output_costs(client, xtrace):
    trace_id = send_usage(client, "o3-2025-04-16", {
        "input_tokens": 100, "output_tokens": 1000, "total_tokens": 1100,
        "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 896}})
    details, total, *_ = costs_of(xtrace, trace_id)
    assert details == decimals(input="0.0002", input_cached_tokens="0", output="0.000832",
                               output_reasoning_tokens="0.007168", total="0.0082")
    assert total == "0.0082"


def test_embeddings_of_which_only_the_total_is_known(client, xtrace):
    assert costs_of(xtrace, send_usage(client, "text-embedding-3-small", {"total": 5000}))[1] == "0.0001"
    assert costs_of(xtrace, send_usage(client, "text-embedding-3-small", {"input": 5000, "total": 5000}))[1] == "0.0001"


# ---- what is computed, and what is not ----


def test_kinds_without_a_price_are_flagged(client, xtrace):
    trace_id = send_usage(client, "gpt-4o", {"input": 1000, "output": 0, "images": 3, "seconds": 0})
    assert costs_of(xtrace, trace_id)[1] == "0.0025"
    assert costs_of(xtrace, trace_id)[4] == ["images"]
    assert xtrace.database.value("SELECT unpriced_usage FROM xtrace.observations WHERE trace_id = %s", trace_id) == ["images"]


def test_costs_that_are_given_are_never_mixed(client, xtrace):
    trace_id = send(client, model="gpt-4o", promptTokens=1000, calculatedTotalCost=0)
    assert costs_of(xtrace, trace_id) == (None, None, "built-in-gpt-4o", None, None)
    assert client.get(f"/api/public/traces/{trace_id}").json()["totalCost"] == 0
    trace_id = send_span(client, {"langfuse.observation.model.name": "gpt-4o", "langfuse.observation.cost_details": '{"x":1}',
                                  "langfuse.observation.usage_details": '{"input":1000}'})
    assert costs_of(xtrace, trace_id)[:2] == (None, None)


def test_without_a_model_a_match_or_usage_there_is_no_cost(client, xtrace):
    assert costs_of(xtrace, send(client, promptTokens=1000)) == NOTHING
    assert costs_of(xtrace, send(client, model="my-own-model", promptTokens=1000)) == NOTHING
    assert costs_of(xtrace, send(client, model="ft:gpt-4o-2024-08-06:org::x", promptTokens=1000)) == NOTHING
    assert costs_of(xtrace, send(client, model="gpt-4o")) == (None, None, "built-in-gpt-4o", None, None)


def test_an_error_costs_what_it_used(client, xtrace):
    assert costs_of(xtrace, send(client, model="gpt-4o", level="ERROR", promptTokens=1000))[1] == "0.0025"
    assert costs_of(xtrace, send(client, model="gpt-4o", level="ERROR"))[1] is None


def test_counts_at_their_bound_stay_exact(client, xtrace):
    trace_id = send(client, model="gpt-4o", promptTokens=10**18, completionTokens=10**18 - 1)
    assert costs_of(xtrace, trace_id)[1] == "12499999999999.99999"


# ---- merges ----


PIECES = [{"model": "gpt-4o"}, {"promptTokens": 1000}, {"completionTokens": 500, "endTime": "2026-04-01T10:00:01Z"},
          {"metadata": {"a": 1}}]


def test_pieces_in_any_order_cost_the_same(client, xtrace):
    for order in itertools.permutations(PIECES):
        trace = new_trace(timestamp=AT)
        observation = new_observation(trace)
        for piece in order:
            assert client.batch(None, [observation | piece]).status == 200
        assert costs_of(xtrace, trace["id"])[1:] == ("0.0075", "built-in-gpt-4o", "Standard", None)


def test_spans_in_any_order_cost_the_same(client, xtrace):
    """The later end counts: (model, usage) of the last."""
    for order in itertools.permutations(range(3)):
        trace_id = new_trace_id()
        first = span(trace_id)
        values = [{"langfuse.observation.model.name": "gpt-4o", "langfuse.observation.usage_details": '{"input":10}'},
                  {"langfuse.observation.usage_details": '{"input":1000,"output":10}'},
                  {"langfuse.observation.model.name": "gpt-4o-mini"}]
        spans = [span(trace_id, end=1000 + i, values=value) | {"spanId": first["spanId"]} for i, value in enumerate(values)]
        for i in order:
            assert client.post(ROUTES[0], export([spans[i]])).status == 200
        assert costs_of(xtrace, trace_id)[1:3] == ("0.000156", "built-in-gpt-4o-mini")


SAID = [{"langfuse.observation.model.name": "gpt-4o"}, {"langfuse.observation.model.name": "gpt-4o-mini"},
        {"langfuse.observation.model.name": "my-own"}, {"langfuse.observation.usage_details": '{"input":1000}'},
        {"langfuse.observation.usage_details": '{"input":10,"output":20,"cached":3}'},
        {"langfuse.observation.model.parameters": '{"temperature":1}'}, {"langfuse.observation.metadata.a": "b"},
        {"langfuse.observation.cost_details": '{"input":1}'}]  # fmt: skip


def test_any_order_split_and_repetition_costs_the_same(make_xtrace):
    """Spans of one observation, each saying something, at distinct or equal times, over two writers."""
    system = make_xtrace(writers=2)
    client = system.client()
    chance = random.Random(5)
    for _ in range(25):
        said = [(chance.randrange(4), dict(chance.choice(SAID[:7] if chance.random() < 0.8 else SAID)))
                for _ in range(chance.randrange(2, 7))]
        outcomes = set()
        for _ in range(4):
            trace_id = new_trace_id()
            span_id = span(trace_id)["spanId"]
            spans = [span(trace_id, end=1000 + time, values=values) | {"spanId": span_id} for time, values in said]
            spans += chance.sample(spans, chance.randrange(len(spans)))
            chance.shuffle(spans)
            while spans:
                count = chance.randrange(1, len(spans) + 1)
                assert client.post(ROUTES[0], export(spans[:count])).status == 200
                spans = spans[count:]
            outcomes.add(repr(costs_of(system, trace_id)))
        assert len(outcomes) == 1, (said, outcomes)


def test_a_cost_given_later_takes_the_computed_one_away(client, xtrace):
    trace = new_trace(timestamp=AT)
    observation = new_observation(trace, model="gpt-4o", promptTokens=1000)
    client.batch(trace, [observation])
    assert costs_of(xtrace, trace["id"])[1] == "0.0025"
    client.batch(None, [observation | {"calculatedTotalCost": 7}])
    assert costs_of(xtrace, trace["id"]) == (None, None, "built-in-gpt-4o", None, None)
    assert client.get(f"/api/public/traces/{trace['id']}").json()["totalCost"] == 7


def test_a_model_without_a_price_takes_the_cost_away(client, xtrace):
    trace = new_trace(timestamp=AT)
    observation = new_observation(trace, model="gpt-4o", promptTokens=1000)
    client.batch(trace, [observation])
    client.batch(None, [observation | {"model": "something-else"}])
    assert costs_of(xtrace, trace["id"]) == NOTHING


def test_an_update_that_has_nothing_to_do_with_costs_keeps_them(client, xtrace):
    trace = new_trace(timestamp=AT)
    observation = new_observation(trace, model="gpt-4o", promptTokens=1000)
    client.batch(trace, [observation])
    client.batch(None, [{"id": observation["id"], "traceId": trace["id"], "name": "later", "output": "x"}])
    assert costs_of(xtrace, trace["id"])[1] == "0.0025"


# ---- arithmetic ----


def test_arithmetic_is_that_of_decimals(monkeypatch):
    monkeypatch.setattr(decimal.getcontext(), "prec", 200)
    chance = random.Random(7)
    kinds = ["input", "output", "a", "b", "input_cached_tokens"]

    def price():
        digits = chance.randrange(1, 10 ** chance.randrange(1, 18))
        return chance.choice([f"{digits}e-{chance.randrange(10, 25)}", str(Decimal(digits).scaleb(-chance.randrange(9, 20))), "0"])

    pieces, wanted = [], []
    for _ in range(3000):
        prices = {kind: price() for kind in kinds if chance.random() < 0.7}
        usage = {kind: chance.randrange(10 ** chance.randrange(1, 18)) for kind in kinds if chance.random() < 0.7}
        listed = ",".join(f'"{kind}":{value}' for kind, value in prices.items())
        pieces += [f'[{{"id":"t","isDefault":true,"priority":0,"conditions":[],"prices":{{{listed}}}}}]'.encode(),
                   json.dumps(usage).encode()]
        costs = {kind: count * Decimal(prices[kind]) for kind, count in usage.items() if kind in prices}
        unpriced = sorted(kind for kind, count in usage.items() if count > 0 and kind not in prices)
        wanted.append((costs and costs | {"total": sum(costs.values())}, unpriced))
    answers = ask("price_verdict", pieces)
    assert len(answers) == 3 * len(wanted)
    for (costs, unpriced), details, total, flagged in zip(wanted, *(answers[i::3] for i in range(3)), strict=True):
        assert (json.loads(details, parse_float=Decimal, parse_int=Decimal) if details else {}) == costs
        assert b"e" not in total and (Decimal(total.decode()) == costs["total"] if costs else total == b"")
        assert sorted(json.loads(flagged or b"[]")) == unpriced


# ---- explanations ----


def explain(client, observation_id):
    answer = client.get(f"/api/public/observations/{observation_id}/cost")
    assert answer.status == 200, answer.text
    return json.loads(answer.body, parse_float=Decimal, parse_int=Decimal)


def id_of(xtrace, trace_id):
    return xtrace.database.value("SELECT id FROM observations WHERE trace_id = %s", trace_id)


def explain_trace(client, xtrace, trace_id):
    return explain(client, id_of(xtrace, trace_id))


def test_an_explanation_says_row_tier_and_arithmetic(client, xtrace):
    trace_id = send_usage(client, "gemini-2.5-pro", {"input": 150000, "input_cached_tokens": 50001, "output": 1000, "x": 3})
    told = explain_trace(client, xtrace, trace_id)
    assert (told["source"], told["traceId"], told["model"]) == ("computed", trace_id, "gemini-2.5-pro")
    assert told["price"]["id"] == "built-in-gemini-2.5-pro"
    assert (told["price"]["source"], told["price"]["modelName"], told["price"]["startDate"]) == ("built-in", "gemini-2.5-pro", None)
    assert (told["tier"]["name"], told["tier"]["isDefault"]) == ("Long context", False)
    assert told["tier"]["conditions"][0]["actual"] == 200001
    assert [tier["name"] for tier in told["otherTiers"]] == ["Standard"]
    assert [(item["kind"], item["quantity"], format(item["price"], "f"), item["cost"]) for item in told["items"]] == [
        ("input", 150000, "0.0000025", Decimal("0.375")),
        ("input_cached_tokens", 50001, "0.00000025", Decimal("0.01250025")),
        ("output", 1000, "0.000015", Decimal("0.015"))]
    assert told["unpriced"] == [{"kind": "x", "quantity": 3}]
    assert told["total"] == told["computedCost"] == told["totalCost"] == Decimal("0.40250025")
    assert told["date"].startswith("2026-01-01T00:00:00")
    assert told["given"] is None


def test_explanations_add_up_to_what_is_stored(client, xtrace):
    chance = random.Random(11)
    names = [row[0] for row in xtrace.database.query("SELECT model_name FROM models WHERE project_id = '' ORDER BY id")]
    kinds = ["input", "output", "input_cached_tokens", "cache_creation_input_tokens", "output_reasoning_tokens",
             "input_audio_tokens", "weird", "total"]
    spans = []
    trace_id = new_trace_id()
    for name in names:
        usage = {kind: chance.randrange(10 ** chance.randrange(1, 19)) for kind in kinds if chance.random() < 0.6}
        spans.append(span(trace_id, values={"langfuse.observation.model.name": name,
                                            "langfuse.observation.usage_details": json.dumps(usage)}))
    assert client.post(ROUTES[0], export(spans)).status == 200
    rows = xtrace.database.query("SELECT id, computed_total_cost::text, computed_cost_details::text, unpriced_usage"
                                 " FROM observations WHERE trace_id = %s", trace_id)
    assert len(rows) == len(names)
    compared = 0
    for observation_id, total, details, unpriced in rows:
        answer = client.get(f"/api/public/observations/{observation_id}/cost")
        told = json.loads(answer.body, parse_float=Decimal, parse_int=Decimal)
        assert (None if told["total"] is None else format(told["total"], "f")) == total
        costs = {item["kind"]: item["cost"] for item in told["items"]}
        assert costs | {"total": told["total"]} == (json.loads(details, parse_float=Decimal, parse_int=Decimal)
                                                     if details else {"total": None})
        assert sorted(item["kind"] for item in told["unpriced"]) == sorted(unpriced or [])
        compared += total is not None
    assert compared > 100


@pytest.mark.parametrize("values, source, reason", [
    ({"promptTokens": 1}, "none", "the observation names no model"),
    ({"model": "unheard-of", "promptTokens": 1}, "none", "no price row matched the model"),
    ({"model": "gpt-4o"}, "none", "no usage was given"),
    ({"model": "gpt-4o", "totalTokens": 1}, "none", "none of the kinds of usage has a price"),
    ({"model": "gpt-4o", "promptTokens": 1, "calculatedTotalCost": 0}, "given", "the client gave the cost, so none is computed"),
    ({"model": "text-embedding-3-small", "totalTokens": 1}, "computed", "the tokens in total times their price"),
    ({"model": "gpt-4o", "promptTokens": 1}, "computed", "the sum of each kind of usage times its price"),
])  # fmt: skip
def test_an_explanation_says_why(client, xtrace, values, source, reason):
    told = explain_trace(client, xtrace, send(client, **values))
    assert (told["source"], told["reason"]) == (source, reason)
    assert (told["price"] is None) == (values.get("model") in (None, "unheard-of"))
    assert (told["given"] is not None) == (source == "given")
    assert (told["computedCost"] is not None) == (source == "computed")


def test_a_call_around_calls_is_not_priced_again(client, xtrace):
    """The Vercel AI SDK's ai.embed repeats the tokens of its ai.embed.doEmbed."""
    trace_id = new_trace_id()
    values = {"ai.model.id": "text-embedding-3-small", "ai.usage.tokens": 5000}
    outer = span(trace_id, "ai.embed", values={"ai.operationId": "ai.embed", **values})
    inner = span(trace_id, "ai.embed.doEmbed", outer, values={"ai.operationId": "ai.embed.doEmbed", **values})
    assert client.post(ROUTES[0], export([outer, inner], scope="ai")).status == 200
    trace = client.get(f"/api/public/traces/{trace_id}").json()
    assert trace["totalCost"] == 0.0001
    shown = {o["id"]: o for o in trace["observations"]}[outer["spanId"]]
    assert (shown["usageDetails"], shown["costDetails"], shown["calculatedTotalCost"]) == ({"total": 5000}, {}, None)
    told = explain(client, outer["spanId"])
    assert (told["source"], told["reason"], told["given"]) == ("none", "its cost is that of the calls inside it", None)


def test_a_cost_is_explained_when_its_price_has_gone(client, xtrace):
    name = "model-" + new_id()
    made = client.post("/api/public/models", {"modelName": name, "matchPattern": name, "unit": "TOKENS", "inputPrice": 0.5}).json()
    trace_id = send(client, model=name, promptTokens=3)
    assert client.request("DELETE", f"/api/public/models/{made['id']}").status == 200
    told = explain_trace(client, xtrace, trace_id)
    assert (told["price"]["id"], told["price"]["source"], told["total"]) == (made["id"], "own", Decimal("1.5"))
    assert told["price"]["deletedAt"] is not None


def test_ids_are_found_in_any_spelling_and_unknown_ones_are_not(client, xtrace):
    observation_id = id_of(xtrace, send(client, model="gpt-4o", promptTokens=1))
    assert explain(client, observation_id.replace("-", "").upper())["observationId"] == observation_id
    for unknown in (new_id(), "x", "%00", "a%2Fb"):
        answer = client.get(f"/api/public/observations/{unknown}/cost")
        assert (answer.status, answer.json()["code"]) == (404, "NOT_FOUND")


# ---- answers ----


def test_an_observation_shows_computed_costs_and_prices(client, xtrace):
    trace_id = send_usage(client, "gemini-2.5-pro", {"input": 150000, "input_cached_tokens": 50001, "output": 1000})
    shown = client.get(f"/api/public/traces/{trace_id}").json()["observations"][0]
    assert client.get(f"/api/public/observations/{shown['id']}").json() == shown
    assert shown["modelId"] == "built-in-gemini-2.5-pro"
    assert (shown["inputPrice"], shown["outputPrice"], shown["totalPrice"]) == (0.00000125, 0.00001, None)
    assert (shown["usagePricingTierId"], shown["usagePricingTierName"]) == ("built-in-gemini-2.5-pro-long", "Long context")
    assert shown["calculatedInputCost"] == 0.38750025
    assert (shown["calculatedOutputCost"], shown["calculatedTotalCost"]) == (0.015, 0.40250025)
    assert shown["costDetails"] == {"input": 0.375, "input_cached_tokens": 0.01250025, "output": 0.015, "total": 0.40250025}


def test_the_keys_of_the_batch_protocol_are_all_there(client, xtrace):
    trace_id = send(client, model="gpt-4o", promptTokens=1000)
    shown = client.get(f"/api/public/traces/{trace_id}").json()["observations"][0]
    assert shown["costDetails"] == {"input": 0.0025, "output": 0, "total": 0.0025}
    assert (shown["usage"]["inputCost"], shown["usage"]["outputCost"], shown["usage"]["totalCost"]) == (0.0025, None, 0.0025)


def test_what_the_client_says_itself_is_shown(client, xtrace):
    trace_id = send(client, model="gpt-4o", promptTokens=1000, modelId="mine", inputPrice=7, calculatedInputCost=1,
                    calculatedOutputCost=2)
    shown = client.get(f"/api/public/traces/{trace_id}").json()["observations"][0]
    assert (shown["modelId"], shown["inputPrice"], shown["outputPrice"]) == ("mine", 7, 0.00001)
    assert (shown["calculatedInputCost"], shown["calculatedOutputCost"], shown["calculatedTotalCost"]) == (1, 2, 3)
    assert (shown["usagePricingTierId"], shown["costDetails"]["total"]) == (None, 3)


def test_days_and_sessions_count_computed_costs(make_xtrace):
    system = make_xtrace()
    client = system.client()
    trace = new_trace(timestamp=AT, sessionId="s")
    observation = new_observation(trace, startTime=AT, model="gpt-4o", promptTokens=1000)

    def totals():
        day = client.get("/api/public/metrics/daily", {"fromTimestamp": AT}).json()["data"][0]
        return day["totalCost"], day["usage"][0]["totalCost"], client.get("/api/public/sessions/s").json()["totalCost"]

    assert client.batch(trace, [observation]).status == 200
    assert totals() == (0.0025, 0.0025, 0.0025)
    wait_until(lambda: system.database.value("SELECT count(*) FROM dirty_days") == 0, 60, "the day being rolled up")
    assert totals() == (0.0025, 0.0025, 0.0025)
    client.batch(None, [observation | {"model": "gpt-4o-mini"}])  # the day is marked again
    assert totals() == (0.00015, 0.00015, 0.00015)


def test_the_writer_counts_what_it_could_price(make_xtrace):
    system = make_xtrace(env=ADDRESS)
    client = system.client()
    for values in ({"model": "gpt-4o", "promptTokens": 1}, {"model": "gpt-4o"}, {"model": "unheard-of", "promptTokens": 1},
                   {"model": "gpt-4o", "calculatedTotalCost": 1}, {"promptTokens": 1}):
        send(client, **values)
    send_usage(client, "gpt-4o", {"input": 1, "x": 1})
    metrics = scrape(system, "writer-1")
    for outcome in ("computed", "partly", "unused", "given", "unmatched"):
        assert metrics.total("xtrace_writer_observations_priced_total", outcome=outcome) == 1, outcome
