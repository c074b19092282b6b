"""Requests of real clients, and what must be read back of them (fixtures/captured/README.md)."""

import base64
import datetime
import json
import pathlib

CAPTURED = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "captured"
OF_A_CONNECTION = ("host", "connection", "content-length", "transfer-encoding", "authorization")


def expected(name):
    return json.loads((CAPTURED / "expected" / f"{name}.json").read_text())


def requests(name):
    """(method, path, body, headers) of each, in the order sent."""
    for path in sorted((CAPTURED / name).iterdir()):
        request = json.loads(path.read_text())
        if "bodyBase64" in request:
            body = base64.b64decode(request["bodyBase64"])
        else:
            body = json.dumps(request["bodyJson"], ensure_ascii=False).encode()
        headers = {key: value for key, value in request["headers"].items() if key not in OF_A_CONNECTION}
        yield request["method"], request["path"], body, headers


def same_moment(have, wanted):
    def milliseconds(text):
        return text and int(datetime.datetime.fromisoformat(text).timestamp() * 1000)
    return milliseconds(have) == milliseconds(wanted)


def compare(have, wanted):
    for key, value in wanted.items():
        if key in ("startTime", "endTime", "completionStartTime"):
            assert same_moment(have[key], value), key
        elif key == "metadata":
            assert value.items() <= (have[key] or {}).items(), have[key]
        elif key == "modelParameters":
            assert (have[key] or {}) == (value or {}), key
        elif key == "tags":
            assert sorted(have[key]) == value
        elif key == "costDetails" and value == {}:
            continue  # what was sent; where that is nothing, there may be computed costs
        else:
            assert have[key] == value, key
