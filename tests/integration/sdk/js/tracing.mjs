// @langfuse/tracing + @langfuse/otel + @langfuse/client 5: a session of agent, tool, retrieval and generations.
import { createHash } from "node:crypto";

import { LangfuseClient } from "@langfuse/client";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import {
  observe, propagateAttributes, setActiveTraceAsPublic, setActiveTraceIO, startActiveObservation, startObservation,
} from "@langfuse/tracing";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const processor = new LangfuseSpanProcessor({ environment: "Staging", release: "rel-9" });
const provider = new NodeTracerProvider({ spanProcessors: [processor] });
provider.register();
const langfuse = new LangfuseClient();

const at = (ms) => new Date(Date.UTC(2026, 4, 2, 12) + ms);
const pixel = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const mediaId = createHash("sha256").update(Buffer.from(pixel.split(",")[1], "base64")).digest("base64url").slice(0, 22);
const ids = {};

await propagateAttributes(
  {
    userId: "user-5-ü", sessionId: "session/5", tags: ["zeta", "alpha"], version: "2.0", traceName: "support-agent",
    metadata: { tenant: "acme", flag: "true" },
  },
  () => startActiveObservation("agent-run", async (agent) => {
    ids.trace = agent.traceId;
    ids.agent = agent.id;
    agent.update({ input: { question: "Wo ist meine Bestellung? 🚚" }, metadata: { depth: 1, list: [1, "two", null] } });

    const retriever = startObservation("retrieve", { input: "bestellung" }, { asType: "retriever", startTime: at(10) });
    startObservation("embed", { model: "test-embedding", input: "bestellung", usageDetails: { input: 5 } }, {
      asType: "embedding", startTime: at(11), parentSpanContext: retriever.otelSpan.spanContext(),
    }).update({ output: [0.1, -0.2] }).end(at(20));
    retriever.update({ output: ["doc-1", "doc-2"], level: "WARNING", statusMessage: "slow index" }).end(at(30));

    const tool = agent.startObservation("get_order", { input: { id: 42 }, metadata: { retries: 0 } }, { asType: "tool" });
    tool.update({ output: { status: "sent" } }).end();

    const generation = startObservation("answer", {
      model: "test-model",
      modelParameters: { temperature: 0.2, maxTokens: 256, stop: "END" },
      input: [{ role: "user", content: "Wo?" }],
      prompt: { name: "support", version: 3, isFallback: false },
    }, { asType: "generation", startTime: at(100) });
    generation.update({ completionStartTime: at(350) });
    generation.update({
      output: { role: "assistant", content: "Morgen." },
      usageDetails: { input: 120, output: 30, cache_read_input_tokens: 40, total: 190 },
      costDetails: { input: 0.001, output: 0.002, total: 0.003 },
      version: "gen-v2",
    }).end(at(600));

    agent.startObservation("bad-call", { model: "test-model", input: "boom", level: "ERROR", statusMessage: "rate limited" }, { asType: "generation" }).end();
    agent.startObservation("guard", { input: "x", output: true }, { asType: "guardrail" }).end();
    agent.startObservation("judge", { input: "x", output: 0.5 }, { asType: "evaluator" }).end();
    agent.startObservation("compose", { input: "a", output: "b" }, { asType: "chain" }).end();
    agent.startObservation("cache-miss", { level: "DEBUG", input: "k1" }, { asType: "event" });
    agent.startObservation("vision", {
      model: "test-model",
      input: [{ role: "user", content: [{ type: "text", text: "Was ist das?" }, { type: "image_url", image_url: { url: pixel } }] }],
    }, { asType: "generation" }).end();

    await observe(async (a, b) => a + b, { name: "add" })(2, 3);
    await startActiveObservation("fails", async () => { throw new Error("no luck"); }).catch(() => {});

    agent.update({ output: "Morgen da." });
    setActiveTraceIO({ input: "Wo?", output: { text: "Morgen." } });
    setActiveTraceAsPublic();
    langfuse.score.activeTrace({ name: "helpful", value: 0.75, comment: "gut" });
    langfuse.score.observation(generation, { name: "tone", value: "friendly", dataType: "CATEGORICAL" });
    langfuse.score.activeObservation({ name: "resolved", value: 1, dataType: "BOOLEAN", metadata: { by: "human" } });
  }, { asType: "agent" }),
);
langfuse.score.create({ id: "remark", traceId: ids.trace, name: "remark", value: "a text", dataType: "TEXT" });
langfuse.score.create({ id: "of-session", sessionId: "session/5", name: "csat", value: 4 });

// A second trace without anything, of the same session.
await propagateAttributes({ sessionId: "session/5" }, () => startActiveObservation("bare", (span) => { ids.bare = span.traceId; }));

