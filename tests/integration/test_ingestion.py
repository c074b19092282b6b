"""POST /api/public/ingestion: what Langfuse's SDKs of the generation before OTLP send is what is read back."""

import base64
import gzip
import itertools
import json
import random
import threading

import pytest

from support import captured
from support.ingestion import ROUTE, event, moment, path_of, post, read, read_one, read_stored, send
from support.metrics import ADDRESS, assert_gateway_balances, assert_writer_balances, scrape, settled, wait_for_rest
from support.otlp import BASE_NS, export, new_trace_id, span
from support.records import new_id, new_observation, new_trace
from support.wait import wait_until
from support.xtrace import PUBLIC_KEY, SECRET_KEY


# Captured traffic


def replay(xtrace, name):
    for method, path, body, headers in captured.requests(name):
        answer = xtrace.client().request(method, path, None, body, headers)
        assert answer.status == 207, answer.text
        assert answer.headers["content-type"] == "application/json"
        events = json.loads(body)["batch"]
        assert answer.json() == {"successes": [{"id": e["id"], "status": 201} for e in events], "errors": []}


def test_the_captured_sdk_is_read_as_expected(xtrace):
    expected = captured.expected("langfuse-v3")

    def check():
        traces = {trace["id"]: read(xtrace, trace["id"]) for trace in expected["traces"]}
        observations = {o["id"]: o for trace in traces.values() for o in trace["observations"]}
        scores = {s["id"]: s for trace in traces.values() for s in trace["scores"]}
        assert (len(observations), len(scores)) == (expected["counts"]["observations"], expected["counts"]["scores"])
        for wanted in expected["traces"]:
            captured.compare(traces[wanted["id"]], wanted)
        for wanted in expected["observations"]:
            captured.compare(observations[wanted["id"]], wanted)
        for wanted in expected["scores"]:
            have = scores[wanted["id"]]
            if wanted["dataType"] == "CATEGORICAL":
                have["value"] = have["stringValue"]
            captured.compare(have, wanted)
        return [read_stored(xtrace, trace_id) for trace_id in traces]

    replay(xtrace, "langfuse-v3")
    first = check()
    replay(xtrace, "langfuse-v3")
    assert check() == first
    session = xtrace.client().get("/api/public/sessions/v3-session-cap").json()
    assert len(session["traces"]) == 2


# The answer


def errors_of(answer):
    return [(error["id"], error["status"], error["message"], error["error"]) for error in answer["errors"]]


def test_a_bad_event_is_named_and_its_neighbours_are_stored(xtrace):
    trace, span_id = new_id(), new_id()
    good = [event("trace-create", {"id": trace, "name": "n"}), event("span-create", {"id": span_id, "traceId": trace})]
    bad = [event("span-create", {"traceId": trace}), event("nonsense", {}), event("trace-create", {"name": 7}),
           event("generation-create", {"id": new_id(), "traceId": trace, "usage": {"input": 1.5}})]
    nameless = {"type": "trace-create", "timestamp": moment(0), "body": {}}
    answer = post(xtrace, [bad[0], good[0], 7, bad[1], nameless, good[1], bad[2], bad[3], event("sdk-log", {"log": "x"})])
    assert answer["successes"] == [{"id": e["id"], "status": 201} for e in good]
    assert errors_of(answer) == [
        (bad[0]["id"], 400, "Invalid request data", "body.id: missing"),
        ("unknown", 400, "Invalid request data", "not an object"),
        (bad[1]["id"], 400, "Invalid request data", "type: no type of events that is taken here"),
        ("unknown", 400, "Invalid request data", "id: missing, or not a string"),
        (bad[2]["id"], 400, "Invalid request data", "body.name: not a string"),
        (bad[3]["id"], 400, "Invalid request data", "body.usage: a count is not a whole number"),
    ]
    assert [o["id"] for o in read(xtrace, trace)["observations"]] == [span_id]


