// OpenTelemetry's own instrumentation of OpenAI's client, in a NodeSDK that knows its way from the environment alone: spans,
// metrics, and log records that become input and output of the spans.
import { createRequire } from "node:module";

import { context, trace } from "@opentelemetry/api";
import { OpenAIInstrumentation } from "@opentelemetry/instrumentation-openai";
import { NodeSDK } from "@opentelemetry/sdk-node";

const token = Buffer.from(`${process.env.LANGFUSE_PUBLIC_KEY}:${process.env.LANGFUSE_SECRET_KEY}`).toString("base64");
Object.assign(process.env, {
  OTEL_EXPORTER_OTLP_ENDPOINT: process.env.XTRACE_URL, OTEL_EXPORTER_OTLP_HEADERS: `Authorization=Basic%20${encodeURIComponent(token)}`,
  OTEL_TRACES_EXPORTER: "otlp", OTEL_METRICS_EXPORTER: "otlp", OTEL_LOGS_EXPORTER: "otlp", OTEL_SERVICE_NAME: "by-environment",
  OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=qa,service.version=3.2.1",
});
const sdk = new NodeSDK({ instrumentations: [new OpenAIInstrumentation({ captureMessageContent: true })] });
sdk.start();
const OpenAI = createRequire(import.meta.url)("openai"); // what is required is instrumented
const openai = new OpenAI({ maxRetries: 0 });
const chat = (messages, more) => openai.chat.completions.create({ model: "gpt-4o-mini", messages, ...more });
const system = { role: "system", content: "Be brief." };
const user = (content) => ({ role: "user", content });
const tools = [{ type: "function", function: { name: "get_weather", parameters: { type: "object", properties: {} } } }];

const root = trace.getTracer("app").startSpan("turn", { attributes: { "user.id": "user-ü", "session.id": "session/env" } });
await trace.getTracer("app").startActiveSpan("calls", {}, trace.setSpan(context.active(), root), async (span) => {
  await chat([system, user("Wo? 🚚")], { temperature: 0.2 });
  await chat([user("the weather")], { tools });
  for await (const _ of await chat([user("Hallo?")], { stream: true, stream_options: { include_usage: true } })) { /* read it all */ }
  await openai.embeddings.create({ model: "text-embedding-3-small", input: "sunny" });
  await chat([user("boom")]).catch(() => {});
  span.end();
});
root.end();
await sdk.shutdown();

const common = { environment: "qa", version: "3.2.1", level: "DEFAULT", statusMessage: null };
const answer = { index: 0, finish_reason: "stop", message: { content: "Paris, natürlich. 🗼" } };
const call = { id: "call_1", type: "function", function: { name: "get_weather", arguments: '{"city": "Paris"}' } };
const completion = {
  name: "chat gpt-4o-mini", type: "GENERATION", parent: "calls", model: "gpt-4o-mini-2024-07-18", output: answer, usageDetails: { input: 21, output: 7, total: 28 },
  calculatedTotalCost: 0.00000735,
};
const traces = [{
  id: root.spanContext().traceId, name: "turn", userId: "user-ü", sessionId: "session/env", environment: "qa", version: "3.2.1", scores: [], totalCost: 0.00002213,
  observations: [
    { name: "turn", type: "SPAN", parent: null }, { name: "calls", type: "SPAN", parent: "turn" },
    { ...completion, modelParameters: { temperature: 0.2 }, input: [system, user("Wo? 🚚")] },
    { ...completion, input: [user("the weather")], output: { index: 0, finish_reason: "tool_calls", message: { tool_calls: [call] } } },
    { ...completion, input: [user("Hallo?")] },
    { name: "embeddings text-embedding-3-small", type: "EMBEDDING", parent: "calls", model: "text-embedding-3-small", usageDetails: { input: 4, total: 4 } },
    {
      ...completion, model: "gpt-4o-mini", input: [user("boom")], output: null, level: "ERROR", statusMessage: "400 the model exploded", usageDetails: {},
      calculatedTotalCost: null,
    },
  ].map((each) => ({ ...common, ...each })),
}];
console.log(JSON.stringify({ traces }));
