// langfuse 3: a session of two turns over /ingestion, with updates, scores and three forms of usage.
import { createHash } from "node:crypto";

import { Langfuse, LangfuseWeb } from "langfuse";

const langfuse = new Langfuse({
  environment: "Staging",
  release: "rel-7",
  flushAt: 5, // several requests: updates come in others than what they update
});
const failures = [];
langfuse.on("error", (error) => failures.push(String(error)));

const pixel = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const mediaId = createHash("sha256").update(Buffer.from(pixel.split(",")[1], "base64")).digest("base64url").slice(0, 22);
const at = (ms) => new Date(Date.UTC(2026, 4, 1, 12) + ms);

// The first turn.

const trace = langfuse.trace({
  id: "turn #1/ünï?x=1&y",
  timestamp: at(0),
  name: "support-chat",
  userId: "user-ü",
  sessionId: "session/1",
  version: "1.2.3",
  public: true,
  tags: ["zeta", "alpha"],
  input: { question: "Wo ist meine Bestellung? 🚚", n: 7 },
  metadata: { plan: "pro", nested: { depth: 1, list: [1, "two", null] } },
});
const span = trace.span({
  id: "span-1",
  name: "retrieve",
  startTime: at(10),
  input: "query",
  metadata: { index: "kb" },
  version: "span-v1",
});
const generation = span.generation({
  id: "generation-1",
  name: "answer",
  startTime: at(20),
  model: "test-model-without-price",
  modelParameters: { temperature: 0.2, maxTokens: 256, stop: ["END"], stream: true },
  input: [{ role: "user", content: "Wo ist meine Bestellung?" }],
});
span.event({
  id: "event-1",
  name: "cache-miss",
  startTime: at(30),
  level: "DEBUG",
  input: 0.5,
  output: false,
  metadata: ["a", "list"],
});
generation.update({ completionStartTime: at(270), metadata: { streamed: true } });
await langfuse.flushAsync();

generation.update({ output: { role: "assistant", content: "Unterwegs \u0000 \ud83d" }, endTime: at(520) });
generation.update({
  usage: { promptTokens: 120, completionTokens: 30, totalTokens: 150 },
  costDetails: { input: 0.001, output: 0.002 },
});
span.update({ output: ["doc-1", "doc-2"], endTime: at(600), level: "WARNING", statusMessage: "slow index" });
span.update({ metadata: { hits: 3 } });
trace.update({ output: "Morgen da.", tags: ["mid", "alpha"], metadata: { done: true, nested: { more: 2 } } });
trace.score({ id: "score-1", name: "helpful", value: 0.75, comment: "gut" });
generation.score({ id: "score-2", name: "tone", value: "friendly", dataType: "CATEGORICAL" });
langfuse.score({ id: "score-3", traceId: trace.id, name: "resolved", value: 1, dataType: "BOOLEAN", metadata: { by: "human" } });

// A browser knows the public key alone.
const web = new LangfuseWeb({ publicKey: process.env.LANGFUSE_PUBLIC_KEY, baseUrl: process.env.LANGFUSE_BASEURL, environment: "staging" });
web.on("error", (error) => failures.push(String(error)));
await web.score({ id: "score-4", traceId: trace.id, name: "thumbs", value: 1, comment: "👍" });
await web.flushAsync();

// The second turn: what goes wrong, and usage as providers give it.

const second = langfuse.trace({ id: "turn-2", timestamp: at(1000), name: "support-chat", sessionId: "session/1", userId: "user-ü", input: "plain" });
const outer = second.span({ id: "outer", name: "outer", startTime: at(1000), endTime: at(2000) });
const inner = outer.span({ id: "inner", name: "inner", startTime: at(1001) });
inner.end({ output: null });
inner.generation({
  id: "openai-usage",
  name: "openai-usage",
  startTime: at(1010),
  endTime: at(1020),
  model: "test-model",
  usageDetails: {
    prompt_tokens: 200,
    completion_tokens: 50,
    total_tokens: 250,
    prompt_tokens_details: { cached_tokens: 64, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 10 },
  },
  output: "raw",
});
inner.generation({
  id: "free-usage",
  name: "free-usage",
  startTime: at(1030),
  endTime: at(1040),
  model: "test-model",
  usageDetails: { input: 100, output: 20, cache_read_input_tokens: 40 },
  costDetails: { input: 0.0003, output: 0.0003, total: 0.0007 },
});
const failing = inner.generation({ id: "failing", name: "failing", startTime: at(1050), model: "test-model", input: "boom" });
failing.end({ level: "ERROR", statusMessage: "rate limited" });
inner.generation({ id: "vision", name: "vision", startTime: at(1060), endTime: at(1061), input: { image_url: pixel } });
await langfuse.flushAsync();
const session = langfuse.trace({ id: "turn-3", name: "empty", timestamp: at(3000) });
session.update({ sessionId: "session/1" });
await langfuse.flushAsync();

