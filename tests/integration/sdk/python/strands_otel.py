"""AWS's Strands agents, as its own telemetry tells them, by OpenTelemetry's older conventions or its latest."""

import os
import sys
import uuid

from said import COST, QUESTION, configure_exporter, say, trace_id

configure_exporter()
latest = sys.argv[1:] == ["latest"]
if latest:
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"

from opentelemetry import trace
from strands import Agent, tool
from strands.models.openai import OpenAIModel
from strands.telemetry import StrandsTelemetry

telemetry = StrandsTelemetry().setup_otlp_exporter()
word = uuid.uuid4().hex[:8]


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"☀ in {city}"


model = OpenAIModel(client_args={"max_retries": 0}, model_id="gpt-4o-mini")
agent = Agent(name="clerk", model=model, tools=[get_weather], system_prompt="Be kind.", callback_handler=None, trace_attributes={
    "user.id": f"ada-{word}", "session.id": f"session-{word}", "langfuse.tags": ["b", "a"]})
with trace.get_tracer("app").start_as_current_span("session") as session:
    agent(QUESTION)
telemetry.tracer_provider.force_flush()

tokens = {"input": 16, "input_cached_tokens": 5, "output": 7, "total": 28}
if latest:
    system = {"role": "system", "content": "Be kind."}
    user = {"role": "user", "parts": [{"type": "text", "content": QUESTION}]}
    asked = [system, user]
    called = {"output": [{"role": "assistant", "finish_reason": "tool_use", "parts": [
        {"type": "tool_call", "name": "get_weather", "id": "call_1", "arguments": {"city": "Paris"}}]}]}
    result = {"output": [{"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": [{"text": "☀ in Paris"}]}]}]}
else:
    asked = [{"role": "system", "content": '[{"text": "Be kind."}]'},
             {"role": "user", "content": f'[{{"text": "{QUESTION}"}}]'}]
    called = {}
    result = {"output": {"message": '[{"text": "☀ in Paris"}]', "id": "call_1"}}
generation = {"name": "chat", "type": "GENERATION", "parent": "execute_event_loop_cycle", "model": "gpt-4o-mini", "usageDetails": tokens,
              "calculatedTotalCost": COST}
cycle = {"name": "execute_event_loop_cycle", "type": "SPAN", "parent": "invoke_agent clerk"}
say([{
    "id": trace_id(session), "name": "session", "userId": f"ada-{word}", "sessionId": f"session-{word}", "tags": ["a", "b"],
    "totalCost": 2 * COST,
    "observations": [
        {"name": "session", "type": "SPAN", "parent": None},
        {"name": "invoke_agent clerk", "type": "AGENT", "parent": "session", "usageDetails": {}},
        cycle, {**generation, "input": asked, **called},
        {"name": "get_weather", "type": "TOOL", "parent": "execute_event_loop_cycle", **result},
        cycle, generation,
    ],
}])
