// Vercel AI SDK 6 and 5 with experimental_telemetry and its mock models.
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import * as ai6 from "ai";
import { MockEmbeddingModelV3, MockLanguageModelV3, simulateReadableStream } from "ai/test";
import * as ai5 from "ai5";
import { MockLanguageModelV2 } from "ai5/test";
import { z } from "zod";

const processor = new LangfuseSpanProcessor({ environment: "staging", release: "rel-ai" });
// The SDK tells nobody the trace's id: it is taken from the first span that starts.
let traceId;
const watch = { onStart: (span) => { traceId ??= span.spanContext().traceId; }, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} };
const provider = new NodeTracerProvider({ spanProcessors: [watch, processor] });
provider.register();
const tracer = provider.getTracer("ai");

const telemetry = (functionId) => ({
  isEnabled: true,
  tracer,
  functionId,
  metadata: { userId: "user-ü", sessionId: "session/ai", tags: ["ai", "vercel"], tenant: "acme", attempt: 2 },
});
const traces = [];
const common = { level: "DEFAULT", statusMessage: null, environment: "staging", metadata: { tenant: "acme", attempt: 2 } };

// The call makes one trace, whose root is the first of what is expected.
async function session(call, ...observations) {
  traceId = undefined;
  await call();
  await processor.forceFlush();
  const [root] = observations;
  traces.push({
    id: traceId, name: root.name, userId: "user-ü", sessionId: "session/ai", tags: ["ai", "vercel"], release: "rel-ai", environment: "staging",
    metadata: common.metadata, input: root.input, output: root.output, scores: [],
    observations: observations.map((each) => ({ ...common, parent: each === root ? null : root.name, ...each })),
  });
}

const usage6 = {
  inputTokens: { total: 100, noCache: 60, cacheRead: 40, cacheWrite: 0 },
  outputTokens: { total: 20, text: 15, reasoning: 5 },
};
const usage5 = { inputTokens: 100, outputTokens: 20, totalTokens: 120, cachedInputTokens: 40, reasoningTokens: 5 };
const weather = (ai) => ai.tool({
  description: "the weather",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => ({ city, celsius: 21 }),
});
const toolCall = { type: "tool-call", toolCallId: "call-1", toolName: "weather", input: '{"city":"Köln"}' };

function generateWithTool(ai, model, functionId) {
  return ai.generateText({
    model, prompt: "Wie ist das Wetter? ☀", system: "Be brief.", temperature: 0.2, tools: { weather: weather(ai) },
    stopWhen: ai.stepCountIs(3), experimental_telemetry: telemetry(functionId),
  });
}

// Two steps: a tool call, then the answer.
function answers(usage, reasons) {
  let step = 0;
  return async () => (step++ === 0
    ? { content: [toolCall], finishReason: reasons[0], usage, warnings: [] }
    : { content: [{ type: "text", text: "21 Grad." }], finishReason: reasons[1], usage, warnings: [], response: { id: "r-1", modelId: "mock-2026", timestamp: new Date(0) } });
}

const usage = { input: 60, output: 15, input_cached_tokens: 40, output_reasoning_tokens: 5, total: 120 };
const instructed = [
  { role: "system", content: "Be brief." },
  { role: "user", content: [{ type: "text", text: "Wie ist das Wetter? ☀" }] },
];
const afterTool = [
  ...instructed,
  { role: "assistant", content: [{ type: "tool-call", toolCallId: "call-1", toolName: "weather", input: { city: "Köln" } }] },
  {
    role: "tool",
    content: [{ type: "tool-result", toolCallId: "call-1", toolName: "weather", output: { type: "json", value: { city: "Köln", celsius: 21 } } }],
  },
];

// parameters: a set of strings, as contract and reference have them for this scope.
const step = (reason, more) => ({
  name: "weather-bot:ai.generateText.doGenerate", type: "GENERATION", model: "mock-model", ...more,
  modelParameters: {
    toolChoice: '{"type":"auto"}', finishReason: `["${reason}"]`, system: "mock.chat", maxRetries: "2", temperature: "0.2",
  },
});
// The whole call says again, in part, what its steps used: that is kept, and not priced.
const weatherSteps = (usageDetails, ofRoot) => [
  {
    name: "weather-bot:ai.generateText", type: "SPAN", input: { system: "Be brief.", prompt: "Wie ist das Wetter? ☀" }, output: "21 Grad.",
    usageDetails: ofRoot, calculatedTotalCost: null,
  },
  step("tool-calls", { input: instructed, output: [{ toolCallId: "call-1", toolName: "weather", input: '{"city":"Köln"}' }], usageDetails }),
  { name: "weather", type: "TOOL", input: { city: "Köln" }, output: { city: "Köln", celsius: 21 }, usageDetails: {} },
  step("stop", { input: afterTool, output: "21 Grad.", usageDetails, model: "mock-2026" }),
];