const common = { environment: "staging", version: null, statusMessage: null, level: "DEFAULT", input: null, output: null, metadata: null };
const noUsage = { usageDetails: {}, costDetails: {}, promptTokens: 0, completionTokens: 0, totalTokens: 0 };
const traces = [
  {
    id: trace.id,
    timestamp: at(0),
    name: "support-chat",
    userId: "user-ü",
    sessionId: "session/1",
    version: "1.2.3",
    release: "rel-7",
    environment: "staging",
    public: true,
    tags: ["alpha", "mid", "zeta"],
    input: { question: "Wo ist meine Bestellung? 🚚", n: 7 },
    output: "Morgen da.",
    metadata: { plan: "pro", nested: { depth: 1, list: [1, "two", null], more: 2 }, done: true },
    observations: [
      {
        ...common, ...noUsage, id: "span-1", name: "retrieve", type: "SPAN", parent: null, startTime: at(10), endTime: at(600),
        input: "query", output: ["doc-1", "doc-2"], metadata: { index: "kb", hits: 3 }, version: "span-v1",
        level: "WARNING", statusMessage: "slow index", model: null, modelParameters: {}, latency: 0.59,
      },
      {
        ...common, id: "generation-1", name: "answer", type: "GENERATION", parent: "retrieve", startTime: at(20), endTime: at(520),
        completionStartTime: at(270), model: "test-model-without-price",
        modelParameters: { temperature: 0.2, maxTokens: 256, stop: ["END"], stream: true },
        input: [{ role: "user", content: "Wo ist meine Bestellung?" }],
        output: { role: "assistant", content: "Unterwegs \ufffd \ufffd" }, metadata: { streamed: true },
        usageDetails: { input: 120, output: 30, total: 150 }, costDetails: { input: 0.001, output: 0.002, total: 0.003 },
        promptTokens: 120, completionTokens: 30, totalTokens: 150, unit: "TOKENS",
        calculatedInputCost: 0.001, calculatedOutputCost: 0.002, calculatedTotalCost: 0.003,
        latency: 0.5, timeToFirstToken: 0.25,
      },
      {
        ...common, ...noUsage, id: "event-1", name: "cache-miss", type: "EVENT", parent: "retrieve", startTime: at(30), endTime: null,
        level: "DEBUG", input: 0.5, output: false, metadata: { metadata: ["a", "list"] },
      },
    ],
    scores: [
      { id: "score-1", name: "helpful", dataType: "NUMERIC", value: 0.75, stringValue: null, comment: "gut", source: "API",
        observationId: null, environment: "staging" },
      { id: "score-2", name: "tone", dataType: "CATEGORICAL", value: 0, stringValue: "friendly", observationId: "generation-1" },
      { id: "score-3", name: "resolved", dataType: "BOOLEAN", value: 1, stringValue: "True", metadata: { by: "human" } },
      { id: "score-4", name: "thumbs", dataType: "NUMERIC", value: 1, comment: "👍", environment: "staging" },
    ],
  },
  {
    id: "turn-2",
    timestamp: at(1000),
    name: "support-chat",
    userId: "user-ü",
    sessionId: "session/1",
    environment: "staging",
    release: "rel-7",
    version: null,
    public: false,
    tags: [],
    input: "plain",
    output: null,
    totalCost: 0.0007,
    observations: [
      { ...common, ...noUsage, id: "outer", name: "outer", type: "SPAN", parent: null, startTime: at(1000), endTime: at(2000) },
      { ...common, ...noUsage, id: "inner", name: "inner", type: "SPAN", parent: "outer", startTime: at(1001) },
      {
        ...common, id: "openai-usage", name: "openai-usage", type: "GENERATION", parent: "inner", startTime: at(1010), endTime: at(1020),
        output: "raw", costDetails: {}, calculatedTotalCost: null,
        usageDetails: { input: 136, output: 40, total: 250, input_cached_tokens: 64, input_audio_tokens: 0, output_reasoning_tokens: 10 },
        promptTokens: 200, completionTokens: 50, totalTokens: 250,
      },
      {
        ...common, id: "free-usage", name: "free-usage", type: "GENERATION", parent: "inner", startTime: at(1030), endTime: at(1040),
        usageDetails: { input: 100, output: 20, cache_read_input_tokens: 40, total: 160 },
        costDetails: { input: 0.0003, output: 0.0003, total: 0.0007 }, promptTokens: 140, completionTokens: 20, totalTokens: 160,
      },
      {
        ...common, ...noUsage, id: "failing", name: "failing", type: "GENERATION", parent: "inner", startTime: at(1050),
        level: "ERROR", statusMessage: "rate limited", input: "boom", model: "test-model",
      },
      {
        ...common, ...noUsage, id: "vision", name: "vision", type: "GENERATION", parent: "inner", startTime: at(1060), endTime: at(1061),
        input: { image_url: `@@@langfuseMedia:type=image/png|id=${mediaId}|source=base64_data_uri@@@` },
      },
    ],
    scores: [],
  },
  { id: "turn-3", name: "empty", sessionId: "session/1", timestamp: at(3000), environment: "staging", observations: [], scores: [] },
];

