"""Records as a client sends them: the least that is needed, and whatever a test adds."""

import uuid


def new_id():
    return str(uuid.uuid4())


def new_trace(**more):
    return {"id": new_id(), **more}


def new_observation(trace, **more):
    """trace: a trace or its id."""
    return {"id": new_id(), "traceId": trace["id"] if isinstance(trace, dict) else trace, **more}
