// LangChain JS 0.3 with the callback handler of langfuse-langchain 3.
import { Document } from "@langchain/core/documents";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { BaseRetriever } from "@langchain/core/retrievers";
import { RunnableLambda, RunnableSequence } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { FakeListChatModel } from "@langchain/core/utils/testing";
import { CallbackHandler } from "langfuse-langchain";
import { z } from "zod";

class Shelf extends BaseRetriever {
  lc_namespace = ["test"];
  async _getRelevantDocuments(query) {
    return [new Document({ pageContent: `about ${query}`, metadata: { page: 1 } })];
  }
}
const lookUp = tool(async ({ id }) => `order ${id}: sent`, { name: "get_order", description: "an order", schema: z.object({ id: z.number() }) });
const chain = RunnableSequence.from([
  ChatPromptTemplate.fromMessages([["system", "Be brief."], ["human", "{question}"]]),
  new FakeListChatModel({ responses: ["Morgen. 🚚"] }),
  new StringOutputParser(),
]).withConfig({ runName: "support-chain" });
const turn = RunnableLambda.from(async (input, options) => {
  await new Shelf().invoke("orders", options);
  await lookUp.invoke({ id: 42 }, options);
  return chain.invoke({ question: input }, options);
}).withConfig({ runName: "turn" });

const handler = () => new CallbackHandler({
  userId: "user-ü", sessionId: "session/lc3", tags: ["lc"], version: "1.0", metadata: { tenant: "acme" }, environment: "staging", release: "rel-lc",
});
const ids = [];
const good = handler();
await turn.invoke("Wo?", { callbacks: [good], metadata: { attempt: 2 }, tags: ["run-tag"] });
ids.push(good.traceId);
await good.flushAsync();
const bad = handler();
await RunnableLambda.from(async () => { throw new Error("no luck"); }).withConfig({ runName: "broken" }).invoke("x", { callbacks: [bad] }).catch(() => {});
ids.push(bad.traceId);
await bad.shutdownAsync();
await good.shutdownAsync();
const human = { question: "Wo?" };
const tagged = (...tags) => ({ tags: [...tags, "run-tag"], attempt: 2 });
const common = { type: "SPAN", environment: "staging", version: "1.0", level: "DEFAULT", statusMessage: null, model: null, usageDetails: {} };
const trace = { userId: "user-ü", sessionId: "session/lc3", version: "1.0", release: "rel-lc", environment: "staging", scores: [] };
const answer = { ...common, parent: "support-chain", output: "Morgen. 🚚" };
const traces = [
  {
    ...trace, id: ids[0], name: "turn", tags: ["lc", "run-tag"], metadata: { ...tagged(), tenant: "acme" }, input: { input: "Wo?" }, output: "Morgen. 🚚",
    observations: [
      { ...answer, name: "turn", parent: null, input: { input: "Wo?" }, metadata: tagged() },
      { ...common, name: "Shelf", parent: "turn", input: "orders", output: [{ pageContent: "about orders", metadata: { page: 1 } }], metadata: tagged() },
      { ...common, name: "get_order", parent: "turn", input: '{"id":42}', output: "order 42: sent", metadata: tagged() },
      { ...answer, name: "support-chain", parent: "turn", input: human, metadata: tagged() },
      { ...common, name: "ChatPromptTemplate", parent: "support-chain", input: human, metadata: tagged("seq:step:1") },
      {
        ...common, name: "FakeListChatModel", type: "GENERATION", parent: "support-chain",
        input: [{ content: "Be brief.", role: "system" }, { content: "Wo?", role: "user" }], output: { content: "Morgen. 🚚", role: "assistant" },
        metadata: { ...tagged("seq:step:2"), ls_provider: "FakeListChatModel", ls_model_type: "chat" },
      },
      { ...answer, name: "StrOutputParser", input: "Morgen. 🚚", metadata: tagged("seq:step:3") },
    ],
  },
  {
    ...trace, id: ids[1], name: "broken", tags: ["lc"], metadata: { tenant: "acme" }, input: { input: "x" }, output: "Error: no luck",
    observations: [{ ...common, name: "broken", parent: null, input: { input: "x" }, output: null, level: "ERROR", statusMessage: "Error: no luck" }],
  },
];
console.log(JSON.stringify({ traces }));
