// @langfuse/tracing + @langfuse/otel + @langfuse/client 4, where a trace is updated through any of its spans.
import { LangfuseClient } from "langfuse-client-4";
import { LangfuseSpanProcessor } from "langfuse-otel-4";
import { startActiveObservation, startObservation, updateActiveObservation, updateActiveTrace } from "langfuse-tracing-4";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const processor = new LangfuseSpanProcessor({ environment: "staging", release: "rel-4", exportMode: "immediate" });
const provider = new NodeTracerProvider({ spanProcessors: [processor] });
provider.register();
const langfuse = new LangfuseClient();

const at = (ms) => new Date(Date.UTC(2026, 4, 4, 12) + ms);
let traceId, rootId;
await startActiveObservation("handle-request", async (root) => {
  traceId = root.traceId;
  rootId = root.id;
  updateActiveTrace({ userId: "user-4", sessionId: "session/4", tags: ["b", "a"], public: true, metadata: { tenant: "acme", deep: { n: 1 } } });
  root.update({ input: { question: "Wo? 🚚" } });
  const generation = startObservation("answer", {
    model: "test-model", input: "Wo?", modelParameters: { temperature: 0.5 },
  }, { asType: "generation", startTime: at(0) });
  generation.update({
    output: "Da.", completionStartTime: at(100), usageDetails: { input: 10, output: 5 }, costDetails: { input: 0.1, output: 0.2 },
  }).end(at(400));
  const tool = root.startObservation("tool", { input: [1], level: "WARNING", statusMessage: "slow" }, { asType: "tool" });
  tool.updateTrace({ name: "named-by-a-child", version: "4.6", input: "trace in", output: { trace: "out" } });
  tool.end();
  updateActiveObservation({ output: "done", metadata: { k: [1, null] } });
  langfuse.score.trace(root, { name: "stars", value: 5 });
  langfuse.score.observation(generation, { name: "ok", value: 0, dataType: "BOOLEAN" });
});
await processor.forceFlush();
await langfuse.flush();

const common = { environment: "staging", level: "DEFAULT", statusMessage: null, usageDetails: {}, costDetails: {}, parent: "handle-request" };
const traces = [{
  id: traceId, name: "named-by-a-child", userId: "user-4", sessionId: "session/4", tags: ["a", "b"], public: true, release: "rel-4", version: "4.6",
  environment: "staging", metadata: { tenant: "acme", deep: { n: 1 }, k: [1, null] }, input: "trace in", output: { trace: "out" },
  observations: [
    { ...common, id: rootId, name: "handle-request", type: "SPAN", parent: null, input: { question: "Wo? 🚚" }, output: "done", metadata: { k: [1, null] } },
    {
      ...common, name: "answer", type: "GENERATION", startTime: at(0), endTime: at(400), completionStartTime: at(100), model: "test-model",
      input: "Wo?", output: "Da.", modelParameters: { temperature: 0.5 }, usageDetails: { input: 10, output: 5, total: 15 },
      costDetails: { input: 0.1, output: 0.2, total: 0.3 }, calculatedTotalCost: 0.3, latency: 0.4, timeToFirstToken: 0.1,
    },
    { ...common, name: "tool", type: "TOOL", input: [1], level: "WARNING", statusMessage: "slow" },
  ],
  scores: [
    { name: "stars", dataType: "NUMERIC", value: 5, observationId: null },
    { name: "ok", dataType: "BOOLEAN", value: 0, stringValue: "False" },
  ],
}];
const trace = await langfuse.api.trace.get(traceId);
const read = {
  trace: [trace.name, trace.observations.length, trace.scores.length],
  observations: (await langfuse.api.observations.getMany({ traceId })).data.map((each) => each.name).sort(),
  scores: (await langfuse.api.scoreV2.get({ traceId })).data.map((each) => each.name).sort(),
};
await provider.shutdown();
console.log(JSON.stringify({ traces, read }));
