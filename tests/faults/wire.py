"""wire: the queue protocol (proto/*.h) in Python, and a gateway made of it that tests can steer.

A FakeGateway binds the two endpoints of a queue as xtrace-gateway does, so that real writers connect to it; it
sends whatever batches a test makes, as often as the test says, and keeps every receipt.
"""

import os
import threading
import time
import uuid
from dataclasses import dataclass, field

import msgpack
import zmq

WIRE_VERSION = 2
TRACE, OBSERVATION, SCORE, METRIC = 0, 1, 2, 3
STORED, DUPLICATE = 0, 1

# Columns in the order of proto/row.h: (name, type, merge).
TRACE_COLUMNS = [
    ("id", "text", "key"), ("timestamp", "time", "latest"), ("name", "text", "latest"),
    ("user_id", "text", "latest"), ("session_id", "text", "latest"), ("release", "text", "latest"),
    ("version", "text", "latest"), ("environment", "text", "latest"), ("external_id", "text", "latest"),
    ("public", "bool", "latest"), ("bookmarked", "bool", "latest"), ("tags", "texts", "latest"),
    ("tags_added", "texts", "union"), ("input", "json", "latest"), ("output", "json", "latest"),
    ("metadata", "jsonb", "metadata"), ("latency", "float", "latest"), ("total_cost", "decimal", "latest"),
]  # fmt: skip
OBSERVATION_COLUMNS = [
    ("trace_id", "text", "key"), ("id", "text", "key"), ("type", "text", "latest"), ("name", "text", "latest"),
    ("start_time", "time", "latest"), ("end_time", "time", "latest"), ("completion_start_time", "time", "latest"),
    ("parent_observation_id", "text", "latest"), ("level", "text", "latest"), ("status_message", "text", "latest"),
    ("version", "text", "latest"), ("environment", "text", "latest"), ("model", "text", "latest"),
    ("model_id", "text", "latest"), ("model_parameters", "json", "latest"), ("input", "json", "latest"),
    ("output", "json", "latest"), ("prompt_tokens", "int", "latest"), ("completion_tokens", "int", "latest"),
    ("total_tokens", "int", "latest"), ("unit", "text", "latest"), ("usage_details", "jsonb", "latest"),
    ("input_price", "decimal", "latest"), ("output_price", "decimal", "latest"), ("total_price", "decimal", "latest"),
    ("input_cost", "decimal", "latest"), ("output_cost", "decimal", "latest"), ("total_cost", "decimal", "latest"),
    ("cost_details", "jsonb", "latest"), ("latency", "float", "latest"), ("time_to_first_token", "float", "latest"),
    ("prompt_id", "text", "latest"), ("prompt_name", "text", "latest"), ("prompt_version", "text", "latest"),
    ("metadata", "jsonb", "metadata"),
]  # fmt: skip
SCORE_COLUMNS = [
    ("id", "text", "key"), ("timestamp", "time", "latest"), ("trace_id", "text", "latest"),
    ("observation_id", "text", "latest"), ("session_id", "text", "latest"), ("dataset_run_id", "text", "latest"),
    ("name", "text", "latest"), ("source", "text", "latest"), ("data_type", "text", "latest"),
    ("value", "float", "latest"), ("string_value", "text", "latest"), ("comment", "text", "latest"),
    ("config_id", "text", "latest"), ("queue_id", "text", "latest"), ("environment", "text", "latest"),
    ("metadata", "jsonb", "metadata"),
]  # fmt: skip
METRIC_COLUMNS = [
    ("name", "text", "key"), ("labels", "jsonb", "key"), ("timestamp", "time", "key"), ("value", "float", "key"),
    ("environment", "text", "latest"),
]  # fmt: skip
KINDS = {TRACE: ("traces", TRACE_COLUMNS, 1), OBSERVATION: ("observations", OBSERVATION_COLUMNS, 2),
         SCORE: ("scores", SCORE_COLUMNS, 1), METRIC: ("metric_points", METRIC_COLUMNS, 4)}


