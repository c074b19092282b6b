"""langfuse 2, all by /ingestion: a session with every kind of event, updates, scores, and the reading helpers."""

import uuid
from datetime import datetime, timedelta, timezone

from langfuse import Langfuse
from said import attempt, say

langfuse = Langfuse(environment="staging-2", release="rel-2", flush_at=5)
start = datetime(2026, 3, 4, 12, 0, tzinfo=timezone.utc)
word = uuid.uuid4().hex[:8]


def at(seconds):
    return start + timedelta(seconds=seconds)


trace_id, tool_id = str(uuid.uuid4()), f"tool #{word}/ü?x=1"
trace = langfuse.trace(id=trace_id, name="chat", user_id=f"ada-{word}", session_id=f"session-{word}", input={"q": "größer? 😀"},
                       tags=["b", "a"], metadata={"plan": "pro", "deep": {"a": [1, None]}}, version="1.1", public=True,
                       timestamp=at(0))
root = trace.span(name="agent", input=["x"], start_time=at(0), metadata={"step": 1}, version="v-span")
generation = root.generation(
    name="answer", model="made-up-model", model_parameters={"temperature": 0.5, "stop": ["a", "b"], "stream": True},
    input=[{"role": "user", "content": "hi"}], start_time=at(1), prompt=None)
generation.update(completion_start_time=at(1.5))
generation.end(end_time=at(3), output={"role": "assistant", "content": "ho"}, usage_details={
    "input": 11, "output": 4, "cache_read_input_tokens": 3}, cost_details={"input": 0.001, "output": 0.002})
old = root.generation(name="old usage", model="made-up-model", start_time=at(3), end_time=at(4),
                      usage={"input": 5, "output": 6, "total": 11, "unit": "TOKENS", "input_cost": 0.5, "output_cost": 0.25})
openai = root.generation(name="openai usage", start_time=at(4), end_time=at(5), usage={
    "prompt_tokens": 7, "completion_tokens": 8, "total_tokens": 15})
tool = root.span(id=tool_id, name="get_weather", input={"city": "Paris"}, start_time=at(5))
tool.end(end_time=at(6), output="☀", level="WARNING", status_message="slow")
failed = root.span(name="fails", start_time=at(6))
failed.update(level="ERROR", status_message="boom", metadata={"retry": 2})
failed.end(end_time=at(7))
event = root.event(name="cache-miss", start_time=at(7), input="k", level="DEBUG", metadata=["not", "an object"])
root.end(end_time=at(8), output={"done": True})
trace.update(output="fertig", tags=["c"], metadata={"plan": "max", "more": 1})

generation.score(name="quality", value=0.75, comment="gut")
trace.score(name="helpful", value="yes", data_type="CATEGORICAL")
langfuse.score(trace_id=trace_id, name="resolved", value=1, data_type="BOOLEAN", id=f"score-{word}")
bare = langfuse.trace(name="bare", session_id=f"session-{word}", user_id=f"ada-{word}", timestamp=at(-60))
langfuse.flush()

