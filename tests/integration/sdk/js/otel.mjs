// OpenTelemetry JS: the same session of a plainly instrumented service, by each exporter, plain and with gzip.
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const at = (ms) => Date.UTC(2026, 4, 3, 12) + ms;
const authorization = "Basic " + Buffer.from(`${process.env.LANGFUSE_PUBLIC_KEY}:${process.env.LANGFUSE_SECRET_KEY}`).toString("base64");

// Children end before the root and are exported first, as in a service that is still at work.
async function send(Exporter, path, compression) {
  const exporter = new Exporter({ url: process.env.XTRACE_URL + path, headers: { authorization }, compression });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({
      "service.name": "shop", "service.version": "3.2.1", "deployment.environment.name": "Prod-EU", "process.pid": 4711,
    }),
    spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: 60000 })],
  });
  const tracer = provider.getTracer("shop-chat", "1.0.0");
  const start = (name, ms, parent, attributes, more) =>
    tracer.startSpan(name, { startTime: at(ms), attributes, ...more }, parent ? trace.setSpan(context.active(), parent) : context.active());

  const root = start("POST /chat", 0, null, {
    "user.id": "user-ü", "session.id": "session/otel", "langfuse.trace.tags": ["otel", "plain"], "http.request.method": "POST",
    "langfuse.trace.metadata.tenant": "acme", "http.response.status_code": 200, "langfuse.release": "rel-1",
  }, { kind: SpanKind.SERVER });
  const agent = start("invoke_agent helper", 5, root, {
    "gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "test-model", "gen_ai.usage.input_tokens": 1000,
  });
  const chat = start("chat test-model", 10, agent, {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "test", "gen_ai.request.model": "test-model",
    "gen_ai.response.model": "test-model-2026", "gen_ai.request.temperature": 0.2, "gen_ai.request.max_tokens": 256,
    "gen_ai.request.stop_sequences": ["END"], "gen_ai.conversation.id": "not-the-session",
    "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20, "gen_ai.usage.cache_read.input_tokens": 40,
    "gen_ai.system_instructions": JSON.stringify([{ type: "text", content: "Be brief." }]),
    "gen_ai.input.messages": JSON.stringify([{ role: "user", parts: [{ type: "text", content: "Wo? 🚚" }] }]),
    "gen_ai.output.messages": JSON.stringify([{ role: "assistant", parts: [{ type: "text", content: "Da." }] }]),
  });
  chat.end(at(510));
  const tool = start("execute_tool get_order", 520, agent, {
    "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_order", "gen_ai.tool.call.id": "call-1",
    "gen_ai.tool.call.arguments": '{"id":42}', "gen_ai.tool.call.result": '{"status":"sent"}',
  });
  tool.end(at(530));
  agent.end(at(540));
  const legacy = start("legacy completion", 550, root, {
    "gen_ai.request.model": "test-model", "gen_ai.usage.prompt_tokens": 10, "gen_ai.usage.completion_tokens": 5, "gen_ai.usage.cost": 0.0123,
    "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "hi", "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "hello",
  });
  legacy.end(at(560));
  const query = start("SELECT orders", 570, root, { "db.system": "postgresql", "db.rows": 3, ok: true, ratio: 0.5, tags: ["a", "b"] });
  query.recordException(new Error("deadlock detected"));
  query.setStatus({ code: SpanStatusCode.ERROR, message: "deadlock detected" });
  query.end(at(580));
  await provider.forceFlush();
  root.end(at(600));
  await provider.shutdown();

  const common = { environment: "prod-eu", version: "3.2.1", level: "DEFAULT", statusMessage: null };
  const noUsage = { usageDetails: {}, costDetails: {}, promptTokens: 0, completionTokens: 0, totalTokens: 0 };
  return {
    id: root.spanContext().traceId, name: "POST /chat", timestamp: new Date(at(0)), userId: "user-ü", sessionId: "session/otel",
    tags: ["otel", "plain"], environment: "prod-eu", release: "rel-1", version: "3.2.1", metadata: { tenant: "acme" }, public: false,
    input: null, output: null, latency: 0.6, totalCost: 0.0123, scores: [],
    observations: [
      { ...common, ...noUsage, id: root.spanContext().spanId, name: "POST /chat", type: "SPAN", parent: null, startTime: new Date(at(0)), endTime: new Date(at(600)) },
      { ...common, ...noUsage, name: "invoke_agent helper", type: "AGENT", parent: "POST /chat", model: null },
      {
        ...common, name: "chat test-model", type: "GENERATION", parent: "invoke_agent helper", startTime: new Date(at(10)), endTime: new Date(at(510)),
        model: "test-model-2026", latency: 0.5,
        modelParameters: { temperature: 0.2, max_tokens: 256, stop_sequences: '["END"]' },
        input: [{ role: "system", content: "Be brief." }, { role: "user", parts: [{ type: "text", content: "Wo? 🚚" }] }],
        output: [{ role: "assistant", parts: [{ type: "text", content: "Da." }] }],
        usageDetails: { input: 60, output: 20, input_cached_tokens: 40, total: 120 }, promptTokens: 100, completionTokens: 20, totalTokens: 120,
      },
      { ...common, ...noUsage, name: "get_order", type: "TOOL", parent: "invoke_agent helper", input: { id: 42 }, output: { status: "sent" } },
      {
        ...common, name: "legacy completion", type: "GENERATION", parent: "POST /chat", model: "test-model",
        input: [{ role: "user", content: "hi" }], output: [{ role: "assistant", content: "hello" }],
        usageDetails: { input: 10, output: 5, total: 15 }, costDetails: { total: 0.0123 }, calculatedTotalCost: 0.0123,
      },
      { ...common, ...noUsage, name: "SELECT orders", type: "SPAN", parent: "POST /chat", level: "ERROR", statusMessage: "deadlock detected" },
    ],
  };
}

const traces = [];
for (const [Exporter, path] of [[JsonExporter, "/api/public/otel/v1/traces"], [ProtobufExporter, "/api/public/otel/v1/traces"],
  [JsonExporter, "/v1/traces"], [ProtobufExporter, "/v1/traces"]]) {
  for (const compression of ["none", "gzip"]) {
    traces.push(await send(Exporter, path, compression));
  }
}
console.log(JSON.stringify({ traces }));
