// The wrapper of langfuse 3 around a client of OpenAI that answers by itself.
import { observeOpenAI } from "langfuse";

import { makeOpenAI } from "./openai_client.mjs";

const ids = {};
async function call(name, body) {
  const client = observeOpenAI(makeOpenAI(), {
    clientInitParams: { environment: "staging", release: "rel-openai" },
    traceName: `trace-${name}`, traceId: `openai-3-${name}`, generationName: name, userId: "user-openai", sessionId: "session/openai3", tags: ["wrapped"],
    metadata: { attempt: 2 },
  });
  await client.chat.completions.create({ model: "test-model", temperature: 0.2, max_tokens: 64, ...body })
    .then(async (answer) => { if (body.stream) for await (const _ of answer) { /* read it all */ } }, () => {});
  await client.flushAsync();
  ids[name] = `openai-3-${name}`;
}
await call("plain", { messages: [{ role: "user", content: "Wo?" }] });
await call("streamed", { messages: [{ role: "user", content: "Hallo?" }], stream: true, stream_options: { include_usage: true } });
await call("failing", { messages: [{ role: "user", content: "boom" }] });
const common = {
  type: "GENERATION", environment: "staging", level: "DEFAULT", statusMessage: null, parent: null, model: "test-model", metadata: { attempt: 2 },
  version: null, costDetails: {}, usageDetails: { input: 200, output: 50, input_cached_tokens: 64, output_reasoning_tokens: 10, total: 250 },
};
const parameters = { temperature: 0.2, max_tokens: 64, response_format: null };
const answers = {
  plain: { input: { messages: [{ role: "user", content: "Wo?" }] }, output: { role: "assistant", content: "Morgen. 🚚" }, model: "test-model-2026" },
  streamed: { input: { messages: [{ role: "user", content: "Hallo?" }] }, output: "Hallo Welt", modelParameters: { ...parameters, stream: true } },
  failing: {
    input: { messages: [{ role: "user", content: "boom" }] }, output: null, level: "ERROR", statusMessage: "Error: 429 rate limited",
    usageDetails: {}, costDetails: { input: 0, output: 0, total: 0 }, calculatedTotalCost: 0,
  },
};
const traces = Object.entries(answers).map(([name, answer]) => ({
  id: ids[name], name: `trace-${name}`, userId: "user-openai", sessionId: "session/openai3", tags: ["wrapped"], environment: "staging",
  metadata: { attempt: 2 }, input: answer.input, output: answer.output, release: "rel-openai", scores: [],
  observations: [{ ...common, name, modelParameters: parameters, ...answer }],
}));
console.log(JSON.stringify({ traces }));