def test_a_value_beyond_its_bound_is_its_events_error_only(xtrace):
    trace = new_id()
    deep, long, steep = "[" * 200_000 + "]" * 200_000, "1" * 401, "1e1001"
    good = [event("trace-create", {"id": trace, "name": "n", "unknown": "@deep"}, metadata={"a": "@deep"})]
    bad = [event("trace-create", {"input": value}) for value in ("@deep", "@long", {"a": "@steep"})]
    text = json.dumps({"metadata": "@deep", "batch": [bad[0], *good, *bad[1:]]})
    for name, value in (("deep", deep), ("long", long), ("steep", steep)):
        text = text.replace(f'"@{name}"', value)
    answer = xtrace.client().post(ROUTE, text.encode())
    assert answer.status == 207, answer.text
    assert answer.json()["successes"] == [{"id": good[0]["id"], "status": 201}]
    assert [(id, status, error) for id, status, _, error in errors_of(answer.json())] == [
        (bad[0]["id"], 400, "body.input: nested too deeply"),
        (bad[1]["id"], 400, "body.input: number too long"),
        (bad[2]["id"], 400, "body.input: exponent out of range"),
    ]
    assert read(xtrace, trace)["name"] == "n"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"{}", b'{"batch":null}', b'{"batch":{}}', b'{"batch":[1]',
                                  b'{"batch":[{"id":"\xff"}]}', b'{"batch":[' + b"[" * 3000 + b"]}"])
def test_what_is_no_batch_is_refused_whole(xtrace, body):
    answer = xtrace.client().post(ROUTE, body)
    told = answer.json()
    assert (answer.status, told["message"], told["code"]) == (400, "Invalid request data", "BAD_REQUEST")
    assert len(told["errors"]) == 1 and told["errors"][0]


def test_an_empty_batch_is_fine(xtrace):
    assert post(xtrace, []) == {"successes": [], "errors": []}
    assert post(xtrace, [event("sdk-log", {"log": 1})], metadata="whatever", more={}) == {"successes": [], "errors": []}


def test_without_credentials_it_is_401_as_the_sdk_reads_it(xtrace):
    for headers in ({}, {"Authorization": "Basic " + base64.b64encode(b"pk-test:wrong").decode()}):
        answer = xtrace.client(headers).post(ROUTE, {"batch": []})
        assert answer.status == 401
        assert answer.json()["error"] == "UnauthorizedError" and answer.json()["message"]


def test_basic_credentials_open_it(xtrace):
    pair = base64.b64encode(f"{PUBLIC_KEY}:{SECRET_KEY}".encode()).decode()
    assert post(xtrace, [], {"Authorization": f"Basic {pair}"}) == {"successes": [], "errors": []}


def test_a_public_key_may_only_create_scores(xtrace):
    trace = new_id()
    score = event("score-create", {"id": new_id(), "name": "n", "value": 1, "traceId": trace})
    other = [event("trace-create", {"id": trace}), event("span-create", {}), event("sdk-log", {})]
    answer = post(xtrace, [other[0], score, *other[1:]], {"Authorization": f"Bearer {PUBLIC_KEY}"})
    assert answer["successes"] == [{"id": score["id"], "status": 201}]
    assert [error[:3] for error in errors_of(answer)] == [(e["id"], 401, "Authentication error") for e in other]
    assert xtrace.client().get(path_of("traces", trace)).status == 404
    headers = {"Authorization": f"Bearer {PUBLIC_KEY}"}
    for route in ("traces", "spans", "generations", "events"):
        assert xtrace.client(headers).post(f"/api/public/{route}", {}).status == 403


@pytest.mark.parametrize("spell", [str, lambda name: name.replace("-", "_"), str.upper])
def test_writes_are_counted_by_the_sdk_that_their_headers_name(xtrace, spell):
    version = f"9.{new_id()[:8]}"
    headers = {"x-langfuse-sdk-name": "python", "x-langfuse-sdk-version": version, "x-langfuse-sdk-integration": "langchain"}
    client = xtrace.client({**xtrace.auth, **{spell(name): value for name, value in headers.items()}})
    assert client.post(ROUTE, {"batch": []}).status == 207
    assert client.post("/api/public/otel/v1/traces", {"resourceSpans": []}).status == 200
    assert client.get("/api/public/traces").status == 200
    told = xtrace.client().get("/metrics").text
    assert f'xtrace_gateway_sdk_requests_total{{sdk="python",version="{version}",integration="langchain"}} 2\n' in told


