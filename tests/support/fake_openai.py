"""An HTTP server that says the same each time, as the APIs of OpenAI, Anthropic and Google do, for the tests of instrumentations.

What is asked decides what is answered: "stream" streams, "tools" are called (the first, until a message has its result),
a text with "boom" is an error 400 that tells clients not to try again.
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODEL = "gpt-4o-mini-2024-07-18"
ANSWER = "Paris, natürlich. 🗼"
PIECES = ["Paris", ", natür", "lich. ", "🗼"]
USAGE = {"prompt_tokens": 21, "completion_tokens": 7, "total_tokens": 28,
         "prompt_tokens_details": {"cached_tokens": 5, "audio_tokens": 0},
         "completion_tokens_details": {"reasoning_tokens": 2, "audio_tokens": 0, "accepted_prediction_tokens": 0,
                                       "rejected_prediction_tokens": 0}}
TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
EMBEDDING = [0.25, -0.5, 1.0]


def completion(message, reason="stop"):
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": int(time.time()), "model": MODEL,
            "system_fingerprint": "fp_1", "usage": USAGE,
            "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}]}


def chunks(message=None, reason="stop"):
    """message: instead of the text, at once."""
    def chunk(delta, reason=None, **more):
        return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": int(time.time()), "model": MODEL,
                "choices": [{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}], **more}

    yield chunk({"role": "assistant", "content": ""})
    for delta in [message] if message else [{"content": piece} for piece in PIECES]:
        yield chunk(delta)
    yield chunk({}, reason)
    yield {**chunk({}), "choices": [], "usage": USAGE}


# OpenAI's newer API

RESPONSES_USAGE = {"input_tokens": 21, "input_tokens_details": {"cached_tokens": 5}, "output_tokens": 7,
                   "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 28}


def response(asked):
    if asked.get("tools") and not any(is_result(each) for each in asked["input"]):
        output = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "get_weather", "status": "completed",
                  "arguments": '{"city": "Paris"}'}
    else:
        output = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
                  "content": [{"type": "output_text", "text": ANSWER, "annotations": []}]}
    return {"id": "resp_1", "object": "response", "created_at": int(time.time()), "status": "completed", "model": MODEL,
            "error": None, "incomplete_details": None, "instructions": asked.get("instructions"), "metadata": {},
            "parallel_tool_calls": True, "temperature": 1.0, "tool_choice": "auto", "tools": asked.get("tools", []), "top_p": 1.0,
            "output": [output], "usage": RESPONSES_USAGE}


def is_result(item):
    return isinstance(item, dict) and item.get("type") == "function_call_output"


def response_events(answer):
    yield {"type": "response.created", "sequence_number": 0, "response": {**answer, "status": "in_progress", "output": [], "usage": None}}
    for number, item in enumerate(answer["output"]):
        yield {"type": "response.output_item.added", "sequence_number": 1, "output_index": number, "item": item}
        yield {"type": "response.output_item.done", "sequence_number": 2, "output_index": number, "item": item}
    yield {"type": "response.completed", "sequence_number": 3, "response": answer}


# Anthropic

CLAUDE = "claude-sonnet-4-5-20250929"
CLAUDE_USAGE = {"input_tokens": 12, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 4, "output_tokens": 7}


def claude_message(content, reason="end_turn"):
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": CLAUDE, "content": [content], "stop_reason": reason,
            "stop_sequence": None, "usage": CLAUDE_USAGE}


def claude_events():
    yield {"type": "message_start", "message": {**claude_message({}), "content": [], "stop_reason": None,
                                                "usage": {**CLAUDE_USAGE, "output_tokens": 1}}}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for piece in PIECES:
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
    yield {"type": "content_block_stop", "index": 0}
    yield {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 7}}
    yield {"type": "message_stop"}


# Google

GEMINI = "gemini-2.5-flash"
GEMINI_USAGE = {"promptTokenCount": 21, "cachedContentTokenCount": 5, "candidatesTokenCount": 5, "thoughtsTokenCount": 2,
                "totalTokenCount": 28}


def gemini(*parts, usage=True, reason="STOP"):
    return {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": reason, "index": 0}],
            "modelVersion": GEMINI, "responseId": "gemini-1", **({"usageMetadata": GEMINI_USAGE} if usage else {})}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "boom" in json.dumps(asked):
            self.answer(400, {"error": {"message": "the model exploded", "type": "invalid_request_error", "code": "boom"}})
        elif self.path.endswith("/embeddings"):
            self.answer(200, {"object": "list", "model": "text-embedding-3-small", "usage": {"prompt_tokens": 4, "total_tokens": 4},
                              "data": [{"object": "embedding", "index": 0, "embedding": EMBEDDING}]})
        elif self.path.endswith("/responses"):
            answer = response(asked)
            self.answer_or_stream(asked.get("stream"), answer, response_events(answer))
        elif self.path.endswith("/messages"):
            self.claude(asked)
        elif ":" in self.path:
            self.gemini(asked)
        else:
            self.chat(asked)

    def chat(self, asked):
        message, reason = {"role": "assistant", "content": ANSWER, "refusal": None}, "stop"
        if asked.get("tools") and not any(each["role"] == "tool" for each in asked["messages"]):
            message, reason = {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL], "refusal": None}, "tool_calls"
        delta = {"tool_calls": [{"index": 0, **TOOL_CALL}]} if reason == "tool_calls" else None
        self.answer_or_stream(asked.get("stream"), completion(message, reason), [*chunks(delta, reason), None])

    def claude(self, asked):
        content = claude_message({"type": "text", "text": ANSWER})
        if asked.get("tools") and not any("tool_result" in json.dumps(each) for each in asked["messages"]):
            content = claude_message({"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"city": "Paris"}}, "tool_use")
        self.answer_or_stream(asked.get("stream"), content, claude_events())

    def gemini(self, asked):
        part = {"text": ANSWER}
        if asked.get("tools") and "functionResponse" not in json.dumps(asked["contents"]):
            part = {"functionCall": {"name": "get_weather", "args": {"city": "Paris"}}}
        pieces = [gemini({"text": piece}, usage=piece == PIECES[-1]) for piece in PIECES] if "text" in part else [gemini(part)]
        self.answer_or_stream(":stream" in self.path, gemini(part), pieces)

    def answer_or_stream(self, streamed, body, events):
        if streamed:
            self.stream(events)
        else:
            self.answer(200, body)

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, events):
        """None is OpenAI's end of a stream."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for each in events:
            if each and "type" in each:
                self.wfile.write(b"event: " + each["type"].encode() + b"\n")
            self.wfile.write(b"data: " + (json.dumps(each).encode() if each else b"[DONE]") + b"\n\n")
            self.wfile.flush()
            time.sleep(0.01)


class FakeOpenAI:
    """with FakeOpenAI() as url: ..."""

    def __enter__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_port}/v1"

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
