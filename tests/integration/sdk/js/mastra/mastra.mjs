// Mastra's agents by its exporter for Langfuse.
import { createOpenAI } from "@ai-sdk/openai";
import { Mastra } from "@mastra/core";
import { Agent } from "@mastra/core/agent";
import { createTool } from "@mastra/core/tools";
import { LangfuseExporter } from "@mastra/langfuse";
import { Observability } from "@mastra/observability";
import { z } from "zod";

const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: "none" });
const weather = createTool({
  id: "get_weather", description: "the weather", inputSchema: z.object({ city: z.string() }), execute: async ({ city }) => ({ city, celsius: 21 }),
});
const agent = (name, tools) => new Agent({ id: name, name, instructions: "Be brief.", model: openai.chat("gpt-4o-mini"), tools });
const exporter = new LangfuseExporter({
  publicKey: process.env.LANGFUSE_PUBLIC_KEY, secretKey: process.env.LANGFUSE_SECRET_KEY, baseUrl: process.env.LANGFUSE_BASE_URL, realtime: true,
  environment: "staging", release: "rel-m",
});
const mastra = new Mastra({
  agents: { helper: agent("helper", { get_weather: weather }), bare: agent("bare") }, logger: false,
  observability: new Observability({ configs: { shop: { serviceName: "shop", exporters: [exporter] } } }),
});
const options = { tracingOptions: { metadata: { userId: "user-ü", sessionId: "session/m", tenant: "acme" }, tags: ["mastra"] } };
const asked = await mastra.getAgent("helper").generate("Wie ist das Wetter? ☀", { ...options, modelSettings: { temperature: 0.2 } });
const streamed = await mastra.getAgent("bare").stream("Hallo?", options);
for await (const _ of streamed.textStream) { /* read it all */ }
await mastra.shutdown();

const common = { environment: "staging", version: "1.71.0", level: "DEFAULT", statusMessage: null };
const text = "Paris, natürlich. 🗼";
const inference = {
  name: "chat gpt-4o-mini", type: "GENERATION", model: "gpt-4o-mini-2024-07-18", calculatedTotalCost: 0.000006975, promptTokens: 21, completionTokens: 7,
};
const nothing = { usageDetails: {}, calculatedTotalCost: null };
function meant(id, name, input, more, steps) {
  const root = { name: `invoke_agent ${name}`, type: "AGENT", parent: null, input, output: { text, files: [] }, ...nothing };
  const generation = { name: "model_generation gpt-4o-mini", type: "SPAN", parent: root.name, ...nothing };
  const step = { name: `agent_step ${name}`, type: "SPAN", parent: generation.name, ...nothing };
  return {
    id, name, userId: "user-ü", sessionId: "session/m", tags: ["mastra"], release: "rel-m", environment: "staging", input, output: { text, files: [] }, scores: [],
    totalCost: 0.000006975 * steps.length, observations: [
      root, generation,
      ...steps.flatMap((chunks) => [step, { ...inference, ...more, parent: step.name }, ...chunks.map((each) => ({ type: "SPAN", parent: inference.name, ...each }))]),
    ].map((each) => ({ ...common, ...each })),
  };
}
const chunk = (name, output) => ({ name: `model_chunk ${name}`, output });
const tool = { name: "get_weather", type: "TOOL", parent: "agent_step helper", input: { city: "Paris" }, output: { city: "Paris", celsius: 21 } };
const traces = [
  meant(asked.traceId, "helper", "Wie ist das Wetter? ☀", { modelParameters: { temperature: 0.2 } }, [
    [chunk("helper", { toolName: "get_weather", toolCallId: "call_1", toolInput: { city: "Paris" } }), chunk("helper"), tool], [chunk("helper", { text })],
  ]),
  meant(streamed.traceId, "bare", "Hallo?", {}, [[chunk("bare", { text })]]),
];
console.log(JSON.stringify({ traces }));
process.exit(0);
