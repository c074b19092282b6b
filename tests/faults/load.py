"""load: clients that send batches and remember what was promised to them.

Each thread is one client with one keep-alive connection and a script of its own, the same for the same seed.
A request is sent again, byte for byte, until it is acknowledged: a lost answer, 429 and 503 are retried
(Retry-After is honoured, up to a bound). Only a 200 (207 for events) counts as stored, and only after the ledger has it on disk.
A script is sequential: the next request leaves after the last one was acknowledged, so that "later" has a
meaning. A client that gives up (at the end of a run, when its grace is over) sends nothing more.
"""

import base64
import collections
import http.client
import json
import random
import socket
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from events import Events
from model import Model, make_metrics_request, make_request

FIRST_DAY = datetime(2026, 1, 5, tzinfo=timezone.utc)
DAYS = 3
ENVIRONMENT = "fault-suite"
MODELS = ["gpt-4o", "claude-sonnet", "qwen-max", None]
WORDS = ["plain", "naïve", "漢字かな", "عربى", "🦉🚀", "quote\"back\\slash", "tab\tline\n", "\u2028", "<b>&amp;", "x" * 300]


class Script:
    """An endless sequence of requests, decided by the seed alone. Kinds: whole traces; traces that are
    begun and completed later; observations that come before their trace; tags, metadata keys and names set
    later; traces shared with other threads, of which each thread writes its own metadata keys; points of
    metrics; and events (events.py)."""

    def __init__(self, seed, thread, threads, project_traces=4):
        self._random = random.Random(f"{seed}/{thread}")
        self._thread = thread
        self._count = 0
        self._open = []  # begun and not complete: (trace id, observation body)
        self._owed = []  # traces whose observations were sent first
        self._known = []  # complete ones, for later updates
        shared = random.Random(f"{seed}/shared")
        self._shared = [
            (str(uuid.UUID(int=shared.getrandbits(128), version=4)), self._time(shared))
            for _ in range(project_traces)
        ]
        self._name = f"{seed}/{thread}"
        self._events = Events(self._random, ENVIRONMENT, self._trace, self._observation)

    def __iter__(self):
        return self

    def __next__(self):
        self._count += 1
        protocol = self._random.random()
        if protocol < 0.3:
            return self._events.request(f"{self._name}/{self._count}")
        if protocol < 0.4:
            return make_metrics_request(f"{self._name}/{self._count}", self._points())
        step = self._random.choices(
            [self._whole, self._begin, self._finish, self._early, self._late, self._touch, self._share],
            weights=[4, 3, 3, 1, 2, 3, 2],
        )[0]
        trace, observations = step()
        return make_request(
            f"{self._name}/{self._count}", trace, observations, ENVIRONMENT, self._random.random() < 0.5
        )

    def owed(self):
        """Requests that complete what is half told, so that the end state is one a user would want."""
        while self._owed:
            self._count += 1
            trace, observations = self._late()
            yield make_request(f"{self._name}/{self._count}", trace, observations, ENVIRONMENT)
        while request := self._events.owed(f"{self._name}/{self._count + 1}"):
            self._count += 1
            yield request

    # The steps: each gives (trace or None, observations).

    def _whole(self):
        trace = self._trace()
        observations = [self._observation(trace["id"]) for _ in range(self._random.randint(0, 6))]
        self._remember(trace["id"])
        return trace, observations

    def _begin(self):
        trace = self._trace()
        observation = self._observation(trace["id"])
        later = {}
        for name in ("endTime", "output", "promptTokens", "completionTokens", "calculatedTotalCost", "level"):
            if name in observation:
                later[name] = observation.pop(name)
        self._open.append((trace["id"], observation["id"], later))
        return trace, [observation]

    def _finish(self):
        if not self._open:
            return self._begin()
        trace_id, observation_id, later = self._open.pop(self._random.randrange(len(self._open)))
        self._remember(trace_id)
        end = {"id": observation_id, "traceId": trace_id, "metadata": {"finished": {"by": "worker"}}, **later}
        end["name"] = "renamed at the end"
        trace = None
        if self._random.random() < 0.5:
            trace = {"id": trace_id, "output": self._payload(), "metadata": {"finished": True}}
        return trace, [end]

    def _early(self):
        trace = self._trace()
        self._owed.append(trace)
        return None, [self._observation(trace["id"]) for _ in range(self._random.randint(1, 3))]

    def _late(self):
        if not self._owed:
            return self._whole()
        trace = self._owed.pop(self._random.randrange(len(self._owed)))
        self._remember(trace["id"])
        return trace, []

    def _touch(self):
        if not self._known:
            return self._whole()
        trace = {"id": self._random.choice(self._known)}
        what = self._random.randrange(4)
        if what == 0:
            trace["tags"] = self._tags()
        elif what == 1:
            trace["metadata"] = {f"later_{self._random.randrange(3)}": self._random.choice(WORDS)}
        elif what == 2:
            trace["metadata"] = {"nested": {f"k{self._random.randrange(3)}": self._random.randrange(10**6)}}
        else:
            trace.update(name=self._random.choice(WORDS), tags=None, userId=None, input=None)
        return trace, []

    def _share(self):
        trace_id, when = self._random.choice(self._shared)
        trace = {
            "id": trace_id,
            "timestamp": when,
            "environment": ENVIRONMENT,
            "metadata": {f"thread_{self._thread}": {f"k{self._random.randrange(4)}": self._count}},
        }
        return trace, [self._observation(trace_id)]

    # What they are made of.

    def _remember(self, trace_id):
        self._known.append(trace_id)
        del self._known[:-20]

    def _id(self):
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def _time(self, source=None):
        source = source or self._random
        at = FIRST_DAY + timedelta(microseconds=source.randrange(DAYS * 86400 * 10**6))
        shape = source.randrange(3)
        if shape == 0:
            return at.isoformat().replace("+00:00", "Z")
        if shape == 1:
            return at.isoformat()
        return at.astimezone(timezone(timedelta(hours=source.randint(-11, 13)))).isoformat()

    def _points(self):
        source = self._random
        points = []
        for _ in range(source.randint(1, 8)):
            us = source.randrange(DAYS * 86400 * 10**6)
            at = FIRST_DAY + timedelta(microseconds=us)
            points.append((source.choice(["latency", "cost", "漢字"]), at.isoformat(), int(FIRST_DAY.timestamp()) * 10**6 + us,
                           source.randrange(10**6) / 64))  # fmt: skip
        return points

    def _payload(self):
        source = self._random
        return source.choice(
            [
                {"messages": [{"role": "user", "content": source.choice(WORDS)}], "n": source.randrange(10**40)},
                source.choice(WORDS),
                [1, 2.5, None, True, {"deep": [[[source.choice(WORDS)]]]}],
                {"z": 1, "a": 2, "漢": source.choice(WORDS), "big": "字" * source.randrange(2000)},
                source.randrange(-(10**18), 10**18),
                False,
            ]
        )

    def _tags(self):
        return self._random.sample(["alpha", "beta", "γάμμα", "prod", "tag with blank", "🏷"], self._random.randint(1, 4))

    def _trace(self):
        source = self._random
        trace = {
            "id": self._id(),
            "timestamp": self._time(),
            "environment": ENVIRONMENT,
            "name": source.choice(WORDS),
            "input": self._payload(),
            "metadata": {"turn": source.randrange(100), "app": {"mood": source.choice(WORDS), "list": [1, "二"]}},
            "tags": self._tags(),
        }
        for name, make in (
            ("userId", lambda: f"user-{source.randrange(10)}"),
            ("sessionId", lambda: f"session-{source.randrange(10)}"),
            ("release", lambda: "r1"),
            ("version", lambda: f"{source.randrange(3)}.0"),
            ("externalId", lambda: f"ext-{source.randrange(10**6)}"),
            ("public", lambda: source.random() < 0.5),
            ("bookmarked", lambda: source.random() < 0.5),
            ("latency", lambda: source.randrange(10**6) / 1000),
            ("totalCost", lambda: source.randrange(10**6) / 10**6),
        ):
            if source.random() < 0.3:
                trace[name] = make()
        return trace

    def _observation(self, trace_id):
        source = self._random
        start = FIRST_DAY + timedelta(microseconds=source.randrange(DAYS * 86400 * 10**6))
        observation = {
            "id": self._id(),
            "traceId": trace_id,
            "type": source.choice(["GENERATION", "GENERATION", "SPAN", "EVENT"]),
            "name": source.choice(WORDS),
            "environment": ENVIRONMENT,
            "startTime": start.isoformat(),
            "endTime": (start + timedelta(milliseconds=source.randrange(10**5))).isoformat(),
            "input": self._payload(),
            "output": self._payload(),
            "metadata": {"step_type": "llm_call", "attempt": {"index": source.randrange(5)}},
            "level": source.choice(["DEFAULT", "WARNING", "ERROR"]),
        }
        if observation["type"] == "GENERATION":
            observation.update(
                model=source.choice(MODELS),
                modelParameters={"temperature": 0.5, "stop": ["\n"]},
                promptTokens=source.randrange(10**4),
                completionTokens=source.randrange(10**4),
                calculatedTotalCost=source.randrange(10**6) / 10**6,
            )
        return observation


