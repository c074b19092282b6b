"""The decorator of langfuse 3 to 5: async, generators, masking, media, scores of what is current, and an error."""

import asyncio
import uuid
from contextlib import nullcontext

import langfuse as package
from langfuse import Langfuse, observe
from langfuse.media import LangfuseMedia
from said import attempt, say


def masked(*, data, **_):
    return data.replace("secret", "***") if isinstance(data, str) else data


langfuse = Langfuse(environment="decorated", release="rel", mask=masked)
word = uuid.uuid4().hex[:8]
seen = {}


@observe(as_type="generation")
def answer(question):
    langfuse.update_current_generation(
        model="gpt-4o-mini", model_parameters={"temperature": 0.5}, cost_details={"input": 0.25, "output": 0.5}, usage_details={
            "prompt_tokens": 21, "completion_tokens": 7, "total_tokens": 28, "prompt_tokens_details": {"cached_tokens": 5},
            "completion_tokens_details": {"reasoning_tokens": 2}})
    return "my secret"


@observe()
def pieces():
    yield from ("a", "b")


@observe()
async def late_pieces():
    for piece in ("c", "d"):
        await asyncio.sleep(0)
        yield piece


@observe(name="get_weather")
async def weather(city):
    await asyncio.sleep(0.01)
    return f"☀ in {city}"


@observe(capture_input=False)
def silent(_):
    return 1


@observe()
def fails():
    raise ValueError("bang")


async def later():
    await weather("Paris")
    return [piece async for piece in late_pieces()]


@observe()
def session(question):
    seen["trace"] = langfuse.get_current_trace_id()
    trace = {"user_id": f"ada-{word}", "session_id": f"session-{word}", "tags": ["b", "a"], "metadata": {"plan": "pro"}, "version": "v1"}
    propagate = getattr(package, "propagate_attributes", None)
    with propagate(**trace) if propagate else nullcontext():
        if not propagate:
            langfuse.update_current_trace(**trace)
        answer("größer? 😀")
        list(pieces())
        asyncio.run(later())
        silent(0)
        attempt(fails)
        langfuse.score_current_trace(name="resolved", value=1.0, comment="gut")
        langfuse.score_current_span(name="tone", value="kind", data_type="CATEGORICAL")
        langfuse.update_current_span(metadata={"image": LangfuseMedia(content_bytes=b"abc", content_type="image/png")},
                                     level="WARNING", status_message="slow")
    return {"done": True}


session("Hauptstadt? 🇫🇷")
langfuse.flush()


def called(*values):
    return {"args": list(values), "kwargs": {}}


common = {"environment": "decorated"}
image = {"image": "@@@langfuseMedia:type=image/png|id=ungWv48Bz-pBQUDeXa4iI7|source=bytes@@@"}
child = {"type": "SPAN", "parent": "session", **common}
say([{
    "id": seen["trace"], "name": "session", "userId": f"ada-{word}", "sessionId": f"session-{word}", "tags": ["a", "b"], "version": "v1",
    "release": "rel", "input": called("Hauptstadt? 🇫🇷"), "output": {"done": True}, "metadata": {"plan": "pro", **image}, "totalCost": 0.75,
    **common,
    "observations": [
        {"name": "session", "type": "SPAN", "parent": None, "level": "WARNING", "statusMessage": "slow"},
        {"name": "answer", "type": "GENERATION", "parent": "session", "model": "gpt-4o-mini", "modelParameters": {"temperature": 0.5},
         "input": called("größer? 😀"), "output": "my ***", "costDetails": {"input": 0.25, "output": 0.5, "total": 0.75},
         "usageDetails": {"input": 16, "input_cached_tokens": 5, "output": 5, "output_reasoning_tokens": 2, "total": 28}, **common},
        {**child, "name": "pieces", "output": "ab"}, {**child, "name": "get_weather", "input": called("Paris"), "output": "☀ in Paris"},
        {**child, "name": "late_pieces", "output": "cd"}, {**child, "name": "silent", "input": None, "output": 1},
        {**child, "name": "fails", "level": "ERROR", "statusMessage": "bang"},
    ],
    "scores": [{"name": "resolved", "value": 1, "comment": "gut", "observationId": None},
               {"name": "tone", "stringValue": "kind", "dataType": "CATEGORICAL"}],
}], {
    "get_prompt falls back": attempt(lambda: langfuse.get_prompt("none", fallback="be brief").prompt),
    "get_dataset": attempt(lambda: langfuse.get_dataset("none")).split(":")[0],
    "create_dataset": attempt(lambda: langfuse.create_dataset(name="none")).split(":")[0],
})
