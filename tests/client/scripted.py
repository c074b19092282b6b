"""A scripted HTTP server for tests of the client's programs: answers what a test says, keeps what it was asked."""

import json
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Asked:
    method: str
    target: str
    headers: dict
    body: bytes


@dataclass
class Scripted:
    """answers: (status, body) or (status, body, headers) in turn, the last one again and again; or a function of the
    request. A body that is no bytes is sent as JSON. certificate: a PEM file with its key; then it speaks TLS."""

    answers: object
    certificate: object = None
    asked: list = field(default_factory=list)

    def __enter__(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                asked = Asked(self.command, self.path, dict(self.headers), self.rfile.read(length))
                outer.asked.append(asked)
                status, body, *headers = outer.next(asked)
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in (headers[0] if headers else {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer

            def handle(self):
                try:
                    super().handle()
                except (ConnectionError, ssl.SSLError):
                    pass  # a client that went away

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.url = f"https://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def next(self, asked):
        if callable(self.answers):
            return self.answers(asked)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