const failures = [];
await processor.forceFlush().catch((error) => failures.push(String(error)));
await langfuse.flush().catch((error) => failures.push(String(error)));

const common = { environment: "staging", version: "2.0", statusMessage: null, level: "DEFAULT" };
const noUsage = { usageDetails: {}, costDetails: {}, promptTokens: 0, completionTokens: 0, totalTokens: 0 };
const child = (name, type, more) => ({ ...common, ...noUsage, name, type, parent: "agent-run", ...more });
const traces = [
  {
    id: ids.trace,
    name: "support-agent",
    userId: "user-5-ü",
    sessionId: "session/5",
    version: "2.0",
    release: "rel-9",
    environment: "staging",
    public: true,
    tags: ["alpha", "zeta"],
    input: "Wo?",
    output: { text: "Morgen." },
    metadata: { tenant: "acme", flag: true, depth: 1, list: [1, "two", null] },
    observations: [
      child("agent-run", "AGENT", {
        id: ids.agent, parent: null, input: { question: "Wo ist meine Bestellung? 🚚" }, output: "Morgen da.",
        metadata: { depth: 1, list: [1, "two", null] },
      }),
      child("retrieve", "RETRIEVER", {
        startTime: at(10), endTime: at(30), input: "bestellung", output: ["doc-1", "doc-2"], level: "WARNING", statusMessage: "slow index",
      }),
      child("embed", "EMBEDDING", {
        parent: "retrieve", startTime: at(11), endTime: at(20), model: "test-embedding", input: "bestellung", output: [0.1, -0.2],
        usageDetails: { input: 5, total: 5 }, promptTokens: 5, totalTokens: 5,
      }),
      child("get_order", "TOOL", { input: { id: 42 }, output: { status: "sent" }, metadata: { retries: 0 } }),
      child("answer", "GENERATION", {
        startTime: at(100), endTime: at(600), completionStartTime: at(350), latency: 0.5, timeToFirstToken: 0.25, model: "test-model",
        modelParameters: { temperature: 0.2, maxTokens: 256, stop: "END" }, input: [{ role: "user", content: "Wo?" }],
        output: { role: "assistant", content: "Morgen." }, version: "gen-v2", promptName: "support", promptVersion: 3,
        usageDetails: { input: 120, output: 30, cache_read_input_tokens: 40, total: 190 },
        costDetails: { input: 0.001, output: 0.002, total: 0.003 }, promptTokens: 160, completionTokens: 30, totalTokens: 190,
        calculatedTotalCost: 0.003,
      }),
      child("bad-call", "GENERATION", { model: "test-model", input: "boom", output: null, level: "ERROR", statusMessage: "rate limited" }),
      child("guard", "GUARDRAIL", { input: "x", output: true }),
      child("judge", "EVALUATOR", { input: "x", output: 0.5 }),
      child("compose", "CHAIN", { input: "a", output: "b" }),
      child("cache-miss", "EVENT", { level: "DEBUG", input: "k1" }),
      child("vision", "GENERATION", {
        model: "test-model",
        input: [{ role: "user", content: [{ type: "text", text: "Was ist das?" }, {
          type: "image_url",
          image_url: { url: `@@@langfuseMedia:type=image/png|id=${mediaId}|source=base64_data_uri@@@` },
        }] }],
      }),
      child("add", "SPAN", { input: [2, 3], output: 5 }),
      child("fails", "SPAN", { level: "ERROR", statusMessage: "no luck" }),
    ],
    scores: [
      { name: "helpful", dataType: "NUMERIC", value: 0.75, stringValue: null, comment: "gut", observationId: null, source: "API" },
      { name: "tone", dataType: "CATEGORICAL", value: 0, stringValue: "friendly" },
      { name: "resolved", dataType: "BOOLEAN", value: 1, stringValue: "True", metadata: { by: "human" }, observationId: ids.agent },
      { id: "remark", name: "remark", dataType: "TEXT", stringValue: "a text" },
    ],
  },
  {
    id: ids.bare, name: "bare", sessionId: "session/5", userId: null, tags: [], public: false, input: null, output: null, release: "rel-9",
    version: null, environment: "staging",
    observations: [{ ...common, ...noUsage, version: null, name: "bare", type: "SPAN", parent: null, input: null, output: null }],
    scores: [],
  },
];
const calls = {
  traces: async () => (await langfuse.api.trace.list({ sessionId: "session/5", tags: ["alpha", "zeta"] })).data.map((each) => each.id === ids.trace),
  trace: async () => (await langfuse.api.trace.get(ids.trace)).observations.length,
  fields: async () => Object.keys((await langfuse.api.trace.list({ fields: "core", limit: 1 })).data[0]).includes("input"),
  observations: async () => (await langfuse.api.observations.getMany({ traceId: ids.trace, fields: "core,basic,model,usage,io" }))
    .data.filter((each) => each.name === "answer").map((each) => [each.type, each.providedModelName, each.usageDetails, each.output]),
  pages: async () => {
    const names = [];
    for (let cursor; ;) {
      const page = await langfuse.api.observations.getMany({ traceId: ids.trace, limit: 5, cursor });
      names.push(...page.data.map((each) => each.name));
      cursor = page.meta.cursor;
      if (!cursor) return names.sort();
    }
  },
  observationsV1: async () => (await langfuse.api.legacy.observationsV1.getMany({ traceId: ids.trace, type: "TOOL" })).data.map((each) => each.name),
  observationV1: async () => (await langfuse.api.legacy.observationsV1.get(ids.agent)).name,
  byUser: async () => (await langfuse.api.legacy.observationsV1.getMany({ userId: "user-5-ü", level: "ERROR" })).data.map((each) => each.name).sort(),
  filtered: async () => (await langfuse.api.observations.getMany({
    filter: JSON.stringify([{ type: "string", column: "traceId", operator: "=", value: ids.trace },
      { type: "stringOptions", column: "type", operator: "any of", value: ["TOOL", "AGENT"] }]),
  })).data.map((each) => each.name).sort(),
  filteredTraces: async () => (await langfuse.api.trace.list({
    filter: JSON.stringify([{ type: "stringObject", column: "metadata", key: "tenant", operator: "=", value: "acme" },
      { type: "arrayOptions", column: "tags", operator: "all of", value: ["alpha", "zeta"] }]),
  })).data.map((each) => each.id === ids.trace),
  scores: async () => (await langfuse.api.scores.getMany({ userId: "user-5-ü" })).data.map((each) => [each.name, each.trace.tags]).sort(),
  score: async () => (await langfuse.api.scores.getById("of-session")).value,
  scoresV3: async () => (await langfuse.api.scoresV3.getManyV3({ traceId: ids.trace, fields: "subject" }))
    .data.map((each) => [each.name, each.value, each.subject.kind]).sort(),
  sessions: async () => (await langfuse.api.sessions.list()).data.some((each) => each.id === "session/5"),
  session: async () => (await langfuse.api.sessions.get("session/5")).traces.map((each) => each.name).sort(),
  metrics: async () => (await langfuse.api.metrics.metrics({
    query: JSON.stringify({
      view: "observations", dimensions: [{ field: "type" }], metrics: [{ measure: "count", aggregation: "count" }], filters: [
        { type: "string", column: "name", operator: "=", value: "get_order" }, { type: "string", column: "sessionId", operator: "=", value: "session/5" },
      ],
      fromTimestamp: "2020-01-01T00:00:00Z", toTimestamp: "2100-01-01T00:00:00Z",
    }),
  })).data,
  models: async () => {
    const made = await langfuse.api.models.create({ modelName: "own", matchPattern: "(?i)^own$", unit: "TOKENS", inputPrice: 0.1, outputPrice: 0.2 });
    const got = await langfuse.api.models.get(made.id);
    await langfuse.api.models.delete(made.id);
    return [got.modelName, got.inputPrice, got.isLangfuseManaged, (await langfuse.api.models.list({ limit: 1 })).data.length];
  },
  scoreByRest: async () => {
    const { id } = await langfuse.api.legacy.scoreV1.create({ traceId: "elsewhere", name: "by-rest", value: 2 });
    const { value } = await langfuse.api.scores.getById(id);
    await langfuse.api.legacy.scoreV1.delete(id);
    return [value, await langfuse.api.scores.getById(id).catch((error) => error.statusCode)];
  },
  deleted: async () => {
    const span = startObservation("to delete");
    span.end();
    await processor.forceFlush();
    const { name } = await langfuse.api.trace.get(span.traceId);
    await langfuse.api.trace.delete(span.traceId);
    return [name, await langfuse.api.trace.get(span.traceId).catch((error) => error.statusCode)];
  },
  health: async () => (await langfuse.api.health.health()).status,
  projects: async () => (await langfuse.api.projects.get()).data.length,
  url: async () => (await langfuse.getTraceUrl(ids.trace)).endsWith(`/traces/${ids.trace}`),
  fallback: async () => (await langfuse.prompt.get("unknown", { fallback: "be brief" })).prompt,
  unknown: async () => langfuse.api.trace.get("nobody"),
};
const read = { failures };
for (const [name, call] of Object.entries(calls)) {
  read[name] = await call().catch((error) => `${error.name} ${error.statusCode ?? error.message}`);
}
await provider.shutdown();
console.log(JSON.stringify({ traces, read }));
