"""What the scripts have in common: they print what they meant and what reading helpers gave, as one line of JSON."""

import json
import os


def say(traces, read=None):
    """traces: as support/sdk.py describes them."""
    print(json.dumps({"traces": traces, "read": read or {}}))


def attempt(call):
    """What a reading helper gives, or its error as text."""
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]


def basic():
    """The key pair as a header."""
    import base64

    pair = f"{os.environ['LANGFUSE_PUBLIC_KEY']}:{os.environ['LANGFUSE_SECRET_KEY']}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def configure_exporter():
    """For what makes its exporter itself, by OpenTelemetry's variables."""
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = os.environ["XTRACE_URL"] + "/api/public/otel"
    os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf"
    os.environ["OTEL_EXPORTER_OTLP_HEADERS"] = "Authorization=" + basic()["Authorization"].replace(" ", "%20")


def tracer_provider():
    """With OpenTelemetry's own exporter."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "live", "deployment.environment.name": "Staging"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(
        os.environ["XTRACE_URL"] + "/api/public/otel/v1/traces", headers=basic())))
    return provider


def trace_id(span):
    return format(span.get_span_context().trace_id, "032x")


# What support/fake_openai.py is asked and answers.
QUESTION = "Hauptstadt? 🇫🇷"
ANSWER = "Paris, natürlich. 🗼"
MODEL = "gpt-4o-mini-2024-07-18"
TOKENS = {"input": 16, "input_cached_tokens": 5, "output": 5, "output_reasoning_tokens": 2, "total": 28}
COST = 6.975e-06
