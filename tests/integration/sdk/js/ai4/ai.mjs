// Vercel AI SDK 4 through the exporter of langfuse-vercel 3, which speaks Langfuse's own protocol, and through OpenTelemetry
// JS 1 (exporter 0.57).
import { createOpenAI } from "@ai-sdk/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import * as ai from "ai";
import { Langfuse } from "langfuse";
import { LangfuseExporter } from "langfuse-vercel";
import { z } from "zod";

const authorization = "Basic " + Buffer.from(`${process.env.LANGFUSE_PUBLIC_KEY}:${process.env.LANGFUSE_SECRET_KEY}`).toString("base64");
const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: "none", compatibility: "strict" });
const weather = ai.tool({ description: "the weather", parameters: z.object({ city: z.string() }), execute: async ({ city }) => ({ city, celsius: 21 }) });

let started; // spans, in the order in which they started
const watch = { onStart: (span) => { started.push(span.spanContext()); }, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} };
const open = (exporter) => new NodeTracerProvider({ spanProcessors: [watch, new BatchSpanProcessor(exporter)] });
const ofLangfuse = open(new LangfuseExporter({ environment: "staging", release: "rel-v" }));
const plain = open(new OTLPTraceExporter({ url: process.env.XTRACE_URL + "/api/public/otel/v1/traces", headers: { authorization } }));
plain.register(); // with a context manager, by which spans find their parents

const given = { tenant: "acme", attempt: 2 };
const question = "Wie ist das Wetter? ☀";
const calls = (provider, more) => {
  const telemetry = (functionId) => ({
    maxRetries: 0, experimental_telemetry: {
      isEnabled: true, tracer: provider.getTracer("ai"), functionId,
      metadata: { userId: "user-ü", sessionId: "session/ai4", tags: ["ai4", "vercel"], ...given, ...more(functionId) },
    },
  });
  const model = openai("gpt-4o-mini");
  return {
    "weather-bot": () => ai.generateText({
      model, system: "Be brief.", prompt: question, temperature: 0.2, maxTokens: 99, tools: { get_weather: weather }, maxSteps: 3, ...telemetry("weather-bot"),
    }),
    streamer: async () => {
      const result = ai.streamText({ model, messages: [{ role: "user", content: "Hallo?" }], ...telemetry("streamer") });
      for await (const _ of result.textStream) { /* read it all */ }
    },
    embed: () => ai.embed({ model: openai.embedding("text-embedding-3-small"), value: "sunny", ...telemetry("embed") }),
    fails: () => ai.generateText({ model, prompt: "boom", ...telemetry("fails") }).catch(() => {}),
  };
};

const user = (content) => ({ role: "user", content: [{ type: "text", text: content }] });
const asked = [{ role: "system", content: "Be brief." }, user(question)];
const call = { toolCallId: "call_1", toolName: "get_weather", args: { city: "Paris" } };
const afterTool = [
  ...asked,
  { role: "assistant", content: [{ type: "tool-call", ...call }] },
  { role: "tool", content: [{ type: "tool-result", toolCallId: "call_1", toolName: "get_weather", result: { city: "Paris", celsius: 21 } }] },
];
const toolCalls = [{ toolCallType: "function", toolCallId: "call_1", toolName: "get_weather", args: '{"city": "Paris"}' }];
const answer = "Paris, natürlich. 🗼";

// What both say; chat: what a call of a model has beside its input and output, again: what a whole call says of the
// tokens of its last one.
function sessions(way) {
  const { chat, root, tool, doing, prompt, again } = way;
  const child = (name, method, more) => ({ name: doing(name, method), ...chat, ...more });
  const failed = { output: null, ...way.failed };
  return {
    "weather-bot": [
      { ...root("weather-bot", "generateText"), ...again.chat, input: prompt({ system: "Be brief.", prompt: question }), output: answer },
      child("weather-bot", "generateText.doGenerate", { input: way.withTools(asked), output: way.calls(toolCalls) }),
      { ...tool, input: way.json({ city: "Paris" }), output: way.json({ city: "Paris", celsius: 21 }) },
      child("weather-bot", "generateText.doGenerate", { input: way.withTools(afterTool), output: answer }),
    ],
    streamer: [
      { ...root("streamer", "streamText"), ...again.chat, input: prompt({ messages: [{ role: "user", content: "Hallo?" }] }), output: answer },
      child("streamer", "streamText.doStream", { input: [user("Hallo?")], output: answer, isStreamed: true }),
    ],
    embed: [
      { ...root("embed", "embed"), ...again.embed, input: null, output: null },
      child("embed", "embed.doEmbed", {
        type: way.embedding, model: "text-embedding-3-small", input: null, output: null, usageDetails: { total: 4 }, calculatedTotalCost: 8e-8,
      }),
    ],
    fails: [
      { ...root("fails", "generateText"), ...failed, input: prompt({ prompt: "boom" }) },
      child("fails", "generateText.doGenerate", { ...failed, model: "gpt-4o-mini", input: [user("boom")], usageDetails: {}, calculatedTotalCost: null }),
    ],
  };
}