def test_gzip_and_chunked_bodies_are_taken(xtrace):
    trace = new_id()
    body = json.dumps({"batch": [event("trace-create", {"id": trace, "name": "packed"})]}).encode()
    answer = xtrace.client().post(ROUTE, gzip.compress(body), {"Content-Encoding": "gzip"})
    assert (answer.status, answer.json()["errors"]) == (207, [])
    assert read(xtrace, trace)["name"] == "packed"
    head = (f"POST {ROUTE} HTTP/1.1\r\nHost: x\r\nAuthorization: {xtrace.auth['Authorization']}\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n").encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7]) for i in range(0, len(body), 7))
    assert xtrace.client().raw(head + chunks + b"0\r\n\r\n").status == 207


def test_a_large_batch_is_taken_whole(xtrace):
    trace = new_id()
    events = [event("generation-create", {"id": f"{trace}-{n}", "traceId": trace, "input": "x" * 9000,
                                          "usage": {"input": 1, "output": 1}}, n) for n in range(500)]
    assert len(json.dumps(events)) > 4_500_000
    send(xtrace, *events)
    assert xtrace.database.value("SELECT count(*) FROM observations WHERE trace_id = %s", trace) == 500


def test_what_the_database_refuses_is_that_events_error(make_xtrace):
    xtrace = make_xtrace()
    xtrace.database.query("""CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.name = 'unwanted' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$""")
    for table in ("traces", "observations", "scores"):
        xtrace.database.query(f"CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()")
    trace = new_id()
    events = [event("trace-create", {"id": trace, "name": "wanted"}),
              event("trace-create", {"id": new_id(), "name": "unwanted"}),
              event("span-create", {"id": new_id(), "traceId": trace, "name": "unwanted"}),
              event("span-create", {"id": new_id(), "traceId": trace, "name": "wanted"}),
              event("score-create", {"id": new_id(), "traceId": trace, "name": "unwanted", "value": 1})]
    answer = post(xtrace, events)
    assert [s["id"] for s in answer["successes"]] == [events[0]["id"], events[3]["id"]]
    assert {error["id"]: error["status"] for error in answer["errors"]} == {events[n]["id"]: 400 for n in (1, 2, 4)}
    assert all("not this one" in error["error"] for error in answer["errors"])
    assert len(read(xtrace, trace)["observations"]) == 1


def test_while_no_writer_answers_nothing_is_stored_and_it_is_503(make_xtrace):
    xtrace = make_xtrace(env={"XTRACE_WRITE_DEADLINE_MS": "500"})
    xtrace.stop("writer-1")
    trace = new_id()
    answer = xtrace.client().post(ROUTE, {"batch": [event("trace-create", {"id": trace})]})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json()["error"] == "ServiceUnavailableError"


# Ids


@pytest.mark.parametrize("trace_id", ["order #7/ünï?x=1&cap", "a/b/../c", "%2F", "50%", "x" * 800, "é" * 400, "İ🦉", "a b+c",
                                      "0A6F9619-FF8B-4011-B42D-00C04FC964FF"])
def test_any_id_is_found_by_its_escaped_path(xtrace, trace_id):
    own = new_id()
    send(xtrace, event("trace-create", {"id": trace_id, "name": own}), event("span-create", {"id": trace_id, "traceId": trace_id}))
    trace = read(xtrace, trace_id)
    assert (trace["id"], trace["name"]) == (trace_id, own)
    assert [o["id"] for o in trace["observations"]] == [trace_id]  # ids are one kind's own


def test_ids_that_nothing_can_have_are_refused(xtrace):
    for bad, reason in ((801 * "x", "longer than 800 bytes"), ("a\rb", "holds a carriage return"), (7, "not a string")):
        for kind, body in (("trace-create", {"id": bad}), ("span-create", {"id": bad, "traceId": "t"}),
                           ("span-create", {"id": "o", "traceId": bad}),
                           ("score-create", {"id": bad, "name": "n", "value": 1, "traceId": "t"})):
            (error,) = post(xtrace, [event(kind, body)])["errors"]
            assert error["status"] == 400 and error["error"].endswith(reason)


def test_an_events_own_id_may_be_long(xtrace):
    """It goes into no index: it only comes back."""
    events = [{**event("trace-create", {"id": new_id()}), "id": length * "é"} for length in (401, 30_000, 40_000)]
    answer = post(xtrace, events + [{**event("nonsense", {}), "id": 30_000 * "x"}])
    assert [success["id"] for success in answer["successes"]] == [e["id"] for e in events[:2]]
    assert [error["id"] for error in answer["errors"]] == ["unknown", 30_000 * "x"]


