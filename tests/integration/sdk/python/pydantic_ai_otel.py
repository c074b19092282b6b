"""Pydantic AI's own instrumentation: an agent with a tool, a stream, and an error."""

import asyncio
import uuid

from openai import AsyncOpenAI
from pydantic_ai import Agent, InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from said import ANSWER, COST, MODEL, QUESTION, say, trace_id, tracer_provider

provider = tracer_provider()
Agent.instrument_all(InstrumentationSettings(tracer_provider=provider))
word = uuid.uuid4().hex[:8]
model = OpenAIChatModel("gpt-4o-mini", provider=OpenAIProvider(openai_client=AsyncOpenAI(max_retries=0)))
clerk = Agent(model, name="clerk", system_prompt="Be kind.")


@clerk.tool_plain
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"☀ in {city}"


async def main():
    with provider.get_tracer("app").start_as_current_span("session", attributes={
            "user.id": f"ada-{word}", "session.id": f"session-{word}", "langfuse.trace.tags": ["b", "a"]}) as span:
        await clerk.run(QUESTION, model_settings={"temperature": 0.5})
        async with Agent(model, name="teller").run_stream(QUESTION) as result:
            async for _ in result.stream_text():
                pass
        try:
            await Agent(model, name="failing").run("boom")
        except Exception:
            pass
    return span


session = asyncio.run(main())
provider.shutdown()


def message(role, *parts, **more):
    return {"role": role, "parts": [{"type": "text", "content": part} if isinstance(part, str) else part for part in parts], **more}


common = {"environment": "staging"}
# Its details are told under OpenAI's names; the total counts them once.
tokens = {"input": 16, "input_cached_tokens": 5, "output": 7, "total": 28, "reasoning_tokens": 2, "audio_tokens": 0,
          "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}
generation = {"name": "chat gpt-4o-mini", "type": "GENERATION", "model": MODEL, "usageDetails": tokens, "calculatedTotalCost": COST,
              **common}
asked = [message("system", "Be kind."), message("user", QUESTION)]
call = message("assistant", {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": '{"city": "Paris"}'})
answer = [message("assistant", ANSWER, finish_reason="stop")]
agent = {"type": "AGENT", "parent": "session", "model": None, "usageDetails": {}}
say([{
    "id": trace_id(session), "name": "session", "userId": f"ada-{word}", "sessionId": f"session-{word}", "tags": ["a", "b"],
    "totalCost": 3 * COST, **common,
    "observations": [
        {"name": "session", "type": "SPAN", "parent": None},
        {**agent, "name": "clerk run", "output": ANSWER},
        {**generation, "parent": "clerk run", "input": asked, "output": [{**call, "finish_reason": "tool_call"}],
         "modelParameters": {"temperature": 0.5}},
        {"name": "get_weather", "type": "TOOL", "parent": "clerk run", "input": {"city": "Paris"}, "output": "☀ in Paris"},
        {**generation, "parent": "clerk run", "output": answer, "modelParameters": {"temperature": 0.5}},
        {**agent, "name": "teller run", "output": ANSWER},
        {**generation, "parent": "teller run", "input": [message("user", QUESTION)], "output": answer},
        {**agent, "name": "failing run", "level": "ERROR", "input": [message("user", "boom")]},
        {"name": "chat gpt-4o-mini", "type": "GENERATION", "parent": "failing run", "level": "ERROR", "model": "gpt-4o-mini"},
    ],
}])
