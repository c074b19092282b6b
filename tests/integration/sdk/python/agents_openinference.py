"""OpenAI's Agents SDK, told by OpenInference: a run with a tool, one that streams, one of chat completions and one that fails."""

import asyncio
import uuid

from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, set_trace_processors
from openai import AsyncOpenAI
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor
from said import COST, MODEL, QUESTION, TOKENS, say, trace_id, tracer_provider

set_trace_processors([])  # nothing to OpenAI
provider = tracer_provider()
OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)
word = uuid.uuid4().hex[:8]


@function_tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"☀ in {city}"


async def main():
    clerk = Agent("clerk", instructions="Be kind.", tools=[get_weather], model="gpt-4o-mini")
    chatty = Agent("chatty", instructions="Be kind.", model=OpenAIChatCompletionsModel("gpt-4o-mini", AsyncOpenAI(max_retries=0)))
    with provider.get_tracer("app").start_as_current_span("session", attributes={
            "user.id": f"ada-{word}", "session.id": f"session-{word}", "langfuse.trace.tags": ["b", "a"]}) as span:
        await Runner.run(clerk, QUESTION)
        async for _ in Runner.run_streamed(clerk, QUESTION).stream_events():
            pass
        await Runner.run(chatty, QUESTION)
        try:
            await Runner.run(chatty, "boom")
        except Exception:
            pass
    return span


session = asyncio.run(main())
provider.shutdown()

common = {"environment": "staging"}
workflow = [{"name": "Agent workflow", "parent": "session"}, {"name": "Agent workflow", "type": "CHAIN", "parent": "Agent workflow"}]
turn = {"name": "turn", "type": "CHAIN"}
response = {"name": "response", "type": "GENERATION", "parent": "turn", "model": MODEL, "usageDetails": TOKENS,
            "calculatedTotalCost": COST, **common}
clerks = [
    *workflow, {"name": "clerk", "type": "AGENT", "parent": "Agent workflow"}, {**turn, "parent": "clerk"},
    {**response, "input": [{"role": "user", "content": QUESTION}]},
    {"name": "get_weather", "type": "TOOL", "parent": "turn", "input": {"city": "Paris"}, "output": "☀ in Paris"},
    {**turn, "parent": "clerk"}, response,
]
asked = [{"role": "system", "content": "Be kind."}]
chat = {"name": "generation", "type": "GENERATION", "parent": "turn", "model": "gpt-4o-mini"}
say([{
    "id": trace_id(session), "name": "session", "userId": f"ada-{word}", "sessionId": f"session-{word}", "tags": ["a", "b"],
    "totalCost": 4 * COST + 7.35e-06, **common,
    "observations": [
        {"name": "session", "type": "SPAN", "parent": None}, *clerks, *clerks,
        *workflow, {"name": "chatty", "type": "AGENT", "parent": "Agent workflow"}, {**turn, "parent": "chatty"},
        {**chat, "input": [*asked, {"role": "user", "content": QUESTION}], "usageDetails": {"input": 21, "output": 7, "total": 28}},
        *workflow, {"name": "chatty", "type": "AGENT", "parent": "Agent workflow", "level": "ERROR"}, {**turn, "parent": "chatty"},
        {**chat, "input": [*asked, {"role": "user", "content": "boom"}], "level": "ERROR", "usageDetails": {},
         "statusMessage": "Error getting response: {'error': 'Error code: 400 - the model exploded'}"},
    ],
}])
