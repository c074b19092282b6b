// The wrapper of @langfuse/openai 5 around a client of OpenAI that answers by itself.
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { observeOpenAI } from "@langfuse/openai";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

import { makeOpenAI } from "./openai_client.mjs";

let traceId;
const watch = { onStart: (span) => { traceId ??= span.spanContext().traceId; }, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} };
const processor = new LangfuseSpanProcessor({ environment: "staging" });
const provider = new NodeTracerProvider({ spanProcessors: [watch, processor] });
provider.register();

const ids = {};
async function call(name, body) {
  traceId = undefined;
  const client = observeOpenAI(makeOpenAI(), {
    traceName: `trace-${name}`, generationName: name, userId: "user-openai", sessionId: "session/openai", tags: ["wrapped"],
    generationMetadata: { attempt: 2 },
  });
  await client.chat.completions.create({ model: "test-model", temperature: 0.2, max_tokens: 64, ...body })
    .then(async (answer) => { if (body.stream) for await (const _ of answer) { /* read it all */ } }, () => {});
  await processor.forceFlush();
  ids[name] = traceId;
}
await call("plain", { messages: [{ role: "user", content: "Wo?" }] });
await call("streamed", { messages: [{ role: "user", content: "Hallo?" }], stream: true, stream_options: { include_usage: true } });
await call("failing", { messages: [{ role: "user", content: "boom" }] });
await provider.shutdown();
const common = {
  type: "GENERATION", environment: "staging", level: "DEFAULT", statusMessage: null, parent: null, model: "test-model", metadata: { attempt: 2 },
  version: null, costDetails: {}, usageDetails: { input: 136, output: 40, input_cached_tokens: 64, output_reasoning_tokens: 10, total: 250 },
};
const parameters = { temperature: 0.2, max_tokens: 64, response_format: "" };
const answers = {
  plain: { input: { messages: [{ role: "user", content: "Wo?" }] }, output: { role: "assistant", content: "Morgen. 🚚" }, model: "test-model-2026" },
  streamed: { input: { messages: [{ role: "user", content: "Hallo?" }] }, output: "Hallo Welt", modelParameters: { ...parameters, stream: "true" } },
  failing: {
    input: { messages: [{ role: "user", content: "boom" }] }, output: null, level: "ERROR", statusMessage: "Error: 429 rate limited",
    usageDetails: {}, costDetails: { input: 0, output: 0, total: 0 }, calculatedTotalCost: 0,
  },
};
const traces = Object.entries(answers).map(([name, answer]) => ({
  id: ids[name], name: `trace-${name}`, userId: "user-openai", sessionId: "session/openai", tags: ["wrapped"], environment: "staging",
  metadata: { attempt: 2 }, input: answer.input, output: answer.output, release: null, scores: [],
  observations: [{ ...common, name, modelParameters: parameters, ...answer }],
}));
console.log(JSON.stringify({ traces }));
