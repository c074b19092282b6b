"""LlamaIndex, told by the callback handler of langfuse 2: an index of one document and a question to it."""

import os
import uuid

from langfuse.llama_index import LlamaIndexCallbackHandler
from llama_index.core import Document, Settings, VectorStoreIndex
from llama_index.core.callbacks import CallbackManager
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI
from said import ANSWER, MODEL, QUESTION, say

word = uuid.uuid4().hex[:8]
handler = LlamaIndexCallbackHandler()
handler.set_trace_params(user_id=f"ada-{word}", session_id=f"session-{word}", tags=["b", "a"])
Settings.callback_manager = CallbackManager([handler])
url = os.environ["OPENAI_BASE_URL"]
Settings.llm = OpenAI(model="gpt-4o-mini", api_base=url, max_retries=0)
Settings.embed_model = OpenAIEmbedding(api_base=url, max_retries=0)
index = VectorStoreIndex.from_documents([Document(text="Paris ist schön. 🗼")])
index.as_query_engine().query(QUESTION)
handler.flush()

say([{
    "id": handler.get_trace_id(), "name": "LlamaIndex_query", "userId": f"ada-{word}", "sessionId": f"session-{word}", "tags": ["a", "b"],
    "input": QUESTION, "output": ANSWER,
    "observations": [
        {"name": "query", "type": "SPAN", "parent": None, "input": QUESTION, "output": ANSWER},
        {"name": "retrieve", "type": "SPAN", "parent": "query", "input": QUESTION},
        {"name": "OpenAIEmbedding", "type": "GENERATION", "parent": "retrieve", "model": "text-embedding-ada-002",
         "input": {"num_chunks": 1}, "output": {"num_embeddings": 1}},
        {"name": "synthesize", "type": "SPAN", "parent": "query", "input": QUESTION, "output": ANSWER},
        {"name": "templating", "type": "SPAN", "parent": "synthesize"},
        {"name": "openai_llm", "type": "GENERATION", "parent": "synthesize", "model": MODEL, "calculatedTotalCost": 7.35e-06,
         "usageDetails": {"input": 21, "output": 7, "total": 28},
         "output": {"role": "assistant", "blocks": [{"block_type": "text", "text": ANSWER}]}},
    ],
}])
