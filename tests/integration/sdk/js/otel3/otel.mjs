// OpenTelemetry JS 3 (exporters 0.301): all three signals of an instrumented service, by each exporter, plain and with gzip.
import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPLogExporter as LogsJson } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as LogsProtobuf } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter as MetricsJson } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPMetricExporter as MetricsProtobuf } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter as TracesJson } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as TracesProtobuf } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";

const authorization = "Basic " + Buffer.from(`${process.env.LANGFUSE_PUBLIC_KEY}:${process.env.LANGFUSE_SECRET_KEY}`).toString("base64");
const at = (ms) => Date.UTC(2026, 4, 3, 12) + ms;

async function session(name, path, compression, { Traces, Metrics, Logs }) {
  const to = (signal) => ({ url: `${process.env.XTRACE_URL}${path}/v1/${signal}`, headers: { authorization }, compression });
  const resource = resourceFromAttributes({ "service.name": name, "service.version": "3.2.1", "deployment.environment.name": "Prod-EU" });
  const tracers = new TracerProvider({ resource, spanProcessors: [new BatchSpanProcessor({ exporter: new Traces(to("traces")), scheduledDelayMillis: 60000 })] });
  const meters = new MeterProvider({ resource, readers: [new PeriodicExportingMetricReader({ exporter: new Metrics(to("metrics")), exportIntervalMillis: 60000 })] });
  const loggers = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter: new Logs(to("logs")), scheduledDelayMillis: 60000 })] });
  const tracer = tracers.getTracer("shop-chat", "1.0.0");

  const root = tracer.startSpan("POST /chat", {
    startTime: at(0), attributes: { "user.id": "user-ü", "session.id": "session/otel3", "langfuse.trace.tags": ["otel", "three"], "http.response.status_code": 200 },
  });
  const inside = trace.setSpan(context.active(), root);
  const chat = tracer.startSpan("chat test-model", {
    startTime: at(10), attributes: {
      "gen_ai.operation.name": "chat", "gen_ai.request.model": "test-model", "gen_ai.request.temperature": 0.2, "gen_ai.usage.input_tokens": 100,
      "gen_ai.usage.output_tokens": 20, "gen_ai.usage.cache_read.input_tokens": 40, "gen_ai.response.time_to_first_chunk": 0.25,
    },
  }, inside);
  const query = tracer.startSpan("SELECT orders", { startTime: at(20), attributes: { "db.rows": 3, ratio: 0.5, tags: ["a", "b"] } }, inside);
  query.recordException(new Error("deadlock detected"));
  query.setStatus({ code: SpanStatusCode.ERROR, message: "deadlock detected" });
  query.end(at(30));
  const logger = loggers.getLogger("genai", "1.0");
  const log = (eventName, body) => logger.emit({ eventName, body, context: trace.setSpan(context.active(), chat), timestamp: at(11) });
  log("gen_ai.user.message", { content: "Wo? 🚚" });
  log("gen_ai.choice", { index: 0, finish_reason: "stop", message: { role: "assistant", content: "Da." } });
  logger.emit({ body: "not of GenAI", severityText: "INFO" });
  chat.end(at(510));
  root.end(at(600));

  const meter = meters.getMeter("shop", "1.0.0");
  meter.createCounter("orders", { unit: "1" }).add(3, { region: "eu-ü" });
  meter.createHistogram("wait", { unit: "ms", advice: { explicitBucketBoundaries: [10, 100] } }).record(42, { region: "eu-ü" });
  meter.createObservableGauge("depth").addCallback((result) => result.observe(7.5));
  const failures = [];
  for (const provider of [loggers, tracers, meters]) {
    await provider.forceFlush().catch((error) => failures.push(String(error)));
    await provider.shutdown();
  }
  const common = { environment: "prod-eu", version: "3.2.1", level: "DEFAULT", statusMessage: null };
  return {
    id: root.spanContext().traceId, name: "POST /chat", timestamp: new Date(at(0)), userId: "user-ü", sessionId: "session/otel3", tags: ["otel", "three"],
    environment: "prod-eu", version: "3.2.1", latency: 0.6, scores: [], failures,
    observations: [
      { ...common, name: "POST /chat", type: "SPAN", parent: null, startTime: new Date(at(0)), endTime: new Date(at(600)) },
      {
        ...common, name: "chat test-model", type: "GENERATION", parent: "POST /chat", model: "test-model", modelParameters: { temperature: 0.2 },
        completionStartTime: new Date(at(260)), timeToFirstToken: 0.25, input: [{ role: "user", content: "Wo? 🚚" }],
        usageDetails: { input: 60, output: 20, input_cached_tokens: 40, total: 120 },
      },
      { ...common, name: "SELECT orders", type: "SPAN", parent: "POST /chat", level: "ERROR", statusMessage: "deadlock detected" },
    ],
  };
}
const json = { Traces: TracesJson, Metrics: MetricsJson, Logs: LogsJson };
const protobuf = { Traces: TracesProtobuf, Metrics: MetricsProtobuf, Logs: LogsProtobuf };
const traces = [
  await session("json", "/api/public/otel", "none", json), await session("json-gzip", "", "gzip", json),
  await session("protobuf", "/api/public/otel", "none", protobuf), await session("protobuf-gzip", "", "gzip", protobuf),
];
console.log(JSON.stringify({ traces }));