def test_an_event_without_an_entitys_id_makes_one_and_the_same(xtrace):
    events = [event("trace-create", {"name": "anonymous"}), event("score-create", {"name": "s", "value": 1, "traceId": new_id()})]
    before = [xtrace.database.value(f"SELECT count(*) FROM {table}") for table in ("traces", "scores")]
    send(xtrace, *events)
    send(xtrace, *events)
    after = [xtrace.database.value(f"SELECT count(*) FROM {table}") for table in ("traces", "scores")]
    assert after == [count + 1 for count in before]


# Merging


def state_of(xtrace, trace):
    """Whole, with the times of writing; the order of equal times is the server's."""
    state = read(xtrace, trace)
    for key in ("observations", "scores"):
        state[key].sort(key=lambda record: record["id"])
    return state


def test_the_same_events_again_change_nothing_whatever_came_in_between(xtrace):
    """A 207 with errors makes SDKs send the whole batch up to three more times."""
    trace = new_id()
    bodies = [("trace-create", {"id": trace, "name": "a", "tags": ["x"], "metadata": {"a": 1}, "input": ""}),
              ("generation-create", {"id": "g" + trace, "traceId": trace, "input": "i", "model": "gpt-4o-mini"}),
              ("generation-update", {"id": "g" + trace, "traceId": trace, "usage": {"input": 1}, "metadata": {"b": 2}}),
              ("score-create", {"name": "without an id", "value": 1, "traceId": trace}),
              ("trace-create", {"name": "without an id", "userId": trace})]
    events = [event(kind, body, at) for at, (kind, body) in enumerate(bodies)]
    later = [event("trace-create", {"id": trace, "name": "b", "tags": ["y"], "metadata": {"a": 2}, "input": "i"}, 500),
             event("generation-update", {"id": "g" + trace, "traceId": trace, "usage": {"input": 5}, "level": "ERROR"}, 600)]
    send(xtrace, *events)
    for between in ([], later):
        post(xtrace, between)
        stored = state_of(xtrace, trace)
        for again in (events, events[::-1], events[:2], events[2:], events + [event("nonsense", {})]):
            post(xtrace, again)
            assert state_of(xtrace, trace) == stored
    assert stored["name"] == "b" and len(stored["scores"]) == 1
    assert xtrace.client().get("/api/public/traces", {"userId": trace}).json()["meta"]["totalItems"] == 1


def test_fields_of_a_trace_merge(xtrace):
    trace = new_id()
    send(xtrace, event("trace-create", {"id": trace, "timestamp": moment(1), "name": "first", "userId": "u", "sessionId": "s" + trace,
                                        "release": "r", "version": "1", "environment": "Prod", "public": True,
                                        "tags": ["b", "a"], "input": {"q": 1}, "metadata": {"a": {"x": 1, "y": 1}, "b": [1]}}, 10))
    send(xtrace, event("trace-create", {"id": trace, "timestamp": moment(9), "name": "second", "userId": None,
                                        "environment": "other", "tags": ["c", "a"], "input": "", "output": {"a": 2},
                                        "metadata": {"a": {"y": 2, "z": 2}, "b": [2]}}, 20))
    have = read(xtrace, trace)
    assert (have["timestamp"], have["environment"]) == ("2026-11-20T10:00:00.001Z", "prod")  # the first hold
    assert (have["name"], have["userId"], have["release"], have["version"]) == ("second", "u", "r", "1")
    assert (have["public"], have["tags"], have["input"], have["output"]) == (True, ["a", "b", "c"], {"q": 1}, {"a": 2})
    assert have["metadata"] == {"a": {"x": 1, "y": 2, "z": 2}, "b": [2]}
    assert xtrace.client().get(path_of("sessions", "s" + trace)).status == 200


