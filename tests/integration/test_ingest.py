"""POST /v1/l/batch and the detail route: what is sent is what is read back."""

import datetime
import itertools
import json
import re
import uuid

import pytest

from support.records import new_id, new_observation, new_trace

T0 = "2026-03-01T10:00:00Z"


def moment(text):
    """Times are compared as moments: how many digits a fraction shows is tested once."""
    assert text.endswith("Z"), text
    return datetime.datetime.fromisoformat(text)


def send(xtrace, trace=None, observations=()):
    answer = xtrace.client().batch(trace, observations)
    assert answer.status == 200, answer.text
    assert answer.json() == {"message": "Request Successful."}


def read(xtrace, trace):
    """The trace as the detail route shows it; numbers as text, so that no digit is lost on the way."""
    answer = xtrace.client().get(f"/api/public/traces/{trace['id']}")
    assert answer.status == 200, answer.text
    return json.loads(answer.body)


def read_one(xtrace, trace):
    (observation,) = read(xtrace, trace)["observations"]
    return observation


def test_an_empty_batch_is_acked(xtrace):
    for body in (b"{}", b'{"trace":null}', b'{"observations":null}', b'{"trace":null,"observations":[]}', b" {} \n"):
        assert xtrace.client().post("/v1/l/batch", body).status == 200


def test_every_field_of_a_trace_comes_back(xtrace):
    sent = new_trace(
        timestamp="2026-03-01T10:00:00.123456Z",
        name="chat.turn",
        input={"q": ["a", 1, True, None]},
        output="plain text",
        sessionId="s-1",
        userId="u-1",
        release="r-1",
        version="v-1",
        metadata={"turn_id": 1, "nested": {"a": [1, 2]}},
        tags=["b", "a"],
        public=True,
        bookmarked=True,
        environment="production",
        externalId="x-1",
        latency=1.25,
        totalCost=0.125,
    )
    send(xtrace, sent)
    got = read(xtrace, sent)
    for key, value in sent.items():
        assert got[key] == value, key
    assert got["projectId"] == "default"
    assert got["htmlPath"] == f"/project/default/traces/{sent['id']}"
    assert got["scores"] == [] and got["observations"] == []
    assert got["createdAt"].endswith("Z") and got["updatedAt"].endswith("Z")


def test_unset_fields_of_a_trace_have_their_defaults(xtrace):
    sent = new_trace()
    send(xtrace, sent)
    got = read(xtrace, sent)
    for key in ("name", "input", "output", "metadata", "sessionId", "userId", "release", "version", "externalId",
                "latency", "totalCost"):
        assert got[key] is None, key
    assert (got["tags"], got["public"], got["bookmarked"], got["environment"]) == ([], False, False, "default")
    assert got["timestamp"].endswith("Z")


def test_every_field_of_an_observation_comes_back(xtrace):
    trace = new_trace(timestamp=T0)
    parent = new_id()
    sent = new_observation(
        trace,
        type="GENERATION",
        name="answer",
        startTime="2026-03-01T10:00:00.5Z",
        endTime="2026-03-01T10:00:03.000001Z",
        completionStartTime="2026-03-01T10:00:01Z",
        model="gpt-4o",
        modelParameters={"temperature": 0.5, "stop": ["\n"]},
        input=[{"role": "user", "content": "hi"}],
        output={"role": "assistant", "content": "hello"},
        level="WARNING",
        statusMessage="slow",
        parentObservationId=parent,
        promptId="p-1",
        promptName="greeting",
        promptVersion="7",
        modelId="m-1",
        inputPrice=0.25,
        outputPrice=0.5,
        totalPrice=0.75,
        calculatedInputCost=0.0625,
        calculatedOutputCost=0.125,
        calculatedTotalCost=0.1875,
        latency=2.5,
        timeToFirstToken=0.5,
        promptTokens=10,
        completionTokens=20,
        totalTokens=30,
        unit="TOKENS",
        metadata={"step_type": "llm_call"},
        environment="production",
    )
    send(xtrace, trace, [sent])
    got = read_one(xtrace, trace)
    for key, value in sent.items():
        if key.endswith("Time"):
            assert moment(got[key]) == moment(value), key
        elif key not in ("promptVersion", "unit"):
            assert got[key] == value, key
    assert got["promptVersion"] == 7
    assert got["usage"] == {"input": 10, "output": 20, "total": 30, "unit": "TOKENS", "inputCost": 0.0625,
                            "outputCost": 0.125, "totalCost": 0.1875}
    assert got["usageDetails"] == {"input": 10, "output": 20, "total": 30}
    assert got["costDetails"] == {"input": 0.0625, "output": 0.125, "total": 0.1875}


