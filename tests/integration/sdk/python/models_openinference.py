"""OpenInference for the libraries of Anthropic and Google: an answer, a stream, a call of a tool, an error."""

import os

import anthropic
from google import genai
from google.genai import types
from openinference.instrumentation.anthropic import AnthropicInstrumentor
from openinference.instrumentation.google_genai import GoogleGenAIInstrumentor
from said import say, trace_id, tracer_provider

provider = tracer_provider()
for instrumentor in (AnthropicInstrumentor, GoogleGenAIInstrumentor):
    instrumentor().instrument(tracer_provider=provider)
tracer = provider.get_tracer("app")
url = os.environ["OPENAI_BASE_URL"].removesuffix("/v1")

claude = anthropic.Anthropic(base_url=url, api_key="none", max_retries=0).messages
asked = {"model": "claude-sonnet-4-5", "max_tokens": 100, "system": "Be kind.",
         "messages": [{"role": "user", "content": "Hauptstadt? 🇫🇷"}]}
boom = {**asked, "messages": [{"role": "user", "content": "boom"}]}
with tracer.start_as_current_span("anthropic") as first:
    claude.create(**asked)
    for _ in claude.create(**asked, stream=True):
        pass
    claude.create(**asked, tools=[{"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}])
    try:
        claude.create(**boom)
    except anthropic.BadRequestError:
        pass

google = genai.Client(api_key="none", http_options=types.HttpOptions(base_url=url))
gemini = google.models
config = types.GenerateContentConfig(temperature=0.5, system_instruction="Be kind.")
with tracer.start_as_current_span("google") as second:
    gemini.generate_content(model="gemini-2.5-flash", contents="Hauptstadt? 🇫🇷", config=config)
    for _ in gemini.generate_content_stream(model="gemini-2.5-flash", contents="Hauptstadt? 🇫🇷", config=config):
        pass
    try:
        gemini.generate_content(model="gemini-2.5-flash", contents="boom")
    except genai.errors.ClientError:
        pass
provider.shutdown()

common = {"environment": "staging"}
message = {"name": "messages.create", "type": "GENERATION", "parent": "anthropic", "input": asked, "model": "claude-sonnet-4-5-20250929",
           "usageDetails": {"input": 12, "input_cached_tokens": 5, "input_cache_creation": 4, "output": 7, "total": 28},
           "calculatedTotalCost": 0.0001575, **common}
content = {"type": "GENERATION", "parent": "google", "model": "gemini-2.5-flash", "calculatedTotalCost": 2.245e-05,
           "usageDetails": {"input": 16, "input_cached_tokens": 5, "output": 5, "output_reasoning_tokens": 2, "total": 28},
           "modelParameters": {"temperature": 0.5}}
streamed = {key: value for key, value in message.items() if key != "input"}
say([{
    "id": trace_id(first), "name": "anthropic", "totalCost": 0.0004725, **common,
    "observations": [
        {"name": "anthropic", "type": "SPAN", "parent": None}, {**message, "modelParameters": {"max_tokens": 100}}, streamed, streamed,
        {"name": "messages.create", "type": "GENERATION", "parent": "anthropic", "input": boom, "level": "ERROR", "usageDetails": {},
         "model": "claude-sonnet-4-5"},
    ],
}, {
    "id": trace_id(second), "name": "google", "totalCost": 4.49e-05, **common,
    "observations": [
        {"name": "google", "type": "SPAN", "parent": None}, {**content, "name": "GenerateContent"},
        {**content, "name": "GenerateContentStream"},
        {"name": "GenerateContent", "type": "GENERATION", "parent": "google", "level": "ERROR", "model": "gemini-2.5-flash"},
    ],
}])