await session(() => generateWithTool(ai6, new MockLanguageModelV3({
  provider: "mock.chat", modelId: "mock-model",
  doGenerate: answers(usage6, [{ unified: "tool-calls", raw: "tool_calls" }, { unified: "stop", raw: "stop" }]),
}), "weather-bot"), ...weatherSteps(usage, { input_cached_tokens: 80, output_reasoning_tokens: 10, total: 90 }));

await session(() => generateWithTool(ai5, new MockLanguageModelV2({
  provider: "mock.chat", modelId: "mock-model", doGenerate: answers(usage5, ["tool-calls", "stop"]),
}), "weather-bot"), ...weatherSteps({ input: 100, output: 20, total: 120 }, {}));

await session(async () => {
  const result = ai6.streamText({
    model: new MockLanguageModelV3({
      provider: "mock.chat", modelId: "mock-model",
      doStream: async () => ({
        stream: simulateReadableStream({
          chunks: [
            { type: "stream-start", warnings: [] },
            { type: "text-start", id: "t" },
            { type: "text-delta", id: "t", delta: "Hallo " },
            { type: "text-delta", id: "t", delta: "Welt" },
            { type: "text-end", id: "t" },
            { type: "finish", finishReason: { unified: "stop", raw: "stop" }, usage: usage6 },
          ],
        }),
      }),
    }),
    messages: [{ role: "user", content: "Hallo?" }],
    experimental_telemetry: telemetry(undefined),
  });
  for await (const _ of result.textStream) { /* read it all */ }
}, {
  name: "ai.streamText", type: "SPAN", input: { messages: [{ role: "user", content: "Hallo?" }] }, output: "Hallo Welt",
}, {
  name: "ai.streamText.doStream", type: "GENERATION", model: "mock-model", input: [{ role: "user", content: [{ type: "text", text: "Hallo?" }] }],
  output: "Hallo Welt", usageDetails: usage, isStreamed: true,
});

await session(() => ai6.generateObject({
  model: new MockLanguageModelV3({
    provider: "mock.chat", modelId: "mock-model",
    doGenerate: async () => ({ content: [{ type: "text", text: '{"city":"Köln"}' }], finishReason: { unified: "stop" }, usage: usage6, warnings: [] }),
  }),
  schema: z.object({ city: z.string() }), prompt: "Which city?", experimental_telemetry: telemetry("object"),
}), {
  name: "object:ai.generateObject", type: "SPAN", input: { prompt: "Which city?" }, output: { city: "Köln" }, usageDetails: {},
}, {
  name: "object:ai.generateObject.doGenerate", type: "GENERATION", model: "mock-model",
  input: [{ role: "user", content: [{ type: "text", text: "Which city?" }] }], output: { city: "Köln" },
  usageDetails: { input: 100, output: 20, total: 120 },
});

// What is embedded and what comes out is in metadata.attributes: nothing of it is input or output to the reference.
await session(() => ai6.embed({
  model: new MockEmbeddingModelV3({
    provider: "mock.embed", modelId: "mock-embedding", doEmbed: async () => ({ embeddings: [[0.1, 0.2]], usage: { tokens: 7 }, warnings: [] }),
  }),
  value: "sunny", experimental_telemetry: telemetry("embed"),
}), { name: "embed:ai.embed", type: "SPAN", input: null, output: null, usageDetails: { total: 7 }, calculatedTotalCost: null }, {
  name: "embed:ai.embed.doEmbed", type: "EMBEDDING", model: "mock-embedding", input: null, output: null, usageDetails: { total: 7 },
});

const failed = { level: "ERROR", statusMessage: "no quota", output: null, usageDetails: {} };
await session(() => ai6.generateText({
  model: new MockLanguageModelV3({ provider: "mock.chat", modelId: "mock-model", doGenerate: async () => { throw new Error("no quota"); } }),
  prompt: "boom", maxRetries: 0, experimental_telemetry: telemetry("fails"),
}).catch(() => {}), { ...failed, name: "fails:ai.generateText", type: "SPAN", input: { prompt: "boom" } }, {
  ...failed, name: "fails:ai.generateText.doGenerate", type: "GENERATION", model: "mock-model",
  input: [{ role: "user", content: [{ type: "text", text: "boom" }] }],
});

await provider.shutdown();
console.log(JSON.stringify({ traces }));
