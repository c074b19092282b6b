"""OpenInference for OpenAI and LangChain, by the OpenTelemetry exporter for protobuf with gzip."""

import os
import uuid

from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from openai import OpenAI
from openinference.instrumentation import using_attributes
from openinference.instrumentation.langchain import LangChainInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from said import basic, say

MODEL = "gpt-4o-mini-2024-07-18"
word = uuid.uuid4().hex[:8]
provider = TracerProvider(resource=Resource.create({"service.name": "inference", "deployment.environment.name": "Staging"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(
    endpoint=os.environ["XTRACE_URL"] + "/api/public/otel/v1/traces", headers=basic(), compression=Compression.Gzip)))
OpenAIInstrumentor().instrument(tracer_provider=provider)
LangChainInstrumentor().instrument(tracer_provider=provider)
tracer = provider.get_tracer("app")
messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hauptstadt? 🇫🇷"}]


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"☀ in {city}"


client = OpenAI(max_retries=0)
with using_attributes(session_id=f"session-{word}", user_id=f"ada-{word}", tags=["b", "a"], metadata={"plan": "pro"}):
    with tracer.start_as_current_span("openai", attributes={"openinference.span.kind": "AGENT", "input.value": "in",
                                                            "output.value": '{"out": 1}', "output.mime_type": "application/json",
                                                            "session.id": f"session-{word}", "user.id": f"ada-{word}"}) as first:
        client.chat.completions.create(model="gpt-4o-mini", messages=messages, temperature=0.5)
        for _ in client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True,
                                                stream_options={"include_usage": True}):
            pass
        client.embeddings.create(model="text-embedding-3-small", input="q")
        try:
            client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "boom"}])
        except Exception:
            pass
    OpenAIInstrumentor().uninstrument()
    with tracer.start_as_current_span("langchain", attributes={"openinference.span.kind": "AGENT"}) as second:
        chain = ChatPromptTemplate.from_messages([("user", "{question}")]) | ChatOpenAI(model="gpt-4o-mini", temperature=0.5)
        chain.invoke({"question": "Hauptstadt?"})
        get_weather.invoke({"city": "Paris"})
provider.shutdown()

common = {"environment": "staging"}
tokens = {"input": 16, "output": 5, "input_cached_tokens": 5, "output_reasoning_tokens": 2, "output_audio_tokens": 0,
          "prompt_details.audio": 0, "total": 28}
llm = {"type": "GENERATION", "name": "ChatCompletion", "parent": "openai", **common}
meant = [{
    "id": format(first.get_span_context().trace_id, "032x"), "name": "openai", "userId": f"ada-{word}", "sessionId": f"session-{word}",
    "input": "in", "output": {"out": 1}, "tags": ["a", "b"], "totalCost": 1.403e-05, **common,
    "observations": [
        {"name": "openai", "type": "AGENT", "parent": None, "input": "in", "output": {"out": 1}},
        {**llm, "model": MODEL, "modelParameters": {"model": "gpt-4o-mini", "temperature": 0.5}, "usageDetails": tokens},
        {**llm, "model": MODEL, "usageDetails": tokens},
        {"name": "CreateEmbeddings", "type": "EMBEDDING", "parent": "openai", "model": "text-embedding-3-small",
         "usageDetails": {"input": 4, "total": 4}},
        {**llm, "level": "ERROR", "model": "gpt-4o-mini"},
    ],
}, {
    "id": format(second.get_span_context().trace_id, "032x"), "name": "langchain", "userId": f"ada-{word}", **common,
    "observations": [
        {"name": "langchain", "type": "AGENT", "parent": None},
        {"name": "RunnableSequence", "type": "CHAIN", "parent": "langchain", "input": "Hauptstadt?"},
        {"name": "ChatPromptTemplate", "type": "SPAN", "parent": "RunnableSequence"},
        {"name": "ChatOpenAI", "type": "GENERATION", "parent": "RunnableSequence", "usageDetails": tokens},
        {"name": "get_weather", "type": "TOOL", "parent": "langchain", "output": "☀ in Paris"},
    ],
}]
say(meant)
