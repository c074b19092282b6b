// LangChain JS with the callback handler of @langfuse/langchain 5, and with the instrumentation of OpenInference.
import * as callbackManager from "@langchain/core/callbacks/manager";
import { Document } from "@langchain/core/documents";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { BaseRetriever } from "@langchain/core/retrievers";
import { RunnableLambda, RunnableSequence } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { FakeListChatModel } from "@langchain/core/utils/testing";
import { CallbackHandler } from "@langfuse/langchain";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { LangChainInstrumentation } from "@arizeai/openinference-instrumentation-langchain";
import { z } from "zod";

class Shelf extends BaseRetriever {
  lc_namespace = ["test"];
  async _getRelevantDocuments(query) {
    return [new Document({ pageContent: `about ${query}`, metadata: { page: 1 } })];
  }
}
const lookUp = tool(async ({ id }) => `order ${id}: sent`, { name: "get_order", description: "an order", schema: z.object({ id: z.number() }) });

function makeChain() {
  return RunnableSequence.from([
    ChatPromptTemplate.fromMessages([["system", "Be brief."], ["human", "{question}"]]),
    new FakeListChatModel({ responses: ["Morgen. 🚚"] }),
    new StringOutputParser(),
  ]).withConfig({ runName: "support-chain" });
}

async function session(config) {
  const chain = RunnableLambda.from(async (input, options) => {
    await new Shelf().invoke("orders", options);
    await lookUp.invoke({ id: 42 }, options);
    return makeChain().invoke({ question: input }, options);
  }).withConfig({ runName: "turn" });
  await chain.invoke("Wo ist meine Bestellung?", config);
  const broken = RunnableLambda.from(async () => { throw new Error("no luck"); }).withConfig({ runName: "broken" });
  await broken.invoke("x", config).catch(() => {});
}

const ids = {};
const watch = (name) => ({
  onStart: (span) => { (ids[name] ??= []).includes(span.spanContext().traceId) || ids[name].push(span.spanContext().traceId); },
  onEnd() {}, forceFlush: async () => {}, shutdown: async () => {},
});
const langfuse = new LangfuseSpanProcessor({ environment: "staging", release: "rel-lc" });
const ofLangfuse = new NodeTracerProvider({ spanProcessors: [watch("langfuse"), langfuse] });
ofLangfuse.register(); // with a context manager, by which the handler hands down user, session and tags
const handler = new CallbackHandler({ userId: "user-ü", sessionId: "session/lc", tags: ["lc"], version: "1.0", traceMetadata: { tenant: "acme" } });
await session({ callbacks: [handler], metadata: { attempt: 2 }, tags: ["run-tag"] });
await langfuse.forceFlush();

const authorization = "Basic " + Buffer.from(`${process.env.LANGFUSE_PUBLIC_KEY}:${process.env.LANGFUSE_SECRET_KEY}`).toString("base64");
const ofOpenInference = new NodeTracerProvider({
  spanProcessors: [watch("openinference"), new SimpleSpanProcessor(new OTLPTraceExporter({
    url: process.env.XTRACE_URL + "/api/public/otel/v1/traces", headers: { authorization },
  }))],
});
const instrumentation = new LangChainInstrumentation({ tracerProvider: ofOpenInference });
instrumentation.manuallyInstrument({ ...callbackManager });
await session({ metadata: { attempt: 2, session_id: "session/lc" } });
await ofOpenInference.forceFlush();
const question = "Wo ist meine Bestellung?";
const messages = [{ content: "Be brief.", role: "system" }, { content: question, role: "user" }];
const serialized = (kind, content, more) =>
  ({ lc: 1, type: "constructor", id: ["langchain_core", "messages", kind], kwargs: { content, additional_kwargs: {}, response_metadata: {}, ...more } });
const langchain = { "@langchain/core": "1.4.0" };

function meant(ids, common, ofTrace, [turn, prompt, model, parser, shelf, order], broken) {
  const quiet = { ...common, level: "DEFAULT", statusMessage: null, model: null, usageDetails: {} };
  const trace = { userId: null, tags: [], metadata: {}, scores: [], sessionId: "session/lc", ...ofTrace };
  return [
    {
      ...trace, id: ids[0], name: "turn", input: turn.input, output: "Morgen. 🚚",
      observations: [
        { ...quiet, output: "Morgen. 🚚", name: "turn", parent: null, ...turn },
        { ...quiet, name: "Shelf", parent: "turn", input: "orders", ...shelf },
        { ...quiet, name: "get_order", type: "TOOL", parent: "turn", input: { id: 42 }, output: "order 42: sent", ...order },
        { ...quiet, output: "Morgen. 🚚", name: "support-chain", parent: "turn", type: turn.type, metadata: turn.metadata },
        { ...quiet, name: "ChatPromptTemplate", type: "SPAN", parent: "support-chain", ...prompt },
        { ...quiet, name: "FakeListChatModel", type: "GENERATION", parent: "support-chain", ...model },
        { ...quiet, output: "Morgen. 🚚", name: "StrOutputParser", type: turn.type, parent: "support-chain", ...parser },
      ],
    },
    {
      ...trace, id: ids[1], name: "broken",
      observations: [{ ...quiet, name: "broken", type: turn.type, parent: null, output: null, level: "ERROR", ...broken }],
    },
  ];
}

const tagged = (...tags) => ({ tags: [...tags, "run-tag"], attempt: 2 });
const traces = [
  ...meant(ids.langfuse, { environment: "staging", version: "1.0" }, {
    userId: "user-ü", tags: ["lc", "run-tag"], metadata: { tenant: "acme", tags: ["run-tag"], attempt: 2 }, release: "rel-lc", version: "1.0",
    environment: "staging",
  }, [
    { type: "SPAN", input: { input: question }, metadata: tagged() },
    { input: { question }, output: { messages }, metadata: tagged("seq:step:1") },
    {
      input: messages, output: { content: "Morgen. 🚚", role: "assistant" },
      metadata: { ...tagged("seq:step:2"), versions: langchain, ls_provider: "FakeListChatModel", ls_model_type: "chat", ls_integration: "langchain_chat_model" },
    },
    { metadata: tagged("seq:step:3") },
    { type: "SPAN", output: [{ pageContent: "about orders", metadata: { page: 1 } }], metadata: tagged() },
    { metadata: { ...tagged(), versions: langchain } },
  ], { input: { input: "x" }, metadata: tagged(), statusMessage: "Error: no luck" }),
  ...meant(ids.openinference, { environment: "default", version: null }, { environment: "default" }, [
    { type: "CHAIN", input: question, metadata: {} },
    {
      input: question,
      output: { lc: 1, type: "constructor", id: ["langchain_core", "prompt_values", "ChatPromptValue"], kwargs: {
        messages: [serialized("SystemMessage", "Be brief."), serialized("HumanMessage", question)],
      } },
    },
    { input: { messages: [[serialized("SystemMessage", "Be brief."), serialized("HumanMessage", question)]] } },
    {},
    { type: "RETRIEVER", output: { documents: [{ pageContent: "about orders", metadata: { page: 1 } }] } },
    {},
  ], { input: "x", statusMessage: undefined /* with a stack trace */ }),
];
console.log(JSON.stringify({ traces }));
