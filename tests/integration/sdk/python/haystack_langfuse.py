"""Haystack's pipelines, told by its own integration of langfuse."""

import os
import uuid

os.environ["HAYSTACK_CONTENT_TRACING_ENABLED"] = "true"
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"

from haystack import Pipeline
from haystack.components.builders import ChatPromptBuilder
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack_integrations.components.connectors.langfuse import LangfuseConnector
from haystack_integrations.tracing.langfuse.tracer import tracing_context_var
from said import ANSWER, MODEL, QUESTION, say

word = uuid.uuid4().hex[:8]
tracing_context_var.set({"user_id": f"ada-{word}", "session_id": f"session-{word}", "tags": ["b", "a"], "version": "v1"})
pipeline = Pipeline()
pipeline.add_component("tracer", LangfuseConnector("hay"))
pipeline.add_component("prompt", ChatPromptBuilder(
    template=[ChatMessage.from_system("Be kind."), ChatMessage.from_user("{{question}}")], required_variables=["question"]))
pipeline.add_component("llm", OpenAIChatGenerator(model="gpt-4o-mini", max_retries=0))
pipeline.connect("prompt.prompt", "llm.messages")
traced = pipeline.run({"prompt": {"question": QUESTION}})["tracer"]["trace_id"]

child = {"type": "SPAN", "parent": "hay"}
say([{
    "id": traced, "name": "hay", "userId": f"ada-{word}", "sessionId": f"session-{word}", "tags": ["a", "b"], "version": "v1",
    "input": {"prompt": {"question": QUESTION}}, "totalCost": 7.35e-06,
    "observations": [
        {"name": "hay", "type": "SPAN", "parent": None}, {**child, "name": "tracer"}, {**child, "name": "prompt"},
        {"name": "llm", "type": "GENERATION", "parent": "hay", "model": MODEL, "usageDetails": {"input": 21, "output": 7, "total": 28},
         "input": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": QUESTION}],
         "output": [{"role": "assistant", "content": ANSWER}]},
    ],
}])