def test_fields_of_an_observation_merge(xtrace):
    trace, own = new_id(), new_id()
    send(xtrace, event("generation-create", {
        "id": own, "traceId": trace, "startTime": moment(100), "environment": "prod", "name": "n", "model": "m1",
        "modelParameters": {"temperature": 0.5, "stop": None}, "input": [1], "promptName": "p", "promptVersion": 3,
        "usageDetails": {"input": 1, "output": 2}, "costDetails": {"input": 1}, "metadata": "text"}, 200))
    send(xtrace, event("generation-update", {
        "id": own, "traceId": trace, "startTime": None, "model": "m2", "output": "o", "endTime": moment(900),
        "completionStartTime": moment(500), "level": "ERROR", "statusMessage": "bad", "usageDetails": {"input": 5},
        "costDetails": {}, "metadata": {"more": 1}, "promptName": None, "promptVersion": None}, 300))
    have = read_one(xtrace, trace)
    assert (have["startTime"], have["endTime"]) == ("2026-11-20T10:00:00.100Z", "2026-11-20T10:00:00.900Z")
    assert (have["latency"], have["timeToFirstToken"]) == (0.8, 0.4)
    assert (have["name"], have["model"], have["level"], have["statusMessage"]) == ("n", "m2", "ERROR", "bad")
    assert (have["input"], have["output"], have["promptName"], have["promptVersion"]) == ([1], "o", "p", 3)
    assert (have["usageDetails"], have["usage"]["output"]) == ({"input": 5, "total": 5}, 0)  # replaced whole
    assert have["costDetails"] == {"input": 1, "total": 1}
    assert have["metadata"] == {"metadata": "text", "more": 1}
    assert have["modelParameters"] == {"temperature": 0.5, "stop": None}


def test_an_update_of_another_type_keeps_the_generations_fields(xtrace):
    trace, own = new_id(), new_id()
    send(xtrace, event("generation-create", {"id": own, "traceId": trace, "model": "m", "usage": {"input": 1}}, 1),
         event("span-update", {"id": own, "traceId": trace, "model": "ignored", "output": 1}, 2))
    have = read_one(xtrace, trace)
    assert (have["type"], have["model"], have["usageDetails"], have["output"]) == ("SPAN", "m", {"input": 1, "total": 1}, 1)


def test_usage_is_of_tokens_unless_the_event_says_otherwise(xtrace):
    trace = new_id()
    usages = {"none": {}, "map": {"usageDetails": {"input": 1}}, "old": {"usage": {"promptTokens": 1}},
              "letters": {"usage": {"input": 1, "unit": "CHARACTERS"}}}  # fmt: skip
    send(xtrace, *[event("generation-create", {"id": name + trace, "traceId": trace, "name": name, **usage})
                   for name, usage in usages.items()])  # fmt: skip
    have = {o["name"]: (o["unit"], o["usage"]["unit"]) for o in read(xtrace, trace)["observations"]}
    tokens = ("TOKENS", "TOKENS")
    assert have == {"none": tokens, "map": tokens, "old": tokens, "letters": ("CHARACTERS", "CHARACTERS")}


def test_an_explicit_start_beats_one_that_was_assumed(xtrace):
    trace, own = new_id(), new_id()
    send(xtrace, event("span-update", {"id": own, "traceId": trace, "endTime": moment(500)}, 1))
    assert read_one(xtrace, trace)["startTime"] == moment(1)
    send(xtrace, event("span-create", {"id": own, "traceId": trace, "startTime": moment(400)}, 2),
         event("trace-create", {"id": trace}, 3))
    assert read_one(xtrace, trace)["startTime"] == moment(400)
    assert read(xtrace, trace)["timestamp"] == moment(3)  # its own event's, not a child's
    send(xtrace, event("trace-create", {"id": trace, "timestamp": "2030-01-01T00:00:00+01:00"}, 4))
    assert captured.same_moment(read(xtrace, trace)["timestamp"], "2029-12-31T23:00:00.000Z")


def test_a_trace_of_the_future_has_the_time_of_its_event(xtrace):
    trace = new_id()
    send(xtrace, event("trace-create", {"id": trace, "name": "n"}) | {"timestamp": "2031-01-01T00:00:00.000Z"})
    assert captured.same_moment(read(xtrace, trace)["timestamp"], "2031-01-01T00:00:00.000Z")


def test_falsy_values_stand_only_while_there_is_nothing_else(xtrace):
    trace, own = new_id(), new_id()
    send(xtrace, event("span-create", {"id": own, "traceId": trace, "input": 0, "output": False}, 5))
    assert (read_one(xtrace, trace)["input"], read_one(xtrace, trace)["output"]) == (0, False)
    send(xtrace, event("span-update", {"id": own, "traceId": trace, "input": "earlier"}, 1))
    send(xtrace, event("span-update", {"id": own, "traceId": trace, "input": "", "output": []}, 9))
    assert (read_one(xtrace, trace)["input"], read_one(xtrace, trace)["output"]) == ("earlier", [])


