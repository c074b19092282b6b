"""Langfuse 1 and early 2: one trace as each generation's interface makes it."""

import datetime
import importlib.metadata
import os
import uuid

from langfuse import Langfuse
from said import attempt, say

major = int(importlib.metadata.version("langfuse").split(".")[0])
langfuse = Langfuse(os.environ["LANGFUSE_PUBLIC_KEY"], os.environ["LANGFUSE_SECRET_KEY"], os.environ["LANGFUSE_HOST"], release="rel")
start = datetime.datetime(2026, 3, 4, 12, tzinfo=datetime.timezone.utc)
word = uuid.uuid4().hex[:8]
asked = [{"role": "user", "content": "größer? 😀"}]


def at(seconds):
    return start + datetime.timedelta(seconds=seconds)


def with_models():
    """Of version 1: each call takes a model."""
    from langfuse.model import (CreateEvent, CreateGeneration, CreateScore, CreateSpan, CreateTrace, UpdateGeneration, UpdateSpan, Usage)

    trace = langfuse.trace(CreateTrace(id=str(uuid.uuid4()), name="old", userId=f"ada-{word}", metadata={"plan": "pro"}))
    span = trace.span(CreateSpan(name="agent", startTime=at(0), input={"a": 1}, metadata={"x": 1}))
    generation = span.generation(CreateGeneration(
        name="answer", startTime=at(1), model="gpt-4o-mini", modelParameters={"temperature": "0.5"}, prompt=asked, completion="ho",
        usage=Usage(promptTokens=21, completionTokens=7)))
    generation.update(UpdateGeneration(endTime=at(2), level="WARNING", statusMessage="slow"))
    span.event(CreateEvent(name="cache-miss", startTime=at(3), input="k"))
    span.update(UpdateSpan(endTime=at(4), output={"b": 2}))
    generation.score(CreateScore(name="quality", value=0.75, comment="gut"))
    return trace, {}


def with_words():
    trace = langfuse.trace(name="old", user_id=f"ada-{word}", session_id=f"session-{word}", metadata={"plan": "pro"}, tags=["b", "a"])
    span = trace.span(name="agent", start_time=at(0), input={"a": 1}, metadata={"x": 1})
    generation = span.generation(
        name="answer", start_time=at(1), model="gpt-4o-mini", model_parameters={"temperature": "0.5"}, input=asked,
        usage={"prompt_tokens": 21, "completion_tokens": 7, "total_tokens": 28})
    generation.end(end_time=at(2), output="ho", level="WARNING", status_message="slow")
    span.event(name="cache-miss", start_time=at(3), input="k")
    span.end(end_time=at(4), output={"b": 2})
    generation.score(name="quality", value=0.75, comment="gut")
    return trace, {"sessionId": f"session-{word}", "tags": ["a", "b"]}


trace, more = with_models() if major == 1 else with_words()
langfuse.flush()

read = {}
if major == 2:
    read = {
        "auth_check": attempt(langfuse.auth_check),
        "get_trace": attempt(lambda: langfuse.get_trace(trace.id).name),
        "get_generations": attempt(lambda: [each.name for each in langfuse.get_generations(user_id=f"ada-{word}").data]),
        "get_prompt": attempt(lambda: langfuse.get_prompt("none")).split(":")[0],
    }
say([{
    "id": trace.id, "name": "old", "userId": f"ada-{word}", "release": "rel", "metadata": {"plan": "pro"}, "latency": 4,
    "totalCost": 7.35e-06, **more,
    "observations": [
        {"name": "agent", "type": "SPAN", "parent": None, "input": {"a": 1}, "output": {"b": 2}, "metadata": {"x": 1},
         "startTime": at(0).isoformat(), "endTime": at(4).isoformat()},
        {"name": "answer", "type": "GENERATION", "parent": "agent", "model": "gpt-4o-mini", "modelParameters": {"temperature": "0.5"},
         "input": asked, "output": "ho", "usageDetails": {"input": 21, "output": 7, "total": 28}, "level": "WARNING",
         "statusMessage": "slow", "startTime": at(1).isoformat(), "endTime": at(2).isoformat()},
        {"name": "cache-miss", "type": "EVENT", "parent": "agent", "input": "k", "startTime": at(3).isoformat()},
    ],
    "scores": [{"name": "quality", "value": 0.75, "comment": "gut"}],
}], read)
