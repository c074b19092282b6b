"""ledger: what was acknowledged, on disk before anyone may rely on it.

An append-only file of one JSON line for each acknowledged request: its number, the ids of all its records
and the hash of its body. A line is written and fsynced before `acknowledge` returns, so that what the file
says was acknowledged really was, whatever dies afterwards, the test itself included. Thread-safe.
"""

import hashlib
import json
import os
import threading


def content_hash(body):
    return hashlib.sha256(body).hexdigest()


class Ledger:
    def __init__(self, path):
        self.path = path
        self._lock = threading.Lock()
        self._fd = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)

    def acknowledge(self, name, ids, body):
        """name: the request's, unique in the run. ids: (kind, id) of each record."""
        line = json.dumps({"request": name, "ids": [list(i) for i in ids], "hash": content_hash(body)})
        data = (line + "\n").encode()
        with self._lock:
            if os.write(self._fd, data) != len(data):
                raise OSError("short write to the ledger")
            os.fdatasync(self._fd)

    def close(self):
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1


def read_ledger(path):
    """The entries by request name. A torn last line (the writer of the ledger died) counts as not there."""
    entries = {}
    with open(path, "rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            entry = json.loads(line)
            if entry["request"] in entries:
                raise ValueError(f"request {entry['request']} was acknowledged twice in {path}")
            entries[entry["request"]] = entry
    return entries
