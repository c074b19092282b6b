// Vercel AI SDK 7: through the integration of Langfuse 5, through plain OpenTelemetry with either of its own integrations,
// and through OpenInference.
import { createOpenAI } from "@ai-sdk/openai";
import { LegacyOpenTelemetry, OpenTelemetry } from "@ai-sdk/otel";
import { OpenInferenceBatchSpanProcessor } from "@arizeai/openinference-vercel";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes } from "@langfuse/tracing";
import { LangfuseVercelAiSdkIntegration } from "@langfuse/vercel-ai-sdk";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import * as ai from "ai";
import { z } from "zod";

globalThis.AI_SDK_LOG_WARNINGS = false;
const authorization = "Basic " + Buffer.from(`${process.env.LANGFUSE_PUBLIC_KEY}:${process.env.LANGFUSE_SECRET_KEY}`).toString("base64");
const exporter = new OTLPTraceExporter({ url: process.env.XTRACE_URL + "/api/public/otel/v1/traces", headers: { authorization } });
const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: "none" });
const weather = ai.tool({ description: "the weather", inputSchema: z.object({ city: z.string() }), execute: async ({ city }) => ({ city, celsius: 21 }) });

// What goes where, by each way.
let started; // spans, in the order in which they started
const watch = { onStart: (span) => { started.push(span.spanContext()); }, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} };
function open(processor, makeIntegration) {
  const provider = new NodeTracerProvider({ spanProcessors: [watch, processor] });
  return { provider, integration: makeIntegration(provider.getTracer(makeIntegration === legacy ? "ai" : "gen_ai")) };
}
const legacy = (tracer) => new LegacyOpenTelemetry({ tracer });
const whole = { usage: true, providerMetadata: true, embedding: true, runtimeContext: true, headers: true, toolChoice: true, schema: true };
const ways = {
  langfuse: open(new LangfuseSpanProcessor({ environment: "staging", release: "rel-7" }), (tracer) => new LangfuseVercelAiSdkIntegration({ tracer })),
  plain: open(new BatchSpanProcessor(exporter), (tracer) => new OpenTelemetry({ tracer })),
  openinference: open(new OpenInferenceBatchSpanProcessor({ exporter }), (tracer) => new OpenTelemetry({ tracer, ...whole })),
  legacy: open(new BatchSpanProcessor(exporter), legacy),
};
ways.langfuse.provider.register(); // with a context manager, by which spans find their parents

const calls = (integrations) => {
  const common = (functionId) => ({
    maxRetries: 0, runtimeContext: { route: "support", nested: { depth: 1 }, langfusePrompt: { name: "answer", version: 3, isFallback: false } },
    telemetry: { functionId, integrations, includeRuntimeContext: { route: true, nested: true, langfusePrompt: true } },
  });
  return {
    tool: () => ai.generateText({
      model: openai.chat("gpt-4o-mini"), instructions: "Be brief.", prompt: "Wie ist das Wetter? ☀", temperature: 0.2, maxOutputTokens: 99,
      tools: { get_weather: weather }, stopWhen: ai.isStepCount(3), ...common("weather-bot"),
    }),
    stream: async () => {
      const result = ai.streamText({ model: openai.chat("gpt-4o-mini"), messages: [{ role: "user", content: "Hallo?" }], ...common("streamer") });
      for await (const _ of result.textStream) { /* read it all */ }
    },
    embed: () => ai.embed({ model: openai.embedding("text-embedding-3-small"), value: "sunny", ...common("embed") }),
    fail: () => ai.generateText({ model: openai.chat("gpt-4o-mini"), prompt: "boom", ...common("fails") }).catch(() => {}),
  };
};

