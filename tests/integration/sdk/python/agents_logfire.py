"""Logfire with another address: its own spans, OpenAI's Agents SDK and Pydantic AI."""

from said import ANSWER, COST, MODEL, QUESTION, configure_exporter, say, trace_id

configure_exporter()

import logfire
from agents import Agent, Runner, set_trace_processors
from opentelemetry import trace
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models.openai import OpenAIChatModel

set_trace_processors([])
logfire.configure(send_to_logfire=False, service_name="logs", environment="Staging", console=False, scrubbing=False)
logfire.instrument_openai_agents()
logfire.instrument_pydantic_ai()

with logfire.span("session of {who}", who="ada"):
    session = trace.get_current_span()
    Runner.run_sync(Agent("clerk", instructions="Be kind.", model="gpt-4o-mini"), QUESTION)
    PydanticAgent(OpenAIChatModel("gpt-4o-mini"), name="chatty").run_sync(QUESTION)
    logfire.info("hello {n}", n=3)
    try:
        with logfire.span("fails"):
            raise ValueError("bang")
    except ValueError:
        pass
logfire.force_flush()

common = {"environment": "staging"}


def event(role, content):
    return {"event.name": f"gen_ai.{role}.message", "content": content, "role": role}


def message(role, content, **more):
    return {"role": role, "parts": [{"type": "text", "content": content}], **more}


generation = {"type": "GENERATION", "model": MODEL, "calculatedTotalCost": COST, **common}
say([{
    "id": trace_id(session), "name": "session of ada", "totalCost": 2 * COST, **common,
    "observations": [
        {"name": "session of ada", "type": "SPAN", "parent": None},
        {"name": "OpenAI Agents trace: Agent workflow", "parent": "session of ada"},
        {"name": "Task: Agent workflow", "parent": "OpenAI Agents trace: Agent workflow"},
        {"name": "Agent run: 'clerk'", "parent": "Task: Agent workflow"},
        {"name": "Turn 1 for agent clerk", "parent": "Agent run: 'clerk'"},
        {**generation, "name": "Responses API with 'gpt-4o-mini'", "parent": "Turn 1 for agent clerk",
         "input": [event("system", "Be kind."), event("user", QUESTION)], "output": event("assistant", ANSWER),
         "usageDetails": {"input": 16, "input_cached_tokens": 5, "output": 7, "total": 28}},
        {"name": "chatty run", "type": "AGENT", "parent": "session of ada", "output": ANSWER, "model": None, "usageDetails": {}},
        {**generation, "name": "chat gpt-4o-mini", "parent": "chatty run", "input": [message("user", QUESTION)],
         "output": [message("assistant", ANSWER, finish_reason="stop")]},
        {"name": "hello 3", "type": "SPAN", "parent": "session of ada"},
        {"name": "fails", "type": "SPAN", "parent": "session of ada", "level": "ERROR", "statusMessage": "ValueError: bang"},
    ],
}])
