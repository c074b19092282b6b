// OpenLLMetry JS: workflow, task, tool and agent of the application, and its instrumentation of OpenAI's client.
import { trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import * as traceloop from "@traceloop/node-server-sdk";
import OpenAI from "openai";

const authorization = "Basic " + Buffer.from(`${process.env.LANGFUSE_PUBLIC_KEY}:${process.env.LANGFUSE_SECRET_KEY}`).toString("base64");
traceloop.initialize({
  appName: "shop", instrumentModules: { openAI: OpenAI }, silenceInitializationMessage: true, traceloopSyncEnabled: false,
  exporter: new OTLPTraceExporter({ url: process.env.XTRACE_URL + "/api/public/otel/v1/traces", headers: { authorization } }),
});
const openai = new OpenAI({ maxRetries: 0 });
const chat = (content, more) => openai.chat.completions.create({ model: "gpt-4o-mini", messages: [{ role: "user", content }], ...more });
const tools = [{ type: "function", function: { name: "get_weather", parameters: { type: "object", properties: {} } } }];

let traceId;
const properties = { user_id: "user-ü", session_id: "session/tl", tenant: "acme" };
await traceloop.withWorkflow({ name: "support", associationProperties: properties }, async () => {
  traceId = trace.getActiveSpan().spanContext().traceId;
  await traceloop.withTask({ name: "answer" }, async (question) => {
    await chat(question, { temperature: 0.2, max_tokens: 64 });
    await chat("the weather", { tools });
    for await (const _ of await chat("Hallo?", { stream: true })) { /* read it all */ }
    return "done ü";
  }, "Wo? 🚚");
  await traceloop.withTool({ name: "lookup" }, async (given) => ({ found: given.id }), { id: 42 });
  await traceloop.withAgent({ name: "clerk" }, async () => "clerk says");
  return { ok: true };
});
await traceloop.forceFlush();

const said = (...parts) => [{ role: "assistant", finish_reason: parts[0].type === "text" ? "stop" : "tool_call", parts }];
const user = (content) => [{ role: "user", parts: [{ type: "text", content }] }];
const answer = said({ type: "text", content: "Paris, natürlich. 🗼" });
const common = { level: "DEFAULT", statusMessage: null };
const model = {
  name: "chat gpt-4o-mini", type: "GENERATION", parent: "answer.task", model: "gpt-4o-mini-2024-07-18", output: answer,
};
const used = { usageDetails: { input: 21, output: 7, total: 28 }, calculatedTotalCost: 0.00000735 };
const span = { type: "SPAN", parent: "support.workflow", model: null, usageDetails: {} };
const traces = [{
  id: traceId, name: "support.workflow", userId: "user-ü", sessionId: "session/tl", input: { args: [], kwargs: {} }, output: { ok: true }, scores: [],
  observations: [
    { ...span, name: "support.workflow", parent: null, input: { args: [], kwargs: {} }, output: { ok: true } },
    { ...span, name: "answer.task", input: { args: ["Wo? 🚚"], kwargs: {} }, output: "done ü" },
    { ...model, ...used, modelParameters: { temperature: 0.2, max_tokens: 64 }, input: user("Wo? 🚚") },
    { ...model, ...used, input: user("the weather"), output: said({ type: "tool_call", id: "call_1", name: "get_weather", arguments: { city: "Paris" } }) },
    { ...model, input: user("Hallo?") }, // it counts tokens of a stream by itself
    { ...span, name: "lookup.tool", type: "TOOL", input: { args: [], kwargs: { id: 42 } }, output: { found: 42 } },
    { ...span, name: "clerk.agent", type: "AGENT", input: { args: [], kwargs: {} }, output: "clerk says" },
  ].map((each) => ({ ...common, ...each })),
}];
console.log(JSON.stringify({ traces }));