// What was meant.
const text = (content) => [{ type: "text", content }];
const user = (content) => ({ role: "user", parts: text(content) });
const system = { role: "system", content: "Be brief." };
const call = { type: "tool_call", id: "call_1", name: "get_weather", arguments: { city: "Paris" } };
const response = { type: "tool_call_response", id: "call_1", response: { city: "Paris", celsius: 21 } };
const said = (...parts) => [{ role: "assistant", parts, finish_reason: parts[0] === call ? "tool_call" : "stop" }];
const answer = text("Paris, natürlich. 🗼")[0];
const question = "Wie ist das Wetter? ☀";
const model = "gpt-4o-mini-2024-07-18";
const used = { usageDetails: { input: 16, output: 7, input_cached_tokens: 5, total: 28 }, totalTokens: 28, calculatedTotalCost: 0.000006975 };
const nothing = { model: null, usageDetails: {}, calculatedTotalCost: null };
const failed = { level: "ERROR", statusMessage: "the model exploded", output: null, usageDetails: {}, totalTokens: 0, calculatedTotalCost: null };
const parameters = { temperature: 0.2, max_tokens: 99 };

function sessions({ step = "SPAN", asked = [system, user(question)], parametersOf = (given) => given, prompt = {} }) {
  const agent = { name: "invoke_agent gpt-4o-mini", type: "AGENT", parent: null, ...nothing };
  const chat = { name: "chat gpt-4o-mini", type: "GENERATION", model, ...prompt };
  const inStep = (number) => [{ name: `step ${number}`, type: step, parent: agent.name, ...nothing }, { ...chat, parent: `step ${number}`, ...used }];
  const [step1, chat1] = inStep(1);
  const [step2, chat2] = inStep(2);
  const ofAsked = { modelParameters: parametersOf(parameters) };
  const bare = { modelParameters: parametersOf({}) };
  const result = said(answer);
  const embedding = { name: "embeddings text-embedding-3-small", type: "EMBEDDING", model: "text-embedding-3-small" };
  return {
    tool: [
      { ...agent, ...ofAsked, input: asked, output: said(answer, call, response) },
      step1, { ...chat1, ...ofAsked, input: asked, output: said(call) },
      { name: "get_weather", type: "TOOL", parent: step1.name, input: { city: "Paris" }, output: { city: "Paris", celsius: 21 }, ...nothing },
      step2, { ...chat2, ...ofAsked, input: [...asked, { role: "assistant", parts: [call] }, { role: "tool", parts: [response] }], output: result },
    ],
    stream: [
      { ...agent, ...bare, input: [user("Hallo?")], output: result },
      step1, { ...chat1, ...bare, input: [user("Hallo?")], output: result, isStreamed: true },
    ],
    embed: [
      { ...embedding, parent: null, input: null, output: null, usageDetails: {}, calculatedTotalCost: null },
      { ...embedding, ...prompt, promptName: null, promptVersion: null, parent: embedding.name, usageDetails: { input: 4, total: 4 }, calculatedTotalCost: 8e-8 },
    ],
    fail: [
      { ...agent, ...bare, ...failed, input: [user("boom")] },
      { ...step1, ...failed },
      { ...chat, ...bare, ...failed, model: "gpt-4o-mini", parent: step1.name, input: [user("boom")] },
    ],
  };
}