def test_unset_fields_of_an_observation_have_their_defaults(xtrace):
    trace = new_trace(timestamp=T0)
    send(xtrace, trace, [new_observation(trace)])
    got = read_one(xtrace, trace)
    assert (got["type"], got["level"], got["environment"], got["modelParameters"]) == ("GENERATION", "DEFAULT", "default", {})
    for key in ("name", "endTime", "completionStartTime", "model", "input", "output", "metadata", "version",
                "statusMessage", "parentObservationId", "promptId", "promptName", "promptVersion", "modelId",
                "inputPrice", "outputPrice", "totalPrice", "calculatedInputCost", "calculatedOutputCost",
                "calculatedTotalCost", "latency", "timeToFirstToken"):
        assert got[key] is None, key
    assert (got["promptTokens"], got["completionTokens"], got["totalTokens"]) == (0, 0, 0)
    assert got["usageDetails"] == {"input": 0, "output": 0, "total": 0}
    assert got["usage"]["unit"] is None and got["usage"]["total"] == 0


def test_null_is_absent_everywhere(xtrace):
    trace = new_trace(timestamp=T0, name="kept")
    nulls = ("name timestamp input output sessionId session_id release version userId metadata tags public environment"
             " externalId bookmarked latency totalCost projectId").split()
    send(xtrace, trace)
    send(xtrace, {"id": trace["id"], **dict.fromkeys(nulls)})
    got = read(xtrace, trace)
    assert (got["name"], moment(got["timestamp"])) == ("kept", moment(T0))
    observation = new_observation(trace, name="kept", type="SPAN", startTime=T0)
    nulls = ("type name startTime endTime completionStartTime model modelParameters input output usage level"
             " statusMessage parentObservationId promptId promptName promptVersion modelId inputPrice outputPrice"
             " totalPrice calculatedInputCost calculatedOutputCost calculatedTotalCost latency timeToFirstToken"
             " completionTokens promptTokens totalTokens unit metadata environment projectId").split()
    send(xtrace, None, [observation])
    send(xtrace, None, [{"id": observation["id"], "traceId": trace["id"], **dict.fromkeys(nulls)}])
    got = read_one(xtrace, trace)
    assert (got["name"], got["type"], moment(got["startTime"])) == ("kept", "SPAN", moment(T0))


@pytest.mark.parametrize("key", ["sessionId", "session_id"])
def test_both_spellings_of_the_session(xtrace, key):
    trace = new_trace(**{key: "session-7"})
    send(xtrace, trace)
    assert read(xtrace, trace)["sessionId"] == "session-7"


def test_both_spellings_at_once_are_accepted(xtrace):
    trace = new_trace(sessionId="one", session_id="one")
    send(xtrace, trace)
    assert read(xtrace, trace)["sessionId"] == "one"


def test_ids_of_every_form_are_one_id(xtrace):
    value = uuid.uuid4()
    forms = [str(value), value.hex, "{%s}" % value, value.urn, str(value).upper(), value.hex.upper()]
    for number, form in enumerate(forms):
        send(xtrace, {"id": form, "metadata": {f"form{number}": True}})
    for form in (str(value), value.hex, str(value).upper()):
        got = xtrace.client().get(f"/api/public/traces/{form}").json()
        assert got["id"] == str(value)
        assert len(got["metadata"]) == len(forms)


@pytest.mark.parametrize(
    "sent, shown",
    [
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"),
        ("2026-03-01T10:00:00+00:00", "2026-03-01T10:00:00Z"),
        ("2026-03-01 12:30:00+02:30", "2026-03-01T10:00:00Z"),
        ("2026-03-01T10:00:00.1Z", "2026-03-01T10:00:00.100Z"),
        ("2026-03-01T10:00:00.123456789Z", "2026-03-01T10:00:00.123456Z"),
        ("2026-02-28T23:59:59.9-11:00", "2026-03-01T10:59:59.900Z"),
    ],
)
def test_times_keep_their_moment_to_the_microsecond(xtrace, sent, shown):
    trace = new_trace(timestamp=sent)
    send(xtrace, trace)
    assert read(xtrace, trace)["timestamp"] == shown


