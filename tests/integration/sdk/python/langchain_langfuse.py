"""The callback handler for LangChain of langfuse 2 to 5: a chain of prompt, chat model, tool and parser, and an error."""

import importlib.metadata
import uuid

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langfuse import Langfuse
from said import say

major = int(importlib.metadata.version("langfuse").split(".")[0])
word = uuid.uuid4().hex[:8]


class Model(GenericFakeChatModel):
    model: str = "made-up-chat"

    @property
    def _identifying_params(self):
        return {"model": self.model, "temperature": 0.5}


def model():
    return Model(messages=iter([AIMessage("Paris, natürlich. 🗼", usage_metadata={
        "input_tokens": 21, "output_tokens": 7, "total_tokens": 28, "input_token_details": {"cache_read": 5}})]))


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"☀ in {city}"


def fail(_):
    raise ValueError("no luck")


langfuse = Langfuse(environment="langchain")
if major == 2:
    from langfuse.callback import CallbackHandler
    handler = CallbackHandler(session_id=f"session-{word}", user_id=f"ada-{word}", tags=["t"], trace_name="chain",
                              metadata={"plan": "pro"}, environment="langchain")
    config = {"callbacks": [handler], "run_name": "chain"}
else:
    from langfuse.langchain import CallbackHandler
    handler = CallbackHandler()
    config = {"callbacks": [handler], "run_name": "chain", "metadata": {
        "langfuse_user_id": f"ada-{word}", "langfuse_session_id": f"session-{word}", "langfuse_tags": ["t"], "plan": "pro"}}

prompt = ChatPromptTemplate.from_messages([("system", "Be kind."), ("user", "{question}")])
chain = prompt | model() | StrOutputParser() | RunnableLambda(lambda text: get_weather.invoke({"city": text[:5]}), name="ask")
chain.invoke({"question": "Hauptstadt?"}, config)
first = handler.get_trace_id() if major == 2 else handler.last_trace_id
try:
    RunnableLambda(fail, name="fails").invoke("x", {**config, "run_name": "fails"})
except ValueError:
    pass
second = handler.get_trace_id() if major == 2 else handler.last_trace_id
handler.langfuse.flush() if major == 2 else None
langfuse.flush()

common = {"environment": "langchain"}
chain_type = "SPAN" if major == 2 else "CHAIN"
tool_type = "SPAN" if major == 2 else "TOOL"
answer = "Paris, natürlich. 🗼"
about = {"userId": f"ada-{word}", "sessionId": f"session-{word}", "tags": ["t"]}
meant = [{
    "id": first, "name": "chain", **about, "input": {"question": "Hauptstadt?"}, "output": "☀ in Paris", **common,
    "observations": [
        {"name": "chain", "type": chain_type, "input": {"question": "Hauptstadt?"}, "output": "☀ in Paris"},
        {"name": "ChatPromptTemplate", "type": chain_type, "parent": "chain", "input": {"question": "Hauptstadt?"}},
        {"name": "Model", "type": "GENERATION", "parent": "chain", "model": "made-up-chat",
         "input": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hauptstadt?"}],
         "output": {"role": "assistant", "content": answer},
         "usageDetails": {"input": 16, "input_cache_read": 5, "output": 7, "total": 28}},
        {"name": "StrOutputParser", "type": chain_type, "parent": "chain", "output": answer},
        {"name": "ask", "type": chain_type, "parent": "chain", "input": answer, "output": "☀ in Paris"},
        {"name": "get_weather", "type": tool_type, "parent": "ask", "output": "☀ in Paris"},
    ],
}, {
    "id": second, **about,
    "observations": [{"name": "fails", "type": chain_type, "input": "x", "level": "ERROR", "statusMessage": "no luck"}],
}]
say(meant)