common = {"environment": "staging-2"}
usage = {"input": 11, "output": 4, "cache_read_input_tokens": 3, "total": 18}
meant = [{
    "id": trace_id, "name": "chat", "userId": f"ada-{word}", "sessionId": f"session-{word}", "release": "rel-2", "version": "1.1",
    "input": {"q": "größer? 😀"}, "output": "fertig", "tags": ["a", "b", "c"], "public": True, **common,
    "metadata": {"plan": "max", "more": 1, "deep": {"a": [1, None]}}, "timestamp": at(0).isoformat(),
    "latency": 8, "totalCost": 0.753,
    "observations": [
        {"id": root.id, "name": "agent", "type": "SPAN", "parent": None, "input": ["x"], "output": {"done": True}, "version": "v-span",
         "startTime": at(0).isoformat(), "endTime": at(8).isoformat(), "metadata": {"step": 1}, "level": "DEFAULT", **common},
        {"id": generation.id, "name": "answer", "type": "GENERATION", "parent": "agent", "model": "made-up-model",
         "modelParameters": {"temperature": "0.5", "stop": ["a", "b"], "stream": True},  # the SDK's own text "input": [{"role": "user", "content": "hi"}],
         "output": {"role": "assistant", "content": "ho"}, "usageDetails": usage, "startTime": at(1).isoformat(),
         "completionStartTime": at(1.5).isoformat(), "endTime": at(3).isoformat(), "timeToFirstToken": 0.5, "latency": 2,
         "costDetails": {"input": 0.001, "output": 0.002, "total": 0.003}, "calculatedTotalCost": 0.003, **common},
        {"id": old.id, "name": "old usage", "type": "GENERATION", "parent": "agent", "usageDetails": {"input": 5, "output": 6, "total": 11},
         "costDetails": {"input": 0.5, "output": 0.25, "total": 0.75}, "unit": "TOKENS"},
        {"id": openai.id, "name": "openai usage", "type": "GENERATION", "parent": "agent",
         "usageDetails": {"input": 7, "output": 8, "total": 15}, "promptTokens": 7, "completionTokens": 8, "totalTokens": 15},
        {"id": tool_id, "name": "get_weather", "type": "SPAN", "parent": "agent", "input": {"city": "Paris"}, "output": "☀",
         "level": "WARNING", "statusMessage": "slow"},
        {"id": failed.id, "name": "fails", "type": "SPAN", "parent": "agent", "level": "ERROR", "statusMessage": "boom",
         "metadata": {"retry": 2}, "latency": 1},
        {"id": event.id, "name": "cache-miss", "type": "EVENT", "parent": "agent", "input": "k", "level": "DEBUG", "endTime": None,
         "metadata": {"metadata": ["not", "an object"]}},
    ],
    "scores": [
        {"name": "quality", "value": 0.75, "dataType": "NUMERIC", "comment": "gut", "observationId": generation.id, "source": "API"},
        {"name": "helpful", "stringValue": "yes", "dataType": "CATEGORICAL", "observationId": None},
        {"id": f"score-{word}", "name": "resolved", "value": 1, "dataType": "BOOLEAN", "stringValue": "True"},
    ],
}, {"id": bare.id, "name": "bare", "sessionId": f"session-{word}", "timestamp": at(-60).isoformat(), "observations": []}]

read = {
    "auth_check": attempt(langfuse.auth_check),
    "fetch_trace": attempt(lambda: len(langfuse.fetch_trace(trace_id).data.observations)),
    "fetch_trace of a bare one": attempt(lambda: [langfuse.fetch_trace(bare.id).data.observations, langfuse.fetch_trace(bare.id).data.latency]),
    "fetch_traces": attempt(lambda: [each.name for each in langfuse.fetch_traces(user_id=f"ada-{word}").data]),
    "fetch_traces by tags": attempt(lambda: langfuse.fetch_traces(tags=["a", "c"], user_id=f"ada-{word}").meta.total_items),
    "fetch_observation": attempt(lambda: langfuse.fetch_observation(generation.id).data.usage_details),
    "fetch_observations": attempt(lambda: sorted(
        each.name for each in langfuse.fetch_observations(trace_id=trace_id, type="GENERATION").data)),
    "fetch_observations by parent": attempt(lambda: langfuse.fetch_observations(
        trace_id=trace_id, parent_observation_id=root.id, limit=2).meta.total_items),
    "fetch_sessions": attempt(lambda: f"session-{word}" in [each.id for each in langfuse.fetch_sessions().data]),
    "api.sessions.get": attempt(lambda: sorted(
        each.name for each in langfuse.client.sessions.get(f"session-{word}").traces)),
    "api.score.get": attempt(lambda: sorted(each.name for each in langfuse.client.score.get(user_id=f"ada-{word}").data)),
    "api.score.get_by_id": attempt(lambda: langfuse.client.score.get_by_id(f"score-{word}").value),
    "api.score.get of a value": attempt(lambda: [each.name for each in langfuse.client.score.get(
        user_id=f"ada-{word}", operator=">=", value=0.5, data_type="NUMERIC").data]),
    "api.metrics.daily": attempt(lambda: [(day.date.isoformat(), day.count_traces) for day in langfuse.client.metrics.daily(
        user_id=f"ada-{word}", from_timestamp=at(-3600), to_timestamp=at(3600)).data]),
    "api.models.list": attempt(lambda: langfuse.client.models.list(limit=1).meta.total_items > 10),
    "api.health.health": attempt(lambda: langfuse.client.health.health().status),
    "api.projects.get": attempt(lambda: len(langfuse.client.projects.get().data)),
    "get_prompt falls back": attempt(lambda: langfuse.get_prompt("none", fallback="be brief").prompt),
    "api.trace.delete": attempt(lambda: langfuse.client.trace.delete(bare.id).message),
}
meant.pop()  # it is gone
langfuse.shutdown()
say(meant, read)
