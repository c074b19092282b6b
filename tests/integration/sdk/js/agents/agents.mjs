// @openai/agents and the client of OpenAI itself, both by OpenInference over OpenTelemetry.
import { setMetadata, setSession, setTags, setUser } from "@arizeai/openinference-core";
import { OpenAIInstrumentation } from "@arizeai/openinference-instrumentation-openai";
import { OpenAIAgentsInstrumentation } from "@arizeai/openinference-instrumentation-openai-agents";
import * as agents from "@openai/agents";
import { context } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import OpenAI from "openai";
import { z } from "zod";

const authorization = "Basic " + Buffer.from(`${process.env.LANGFUSE_PUBLIC_KEY}:${process.env.LANGFUSE_SECRET_KEY}`).toString("base64");
let started; // spans, in the order in which they started
const watch = { onStart: (span) => { started.push(span.spanContext()); }, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} };
const provider = new NodeTracerProvider({
  spanProcessors: [watch, new BatchSpanProcessor(new OTLPTraceExporter({ url: process.env.XTRACE_URL + "/api/public/otel/v1/traces", headers: { authorization } }))],
});
provider.register();
new OpenAIAgentsInstrumentation({ tracerProvider: provider }).manuallyInstrument(agents);
agents.setOpenAIAPI("chat_completions");

const question = "Wie ist das Wetter? ☀";
const call = { id: "call_1", type: "function", function: { name: "get_weather", arguments: '{"city": "Paris"}' } };
const common = { level: "DEFAULT", statusMessage: null };
const nothing = { model: null, usageDetails: {}, calculatedTotalCost: null };
const used = {
  usageDetails: { input: 16, output: 5, input_cached_tokens: 5, output_reasoning_tokens: 2, total: 28 }, totalTokens: 28, calculatedTotalCost: 0.000006975,
};
const traces = [];
async function meant(trace, observations) {
  await provider.forceFlush();
  traces.push({ id: started[0].traceId, scores: [], ...trace, observations: observations.map((each, at) => ({ id: started[at].spanId, ...common, ...each })) });
}

// A flow of three runs.
started = [];
const weather = agents.tool({
  name: "get_weather", description: "the weather", parameters: z.object({ city: z.string() }), execute: async ({ city }) => ({ city, celsius: 21 }),
});
const make = (name, more) => new agents.Agent({ name, instructions: "Be brief.", model: "gpt-4o-mini", ...more });
await agents.withTrace("Support flow", async () => {
  await agents.run(make("Assistant", { tools: [weather], modelSettings: { temperature: 0.2 } }), question);
  await agents.run(make("Broken"), "boom").catch(() => {});
  const streamed = await agents.run(make("Streamer"), "Hallo?", { stream: true });
  for await (const _ of streamed) { /* read it all */ }
  await streamed.completed;
});
const system = { role: "system", content: "Be brief." };
const asked = [system, { role: "user", content: question }];
const afterTool = [
  ...asked, { role: "assistant", content: null, tool_calls: [call] }, { role: "tool", tool_call_id: "call_1", content: '{"city":"Paris","celsius":21}' },
];
const workflow = { name: "Agent workflow", type: "CHAIN", parent: "Support flow", ...nothing };
const agent = (name) => ({ name, type: "AGENT", parent: workflow.name, ...nothing });
const turn = (parent) => ({ name: "turn", type: "CHAIN", parent, ...nothing });
const generation = { name: "generation", type: "GENERATION", parent: "turn", model: "gpt-4o-mini", ...used };
const failed = { level: "ERROR", statusMessage: 'Error in agent run: {"error":"Error: 400 the model exploded"}' };
await meant({ name: "Support flow", input: asked, output: "Paris, natürlich. 🗼", totalCost: 0.000020925 }, [
  { name: "Support flow", type: "AGENT", parent: null, input: asked, output: "Paris, natürlich. 🗼", ...nothing },
  workflow, agent("Assistant"),
  turn("Assistant"), { ...generation, modelParameters: { temperature: 0.2 }, input: asked },
  { name: "get_weather", type: "TOOL", parent: "turn", input: { city: "Paris" }, output: { city: "Paris", celsius: 21 } },
  turn("Assistant"), { ...generation, modelParameters: { temperature: 0.2 }, input: afterTool },
  { ...workflow, ...failed }, { ...agent("Broken"), ...failed }, { ...turn("Broken"), ...failed },
  {
    ...generation, ...failed, statusMessage: "400 the model exploded", usageDetails: {}, totalTokens: 0, calculatedTotalCost: null,
    input: [system, { role: "user", content: "boom" }], output: null,
  },
  workflow, agent("Streamer"), turn("Streamer"), { ...generation, input: [system, { role: "user", content: "Hallo?" }] },
]);

// The client.
new OpenAIInstrumentation({ tracerProvider: provider }).manuallyInstrument(OpenAI);
const client = new OpenAI({ maxRetries: 0 });
const of = [
  (given) => setSession(given, { sessionId: "session/oi" }), (given) => setUser(given, { userId: "user-ü" }),
  (given) => setMetadata(given, { tenant: "acme" }), (given) => setTags(given, ["a", "b"]),
].reduce((given, set) => set(given), context.active());
const ofTrace = { sessionId: "session/oi", userId: "user-ü", tags: ["a", "b"] };
async function ask(request, name, observation, send) {
  started = [];
  await context.with(of, () => send(request));
  await meant({ ...ofTrace, name, input: observation.input, output: observation.output }, [{ name, parent: null, ...observation }]);
}
const chat = (request) => client.chat.completions.create(request);
const completions = { type: "GENERATION", model: "gpt-4o-mini-2024-07-18" };
const plain = { model: "gpt-4o-mini", temperature: 0.2, max_tokens: 64, messages: [system, { role: "user", content: "Wo? 🚚" }] };
await ask(plain, "OpenAI Chat Completions", {
  ...completions, input: plain, modelParameters: { model: "gpt-4o-mini", temperature: 0.2, max_tokens: 64 }, calculatedTotalCost: 0.000006975,
  usageDetails: { ...used.usageDetails, output_audio_tokens: 0, "prompt_details.audio": 0 },
}, chat);
const streamed = { model: "gpt-4o-mini", stream: true, messages: [{ role: "user", content: "Hallo?" }] };
await ask(streamed, "OpenAI Chat Completions", {
  ...completions, model: "gpt-4o-mini", input: streamed, output: "Paris, natürlich. 🗼", usageDetails: {},
  modelParameters: { model: "gpt-4o-mini", stream: "true" },
}, async (request) => { for await (const _ of await chat(request)) { /* read it all */ } });
await ask({ model: "text-embedding-3-small", input: "sunny" }, "OpenAI Embeddings", { type: "EMBEDDING", model: "text-embedding-3-small", input: "sunny", output: null },
  (request) => client.embeddings.create(request));
await provider.shutdown();
console.log(JSON.stringify({ traces }));
