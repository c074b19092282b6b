// What a client of OpenAI answers, without a network: for the wrappers, which take any object with its methods.
export const usage = {
  prompt_tokens: 200, completion_tokens: 50, total_tokens: 250,
  prompt_tokens_details: { cached_tokens: 64 }, completion_tokens_details: { reasoning_tokens: 10 },
};

async function* stream() {
  for (const content of ["Hallo ", "Welt"]) {
    yield { id: "c", object: "chat.completion.chunk", model: "test-model-2026", choices: [{ index: 0, delta: { role: "assistant", content } }] };
  }
  yield { id: "c", object: "chat.completion.chunk", model: "test-model-2026", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] };
  yield { id: "c", object: "chat.completion.chunk", model: "test-model-2026", choices: [], usage };
}

export function makeOpenAI() {
  return {
    chat: {
      completions: {
        create: async (body) => {
          if (body.messages[0].content === "boom") throw new Error("429 rate limited");
          if (body.stream) return stream();
          return {
            id: "c", object: "chat.completion", model: "test-model-2026", usage,
            choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "Morgen. 🚚" } }],
          };
        },
      },
    },
  };
}
