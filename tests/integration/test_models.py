"""Models: the built-in prices, and a project's own."""

import pytest


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
