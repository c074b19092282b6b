"""MLflow's tracing with OTLP as its destination: everything in quotes, kinds and tokens under names of its own."""

import os

from said import QUESTION, basic, say

os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = os.environ["XTRACE_URL"] + "/api/public/otel/v1/traces"
os.environ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] = "http/protobuf"
os.environ["OTEL_EXPORTER_OTLP_TRACES_HEADERS"] = "Authorization=" + basic()["Authorization"].replace(" ", "%20")

import mlflow
from openai import OpenAI

mlflow.openai.autolog()
client = OpenAI(max_retries=0)
asked = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": QUESTION}]
seen = {}


@mlflow.trace(span_type="TOOL")
def get_weather(city):
    return f"☀ in {city}"


@mlflow.trace(name="session", span_type="AGENT")
def session(question):
    seen["trace"] = mlflow.get_current_active_span()._span.get_span_context().trace_id
    client.chat.completions.create(model="gpt-4o-mini", messages=asked)
    get_weather("Paris")
    try:
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "boom"}])
    except Exception:
        pass
    return {"done": True}


session(QUESTION)
mlflow.flush_trace_async_logging()
say([{
    "id": format(seen["trace"], "032x"), "name": "session", "input": {"question": QUESTION}, "output": {"done": True},
    "totalCost": 6.975e-06,
    "observations": [
        {"name": "session", "type": "AGENT", "parent": None},
        {"name": "Completions", "type": "GENERATION", "parent": "session", "model": "gpt-4o-mini-2024-07-18",
         "input": {"messages": asked, "model": "gpt-4o-mini"},
         "usageDetails": {"input": 16, "input_cached_tokens": 5, "output": 7, "total": 28}, "calculatedTotalCost": 6.975e-06},
        {"name": "get_weather", "type": "TOOL", "parent": "session", "input": {"city": "Paris"}, "output": "☀ in Paris"},
        {"name": "Completions", "type": "GENERATION", "parent": "session", "model": "gpt-4o-mini", "level": "ERROR",
         "statusMessage": "Error code: 400 - the model exploded"},
    ],
}])
