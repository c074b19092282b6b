"""raw: HTTP by hand, for what a well-behaved client would never send. Bytes go out as given; answers are cut
apart strictly, so that a second answer on one connection is seen as such."""

import socket
import time
from dataclasses import dataclass


@dataclass
class RawAnswer:
    status: int
    headers: dict  # names in lower case
    body: bytes


@dataclass
class Exchange:
    answers: list
    closed: bool  # the server ended the connection
    rest: bytes = b""  # bytes that make no whole answer


def exchange(address, pieces, timeout_s=3.0, quiet_s=0.4, end_sending=False):
    """Sends the pieces (bytes, or a list of them sent one by one) and reads until the server closes, or is
    quiet for quiet_s after its last answer, or timeout_s is over."""
    if isinstance(pieces, bytes):
        pieces = [pieces]
    with socket.create_connection(address, timeout=timeout_s) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data, closed = b"", False
        try:
            for piece in pieces:
                sock.sendall(piece)
            if end_sending:
                sock.shutdown(socket.SHUT_WR)
        except OSError:
            closed = True  # refused while we were still talking; what it said can still be read
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            sock.settimeout(min(quiet_s, max(0.01, end - time.monotonic())) if data else timeout_s)
            try:
                more = sock.recv(65536)
            except TimeoutError:
                break
            except OSError:
                closed = True
                break
            if not more:
                closed = True
                break
            data += more
    answers, rest = split_answers(data)
    return Exchange(answers, closed, rest)


def split_answers(data):
    answers = []
    while data:
        head, mark, after = data.partition(b"\r\n\r\n")
        if not mark or not head.startswith(b"HTTP/1."):
            break
        lines = head.split(b"\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            headers[name.strip().lower().decode()] = value.strip().decode("latin-1")
        body, left = take_body(headers, after)
        if body is None:
            break
        answers.append(RawAnswer(int(lines[0].split(b" ")[1]), headers, body))
        data = left
    return answers, data


def take_body(headers, data):
    """(body, what is left), or (None, ...) when it is not all there."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while True:
            size, mark, after = data.partition(b"\r\n")
            if not mark:
                return None, data
            length = int(size.split(b";")[0], 16)
            if len(after) < length + 2:
                return None, data
            body += after[:length]
            data = after[length + 2 :]
            if length == 0:
                return body, data
    if "content-length" not in headers:
        return data, b""  # until the end of the connection
    length = int(headers["content-length"])
    if len(data) < length:
        return None, data
    return data[:length], data[length:]
