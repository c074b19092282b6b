"""A graph of LangGraph with a tool, told by langfuse's handler: user, session and tags come as metadata of the run."""

import uuid

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langfuse import Langfuse
from langfuse.langchain import CallbackHandler
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from said import ANSWER, QUESTION, say

langfuse = Langfuse(environment="graph")
word = uuid.uuid4().hex[:8]


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"☀ in {city}"


def answers():
    usage = {"input_tokens": 21, "output_tokens": 7, "total_tokens": 28, "input_token_details": {"cache_read": 5},
             "output_token_details": {"reasoning": 2}}
    yield AIMessage("", tool_calls=[{"name": "get_weather", "args": {"city": "Paris"}, "id": "call_1"}], usage_metadata=usage)
    yield AIMessage(ANSWER, usage_metadata=usage)


model = GenericFakeChatModel(messages=answers())
builder = StateGraph(MessagesState)
builder.add_node("bot", lambda state: {"messages": [model.invoke(state["messages"])]})
builder.add_node("tools", ToolNode([get_weather]))
builder.add_edge(START, "bot")
builder.add_conditional_edges("bot", tools_condition, {"tools": "tools", END: END})
builder.add_edge("tools", "bot")
handler = CallbackHandler()
builder.compile().invoke({"messages": [("user", QUESTION)]}, {
    "callbacks": [handler], "run_name": "graph", "metadata": {
        "langfuse_user_id": f"ada-{word}", "langfuse_session_id": f"session-{word}", "langfuse_tags": ["b", "a"], "plan": "pro"}})
langfuse.flush()

common = {"environment": "graph"}
tokens = {"input": 16, "input_cache_read": 5, "output": 5, "output_reasoning": 2, "total": 28}
generation = {"name": "GenericFakeChatModel", "type": "GENERATION", "parent": "bot", "usageDetails": tokens, **common}
bot, decision = {"name": "bot", "type": "CHAIN", "parent": "graph"}, {"name": "tools_condition", "type": "CHAIN", "parent": "bot"}
say([{
    "id": handler.last_trace_id, "name": "graph", "userId": f"ada-{word}", "sessionId": f"session-{word}", "tags": ["a", "b"],
    "input": {"messages": [["user", QUESTION]]}, **common,
    "observations": [
        {"name": "graph", "type": "CHAIN", "parent": None, "input": {"messages": [["user", QUESTION]]}},
        bot, {**generation, "input": [{"role": "user", "content": QUESTION}]}, {**decision, "output": "tools"},
        {"name": "tools", "type": "CHAIN", "parent": "graph"},
        {"name": "get_weather", "type": "TOOL", "parent": "tools", "input": {"city": "Paris"}},
        bot, {**generation, "output": {"role": "assistant", "content": ANSWER}}, {**decision, "output": "__end__"},
    ],
}])