def test_later_events_of_one_millisecond_win_and_updates_follow_creates(xtrace):
    trace, own = new_id(), new_id()
    send(xtrace, event("span-update", {"id": own, "traceId": trace, "name": "updated"}),
         event("span-create", {"id": own, "traceId": trace, "name": "created"}),
         event("trace-create", {"id": trace, "name": "one"}), event("trace-create", {"id": trace, "name": "two"}))
    assert (read_one(xtrace, trace)["name"], read(xtrace, trace)["name"]) == ("updated", "two")


def test_any_order_of_single_events_ends_in_the_same(xtrace):
    def told(trace):
        own = f"{trace}-o"
        return [event("trace-create", {"id": trace, "timestamp": moment(3), "tags": ["a"], "input": 1}, 1),
                event("trace-create", {"id": trace, "timestamp": moment(5), "tags": ["b"], "name": "n", "input": 2}, 2),
                event("generation-create", {"id": own, "traceId": trace, "startTime": moment(4), "metadata": {"a": {"x": 1}}}, 3),
                event("generation-update", {"id": own, "traceId": trace, "usage": {"input": 1}, "metadata": {"a": {"x": 2}}}, 4)]

    results = set()
    for order in itertools.permutations(range(4)):
        trace = new_id()
        events = told(trace)
        for at in order:
            send(xtrace, events[at])
        results.add(json.dumps(read_stored(xtrace, trace), sort_keys=True).replace(trace, "T"))
    assert len(results) == 1


def test_costs_are_computed_of_what_events_say_together(xtrace):
    trace, own, free = new_id(), new_id(), new_id()
    send(xtrace, event("generation-create", {"id": own, "traceId": trace, "model": "gpt-4o"}, 1),
         event("generation-create", {"id": free, "traceId": trace, "model": "gpt-4o", "usage": {"input": 5},
                                     "costDetails": {"input": 0, "output": 0, "total": 0}}, 1))
    have = {o["id"]: o for o in read(xtrace, trace)["observations"]}
    assert (have[own]["usageDetails"], have[own]["costDetails"]) == ({}, {})
    assert have[free]["costDetails"] == {"input": 0, "output": 0, "total": 0}  # given, so nothing is computed
    assert have[free]["calculatedTotalCost"] == 0
    # The update does not even name its trace.
    send(xtrace, event("generation-update", {"id": own, "usage": {"promptTokens": 1000, "completionTokens": 100}}, 2))
    have = {o["id"]: o for o in read(xtrace, trace)["observations"]}
    assert have[own]["usageDetails"] == {"input": 1000, "output": 100, "total": 1100}
    assert have[own]["costDetails"]["total"] == have[own]["calculatedTotalCost"] > 0


# With others


def test_one_trace_may_come_by_three_protocols(xtrace):
    trace = new_trace_id()
    root = span(trace, "root", end=5000, values={"langfuse.observation.input": "otlp in"})
    assert xtrace.client().post("/api/public/otel/v1/traces", export([root])).status == 200
    send(xtrace, event("trace-create", {"id": trace, "tags": ["t"], "metadata": {"from": "ingestion"}}),
         event("generation-create", {"id": "g" + trace, "traceId": trace, "parentObservationId": root["spanId"]}),
         event("score-create", {"id": "s" + trace, "traceId": trace, "observationId": root["spanId"], "name": "n", "value": 1}))
    have = read(xtrace, trace)
    assert (have["name"], have["input"], have["tags"]) == ("root", "otlp in", ["t"])
    assert have["metadata"]["from"] == "ingestion"
    assert {o["id"] for o in have["observations"]} == {root["spanId"], "g" + trace}
    assert [s["id"] for s in have["scores"]] == ["s" + trace]
    own = new_trace(name="batch")
    assert xtrace.client().batch(own, [new_observation(own, name="one")]).status == 200
    send(xtrace, event("span-create", {"id": new_id(), "traceId": own["id"], "name": "two"}))
    assert [o["name"] for o in read(xtrace, own["id"])["observations"]] == ["two", "one"]


def test_what_postgresql_cannot_hold_is_mended(xtrace):
    trace = new_id()
    body = json.dumps({"batch": [event("trace-create", {"id": trace, "name": "a\u0000b", "input": "\ud800x", "tags": ["\u0000"],
                                                        "metadata": {"k\u0000": "v\udc00"}})]}).encode()
    answer = xtrace.client().post(ROUTE, body)
    assert answer.json()["errors"] == []
    have = read(xtrace, trace)
    assert (have["name"], have["input"], have["tags"]) == ("a\ufffdb", "\ufffdx", ["\ufffd"])
    assert have["metadata"] == {"k\ufffd": "v\ufffd"}


