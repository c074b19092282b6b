// langfuse 1, 2 and langfuse-node 3.11: what applications of the first years still send, and read.
import { Langfuse as Langfuse1 } from "langfuse-1";
import { Langfuse as Langfuse2 } from "langfuse-2";
import { Langfuse as LangfuseNode } from "langfuse-node";

const at = (ms) => new Date(Date.UTC(2026, 4, 1, 12) + ms);
const traces = [];
const read = { failures: [] };

async function session(name, Langfuse) {
  const langfuse = new Langfuse({
    publicKey: process.env.LANGFUSE_PUBLIC_KEY, secretKey: process.env.LANGFUSE_SECRET_KEY, baseUrl: process.env.LANGFUSE_BASEURL, release: "rel-1",
  });
  langfuse.on("error", (error) => read.failures.push(String(error)));
  const trace = langfuse.trace({
    id: `old ${name}`, timestamp: at(0), name: "chat", userId: `user-ü ${name}`, sessionId: "session/old", version: "1", tags: ["b", "a"],
    metadata: { tenant: "acme" }, input: { q: "Wo? 🚚" }, public: true,
  });
  const span = trace.span({ id: `${name} span`, name: "retrieve", startTime: at(10), input: "query", metadata: { a: 1 } });
  const generation = span.generation({
    id: `${name} generation`, name: "answer", startTime: at(20), completionStartTime: at(100), model: "gpt-4o-mini",
    modelParameters: { temperature: 0.2, maxTokens: 100 }, input: [{ role: "user", content: "Wo?" }],
  });
  generation.update({ usage: { promptTokens: 100, completionTokens: 20, totalTokens: 120 } });
  generation.update({ output: { role: "assistant", content: "Da." }, endTime: at(500) });
  span.event({ id: `${name} event`, name: "miss", startTime: at(30), level: "WARNING", statusMessage: "m" });
  span.update({ output: "docs", level: "ERROR", statusMessage: "late", endTime: at(600) });
  trace.score({ id: `${name} score`, name: "quality", value: 0.5, comment: "ok" });
  langfuse.score({ id: `${name} of generation`, traceId: trace.id, observationId: generation.id, name: "stars", value: 4 });
  // 3.11 gives a trace the time of an update that names none.
  trace.update({ timestamp: at(0), output: "Da.", tags: ["c"] });
  await langfuse.shutdownAsync();

  const common = { environment: "default", level: "DEFAULT", statusMessage: null, version: null };
  traces.push({
    id: trace.id, timestamp: at(0), name: "chat", userId: `user-ü ${name}`, sessionId: "session/old", version: "1", release: "rel-1", tags: ["a", "b", "c"],
    metadata: { tenant: "acme" }, input: { q: "Wo? 🚚" }, output: "Da.", public: true, latency: 0.59, totalCost: 0.000027,
    observations: [
      { ...common, id: span.id, name: "retrieve", type: "SPAN", parent: null, startTime: at(10), endTime: at(600), input: "query", output: "docs", metadata: { a: 1 }, level: "ERROR", statusMessage: "late" },
      {
        ...common, id: generation.id, name: "answer", type: "GENERATION", parent: "retrieve", startTime: at(20), endTime: at(500), completionStartTime: at(100),
        timeToFirstToken: 0.08, model: "gpt-4o-mini", modelParameters: { temperature: 0.2, maxTokens: 100 }, input: [{ role: "user", content: "Wo?" }],
        output: { role: "assistant", content: "Da." }, usageDetails: { input: 100, output: 20, total: 120 }, calculatedTotalCost: 0.000027,
      },
      { ...common, id: `${name} event`, name: "miss", type: "EVENT", parent: "retrieve", startTime: at(30), endTime: null, level: "WARNING", statusMessage: "m" },
    ],
    scores: [
      { id: `${name} score`, name: "quality", value: 0.5, comment: "ok", dataType: "NUMERIC", observationId: null },
      { id: `${name} of generation`, name: "stars", value: 4, dataType: "NUMERIC", observationId: generation.id },
    ],
  });
  return { langfuse, trace, generation };
}
await session("1", Langfuse1);
const { langfuse: langfuse2 } = await session("2", Langfuse2);
const { langfuse, trace, generation } = await session("node", LangfuseNode);
const calls = {
  fetchTraces: async () => (await langfuse.fetchTraces({ userId: "user-ü node" })).data.map((each) => each.name),
  fetchTrace: async () => (await langfuse.fetchTrace(trace.id)).data.observations.length,
  fetchObservations: async () => (await langfuse.fetchObservations({ traceId: trace.id, type: "GENERATION" })).data.map((each) => each.name),
  fetchObservation: async () => (await langfuse.fetchObservation(generation.id)).data.model,
  fetchSessions: async () => (await langfuse.fetchSessions()).data.some((each) => each.id === "session/old"),
  getPrompt: async () => (await langfuse.getPrompt("unknown", undefined, { fallback: "be brief" })).prompt,
  "getPrompt of 2": async () => langfuse2.getPrompt("unknown").catch((error) => error.message.includes("not part of")),
};
console.error = () => {}; // who has no such prompt says so at length
for (const [name, call] of Object.entries(calls)) {
  read[name] = await call().catch((error) => String(error));
}
console.log(JSON.stringify({ traces, read }));