const model = "gpt-4o-mini-2024-07-18";
const described = {
  type: "function", name: "get_weather", description: "the weather", parameters: {
    type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false, $schema: "http://json-schema.org/draft-07/schema#",
  },
};
const nothing = { usageDetails: {}, calculatedTotalCost: null };
const meant = {
  // The exporter sends most of it as text, and knows nothing of what was cached.
  langfuse: sessions({
    root: (name) => ({ name, type: "SPAN", parent: null, metadata: given, ...nothing }),
    tool: { name: "ai.toolCall get_weather", type: "SPAN", parent: "weather-bot", ...nothing },
    chat: { type: "GENERATION", model, usageDetails: { input: 21, output: 7, total: 28 }, calculatedTotalCost: 0.00000735 },
    doing: (_, method) => `ai.${method}`, prompt: JSON.stringify, json: JSON.stringify, calls: JSON.stringify, embedding: "GENERATION", failed: {},
    withTools: (messages) => [...messages, JSON.stringify(described)], again: {},
  }),
  plain: sessions({
    root: (name, method) => ({ name: `${name}:ai.${method}`, type: "SPAN", parent: null, metadata: given, ...nothing }),
    tool: { name: "get_weather", type: "TOOL", parent: "weather-bot:ai.generateText", ...nothing },
    chat: {
      type: "GENERATION", model, metadata: given, calculatedTotalCost: 0.000006975, usageDetails: {
        input: 16, output: 5, input_cached_tokens: 5, output_reasoning_tokens: 2, output_accepted_prediction_tokens: 0,
        output_rejected_prediction_tokens: 0, total: 28,
      },
    },
    doing: (name, method) => `${name}:ai.${method}`, prompt: (value) => value, json: (value) => value, calls: (value) => value, embedding: "EMBEDDING",
    failed: { level: "ERROR", statusMessage: "the model exploded" }, withTools: (messages) => messages,
    again: {
      chat: {
        usageDetails: {
          input_cached_tokens: 5, output_reasoning_tokens: 2, output_accepted_prediction_tokens: 0, output_rejected_prediction_tokens: 0, total: 7,
        },
      },
      embed: { usageDetails: { total: 4 } },
    },
  }),
};

const traces = [];
async function run(provider, sessionsOfWay, ofTrace, more) {
  for (const [name, send] of Object.entries(calls(provider, more))) {
    started = [];
    await send();
    await provider.forceFlush();
    const [root, ...others] = sessionsOfWay[name];
    traces.push({
      id: more(name).langfuseTraceId ?? started[0].traceId, name: root.name, userId: "user-ü", sessionId: "session/ai4", tags: ["ai4", "vercel"],
      input: root.input, output: root.output, scores: [], ...ofTrace,
      observations: [root, ...others].map((each, at) => ({
        id: started[at].spanId, level: "DEFAULT", statusMessage: null, environment: ofTrace.environment, parent: root.name, ...each,
      })),
    });
  }
}
await run(ofLangfuse, meant.langfuse, { environment: "staging", release: "rel-v" }, (name) => ({ langfuseTraceId: `own ${name}` }));
await run(plain, meant.plain, { environment: "default", release: null, metadata: given }, () => ({}));

// Into a trace of the application's own, which stays what it was.
const langfuse = new Langfuse({ environment: "staging" });
langfuse.trace({ id: "the application's", name: "turn", userId: "ada", input: "in" });
started = [];
await calls(ofLangfuse, () => ({ langfuseTraceId: "the application's", langfuseUpdateParent: false })).fails();
await Promise.all([langfuse.flushAsync(), ofLangfuse.forceFlush()]);
traces.push({
  id: "the application's", name: "turn", userId: "ada", sessionId: null, tags: [], input: "in", output: null, environment: "staging", scores: [],
  observations: meant.langfuse.fails.map((each, at) => ({ id: started[at].spanId, ...each })),
});
await Promise.all([ofLangfuse.shutdown(), plain.shutdown()]);
console.log(JSON.stringify({ traces }));