// Of the integration as it was before version 7: calls of models are told from the call that they are made for.
const usedInParts = {
  ...used, usageDetails: {
    input: 16, output: 5, input_cached_tokens: 5, output_reasoning_tokens: 2, output_accepted_prediction_tokens: 0,
    output_rejected_prediction_tokens: 0, total: 28,
  },
};
const inChat = (content) => ({ role: "user", content: [{ type: "text", text: content }] });
const chatAsked = [system, inChat(question)];
const chatCall = { toolCallId: "call_1", toolName: "get_weather", input: { city: "Paris" } };
const chatResult = { type: "tool-result", toolCallId: "call_1", toolName: "get_weather", output: { type: "json", value: { city: "Paris", celsius: 21 } } };
// The whole call says some of it again: that is kept, and not priced.
const again = (input_cached_tokens, output_reasoning_tokens) => ({
  usageDetails: {
    input_cached_tokens, output_reasoning_tokens, output_accepted_prediction_tokens: 0, output_rejected_prediction_tokens: 0,
    total: input_cached_tokens + output_reasoning_tokens,
  },
});
const around = (name, more) => ({ name, type: "SPAN", parent: null, ...nothing, model: "gpt-4o-mini", ...more });
const within = (parent, doing, more) => ({ name: `${parent}.${doing}`, type: "GENERATION", parent, model, ...usedInParts, ...more });
const legacySessions = {
  tool: [
    around("weather-bot:ai.generateText", {
      ...again(10, 4), input: { system: "Be brief.", messages: [{ role: "user", content: question }] },
      output: { role: "assistant", content: "Paris, natürlich. 🗼", tool_calls: [chatCall] },
    }),
    within("weather-bot:ai.generateText", "doGenerate", { input: chatAsked, output: [chatCall] }),
    { name: "get_weather", type: "TOOL", parent: "weather-bot:ai.generateText.doGenerate", input: { city: "Paris" }, output: { city: "Paris", celsius: 21 } },
    within("weather-bot:ai.generateText", "doGenerate", {
      input: [...chatAsked, { role: "assistant", content: [{ type: "tool-call", ...chatCall }] }, { role: "tool", content: [chatResult] }],
      output: "Paris, natürlich. 🗼",
    }),
  ],
  stream: [
    around("streamer:ai.streamText", { ...again(5, 2), input: { messages: [{ role: "user", content: "Hallo?" }] }, output: "Paris, natürlich. 🗼" }),
    within("streamer:ai.streamText", "doStream", { input: [inChat("Hallo?")], output: "Paris, natürlich. 🗼", isStreamed: true }),
  ],
  embed: [
    around("embed:ai.embed", { model: "text-embedding-3-small", usageDetails: { total: 4 } }),
    { name: "embed:ai.embed.doEmbed", type: "EMBEDDING", parent: "embed:ai.embed", usageDetails: { total: 4 }, calculatedTotalCost: 8e-8 },
  ],
  fail: [
    around("fails:ai.generateText", { ...failed, input: { messages: [{ role: "user", content: "boom" }] } }),
    within("fails:ai.generateText", "doGenerate", { ...failed, model: "gpt-4o-mini", input: [inChat("boom")] }),
  ],
};

const meant = {
  langfuse: sessions({ prompt: { promptName: "answer", promptVersion: 3 } }),
  plain: sessions({}),
  openinference: sessions({
    step: "CHAIN", asked: [user(question)], // input.value has no instructions, llm.input_messages has
    parametersOf: ({ max_tokens, ...given }) => ({ model: "gpt-4o-mini", ...given, ...(max_tokens && { max_completion_tokens: max_tokens }) }),
  }),
  legacy: legacySessions,
};
const ofTrace = { userId: "user-ü", sessionId: "session/ai7", tags: ["ai7", "vercel"], version: "v7" };
const traces = [];
for (const [way, { provider, integration }] of Object.entries(ways)) {
  for (const [name, send] of Object.entries(calls([integration]))) {
    started = [];
    const ofLangfuse = way === "langfuse" ? { ...ofTrace, environment: "staging", release: "rel-7" } : {};
    await (way === "langfuse" ? propagateAttributes({ ...ofTrace, traceName: "turn", metadata: { tenant: "acme" } }, send) : send());
    await provider.forceFlush();
    const [root] = meant[way][name];
    traces.push({
      id: started[0].traceId, name: way === "langfuse" ? "turn" : root.name, input: root.input ?? null, output: root.output ?? null, scores: [], ...ofLangfuse,
      observations: meant[way][name].map((each, at) => ({ id: started[at].spanId, level: "DEFAULT", statusMessage: null, ...each })),
    });
  }
  await provider.shutdown();
}
console.log(JSON.stringify({ traces }));