def test_a_later_record_never_erases(xtrace):
    trace = new_trace(timestamp=T0, name="n", input=1, output=2, userId="u", sessionId="s", tags=["t"],
                      metadata={"a": 1, "deep": {"x": 1}}, environment="prod", public=True)
    span = new_observation(trace, name="begin", startTime=T0, input="in", metadata={"a": 1}, environment="prod")
    send(xtrace, trace, [span])
    send(xtrace, {"id": trace["id"], "output": 3, "metadata": {"b": 2, "deep": {"y": 2}}, "tags": []},
         [{"id": span["id"], "traceId": trace["id"], "endTime": "2026-03-01T10:00:02Z", "output": "out",
           "metadata": {"b": 2}}])
    got = read(xtrace, trace)
    assert (got["name"], got["input"], got["output"], got["userId"], got["sessionId"]) == ("n", 1, 3, "u", "s")
    assert (got["tags"], got["environment"], got["public"]) == (["t"], "prod", True)
    assert moment(got["timestamp"]) == moment(T0)
    assert got["metadata"] == {"a": 1, "b": 2, "deep": {"x": 1, "y": 2}}
    (merged,) = got["observations"]
    assert (merged["name"], merged["input"], merged["output"]) == ("begin", "in", "out")
    assert moment(merged["startTime"]) == moment(T0)
    assert (merged["metadata"], merged["environment"], merged["latency"]) == ({"a": 1, "b": 2}, "prod", 2)


def test_a_later_value_replaces(xtrace):
    trace = new_trace(timestamp=T0, name="old", tags=["a", "b"], metadata={"k": 1})
    send(xtrace, trace)
    send(xtrace, {"id": trace["id"], "name": "new", "tags": ["c"], "metadata": {"k": 2}})
    got = read(xtrace, trace)
    assert (got["name"], got["tags"], got["metadata"]) == ("new", ["c"], {"k": 2})


def test_the_last_record_of_one_id_in_one_request_wins(xtrace):
    trace = new_trace(timestamp=T0)
    one = new_observation(trace, name="first", input="kept")
    send(xtrace, trace, [one, {"id": one["id"], "traceId": trace["id"], "name": "second"}])
    got = read_one(xtrace, trace)
    assert (got["name"], got["input"]) == ("second", "kept")


def test_sending_again_changes_nothing_but_updated_at(xtrace):
    trace = new_trace(timestamp=T0, name="same", metadata={"a": 1})
    observations = [new_observation(trace, name=f"o{n}", startTime=T0) for n in range(3)]
    send(xtrace, trace, observations)
    first = read(xtrace, trace)
    send(xtrace, trace, observations)
    second = read(xtrace, trace)
    for record in [first, second, *first["observations"], *second["observations"]]:
        record.pop("updatedAt", None)
    assert first == second


def test_an_observation_alone_makes_a_placeholder_that_the_trace_fills(xtrace):
    trace = new_trace()
    send(xtrace, None, [new_observation(trace, name="early", environment="staging")])
    got = read(xtrace, trace)
    assert (got["environment"], got["name"]) == ("staging", None)
    send(xtrace, {"id": trace["id"], "name": "late", "timestamp": T0})
    got = read(xtrace, trace)
    assert (got["name"], got["environment"]) == ("late", "staging")
    assert moment(got["timestamp"]) == moment(T0)


def test_one_request_may_hold_observations_of_several_traces(xtrace):
    one, two, three = new_trace(name="one"), new_trace(), new_trace()
    send(xtrace, one, [new_observation(two, name="of two"), new_observation(three, name="of three")])
    assert read(xtrace, one)["observations"] == []
    assert read_one(xtrace, two)["name"] == "of two"
    assert read_one(xtrace, three)["name"] == "of three"


