"""What the scripts have in common: they print what they meant and what reading helpers gave, as one line of JSON."""

import json


def say(traces, read=None):
    """traces: as support/sdk.py describes them."""
    print(json.dumps({"traces": traces, "read": read or {}}))


def attempt(call):
    """What a reading helper gives, or its error as text."""
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]


def basic():
    """The key pair as a header."""
    import base64
    import os

    pair = f"{os.environ['LANGFUSE_PUBLIC_KEY']}:{os.environ['LANGFUSE_SECRET_KEY']}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
