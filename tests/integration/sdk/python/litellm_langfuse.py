"""LiteLLM's callback "langfuse_otel": an answer, a stream and an error, each a trace of its own."""

import json
import os
import time
import urllib.request
import uuid

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm
from said import ANSWER, COST, MODEL, QUESTION, TOKENS, basic, say

litellm.callbacks = ["langfuse_otel"]
word = uuid.uuid4().hex[:8]
asked = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": QUESTION}]
boom = [{"role": "user", "content": "boom"}]
call = {"model": "openai/gpt-4o-mini", "api_base": os.environ["OPENAI_BASE_URL"], "num_retries": 0}


def named(name):
    return {"metadata": {"trace_name": name, "trace_user_id": f"ada-{word}", "session_id": f"session-{word}",
                         "tags": ["b", "a"], "trace_metadata": {"plan": "pro"}, "trace_version": "v1"}}


def sent():
    """LiteLLM makes the ids and sends when it likes. Name to id."""
    request = urllib.request.Request(f"{os.environ['XTRACE_URL']}/api/public/traces?userId=ada-{word}", headers=basic())
    return {trace["name"]: trace["id"] for trace in json.load(urllib.request.urlopen(request))["data"]}


litellm.completion(**call, messages=asked, temperature=0.5, **named("answer"))
for _ in litellm.completion(**call, messages=asked, stream=True, stream_options={"include_usage": True}, **named("stream")):
    pass
try:
    litellm.completion(**call, messages=boom, **named("fail"))
except litellm.BadRequestError:
    pass
until = time.monotonic() + 60
while not (ids := sent()).keys() >= {"answer", "stream", "fail"} and time.monotonic() < until:
    time.sleep(0.1)

trace = {"userId": f"ada-{word}", "sessionId": f"session-{word}", "tags": ["a", "b"], "version": "v1", "metadata": {"plan": "pro"}}
generation = {"name": "litellm_request", "type": "GENERATION", "parent": None, "input": asked,
              "output": {"role": "assistant", "content": ANSWER}, "usageDetails": TOKENS, "calculatedTotalCost": COST}
raw = {"name": "raw_gen_ai_request", "type": "SPAN", "parent": "litellm_request"}
say([
    {"id": ids["answer"], "name": "answer", "input": asked, "totalCost": COST, **trace,
     "observations": [{**generation, "model": MODEL, "modelParameters": {"temperature": 0.5}}, raw]},
    {"id": ids["stream"], "name": "stream", "input": asked, "totalCost": COST, **trace, "observations": [generation, raw]},
    {"id": ids["fail"], "name": "fail", "input": boom, **trace, "observations": [
        {"name": "litellm_request", "type": "GENERATION", "parent": None, "input": boom, "level": "ERROR", "model": "gpt-4o-mini"}]},
])