def test_the_same_observation_id_in_two_traces_is_two_observations(xtrace):
    one, two = new_trace(), new_trace()
    shared = new_id()
    send(xtrace, None, [{"id": shared, "traceId": one["id"], "name": "a"}, {"id": shared, "traceId": two["id"], "name": "b"}])
    assert (read_one(xtrace, one)["name"], read_one(xtrace, two)["name"]) == ("a", "b")


def test_latency_cost_and_totals_are_computed(xtrace):
    trace = new_trace(timestamp=T0)
    send(xtrace, trace, [
        new_observation(trace, startTime="2026-03-01T10:00:01Z", completionStartTime="2026-03-01T10:00:01.25Z",
                        endTime="2026-03-01T10:00:03Z", promptTokens=3, completionTokens=4, calculatedTotalCost=0.1),
        new_observation(trace, startTime="2026-03-01T10:00:02Z", endTime="2026-03-01T10:00:05.5Z",
                        calculatedTotalCost=0.2),
    ])
    got = read(xtrace, trace)
    first = got["observations"][0]
    assert (first["latency"], first["timeToFirstToken"], first["totalTokens"]) == (2, 0.25, 7)
    assert (got["latency"], got["totalCost"]) == (4.5, 0.3)


def test_given_latency_and_cost_win(xtrace):
    trace = new_trace(timestamp=T0, latency=9.5, totalCost=7)
    send(xtrace, trace, [new_observation(trace, startTime=T0, endTime="2026-03-01T10:00:03Z", latency=1.5,
                                         timeToFirstToken=0.5, calculatedTotalCost=0.1, totalTokens=99)])
    got = read(xtrace, trace)
    assert (got["latency"], got["totalCost"]) == (9.5, 7)
    (observation,) = got["observations"]
    assert (observation["latency"], observation["timeToFirstToken"], observation["totalTokens"]) == (1.5, 0.5, 99)


@pytest.mark.parametrize(
    "usage",
    [
        {"input": 11, "output": 22, "total": 33, "unit": "TOKENS"},
        {"prompt_tokens": 11, "completion_tokens": 22, "total_tokens": 33},
        {"promptTokens": 11, "completionTokens": 22, "totalTokens": 33},
        {"input_tokens": 11, "output_tokens": 22},
        {"input": 11, "output": 22},
    ],
)
def test_a_usage_object_counts_when_token_fields_are_absent(xtrace, usage):
    trace = new_trace(timestamp=T0)
    send(xtrace, trace, [new_observation(trace, usage=usage)])
    got = read_one(xtrace, trace)
    assert (got["promptTokens"], got["completionTokens"], got["totalTokens"]) == (11, 22, 33)
    assert got["usage"]["unit"] == usage.get("unit")


def test_token_fields_beat_the_usage_object(xtrace):
    trace = new_trace(timestamp=T0)
    send(xtrace, trace, [new_observation(trace, promptTokens=1, completionTokens=2, usage={"input": 8, "output": 9})])
    got = read_one(xtrace, trace)
    assert (got["promptTokens"], got["completionTokens"]) == (1, 2)


def test_a_prompt_version_may_be_a_number_and_text_that_is_none_is_null(xtrace):
    trace = new_trace(timestamp=T0)
    send(xtrace, trace, [new_observation(trace, name="a", promptVersion=12, startTime="2026-03-01T10:00:01Z"),
                         new_observation(trace, name="b", promptVersion="v2", startTime="2026-03-01T10:00:02Z")])
    assert [o["promptVersion"] for o in read(xtrace, trace)["observations"]] == [12, None]


def test_observations_are_in_order_of_start_with_the_unset_last(xtrace):
    trace = new_trace(timestamp=T0)
    send(xtrace, trace, [
        new_observation(trace, name="unset"),
        new_observation(trace, name="second", startTime="2026-03-01T10:00:02Z"),
        new_observation(trace, name="first", startTime="2026-03-01T10:00:01Z"),
    ])
    assert [o["name"] for o in read(xtrace, trace)["observations"]] == ["first", "second", "unset"]


