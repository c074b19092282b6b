"""POST /scores with a list, as the SDK of Python sends scores since version 5."""

import uuid

import pytest
from support.xtrace import PUBLIC_KEY

SCORES = "/api/public/scores"


def score(**more):
    return {"id": uuid.uuid4().hex, "traceId": "t-list", "name": "n", "value": 0.5, **more}


def read(xtrace, made):
    return xtrace.client().get(f"/api/public/v2/scores/{made['id']}")


def test_a_list_is_stored(xtrace):
    made = [score(), score(value="yes", dataType="CATEGORICAL"), score(value=1, dataType="BOOLEAN", metadata={"a": [1]}),
            score(traceId=None, sessionId="s")]
    answer = xtrace.client().post(SCORES, made)
    assert (answer.status, answer.json()) == (202, {"message": "Accepted"})
    assert [read(xtrace, each).json()["dataType"] for each in made] == ["NUMERIC", "CATEGORICAL", "BOOLEAN", "NUMERIC"]
    assert read(xtrace, made[2]).json()["metadata"] == {"a": [1]}


def test_of_one_score_the_last_in_the_list_counts_and_a_list_again_changes_nothing(xtrace):
    made = score()
    for _ in range(2):
        assert xtrace.client().post(SCORES, [{**made, "value": 1}, {**made, "value": 2, "comment": "c"}]).status == 202
    assert (read(xtrace, made).json()["value"], read(xtrace, made).json()["comment"]) == (2, "c")


def test_a_bad_score_is_named_and_its_neighbours_are_stored(xtrace):
    good, bad = [score(), score()], score(value="x", dataType="NUMERIC")
    answer = xtrace.client().post(SCORES, [good[0], bad, 7, {"name": "n", "value": 1}, good[1]])
    assert answer.status == 207
    body = answer.json()
    assert (body["accepted"], body["rejected"], len(body["errors"])) == (2, 3, 3)
    assert body["errors"][0]["message"].startswith(f"scores[1].value ({bad['id']}): ")
    assert body["errors"][1]["message"] == "scores[2]: not an object"
    assert [read(xtrace, each).status for each in (*good, bad)] == [200, 200, 404]


def test_nothing_and_ids_that_are_made_up(xtrace):
    assert xtrace.client().post(SCORES, []).status == 202
    name = uuid.uuid4().hex
    assert xtrace.client().post(SCORES, [{"traceId": "t", "name": name, "value": n} for n in range(3)]).status == 202
    listed = xtrace.client().get("/api/public/v2/scores", {"name": name}).json()["data"]
    assert sorted(each["value"] for each in listed) == [0, 1, 2]


@pytest.mark.parametrize("body", [b"[", b"[1,]", b'"x"', b"7"])
def test_what_is_no_list_is_a_400(xtrace, body):
    assert xtrace.client().post(SCORES, body).status == 400


def test_a_public_key_may_send_a_list(xtrace):
    made = score()
    assert xtrace.client(headers={"Authorization": f"Bearer {PUBLIC_KEY}"}).post(SCORES, [made]).status == 202
    assert read(xtrace, made).status == 200
