"""What a client library meant, held against what the read API gives back.

A trace as it was meant: members of `GET /api/public/traces/{id}`, only those that the client decided, with
"observations" and "scores" complete. Observations are found by "id" or else by "name"; "parent" is the name of the
parent, None for a root. Of "metadata" a server may show more than was meant, under the names below.
"""

import datetime
import urllib.parse

from .wait import wait_until

TIMES = {"timestamp", "startTime", "endTime", "completionStartTime"}
# Where what instrumentations add is kept (design section 7).
ADDED_METADATA = {"attributes", "resourceAttributes", "scope", "events", "links", "span", "logRecords"}


def read_trace(client, trace_id):
    """None while there is none."""
    answer = client.get("/api/public/traces/" + urllib.parse.quote(trace_id, safe=""))
    if answer.status == 404:
        return None
    assert answer.status == 200, answer.text
    return answer.json()


def check_traces(client, meant):
    """Raises with all that differs."""
    found = []
    for trace in meant:
        found += check_trace(client, trace)
    assert not found, "\n" + "\n".join(found)


def check_trace(client, meant):
    """What differs once the trace is there. Whoever has flushed has been told that it is stored: no waiting for more."""
    have = wait_until(lambda: read_trace(client, meant["id"]), 5, f"trace {meant['id']} of {meant.get('name')}")
    return trace_differences(have, meant)


def trace_differences(have, meant):
    """Each as one line."""
    found = member_differences(f"trace {meant.get('name')}", have, meant, {"observations", "scores"})
    for kind in ("observations", "scores"):
        found += list_differences(have[kind], meant.get(kind, []), kind[:-1])
    return found


def list_differences(have, meant, what):
    found = []
    names = {record["id"]: record["name"] for record in have}
    left = list(have)
    for wanted in meant:
        key = "id" if "id" in wanted else "name"
        record = next((each for each in left if each[key] == wanted[key]), None)
        if record is None:
            found.append(f"no {what} {wanted[key]!r}")
            continue
        left.remove(record)
        label = f"{what} {wanted.get('name')}"
        found += member_differences(label, record, wanted, {"parent"})
        parent = record.get("parentObservationId")
        if "parent" in wanted and names.get(parent, parent) != wanted["parent"]:
            found.append(f"{label}: parent {names.get(parent, parent)!r}, not {wanted['parent']!r}")
    return found + [f"{what} {record['name']!r} that nobody meant" for record in left]


def member_differences(label, have, meant, apart):
    found = []
    for key, value in meant.items():
        if key in apart:
            continue
        if key not in have:
            found.append(f"{label}: no {key}, not {value!r}")
        elif not is_same(key, have[key], value):
            found.append(f"{label}: {key} {have[key]!r}, not {value!r}")
    return found


def is_same(key, have, meant):
    if key in TIMES:
        return milliseconds(have) == milliseconds(meant)
    if key == "metadata":
        have = have or {}
        return all(same_type(have.get(name), value) for name, value in (meant or {}).items()) and \
            have.keys() - (meant or {}).keys() <= ADDED_METADATA
    if key == "modelParameters":
        return same_type(have or {}, meant or {})
    if key == "tags":
        return sorted(have) == sorted(meant)
    return same_type(have, meant)


def same_type(have, meant):
    """Equal, and a truth value is no number."""
    if isinstance(have, dict) and isinstance(meant, dict):
        return have.keys() == meant.keys() and all(same_type(have[key], meant[key]) for key in meant)
    if isinstance(have, list) and isinstance(meant, list):
        return len(have) == len(meant) and all(map(same_type, have, meant))
    return isinstance(have, bool) == isinstance(meant, bool) and have == meant


def milliseconds(text):
    return text and int(datetime.datetime.fromisoformat(text).timestamp() * 1000)