def test_whatever_comes_in_is_no_500(xtrace):
    dice = random.Random(7)
    kinds = ["trace-create", "span-create", "generation-update", "event-create", "score-create", "observation-create"]
    odd = [None, "", 0, -1, 1.5, 10**300, True, [], {}, "x" * 5000, [[[[]]]], {"a": {"b": []}}, "2026-11-20T10:00:00Z", "\u0000"]
    keys = ["id", "traceId", "name", "timestamp", "startTime", "endTime", "level", "tags", "public", "usage", "usageDetails",
            "costDetails", "metadata", "input", "value", "dataType", "modelParameters", "environment", "promptVersion", "type"]
    for _ in range(150):
        events = [event(dice.choice(kinds), {key: dice.choice(odd) for key in dice.sample(keys, dice.randint(0, 12))})
                  for _ in range(dice.randint(1, 6))]
        answer = post(xtrace, events)
        assert len(answer["successes"]) + len(answer["errors"]) == len(events)
        assert all(error["status"] == 400 for error in answer["errors"])


# The routes before it


def test_legacy_routes_are_one_event_each(xtrace):
    client = xtrace.client()
    trace = new_id()
    assert client.post("/api/public/traces", {"id": trace, "name": "old", "userId": "u"}).json() == {"id": trace}
    made = client.post("/api/public/spans", {"traceId": trace, "name": "span", "startTime": moment(1)})
    assert made.status == 200
    own = made.json()["id"]
    patched = client.request("PATCH", "/api/public/spans", None,
                             json.dumps({"spanId": own, "endTime": moment(2), "output": 1}).encode(),
                             {"Content-Type": "application/json"})
    assert (patched.status, patched.json()) == (200, {"id": own})
    generation = client.post("/api/public/generations", {"traceId": trace, "model": "m", "parentObservationId": own}).json()["id"]
    patched = client.request("PATCH", "/api/public/generations", None,
                             json.dumps({"generationId": generation, "usage": {"promptTokens": 1, "completionTokens": 2}}).encode(),
                             {"Content-Type": "application/json"})
    assert patched.json() == {"id": generation}
    assert client.post("/api/public/events", {"traceId": trace, "name": "e"}).status == 200
    have = {o["type"]: o for o in read(xtrace, trace)["observations"]}
    assert (have["SPAN"]["output"], have["SPAN"]["endTime"]) == (1, "2026-11-20T10:00:00.002Z")
    assert (have["GENERATION"]["model"], have["GENERATION"]["usageDetails"]) == ("m", {"input": 1, "output": 2, "total": 3})
    assert have["EVENT"]["name"] == "e"


def test_a_bad_legacy_body_is_a_400(xtrace):
    client = xtrace.client()
    for route, body in (("traces", {"name": 7}), ("spans", {"level": "x"}), ("events", [1]), ("generations", {"usage": {"input": 0.5}})):
        answer = client.post(f"/api/public/{route}", body)
        assert answer.status == 400 and answer.json()["message"], route
    answer = client.request("PATCH", "/api/public/spans", None, b"{}", {"Content-Type": "application/json"})
    assert (answer.status, answer.json()["message"]) == (400, "id: missing")


# The books


def test_events_are_booked_by_kind(make_xtrace):
    xtrace = make_xtrace(env=ADDRESS)
    trace = new_id()
    post(xtrace, [event("trace-create", {"id": trace}), event("trace-create", {"name": 1}), event("nonsense", {}), 7,
                  event("span-create", {"id": new_id(), "traceId": trace}), event("span-update", {"id": new_id()}),
                  event("score-create", {"name": "n", "value": 1, "traceId": trace}), event("sdk-log", {})])
    metrics = wait_for_rest(xtrace)["gateway"]
    booked = {kind: (settled(metrics, kind, "stored"), settled(metrics, kind, "refused"))
              for kind in ("trace", "observation", "score")}
    assert booked == {"trace": (1, 1), "observation": (2, 0), "score": (1, 0)}
    assert_gateway_balances(metrics)
    assert_writer_balances(scrape(xtrace, "writer-1"))
