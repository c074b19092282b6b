// LangChain 1 and LangGraph JS with the callback handler of @langfuse/langchain 5.
import { END, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { ChatOpenAI } from "@langchain/openai";
import { CallbackHandler } from "@langfuse/langchain";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { createAgent, tool } from "langchain";
import { z } from "zod";

let traceId;
const watch = { onStart: (span) => { traceId ??= span.spanContext().traceId; }, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} };
const processor = new LangfuseSpanProcessor({ environment: "staging", release: "rel-lg" });
const provider = new NodeTracerProvider({ spanProcessors: [watch, processor] });
provider.register();

const model = new ChatOpenAI({ model: "gpt-4o-mini", temperature: 0.2, configuration: { baseURL: process.env.OPENAI_BASE_URL }, maxRetries: 0 });
const weather = tool(async ({ city }) => `${city}: 21`, { name: "get_weather", description: "the weather", schema: z.object({ city: z.string() }) });
const agent = createAgent({ model, tools: [weather], systemPrompt: "Be brief." });
const graph = new StateGraph(MessagesAnnotation)
  .addNode("think", async (state) => ({ messages: [await model.invoke(state.messages)] }))
  .addNode("act", async () => ({}))
  .addEdge(START, "think").addEdge("think", "act").addEdge("act", END).compile();

const traces = [];
async function session(runName, content, call, { output, observations, failed }) {
  traceId = undefined;
  const handler = new CallbackHandler({ userId: "user-ü", sessionId: "session/lg", tags: ["lg"], version: "1", traceMetadata: { tenant: "acme" } });
  const input = { messages: [{ role: "user", content }] };
  await call(input, { callbacks: [handler], runName });
  await processor.forceFlush();
  const common = { environment: "staging", version: "1", level: "DEFAULT", statusMessage: null };
  const start = { name: "__start__", type: "SPAN", level: "DEBUG", input, output: input };
  traces.push({
    id: traceId, name: runName, userId: "user-ü", sessionId: "session/lg", tags: ["lg"], version: "1", release: "rel-lg", environment: "staging", input, output,
    scores: [], totalCost: failed ? null : 0.000006975 * observations.filter((each) => each.type === "GENERATION").length,
    observations: [{ name: runName, type: "SPAN", parent: null, input, output, ...failed }, start, ...observations]
      .map((each) => ({ ...common, parent: runName, ...each })),
  });
}

const user = (content) => ({ role: "user", content });
const answer = { role: "assistant", content: "Paris, natürlich. 🗼" };
const used = {
  usageDetails: { input: 16, output: 5, input_cache_read: 5, output_reasoning: 2, input_audio: 0, output_audio: 0, total: 28 }, totalTokens: 28,
  calculatedTotalCost: 0.000006975,
};
const chat = { name: "ChatOpenAI", type: "GENERATION", model: "gpt-4o-mini-2024-07-18", modelParameters: { temperature: 0.2 }, ...used };
const span = (name, more) => ({ name, type: "SPAN", usageDetails: {}, ...more });
const ofGraph = (content, more, failed) => [
  span("think", { input: [user(content)], output: failed ? null : { messages: [answer] }, ...failed }),
  { ...chat, parent: "think", input: [user(content)], output: answer, ...more },
  ...(failed ? [] : [span("act", { input: [user(content), answer], output: {} })]),
];

// What LangChain makes of a message that calls a tool is its own.
const question = "Wie ist das Wetter? ☀";
await session("weather-agent", question, (input, config) => agent.invoke(input, config), {
  observations: [
    span("model_request", { input: [user(question)] }),
    { ...chat, parent: "model_request", output: {
      role: "assistant", content: "", tool_calls: [{ id: "call_1", type: "function", function: { name: "get_weather", arguments: '{"city": "Paris"}' } }],
    } },
    span("RunnableLambda", { parent: "model_request" }),
    span("tools"), { name: "get_weather", type: "TOOL", parent: "tools", input: { city: "Paris" } },
    span("model_request"), { ...chat, parent: "model_request", output: answer }, span("RunnableLambda", { parent: "model_request", output: "__end__" }),
  ],
});
const whole = (content) => ({ messages: [user(content), answer] });
await session("graph", "Hallo?", (input, config) => graph.invoke(input, config), { output: whole("Hallo?"), observations: ofGraph("Hallo?") });
await session("graph-streamed", "Hallo?", async (input, config) => {
  for await (const _ of await graph.stream(input, { ...config, streamMode: "messages" })) { /* read it all */ }
}, { output: whole("Hallo?"), observations: ofGraph("Hallo?", { model: "gpt-4o-mini", isStreamed: true }) });
const failed = {
  level: "ERROR", output: null,
  statusMessage: `Error: 400 the model exploded\n\nError details:\n${JSON.stringify({ message: "the model exploded", type: "invalid_request_error", code: "boom" }, null, 2)}`,
};
await session("graph-failing", "boom", (input, config) => graph.invoke(input, config).catch(() => {}), {
  output: null, failed, observations: ofGraph("boom", { ...failed, model: "gpt-4o-mini", usageDetails: {}, totalTokens: 0, calculatedTotalCost: null }, failed),
});
await provider.shutdown();
console.log(JSON.stringify({ traces }));
