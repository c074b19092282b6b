"""A day of an LLM product, made up: the requests that its applications would have sent.

Everything follows from (seed, date, number), ids included, so that sending a day twice changes
nothing and a longer day begins like a shorter one. A story is a list of requests that must go in
order (a session, a stream that starts and ends); stories are independent of each other.
"""

import datetime
import random
import uuid
from dataclasses import dataclass
from decimal import Decimal

# US dollars a million tokens: input, output.
PRICES = {
    "gpt-4o": (Decimal("2.50"), Decimal("10.00")),
    "gpt-4o-mini": (Decimal("0.15"), Decimal("0.60")),
    "claude-3-5-sonnet": (Decimal("3.00"), Decimal("15.00")),
    "claude-3-5-haiku": (Decimal("0.80"), Decimal("4.00")),
    "qwen2.5-72b-instruct": (Decimal("0.40"), Decimal("1.20")),
    "text-embedding-3-small": (Decimal("0.02"), Decimal("0")),
}
CHAT_MODELS = list(PRICES)[:5]

# How busy each hour of the day is.
HOURS = [2, 1, 1, 1, 1, 2, 4, 7, 11, 14, 15, 14, 12, 13, 15, 15, 14, 12, 9, 8, 7, 5, 3]

QUESTIONS = [
    "How do I change the billing address of my team?",
    "Why was my card charged twice this month?",
    "Fasse mir den Vertrag bitte in drei Sätzen zusammen.",
    "請幫我把這段話翻譯成英文。",
    "كيف يمكنني إلغاء اشتراكي؟",
    "Can you turn this table into JSON? 📊",
    "Write a polite reply that says no.",
    "What is the difference between the plans?",
    "Explain this stack trace:\n\tat Checkout.pay(Checkout.java:42)",
    "Plan a three day trip to Lisbon with two children.",
]
ANSWERS = [
    "You find it under Settings, Billing, Address. Only owners can change it.",
    "The second charge is a reservation that your bank releases within five days.",
    "1. Laufzeit zwölf Monate. 2. Kündigung zum Quartal. 3. Haftung bis zur Vertragssumme.",
    "Of course. Here is the translation you asked for, in a neutral tone.",
    'Here you are:\n```json\n{"rows": 3, "ok": true}\n```',
    "Thank you for asking. I have to decline this time, and wish you the best of luck.",
    "The larger plan adds single sign-on, audit logs and a data region of your choice. ✅",
]
TOOLS = {
    "search_orders": ({"customer": "c-1042", "limit": 5}, {"orders": ["A-17", "A-19"]}),
    "refund": ({"order": "A-17", "amount": 19.9}, {"status": "done", "reference": "R-88"}),
    "send_email": ({"to": "user@example.com", "subject": "Your refund"}, {"queued": True}),
    "web_search": ({"query": "carrier delays"}, {"hits": [{"title": "Delays", "score": 0.83}]}),
    "run_sql": ({"sql": "select count(*) from orders"}, {"rows": [[12873]]}),
}
TOOL_ERRORS = ["timeout after 10 s", "HTTP 502 from the carrier", "order A-17 is locked"]


@dataclass
class Day:
    date: datetime.date
    seed: int = 1
    size: int = 1000  # traces
    largest: int = 2000  # observations of the one large trace; 0: none

    def stories(self):
        """Lists of request bodies: {"trace": ..., "observations": [...]}."""
        left = self.size
        if self.largest and left:
            yield Story(self, "largest").large(self.largest)
            left -= 1
        number = 0
        while left:
            story = Story(self, number).any(left)
            left -= len({request["trace"]["id"] for request in story})
            number += 1
            yield story


