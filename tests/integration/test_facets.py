"""Totals and pages of observations of one type, level, name, version or environment come from the books."""

import random
import urllib.parse

import pytest
from support.facets import assert_facets_balance
from support.ingestion import event, moment, send
from support.records import new_id
from support.wait import wait_until

HOUR_MS = 3600 * 1000
KINDS = ["span-create", "generation-create", "event-create", "tool-create"]
LONG = "n" * 201
DICE = random.Random(19)


def as_sent(time):
    """The API leaves out milliseconds that are none."""
    return time if "." in time else time.replace("Z", ".000Z")


def body(trace, number):
    body = {"id": f"o{number}", "traceId": trace, "level": DICE.choice(["DEBUG", "DEFAULT", "ERROR"]),
            "environment": DICE.choice(["default", "staging", "prod"]), "name": DICE.choice(["a", "b,c", LONG, "n" * 200])}
    if DICE.random() < 0.8:
        body["version"] = DICE.choice(["v1", "v2"])
    if DICE.random() < 0.9:
        # Of 20 hours, and often at an hour's first or last millisecond.
        body["startTime"] = moment(DICE.randrange(20) * HOUR_MS + DICE.choice([-1, 0, 1, DICE.randrange(HOUR_MS)]))
    return body


@pytest.fixture(scope="module")
def system(xtrace):
    """Some are changed afterwards, some are deleted, and folding goes on meanwhile."""
    system = xtrace
    for number in range(0, 240, 40):
        send(system, *[event(DICE.choice(KINDS), body(f"t{n // 20}", n)) for n in range(number, number + 40)])
    for _ in range(3):
        changed = {n: {**body(f"t{n // 20}", n), "statusMessage": new_id()} for n in DICE.sample(range(240), 30)}
        send(system, *[event("span-update", change, at=1000 + DICE.randrange(1000)) for change in changed.values()])
    assert system.client().request("DELETE", "/api/public/traces/t3").status == 200
    return system


def listed(system, params, limit=200):
    rows, page, total = [], 1, None
    while total is None or (page - 1) * limit < total:
        answer = system.client().get("/api/public/observations", {**params, "limit": limit, "page": page})
        assert answer.status == 200, answer.text
        total = answer.json()["meta"]["totalItems"]
        rows += answer.json()["data"]
        page += 1
    assert len(rows) == total
    return [(row["startTime"], row["traceId"], row["id"]) for row in rows]


def test_the_books_follow_whatever_happens(system):
    assert system.database.value("SELECT count(*) FROM observations") == 220
    assert_facets_balance(system.database)
    wait_until(lambda: system.database.value("SELECT count(*) FROM facet_changes") == 0, 20, "folded counts")
    assert_facets_balance(system.database)


def test_lists_are_those_of_the_rows(system):
    everything = [row for page in (1, 2) for row in
                  system.client().get("/api/public/observations", {"limit": 200, "page": page}).json()["data"]]
    assert len(everything) == 220
    compared = 0
    for key in ("type", "level", "name", "version", "environment"):
        for value in sorted({row[key] for row in everything if row[key] is not None} | {"nothing"}):
            for begin, end in [(None, None), (3 * HOUR_MS, None), (None, 5 * HOUR_MS - 1), (HOUR_MS + 7, 9 * HOUR_MS),
                               (2 * HOUR_MS, 2 * HOUR_MS + 60000), (9 * HOUR_MS, HOUR_MS)]:
                params = {key: value}
                if begin is not None:
                    params["fromStartTime"] = moment(begin)
                if end is not None:
                    params["toStartTime"] = moment(end)
                wanted = [(row["startTime"], row["traceId"], row["id"]) for row in everything
                          if row[key] == value and (begin is None or as_sent(row["startTime"]) >= moment(begin))
                          and (end is None or as_sent(row["startTime"]) <= moment(end))]
                assert listed(system, params) == wanted, params
                compared += len(wanted)
    assert compared > 1000


def test_pages_of_any_size_join(system):
    for params in ({"level": "ERROR"}, {"environment": "staging", "fromStartTime": moment(2 * HOUR_MS + 5)}):
        whole = listed(system, params)
        assert len(whole) > 20
        for limit in (1, 7, len(whole)):
            assert listed(system, params, limit) == whole


def test_a_range_of_time_is_counted_by_hours_whatever_the_types(system):
    """A type that is too long for the books counts all the same."""
    trace, at = new_id(), "2027-01-01T05:59:59.999Z"
    rows = [{"id": new_id(), "traceId": trace, "type": "T" * length, "startTime": time}
            for length in (1, 200, 201, 4000) for time in (at, "2027-01-01T07:30:00Z")]
    assert system.client().batch({"id": trace}, rows).status == 200
    assert_facets_balance(system.database)
    for params, total in [({}, 8), ({"toStartTime": at}, 4), ({"type": "T" * 201}, 2), ({"type": "T" * 200}, 2),
                          ({"type": "." * 201}, 0), ({"toStartTime": "2027-01-01T07:29:59.999Z"}, 4)]:
        params = {"fromStartTime": "2027-01-01T00:00:00Z", **params}
        assert len(listed(system, params)) == total, params
        assert listed(system, params, 3) == listed(system, params)
    assert system.client().request("DELETE", "/api/public/traces/" + trace).status == 200
    assert_facets_balance(system.database)


def test_several_environments_add_up(system):
    both = system.client().get("/api/public/observations?environment=staging&environment=prod&environment=staging").json()
    joined = system.client().get("/api/public/observations?environment=" + urllib.parse.quote("staging,prod", safe="")).json()
    one = [system.client().get("/api/public/observations", {"environment": name}).json()["meta"]["totalItems"]
           for name in ("staging", "prod")]
    assert both["meta"] == joined["meta"] and both["meta"]["totalItems"] == sum(one) > 0
    assert both["data"] == joined["data"]


def test_a_page_beyond_all_is_empty_with_the_total(system):
    answer = system.client().get("/api/public/observations", {"level": "ERROR", "page": 2**63 - 1, "limit": 200})
    assert answer.status == 200 and answer.json()["data"] == [] and answer.json()["meta"]["totalItems"] > 20


def test_recounting_ends_in_the_same_books(system):
    system.database.query("SELECT xtrace_recount_facets()")
    assert_facets_balance(system.database)
    assert system.database.value("SELECT sum(observations) FROM facet_counts WHERE facet = 'level'") == 220
