"""A plain HTTP/1.1 client: no retries, no redirects, nothing added but what a test asks for."""

import http.client
import json
import socket
import urllib.parse
from dataclasses import dataclass


@dataclass
class Response:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()


class Client:
    """One connection a request, so that a test knows which server answered it."""

    def __init__(self, url, headers=None, timeout=20):
        self.url = urllib.parse.urlsplit(url)
        self.headers = dict(headers or {})
        self.timeout = timeout

    def request(self, method, path, params=None, body=None, headers=None):
        """params: a dict or pairs; None leaves the query string as it is in path."""
        if params:
            pairs = params.items() if isinstance(params, dict) else params
            path += "?" + urllib.parse.urlencode(list(pairs), doseq=True)
        connection = self.connect()
        try:
            connection.request(method, path, body, {**self.headers, **(headers or {})})
            answer = connection.getresponse()
            return Response(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, params=None, headers=None):
        return self.request("GET", path, params, headers=headers)

    def post(self, path, value, headers=None):
        """value: bytes are sent as they are, anything else as JSON."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.request("POST", path, None, body, {"Content-Type": "application/json", **(headers or {})})

    def batch(self, trace=None, observations=(), headers=None):
        return self.post("/v1/l/batch", {"trace": trace, "observations": list(observations)}, headers)

    def connect(self):
        return http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=self.timeout)

    def socket(self):
        return socket.create_connection((self.url.hostname, self.url.port), self.timeout)

    def raw(self, data, method="POST"):
        """Sends bytes as they are and reads one answer; None when the server just closes."""
        with self.socket() as connection:
            try:
                connection.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it may answer and close before it has read everything
            answer = http.client.HTTPResponse(connection, method=method)
            try:
                answer.begin()
                return Response(answer.status, answer.headers, answer.read())
            except (http.client.BadStatusLine, ConnectionResetError):
                return None
