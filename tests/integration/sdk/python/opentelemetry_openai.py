"""OpenTelemetry's own instrumentation of OpenAI: spans, log records with the messages, and metrics, each by its exporter."""

import os
import uuid

os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "EVENT_ONLY"  # not on the spans

from openai import OpenAI
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from said import basic, say

service = f"genai-{uuid.uuid4().hex[:8]}"
resource = Resource.create({"service.name": service, "deployment.environment.name": "Staging"})
more = {"headers": basic(), "compression": Compression.Gzip}
base = os.environ["XTRACE_URL"] + "/api/public/otel/v1/"
tracers, loggers = TracerProvider(resource=resource), LoggerProvider(resource=resource)
tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(base + "traces", **more)))
loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(base + "logs", **more)))
meters = MeterProvider(resource=resource, metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter(base + "metrics", **more))])
OpenAIInstrumentor().instrument(tracer_provider=tracers, logger_provider=loggers, meter_provider=meters)

client = OpenAI(max_retries=0)
messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hauptstadt? 🇫🇷"}]
tools = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}]
with tracers.get_tracer("app").start_as_current_span("app") as root:
    client.chat.completions.create(model="gpt-4o-mini", messages=messages, temperature=0.5)
    for _ in client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True,
                                            stream_options={"include_usage": True}):
        pass
    client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=tools)
for provider in (loggers, tracers, meters):
    provider.shutdown()

def text(content):
    return [{"type": "text", "content": content}]


said = [{"role": "system", "parts": text("Be kind.")}, {"role": "user", "parts": text("Hauptstadt? 🇫🇷")}]
answer = [{"role": "assistant", "parts": text("Paris, natürlich. 🗼"), "finish_reason": "stop"}]
call = {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Paris"}}
generation = {"name": "chat gpt-4o-mini", "type": "GENERATION", "parent": "app", "model": "gpt-4o-mini-2024-07-18", "input": said,
              "output": answer, "usageDetails": {"input": 21, "output": 7, "total": 28}, "environment": "staging"}
say([{
    "id": format(root.get_span_context().trace_id, "032x"), "name": "app", "environment": "staging",
    "observations": [{"name": "app", "type": "SPAN", "parent": None}, {**generation, "modelParameters": {"temperature": 0.5}}, generation,
                     {**generation, "output": [{"role": "assistant", "parts": [call], "finish_reason": "tool_calls"}]}],
}], {"service": service})
