"""Traceloop's SDK (OpenLLMetry): a workflow with a task, a tool and calls of OpenAI."""

import os
import uuid

from openai import OpenAI
from said import basic, say
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import agent, task, tool, workflow

from opentelemetry import trace

word = uuid.uuid4().hex[:8]
Traceloop.init(app_name="loop", api_endpoint=os.environ["XTRACE_URL"] + "/api/public/otel", headers=basic(), disable_batch=True,
               telemetry_enabled=False, resource_attributes={"deployment.environment.name": "Staging"})
client = OpenAI(max_retries=0)
messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hauptstadt? 🇫🇷"}]
seen = {}


@tool(name="get_weather")
def get_weather(city):
    return f"☀ in {city}"


@task(name="ask")
def ask():
    client.chat.completions.create(model="gpt-4o-mini", messages=messages, temperature=0.5)
    for _ in client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True,
                                            stream_options={"include_usage": True}):
        pass
    try:
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "boom"}])
    except Exception:
        pass
    return "asked"


@agent(name="clerk")
def clerk():
    return get_weather("Paris")


@workflow(name="loop")
def loop(question):
    Traceloop.set_association_properties({"user_id": f"ada-{word}", "session_id": f"session-{word}"})
    seen["trace"] = format(trace.get_current_span().get_span_context().trace_id, "032x")
    return [ask(), clerk()]


loop("Hauptstadt?")
trace.get_tracer_provider().force_flush()

common = {"environment": "staging"}
model = "gpt-4o-mini-2024-07-18"
tokens = {"input": 16, "output": 7, "input_cached_tokens": 5, "total": 28}
said = [{"role": "system", "parts": [{"type": "text", "content": "Be kind."}]},
        {"role": "user", "parts": [{"type": "text", "content": "Hauptstadt? 🇫🇷"}]}]
answer = [{"role": "assistant", "parts": [{"type": "text", "content": "Paris, natürlich. 🗼"}], "finish_reason": "stop"}]
llm = {"type": "GENERATION", "name": "openai.chat", "parent": "ask.task"}
answered = {**llm, "model": model, "input": said, "output": answer, "calculatedTotalCost": 6.975e-06}
meant = [{
    "id": seen["trace"], "name": "loop.workflow", "userId": f"ada-{word}", "sessionId": f"session-{word}", **common,
    "observations": [
        {"name": "loop.workflow", "type": "SPAN", "parent": None, "input": {"args": ["Hauptstadt?"], "kwargs": {}},
         "output": ["asked", "☀ in Paris"]},
        {"name": "ask.task", "type": "SPAN", "parent": "loop.workflow", "output": "asked"},
        {"name": "clerk.agent", "type": "AGENT", "parent": "loop.workflow", "output": "☀ in Paris"},
        {"name": "get_weather", "type": "TOOL", "parent": "clerk.agent", "output": "☀ in Paris"},
        {**answered, "usageDetails": {**tokens, "reasoning_tokens": 2}, "modelParameters": {"temperature": 0.5}},
        {**answered, "usageDetails": tokens}, {**llm, "model": "gpt-4o-mini", "level": "ERROR"},
    ],
}]
say(meant)