@dataclass
class Report:
    """What the clients saw."""

    statuses: collections.Counter = field(default_factory=collections.Counter)  # by status, or by name of the error
    unexpected: list = field(default_factory=list)  # answers that a well-formed request must never get
    missing_retry_after: int = 0  # 429 and 503 that did not say when to come back
    acknowledged: int = 0
    given_up: int = 0
    worst_outage_s: float = 0.0  # longest from the first sending of a request to its acknowledgement
    seconds: float = 0.0


class Load:
    """Starts with start(), ends with stop(). targets: (host, port) of gateways or of proxies before them,
    given to the threads in turn. authorization: the value of the header."""

    def __init__(self, targets, authorization, ledger, seed, threads=4, timeout_s=4.0, pause_s=0.0,
                 retry_after_max_s=2.0, requests_each=None):
        self.targets = targets
        self.report = Report()
        self.sent = [[] for _ in range(threads)]  # requests by thread, in order
        self._authorization = authorization
        self._ledger = ledger
        self._timeout_s = timeout_s
        self._pause_s = pause_s
        self._retry_after_max_s = retry_after_max_s
        self._requests_each = requests_each
        self._lock = threading.Lock()
        self._stop = threading.Event()  # begin nothing new
        self._give_up = threading.Event()  # and finish nothing either
        self._progress = threading.Condition(self._lock)
        self._began = 0.0
        self._errors = []
        self._threads = [
            threading.Thread(target=self._run, args=(i, Script(seed, i, threads)), name=f"load-{i}", daemon=True)
            for i in range(threads)
        ]

    def start(self):
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def wait_for_acknowledged(self, count, timeout_s):
        """Until count requests were acknowledged in all; True when they were."""
        with self._progress:
            return self._progress.wait_for(lambda: self.report.acknowledged >= count or self._errors, timeout_s)

    def wait_for_progress(self, more, timeout_s):
        """Until `more` further requests were acknowledged: the system serves again."""
        return self.wait_for_acknowledged(self.report.acknowledged + more, timeout_s)

    def stop(self, grace_s=30.0):
        """No new requests; those under way get grace_s to be acknowledged. Returns the report."""
        self._stop.set()
        end = time.monotonic() + grace_s
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        self._give_up.set()
        for thread in self._threads:
            thread.join(self._timeout_s * 2 + 5)
            if thread.is_alive():
                raise AssertionError(f"{thread.name} does not end")
        if self._errors:
            raise self._errors[0]
        self.report.seconds = time.monotonic() - self._began
        return self.report

    def join(self, timeout_s):
        """For requests_each: until all scripts are through."""
        end = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        return self.stop(0.0)

    def model(self, ordered=True):
        model = Model(ordered)
        for requests in self.sent:
            for request in requests:
                model.add(request)
        return model

    def _run(self, index, script):
        client = Client(self.targets[index % len(self.targets)], self._authorization, self._timeout_s)
        try:
            done = 0
            while not self._stop.is_set() and (self._requests_each is None or done < self._requests_each):
                if not self._send(client, index, next(script)):
                    return
                done += 1
                if self._pause_s:
                    self._stop.wait(self._pause_s)
            for request in script.owed():
                if not self._send(client, index, request):
                    return
        except BaseException as error:  # a defect of the test itself: reported by stop()
            with self._progress:
                self._errors.append(error)
                self._progress.notify_all()
        finally:
            client.close()

    def _send(self, client, index, request):
        """Until acknowledged (True) or given up (False)."""
        self.sent[index].append(request)
        began = time.monotonic()
        while not self._give_up.is_set():
            request.attempts += 1
            answer = client.post(request.path, request.body, request.headers)
            wait_s = self._judge(request, answer)
            if wait_s is None:
                self._ledger.acknowledge(request.name, request.ids, request.body)
                request.acknowledged = True
                with self._progress:
                    self.report.acknowledged += 1
                    self.report.worst_outage_s = max(self.report.worst_outage_s, time.monotonic() - began)
                    self._progress.notify_all()
                return True
            self._give_up.wait(wait_s)
        with self._lock:
            self.report.given_up += 1
            self.report.worst_outage_s = max(self.report.worst_outage_s, time.monotonic() - began)
        return False

    def _judge(self, request, answer):
        """None when acknowledged, else the seconds to wait before the next try."""
        with self._lock:
            self.report.statuses[answer.status or answer.error] += 1
            if answer.status in (200, 207):
                if not request.is_answered_by(answer.status, json.loads(answer.body)):
                    self.report.unexpected.append((request.name, answer.status, answer.body[:300]))
                return None
            if answer.status in (429, 503):
                after = answer.headers.get("retry-after")
                if after is None or not after.isdigit() or int(after) < 1:
                    self.report.missing_retry_after += 1
                    return 0.2
                return min(float(after), self._retry_after_max_s)
            if answer.status:
                # No fault excuses it, and trying again would only bury the first one.
                self.report.unexpected.append((request.name, answer.status, answer.body[:300]))
                raise AssertionError(f"request {request.name} got {answer.status}: {answer.body[:500]!r}")
            return 0.05


