"""langfuse.openai, the wrapper of langfuse 2 to 5, against a fake OpenAI server: a chat, a stream, a tool call, an error."""

import importlib.metadata
import os
import uuid

os.environ["LANGFUSE_TRACING_ENVIRONMENT"] = "openai"  # of the wrapper's own client too

from langfuse import Langfuse
from langfuse.openai import OpenAI
from said import say

MODEL = "gpt-4o-mini-2024-07-18"
MESSAGES = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hauptstadt? 🇫🇷"}]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}]
major = int(importlib.metadata.version("langfuse").split(".")[0])
word = uuid.uuid4().hex[:8]
trace_id = uuid.uuid4().hex
langfuse = Langfuse()
client = OpenAI(max_retries=0)


def call(name, **more):
    if major > 2:
        return client.chat.completions.create(name=name, model="gpt-4o-mini", messages=MESSAGES, temperature=0.5, **more)
    return client.chat.completions.create(name=name, model="gpt-4o-mini", messages=MESSAGES, temperature=0.5, trace_id=trace_id,
                                          user_id=f"ada-{word}", session_id=f"session-{word}", tags=["t"], **more)


def calls():
    call("chat", metadata={"kind": "plain"})
    for _ in call("stream", stream=True, stream_options={"include_usage": True}):
        pass
    call("tool", tools=TOOLS)
    try:
        client.chat.completions.create(name="error", model="gpt-4o-mini", messages=[{"role": "user", "content": "boom"}],
                                       **({"trace_id": trace_id} if major == 2 else {}))
    except Exception:
        pass


if major == 2:
    calls()
    # The wrapper has a client of its own.
    from langfuse.openai import openai
    openai.flush_langfuse()
else:
    from langfuse import propagate_attributes
    with langfuse.start_as_current_observation(name="session", as_type="span", input="in", trace_context={"trace_id": trace_id}) as span:
        with propagate_attributes(user_id=f"ada-{word}", session_id=f"session-{word}", tags=["t"]):
            calls()
langfuse.flush()

parent = None if major == 2 else "session"
usage = {"input": 16, "input_cached_tokens": 5, "output": 5, "output_reasoning_tokens": 2, "total": 28}
usage |= {f"{side}_tokens": 0 for side in ("input_audio", "output_audio", "output_accepted_prediction", "output_rejected_prediction")}
generation = {"type": "GENERATION", "parent": parent, "model": MODEL, "environment": "openai", "usageDetails": usage,
              "calculatedTotalCost": 6.975e-06}
answered = {"role": "assistant", "content": "Paris, natürlich. 🗼"}
call_made = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
meant = [{
    "id": trace_id, "userId": f"ada-{word}", "sessionId": f"session-{word}", "tags": ["t"], "totalCost": 2.0925e-05,
    "observations": [
        {**generation, "name": "chat", "input": MESSAGES, "output": answered},
        {**generation, "name": "stream", "input": MESSAGES, "output": "Paris, natürlich. 🗼"},
        {**generation, "name": "tool", "output": {"role": "assistant", "content": None, "tool_calls": [call_made]}},
        {**generation, "name": "error", "model": "gpt-4o-mini", "level": "ERROR", "usageDetails": {}, "calculatedTotalCost": 0},
    ] + ([] if major == 2 else [{"name": "session", "type": "SPAN", "input": "in"}]),
}]
say(meant)