@dataclass(frozen=True)
class Row:
    """A row as it travels. columns: name -> wire value (texts and JSON as str, JSON already as text)."""

    kind: int
    version: int
    columns: dict

    def packed(self):
        names = KINDS[self.kind][1]
        unknown = self.columns.keys() - {name for name, _, _ in names}
        if unknown:
            raise ValueError(f"no such columns: {unknown}")
        return msgpack.packb([self.kind, self.version] + [self.columns.get(name) for name, _, _ in names])

    def key(self):
        _, names, key_count = KINDS[self.kind]
        return tuple(self.columns[name] for name, _, _ in names[:key_count])


def pack_batch(batch_id, rows, project="default", received_us=None, key=None):
    """The two frames of a message. key: 32 bytes, the hash of an Idempotency-Key."""
    received_us = int(time.time() * 10**6) if received_us is None else received_us
    header = msgpack.packb([WIRE_VERSION, batch_id, project, received_us, len(rows), key])
    return [header, b"".join(row.packed() for row in rows)]


@dataclass
class Receipt:
    outcome: int
    refused: list = field(default_factory=list)  # [row index, reason]


class FakeGateway:
    """queue: "ipc://PATH" or "tcp://127.0.0.1:PORT". Its methods may be called from one thread; receipts are
    gathered by another."""

    def __init__(self, queue):
        self.receipts = {}  # batch id -> [Receipt], in the order of arrival
        self.writers = {}  # writer id -> (monotonic time of the last hello, database reachable)
        self._context = zmq.Context()
        self._batches = self._context.socket(zmq.PUSH)
        self._batches.set(zmq.LINGER, 0)
        self._in = self._context.socket(zmq.PULL)
        for sock, address in zip((self._batches, self._in), endpoints(queue), strict=True):
            sock.bind(address)
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def send(self, rows, batch_id=None, project="default", received_us=None, key=None):
        """Waits for a writer to take it; returns the batch id."""
        batch_id = batch_id or uuid.uuid4().bytes
        self.send_frames(pack_batch(batch_id, rows, project, received_us, key))
        return batch_id

    def send_frames(self, frames, timeout_s=20.0):
        self._batches.set(zmq.SNDTIMEO, int(timeout_s * 1000))
        self._batches.send_multipart(frames)

    def wait_for_receipts(self, batch_id, count=1, timeout_s=20.0):
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.receipts.get(batch_id, ())) >= count, timeout_s):
                got = self.receipts.get(batch_id, [])
                raise AssertionError(f"{len(got)} of {count} receipts for {batch_id.hex()} after {timeout_s} s: {got}")
            return self.receipts[batch_id]

    def wait_for_writers(self, count=1, timeout_s=30.0):
        """Until count writers that can reach the database have been heard of."""
        with self._changed:
            if not self._changed.wait_for(lambda: sum(r for _, r in self.writers.values()) >= count, timeout_s):
                raise AssertionError(f"writers heard of after {timeout_s} s: {self.writers}, wanted {count}")

    def close(self):
        self._closed = True
        self._thread.join(5)
        self._batches.close()
        self._context.term()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _listen(self):
        poller = zmq.Poller()
        poller.register(self._in, zmq.POLLIN)
        while not self._closed:
            if poller.poll(100):
                self._take(self._in.recv())
        self._in.close(linger=0)

    def _take(self, frame):
        version, kind, sender, *rest = msgpack.unpackb(frame)
        if version != WIRE_VERSION:
            raise AssertionError(f"a receipt of wire version {version}")
        with self._changed:
            if kind == "hello":
                self.writers[sender] = (time.monotonic(), bool(rest[0]))
            else:
                self.receipts.setdefault(sender, []).append(Receipt(rest[0], rest[1]))
            self._changed.notify_all()


def endpoints(queue):
    """(batches, receipts) as in proto/queue.h; makes the folder of an ipc path."""
    if queue.startswith("ipc://"):
        os.makedirs(os.path.dirname(queue.removeprefix("ipc://")), mode=0o700, exist_ok=True)
        return queue + ".batches", queue + ".receipts"
    base, _, port = queue.rpartition(":")
    return queue, f"{base}:{int(port) + 1}"
