"""langfuse 3, 4 and 5, which send OTLP (scores: /ingestion): a session of nested observations of every type."""

import base64
import hashlib
import importlib.metadata
import uuid
from datetime import datetime, timezone

from langfuse import Langfuse, observe, propagate_attributes
from said import attempt, say

major = int(importlib.metadata.version("langfuse").split(".")[0])
langfuse = Langfuse(environment="staging-otel", release=f"rel-{major}")
word = uuid.uuid4().hex[:8]
user, session = f"ada-{word}", f"session-{word}"
PIXEL = ("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
media_id = base64.urlsafe_b64encode(hashlib.sha256(base64.b64decode(PIXEL.split(",")[1])).digest()).decode()[:22]
first_token = datetime.now(timezone.utc)


def start(name, as_type="span", **more):
    return langfuse.start_as_current_observation(name=name, as_type=as_type, **more)


@observe(as_type="generation", capture_output=True)
def decorated(question, times=2):
    langfuse.update_current_generation(model="made-up-model", usage_details={"input": 1, "output": 2})
    return [question] * times


with start("agent", "agent", input={"q": "größer? 😀"}, metadata={"depth": 1, "list": [1, "two", None]}) as root:
    with propagate_attributes(user_id=user, session_id=session, tags=["b", "a"], version="1.1", trace_name="chat",
                              metadata={"plan": "pro", "flag": "true"}):
        if major == 3:
            langfuse.update_current_trace(public=True, input={"q": "trace in"}, output="trace out")
        else:
            langfuse.set_current_trace_as_public()
        if major == 4:
            langfuse.set_current_trace_io(input={"q": "trace in"}, output="trace out")
        with start("retrieve", "retriever", input="q") as retriever:
            with start("embed", "embedding", model="made-up-embedding", input="q", usage_details={"input": 5}) as embedding:
                embedding.update(output=[0.1, -0.2])
            retriever.update(output=["d1", "d2"], level="WARNING", status_message="slow")
        with start("answer", "generation", model="made-up-model", input=[{"role": "user", "content": "hi"}],
                   model_parameters={"temperature": 0.5, "max_tokens": 256, "stop": "END"}) as generation:
            generation.update(completion_start_time=first_token, output={"role": "assistant", "content": "ho"},
                              usage_details={"input": 11, "output": 4, "cache_read_input_tokens": 3, "total": 18},
                              cost_details={"input": 0.001, "output": 0.002, "total": 0.003}, version="v-gen")
            generation.score(name="quality", value=0.75, comment="gut")
        with start("get_weather", "tool", input={"city": "Paris"}) as tool:
            tool.update(output="☀")
        langfuse.create_event(name="cache-miss", input="k", level="DEBUG", metadata={"hit": False})
        for name, as_type in (("guard", "guardrail"), ("judge", "evaluator"), ("compose", "chain")):
            with start(name, as_type, input="x") as each:
                each.update(output=True)
        decorated("again")
        with start("vision", "generation", input=[{"type": "image_url", "image_url": {"url": PIXEL}}]):
            pass
        try:
            with start("fails"):
                raise ValueError("no luck")
        except ValueError:
            pass
        langfuse.score_current_trace(name="helpful", value="yes", data_type="CATEGORICAL")
        root.update(output={"done": True})
    trace_id, root_id = root.trace_id, root.id
langfuse.create_score(trace_id=trace_id, name="resolved", value=1, data_type="BOOLEAN", score_id=f"score-{word}")
langfuse.create_score(session_id=session, name="csat", value=4)
langfuse.flush()

common = {"environment": "staging-otel"}
usage = {"input": 11, "output": 4, "cache_read_input_tokens": 3, "total": 18}
trace_io = {"input": {"q": "trace in"}, "output": "trace out"} if major < 5 else {"input": {"q": "größer? 😀"}, "output": {"done": True}}
meant = [{
    "id": trace_id, "name": "chat", "userId": user, "sessionId": session, "release": f"rel-{major}", "tags": ["a", "b"],
    "public": True, **trace_io, **common,
    "observations": [
        {"id": root_id, "name": "agent", "type": "AGENT", "parent": None, "input": {"q": "größer? 😀"}, "output": {"done": True},
         "version": "1.1", "level": "DEFAULT", **common},
        {"name": "retrieve", "type": "RETRIEVER", "parent": "agent", "input": "q", "output": ["d1", "d2"], "level": "WARNING",
         "statusMessage": "slow", **common},
        {"name": "embed", "type": "EMBEDDING", "parent": "retrieve", "model": "made-up-embedding", "output": [0.1, -0.2],
         "usageDetails": {"input": 5, "total": 5}},
        {"id": generation.id, "name": "answer", "type": "GENERATION", "parent": "agent", "model": "made-up-model",
         "modelParameters": {"temperature": 0.5, "max_tokens": 256, "stop": "END"}, "input": [{"role": "user", "content": "hi"}],
         "output": {"role": "assistant", "content": "ho"}, "usageDetails": usage, "completionStartTime": first_token.isoformat(),
         "costDetails": {"input": 0.001, "output": 0.002, "total": 0.003}, "calculatedTotalCost": 0.003, "version": "v-gen"},
        {"name": "get_weather", "type": "TOOL", "parent": "agent", "input": {"city": "Paris"}, "output": "☀"},
        {"name": "cache-miss", "type": "EVENT", "parent": "agent", "input": "k", "level": "DEBUG"},
        {"name": "guard", "type": "GUARDRAIL", "parent": "agent", "input": "x", "output": True},
        {"name": "judge", "type": "EVALUATOR", "parent": "agent", "input": "x", "output": True},
        {"name": "compose", "type": "CHAIN", "parent": "agent", "input": "x", "output": True},
        {"name": "decorated", "type": "GENERATION", "parent": "agent", "model": "made-up-model",
         "input": {"args": ["again"], "kwargs": {}}, "output": ["again", "again"], "usageDetails": {"input": 1, "output": 2, "total": 3}},
        {"name": "vision", "type": "GENERATION", "parent": "agent", "input": [{"type": "image_url", "image_url": {
            "url": f"@@@langfuseMedia:type=image/png|id={media_id}|source=base64_data_uri@@@"}}]},
        {"name": "fails", "type": "SPAN", "parent": "agent", "level": "ERROR", "statusMessage": "ValueError: no luck"},
    ],
    "scores": [
        {"name": "quality", "value": 0.75, "dataType": "NUMERIC", "comment": "gut", "observationId": generation.id, "source": "API"},
        {"name": "helpful", "stringValue": "yes", "dataType": "CATEGORICAL", "observationId": None},
        {"id": f"score-{word}", "name": "resolved", "value": 1, "dataType": "BOOLEAN", "stringValue": "True"},
    ],
}]

api = langfuse.api
legacy = api.legacy if major == 4 else api
span = '{"view":"observations","metrics":[{"measure":"count","aggregation":"count"}],"dimensions":[{"field":"type"}],' \
    '"filters":[{"column":"traceName","operator":"=","value":"chat","type":"string"},' \
    '{"column":"type","operator":"=","value":"TOOL","type":"string"}],' \
    '"fromTimestamp":"2026-01-01T00:00:00Z","toTimestamp":"2100-01-01T00:00:00Z"}'
read = {
    "auth_check": attempt(langfuse.auth_check),
    "get_trace_url": attempt(lambda: langfuse.get_trace_url(trace_id=trace_id).endswith(f"/project/default/traces/{trace_id}")),
    "health": attempt(lambda: api.health.health().status),
    "projects": attempt(lambda: len(api.projects.get().data)),
    "get_prompt falls back": attempt(lambda: langfuse.get_prompt("none", fallback="be brief").prompt),
    "models": attempt(lambda: api.models.list(limit=1).meta.total_items > 10),
}
with start("gone") as gone:
    gone.score(name="gone", value=1, score_id=f"gone-{word}")
langfuse.flush()
scores = {3: "score", 4: "legacy", 5: "scores"}[major]
delete_score = api.legacy.score_v1.delete if major == 4 else getattr(api, scores).delete
read |= {
    "score.delete": attempt(lambda: delete_score(f"gone-{word}") is None),
    "trace.delete": attempt(lambda: api.trace.delete(gone.trace_id).message),
}
if major < 5:
    read |= {
        "trace.list": attempt(lambda: [each.name for each in api.trace.list(user_id=user, tags=["a", "b"]).data]),
        "trace.get": attempt(lambda: len(api.trace.get(trace_id).observations)),
        "trace.get of one that is gone": attempt(lambda: api.trace.get(gone.trace_id))[:13],
        "sessions.list": attempt(lambda: session in [each.id for each in api.sessions.list().data]),
        "sessions.get": attempt(lambda: [each.name for each in api.sessions.get(session).traces]),
    }
if major == 3:
    read |= {
        "observations": attempt(lambda: sorted(each.name for each in api.observations.get_many(trace_id=trace_id, type="TOOL").data)),
        "observation": attempt(lambda: api.observations.get(generation.id).usage_details),
        "observations v2": attempt(lambda: sorted(each["name"] if isinstance(each, dict) else each.name for each in
                                                  api.observations_v_2.get_many(trace_id=trace_id, type="TOOL").data)),
        "scores": attempt(lambda: sorted(each.name for each in api.score_v_2.get(user_id=user).data)),
        "score": attempt(lambda: api.score_v_2.get_by_id(f"score-{word}").value),
        "metrics": attempt(lambda: api.metrics.metrics(query=span).data[0]["type"]),
        "metrics v2": attempt(lambda: api.metrics_v_2.metrics(query=span).data[0]["type"]),
    }
elif major == 4:
    read |= {
        "observations": attempt(lambda: sorted(each.name for each in legacy.observations_v1.get_many(trace_id=trace_id, type="TOOL").data)),
        "observation": attempt(lambda: legacy.observations_v1.get(generation.id).usage_details),
        "observations v2": attempt(lambda: sorted(each.name for each in api.observations.get_many(trace_id=trace_id, type="TOOL").data)),
        "scores": attempt(lambda: sorted(each.name for each in api.scores.get_many(user_id=user).data)),
        "score": attempt(lambda: api.scores.get_by_id(f"score-{word}").value),
        "scores v3": attempt(lambda: sorted((each.name, each.value) for each in api.scores_v3.get_many_v3(trace_id=trace_id).data)),
        "metrics": attempt(lambda: legacy.metrics_v1.metrics(query=span).data[0]["type"]),
        "metrics v2": attempt(lambda: api.metrics.metrics(query=span).data[0]["type"]),
    }
else:
    read |= {
        "observations v2": attempt(lambda: sorted(each.name for each in api.observations.get_many(trace_id=trace_id, type="TOOL").data)),
        "observations v2 io": attempt(lambda: [each.output for each in api.observations.get_many(
            trace_id=trace_id, name="answer", fields="core,basic,io,usage,model,metadata,metrics,time,prompt,trace_context").data]),
        "scores": attempt(lambda: sorted(each.name for each in api.scores.get_many(trace_id=trace_id).data)),
        "metrics": attempt(lambda: api.metrics.metrics(query=span).data[0]["type"]),
    }
langfuse.shutdown()
say(meant, read)
