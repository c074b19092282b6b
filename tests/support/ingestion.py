"""Events as Langfuse's SDKs send them to /api/public/ingestion."""

import datetime
import urllib.parse

from .records import new_id

ROUTE = "/api/public/ingestion"
BASE = datetime.datetime(2026, 11, 20, 10, 0, 0, tzinfo=datetime.timezone.utc)


def moment(milliseconds):
    """As JavaScript prints it; milliseconds after BASE."""
    at = BASE + datetime.timedelta(milliseconds=milliseconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def event(kind, body, at=0, **more):
    return {"id": new_id(), "type": kind, "timestamp": moment(at), "body": body, **more}


def post(xtrace, events, headers=None, **more):
    answer = xtrace.client(headers).post(ROUTE, {"batch": list(events), **more})
    assert answer.status == 207, answer.text
    return answer.json()


def send(xtrace, *events):
    """All of them are taken."""
    answer = post(xtrace, events)
    assert answer == {"successes": [{"id": e["id"], "status": 201} for e in events], "errors": []}


def path_of(*segments):
    return "/api/public/" + "/".join(urllib.parse.quote(segment, safe="") for segment in segments)


def read(xtrace, trace_id):
    answer = xtrace.client().get(path_of("traces", trace_id))
    assert answer.status == 200, answer.text
    return answer.json()


def read_stored(xtrace, trace_id):
    """Without what a server may show as it likes: the time of writing, the order of equal times."""
    trace = read(xtrace, trace_id)
    for record in [trace, *trace["observations"], *trace["scores"]]:
        del record["createdAt"], record["updatedAt"]
    for key in ("observations", "scores"):
        trace[key].sort(key=lambda record: record["id"])
    return trace


def read_one(xtrace, trace_id):
    (observation,) = read(xtrace, trace_id)["observations"]
    return observation