PAYLOADS = [
    "", "text", 0, -1, 1.5, True, False, [], {}, [None], {"": ""}, {"a": {"b": [1, {"c": None}]}},
    "漢字 عربى 🦉 naïve", "tab\tnewline\nquote\"backslash\\", "\u2028\u2029", "</script>", {"键": "值"}, [[[[[]]]]],
]  # fmt: skip


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda p: json.dumps(p)[:30])
def test_any_json_is_a_payload_and_comes_back(xtrace, payload):
    trace = new_trace(input=payload, output=payload, metadata=payload)
    send(xtrace, trace, [new_observation(trace, input=payload, output=payload, metadata=payload)])
    got = read(xtrace, trace)
    assert (got["input"], got["output"], got["metadata"]) == (payload, payload, payload)
    (observation,) = got["observations"]
    assert (observation["input"], observation["output"], observation["metadata"]) == (payload, payload, payload)


@pytest.mark.parametrize(
    "text",
    [
        "1234567890123456789012345678901234567890",
        "-9223372036854775809",
        "0.1000000000000000055511151231257827",
        "1e400",
        '{"z":1,"a":2,"z2":{"b":1,"a":2}}',
        '{"k":1,"k":2}',
        "[1.0,1.50,1E5,-0]",
        '"\\u00e9 \\ud83e\\udd89"',
    ],
)
def test_payload_text_comes_back_as_sent(xtrace, text):
    """Input and output keep numbers of any length and the order of keys."""
    made = new_id()
    answer = xtrace.client().post("/v1/l/batch", b'{"trace":{"id":"%s","input":%s}}' % (made.encode(), text.encode()))
    assert answer.status == 200, answer.text
    body = xtrace.client().get(f"/api/public/traces/{made}").body.decode()
    if "\\u" in text:
        assert json.loads(body)["input"] == json.loads(text)
    else:
        assert re.search(r'"input" ?: ?' + re.escape(text) + r" ?[,}]", body)


def test_what_postgres_cannot_hold_is_replaced_not_refused(xtrace):
    """U+0000 and lone surrogates become U+FFFD, in texts, payloads, keys and tags."""
    made = new_id()
    body = ('{"trace":{"id":"%s","name":"a\\u0000b","userId":"\\ud800x","tags":["t\\u0000"],"input":"\\u0000","output":'
            '{"k\\udc00":["\\ud83d"]},"metadata":{"m\\u0000":"\\udfff!"}}}' % made)
    assert xtrace.client().post("/v1/l/batch", body.encode()).status == 200
    got = read(xtrace, {"id": made})
    assert (got["name"], got["userId"], got["tags"]) == ("a\ufffdb", "\ufffdx", ["t\ufffd"])
    assert (got["input"], got["output"], got["metadata"]) == ("\ufffd", {"k\ufffd": ["\ufffd"]}, {"m\ufffd": "\ufffd!"})


def test_unknown_keys_are_ignored_at_every_level(xtrace):
    trace = new_trace(name="n", nonsense={"a": [1]})
    body = {"trace": trace, "observations": [new_observation(trace, nonsense=1)], "nonsense": [{}], "batch": 3}
    assert xtrace.client().post("/v1/l/batch", body).status == 200
    assert read(xtrace, trace)["name"] == "n"


def test_a_thousand_observations_in_one_request(xtrace):
    trace = new_trace(timestamp=T0)
    numbers = itertools.count()
    observations = [new_observation(trace, name=f"o{next(numbers)}", startTime=T0) for _ in range(1000)]
    send(xtrace, trace, observations)
    got = read(xtrace, trace)["observations"]
    assert {o["id"] for o in got} == {o["id"] for o in observations}


def test_visible_at_once(xtrace):
    """200 means committed: no waiting before reading."""
    for _ in range(20):
        trace = new_trace(name="now")
        send(xtrace, trace)
        assert read(xtrace, trace)["name"] == "now"


def test_records_land_in_the_project_of_the_credential(xtrace):
    trace = new_trace(projectId="somewhere-else")
    send(xtrace, trace, [new_observation(trace, projectId="somewhere-else")])
    assert read(xtrace, trace)["projectId"] == "default"
    assert xtrace.database.value("SELECT count(*) FROM traces WHERE project_id <> 'default'") == 0


def test_an_unknown_trace_is_404(xtrace):
    answer = xtrace.client().get(f"/api/public/traces/{new_id()}")
    assert answer.status == 404
    assert answer.json()["code"] == "NOT_FOUND"