class Story:
    def __init__(self, day, number):
        self.day = day
        self.rng = random.Random(f"{day.seed}/{day.date}/{number}")

    def any(self, traces_max):
        kinds = [self.chat, self.rag, self.agent, self.stream]
        kind = self.rng.choices(kinds, [40, 28, 18, 14])[0]
        self.environment = self.rng.choices(["production", "staging", "development"], [80, 15, 5])[0]
        self.version = self.rng.choices(["2.4.1", "2.4.0", "2.5.0-rc1"], [70, 20, 10])[0]
        return kind(traces_max)

    # Pieces

    def id(self):
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def start(self):
        hour = self.rng.choices(range(len(HOURS)), HOURS)[0]
        midnight = datetime.datetime.combine(self.day.date, datetime.time(), datetime.timezone.utc)
        return midnight + datetime.timedelta(hours=hour, microseconds=self.rng.randrange(3_000_000_000))

    def seconds(self, low, high):
        return datetime.timedelta(microseconds=self.rng.randrange(int(low * 1e6), int(high * 1e6)))

    def user(self):
        return f"user-{self.rng.randrange(80):04d}"

    def trace(self, name, at, **more):
        return {
            "id": self.id(),
            "name": name,
            "timestamp": text(at),
            "environment": self.environment,
            "version": self.version,
            "release": f"web-{self.version}",
            **more,
        }

    def observation(self, trace, kind, name, start, end, **more):
        made = {
            "id": self.id(),
            "traceId": trace["id"],
            "type": kind,
            "name": name,
            "startTime": text(start),
            "environment": self.environment,
            **more,
        }
        if end is not None:
            made["endTime"] = text(end)
        return made

    def usage(self, model, tokens_in, tokens_out):
        """Two spellings are about: token fields, and a usage object."""
        price_in, price_out = PRICES[model]
        cost_in = tokens_in * price_in / 1_000_000
        cost_out = tokens_out * price_out / 1_000_000
        made = {
            "model": model,
            "calculatedInputCost": float(cost_in),
            "calculatedOutputCost": float(cost_out),
            "calculatedTotalCost": float(cost_in + cost_out),
        }
        if self.rng.random() < 0.3:
            made["usage"] = {"input": tokens_in, "output": tokens_out, "unit": "TOKENS"}
        else:
            made["promptTokens"] = tokens_in
            made["completionTokens"] = tokens_out
            made["totalTokens"] = tokens_in + tokens_out
            made["unit"] = "TOKENS"
        return made

    def generation(self, trace, name, start, model=None, parent=None, prompt=None, **more):
        """A streamed call of a model: first token, then the rest."""
        model = model or self.rng.choices(CHAT_MODELS, [30, 35, 20, 10, 5])[0]
        tokens_out = self.rng.randrange(20, 900)
        first = start + self.seconds(0.15, 0.9)
        end = first + self.seconds(0.004 * tokens_out, 0.02 * tokens_out + 0.1)
        more = {"modelParameters": {"temperature": self.rng.choice([0, 0.2, 0.7]), "max_tokens": 1024}, **more}
        if parent:
            more["parentObservationId"] = parent["id"]
        return self.observation(
            trace,
            "GENERATION",
            name,
            start,
            end,
            completionStartTime=text(first),
            input=prompt if prompt is not None else [{"role": "user", "content": self.rng.choice(QUESTIONS)}],
            output={"role": "assistant", "content": self.rng.choice(ANSWERS)},
            **self.usage(model, self.rng.randrange(80, 6000), tokens_out),
            **more,
        )

    # Kinds

    def chat(self, traces_max):
        """A session of a few turns, a trace each; the prompt grows with the history."""
        session, user, at = f"chat-{self.id()[:13]}", self.user(), self.start()
        requests, history = [], [{"role": "system", "content": "You are a helpful assistant."}]
        for turn in range(1, 1 + min(traces_max, self.rng.randrange(1, 7))):
            history = history + [{"role": "user", "content": self.rng.choice(QUESTIONS)}]
            trace = self.trace(
                "chat.turn",
                at,
                sessionId=session,
                userId=user,
                tags=["chat", self.rng.choice(["free", "pro", "team"])],
                input=history[-1],
                metadata={"turn_id": turn, "client.platform": self.rng.choice(["web", "ios", "android"])},
            )
            call = self.generation(
                trace,
                "chat.generation",
                at,
                prompt=history,
                promptName="assistant",
                promptVersion="7",
                metadata={"step_type": "llm_call", "turn_id": turn},
            )
            trace["output"] = call["output"]
            requests.append({"trace": trace, "observations": [call]})
            history = history + [call["output"]]
            at = time(call["endTime"]) + self.seconds(3, 90)
        return requests

    def rag(self, traces_max):
        """A question over documents: embed, search, answer."""
        at, question = self.start(), self.rng.choice(QUESTIONS)
        trace = self.trace("docs.answer", at, userId=self.user(), tags=["rag", "docs"], input=question)
        retrieval = self.observation(trace, "SPAN", "retrieval", at, at + self.seconds(0.2, 0.9), input=question)
        retrieval["metadata"] = {"step_type": "retrieval", "index": "handbook", "top_k": 4}
        embedding = self.observation(
            trace,
            "GENERATION",
            "embed-question",
            at,
            at + self.seconds(0.03, 0.15),
            parentObservationId=retrieval["id"],
            input=question,
            **self.usage("text-embedding-3-small", self.rng.randrange(5, 60), 0),
        )
        documents = [
            {"id": f"doc-{self.rng.randrange(900)}", "score": round(self.rng.uniform(0.5, 0.95), 4)}
            for _ in range(4)
        ]
        retrieval["output"] = documents
        observations = [retrieval, embedding]
        if self.rng.random() < 0.2:
            observations.append(
                self.observation(trace, "EVENT", "cache-hit", at, None, parentObservationId=retrieval["id"])
            )
        answer = self.generation(
            trace, "answer", time(retrieval["endTime"]), prompt={"question": question, "documents": documents}
        )
        trace["output"] = answer["output"]["content"]
        return [{"trace": trace, "observations": observations + [answer]}]

    def agent(self, traces_max):
        """Plan, tool, plan, tool, ...: some tools fail and are tried again."""
        at = begin = self.start()
        trace = self.trace("support.agent", at, userId=self.user(), tags=["agent"], sessionId=f"case-{self.id()[:8]}")
        run = self.observation(trace, "SPAN", "agent.run", at, None, metadata={"run_id": self.id()})
        observations = [run]
        for step in range(1, self.rng.randrange(3, 10)):
            meta = {"step_id": f"s{step}", "step_type": "planner"}
            plan = self.generation(trace, "agent.plan", at, parent=run, metadata=meta)
            observations.append(plan)
            at = time(plan["endTime"])
            name = self.rng.choice(list(TOOLS))
            for attempt in range(3):
                tool = self.tool(trace, plan, name, attempt, at)
                observations.append(tool)
                at = time(tool["endTime"])
                if "level" not in tool:
                    break
        answer = self.generation(trace, "agent.answer", at, parent=run)
        run["endTime"] = answer["endTime"]
        trace["input"], trace["output"] = {"case": self.rng.choice(QUESTIONS)}, answer["output"]["content"]
        trace["latency"] = (time(answer["endTime"]) - begin).total_seconds()
        trace["totalCost"] = float(sum(cost(o) for o in observations + [answer]))
        return [{"trace": trace, "observations": observations + [answer]}]

    def tool(self, trace, parent, name, attempt, at):
        given, result = TOOLS[name]
        made = self.observation(
            trace,
            "SPAN",
            "agent.tool",
            at,
            at + self.seconds(0.05, 2.5),
            parentObservationId=parent["id"],
            input=given,
            metadata={"step_type": "tool_call", "tool_name": name, "attempt_index": attempt},
        )
        if attempt < 2 and self.rng.random() < 0.15:
            made["level"] = "ERROR"
            made["statusMessage"] = self.rng.choice(TOOL_ERRORS)
        else:
            made["output"] = result
        return made

    def stream(self, traces_max):
        """What is known at the start, then what is known at the end; some clients leave in between."""
        at = self.start()
        trace = self.trace("summary.stream", at, userId=self.user(), tags=["stream", "summary"], public=True)
        call = self.generation(trace, "summary.generation", at)
        late = ("endTime", "completionStartTime", "output", "calculatedInputCost", "calculatedOutputCost",
                "calculatedTotalCost", "usage", "promptTokens", "completionTokens", "totalTokens", "unit")
        end = {key: call[key] for key in ("id", "traceId", *late) if key in call}
        start = {key: value for key, value in call.items() if key not in late}
        if self.rng.random() < 0.12:
            end["level"], end["statusMessage"] = "WARNING", "the client went away; partial output"
        else:
            trace_end = {"output": end["output"]["content"]}
            return [
                {"trace": trace, "observations": [start]},
                {"trace": {"id": trace["id"], **trace_end}, "observations": [end]},
            ]
        return [{"trace": trace, "observations": [start]}, {"trace": {"id": trace["id"]}, "observations": [end]}]

    def large(self, count):
        """One trace of count observations: a nightly job over many documents."""
        self.environment, self.version = "production", "2.4.1"
        midnight = datetime.datetime.combine(self.day.date, datetime.time(3, 15), datetime.timezone.utc)
        trace = self.trace("nightly.index", midnight, tags=["batch", "nightly"], metadata={"documents": count})
        run = self.observation(trace, "SPAN", "index.run", midnight, midnight + datetime.timedelta(minutes=90))
        observations, group = [run], run
        for number in range(1, count):
            at = midnight + datetime.timedelta(seconds=2 * number)
            if number % 20 == 1:
                group = self.observation(
                    trace, "SPAN", "index.chunk", at, at + self.seconds(5, 30), parentObservationId=run["id"]
                )
                group["metadata"] = {"chunk": number // 20}
                observations.append(group)
            else:
                observations.append(
                    self.generation(
                        trace, "index.describe", at, model="gpt-4o-mini", parent=group,
                        prompt={"document": f"doc-{number}"},
                    )
                )
        return [{"trace": trace, "observations": observations[:count]}]


def hello(now):
    """One small trace of this moment, for a first look."""
    made = Story(Day(now.date(), seed=random.SystemRandom().randrange(1 << 62)), "hello")
    made.environment, made.version = "default", "0.1.0"
    at = now - datetime.timedelta(seconds=8)
    trace = made.trace("hello", at, userId="demo", sessionId="hello", tags=["demo"])
    span = made.observation(trace, "SPAN", "retrieval", at, at + datetime.timedelta(seconds=0.4))
    span["output"] = ["You have just started xtrace."]
    event = made.observation(trace, "EVENT", "cache-miss", at, None, parentObservationId=span["id"])
    answer = made.generation(trace, "answer", time(span["endTime"]), model="gpt-4o-mini")
    trace["input"], trace["output"] = "What is going on?", "You have just started xtrace."
    return [{"trace": trace, "observations": [span, event, answer]}]


class Summary:
    """What a day's requests add up to, as the daily metrics should show it."""

    def __init__(self, date):
        self.date = date
        self.requests = 0
        self.records = {}  # id -> merged record
        self.traces = {}

    def add(self, request):
        self.requests += 1
        trace = request["trace"]
        self.traces.setdefault(trace["id"], {}).update(trace)
        for observation in request["observations"]:
            self.records.setdefault(observation["id"], {}).update(observation)

    def as_json(self):
        records = self.records.values()
        models = {}
        for record in records:
            if record["type"] == "GENERATION":
                models.setdefault(record["model"], []).append(record)
        rows = [
            {
                "model": model,
                "inputUsage": sum(tokens(r)[0] for r in rows),
                "outputUsage": sum(tokens(r)[1] for r in rows),
                "totalUsage": sum(sum(tokens(r)) for r in rows),
                "countTraces": len({r["traceId"] for r in rows}),
                "countObservations": len(rows),
                "totalCost": str(sum(cost(r) for r in rows)),
            }
            for model, rows in models.items()
        ]
        rows.sort(key=lambda row: -Decimal(row["totalCost"]))
        return {
            "date": str(self.date),
            "requests": self.requests,
            "countTraces": len(self.traces),
            "countObservations": len(self.records),
            "sessions": len({t["sessionId"] for t in self.traces.values() if "sessionId" in t}),
            "users": len({t["userId"] for t in self.traces.values() if "userId" in t}),
            "errors": sum(r.get("level") == "ERROR" for r in records),
            "totalCost": str(sum(cost(r) for r in records)),
            "usage": rows,
        }


def text(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def time(when):
    return datetime.datetime.strptime(when, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)


def cost(observation):
    """Exact: a float of few digits prints as the digits it was made of."""
    return Decimal(str(observation.get("calculatedTotalCost", 0)))


def tokens(observation):
    usage = observation.get("usage", {})
    return (
        observation.get("promptTokens", usage.get("input", 0)),
        observation.get("completionTokens", usage.get("output", 0)),
    )