@dataclass
class Answer:
    status: int = 0  # 0: none came
    headers: dict = field(default_factory=dict)  # names in lower case
    body: bytes = b""
    error: str = ""  # why none came

    def json(self):
        return json.loads(self.body)


class Client:
    """One keep-alive connection; any trouble closes it and is an Answer without status."""

    def __init__(self, target, authorization, timeout_s):
        self._target = target
        self._timeout_s = timeout_s
        self._authorization = authorization
        self._connection = None

    def post(self, path, body, headers=()):
        return self.request("POST", path, body, {"Content-Type": "application/json", **dict(headers)})

    def get(self, path):
        return self.request("GET", path, None, {})

    def request(self, method, path, body, headers):
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(*self._target, timeout=self._timeout_s)
                self._connection.connect()
                self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._authorization:
                headers = {"Authorization": self._authorization, **headers}
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            data = response.read()
            answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, data)
            if method != "HEAD" and answer.status != 204 and not answer.headers.keys() & {"content-length", "transfer-encoding"}:
                # http.client takes a head that was cut short for a whole one.
                raise http.client.IncompleteRead(data)
            if response.will_close:
                self.close()
            return answer
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Answer(error=type(error).__name__)

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def bearer(token):
    return f"Bearer {token}"


def basic(public_key, secret_key):
    return "Basic " + base64.b64encode(f"{public_key}:{secret_key}".encode()).decode()