const calls = {
  traces: async () => {
    const list = await langfuse.fetchTraces({ sessionId: "session/1", limit: 2, page: 1, orderBy: "timestamp.asc" });
    return [list.data.map((each) => each.id), list.meta];
  },
  tagged: async () => (await langfuse.fetchTraces({ tags: ["alpha", "mid"] })).data.map((each) => each.id),
  // This library does not encode ids in paths.
  trace: async () => {
    const { data } = await langfuse.fetchTrace(encodeURIComponent(trace.id));
    return [data.id, data.observations.length, data.scores.length];
  },
  observations: async () => (await langfuse.fetchObservations({ traceId: "turn-2", type: "GENERATION" })).data.map((each) => each.name).sort(),
  observation: async () => {
    const { data } = await langfuse.fetchObservation("generation-1");
    return [data.traceId, data.model, data.usage.total];
  },
  sessions: async () => (await langfuse.fetchSessions()).data.some((each) => each.id === "session/1"),
  session: async () => (await langfuse.api.sessionsGet(encodeURIComponent("session/1"))).traces.map((each) => each.id),
  scores: async () => (await langfuse.api.scoreV2Get({ scoreIds: "score-1,score-9" })).data.map((each) => [each.id, each.value, each.trace.userId]),
  score: async () => (await langfuse.api.scoreV2GetById("score-2")).stringValue,
  metrics: async () => (await langfuse.api.metricsMetrics({
    query: JSON.stringify({
      view: "traces", metrics: [{ measure: "count", aggregation: "count" }], dimensions: [{ field: "name" }], filters: [
        { type: "string", column: "sessionId", operator: "=", value: "session/1" },
      ],
      fromTimestamp: "2026-05-01T00:00:00Z", toTimestamp: "2026-05-02T00:00:00Z", orderBy: [{ field: "name", direction: "asc" }],
    }),
  })).data,
  url: async () => trace.getTraceUrl() === `${process.env.LANGFUSE_BASEURL}/trace/${trace.id}`,
  models: async () => (await langfuse.api.modelsList({ limit: 1 })).data.length,
  health: async () => (await langfuse.api.healthHealth()).status,
  projects: async () => (await langfuse.api.projectsGet()).data.length,
};
const read = { failures };
for (const [name, call] of Object.entries(calls)) {
  read[name] = await call().catch(String);
}
await langfuse.shutdownAsync();
console.log(JSON.stringify({ traces, read }));
