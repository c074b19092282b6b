"""An OpenAI-compatible HTTP server that says the same each time, for the tests of instrumentations.

What is asked decides what is answered: "stream" streams, "tools" are called, a text with "boom" is an error 500
that tells clients not to try again.
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


def chunks():
    def chunk(delta, reason=None, **more):
        return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": int(time.time()), "model": MODEL,
                "choices": [{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}], **more}

    yield chunk({"role": "assistant", "content": ""})
    for piece in PIECES:
        yield chunk({"content": piece})
    yield chunk({}, "stop")
    yield {**chunk({}), "choices": [], "usage": USAGE}


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
        elif asked.get("stream"):
            self.stream()
        elif asked.get("tools") and asked["messages"][-1]["role"] != "tool":
            self.answer(200, completion({"role": "assistant", "content": None, "tool_calls": [TOOL_CALL], "refusal": None},
                                        "tool_calls"))
        else:
            self.answer(200, completion({"role": "assistant", "content": ANSWER, "refusal": None}))

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for each in chunks():
            self.wfile.write(b"data: " + json.dumps(each).encode() + b"\n\n")
            self.wfile.flush()
            time.sleep(0.01)
        self.wfile.write(b"data: [DONE]\n\n")


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
