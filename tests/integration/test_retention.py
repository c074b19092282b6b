"""What is older than it may be goes, by itself, and everything that counts it follows."""

import datetime
import subprocess

import pytest
from support.records import new_observation, new_trace
from support.wait import wait_until
from support.xtrace import program_path


def ago(days):
    time = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def store(client, days, **more):
    trace = new_trace(timestamp=ago(days), **more)
    answer = client.batch(trace, [new_observation(trace, startTime=ago(days), calculatedTotalCost=1)])
    assert answer.status == 200, answer.text
    return trace["id"]


def push(client, name, *days, labels=None):
    points = [{"name": name, "labels": labels or {}, "value": 1, "timestamp": ago(each)} for each in days]
    assert client.post("/v1/metrics/batch", {"metrics": points}).status == 200


def restart_writer(system, **env):
    system.stop("writer-1")
    system.env.update(env)
    system.start("writer-1")
    return system


def listed(client):
    page = client.get("/api/public/traces", {"limit": 200}).json()
    return {trace["id"] for trace in page["data"]}, page["meta"]["totalItems"]


def names(client):
    return client.get("/api/public/metrics/names").json()["data"]


def points(system, name):
    return system.database.value("SELECT count(*) FROM metric_points p JOIN metric_series s ON s.id = p.series_id"
                                 " WHERE s.name = %s", name)


def command(system, *words):
    return subprocess.run([program_path("writer"), *words], env=system.environment("writer-1"), text=True,
                          capture_output=True, timeout=20)


def passes(system):
    """A whole pass of maintenance has gone by."""
    trace = new_trace(timestamp=ago(0))
    assert system.client().batch(trace).status == 200
    wait_until(lambda: system.database.value("SELECT count(*) FROM dirty_days") == 0, 60, "clean days")


def test_nothing_goes_by_default(make_xtrace):
    system = make_xtrace()
    client = system.client()
    old = store(client, 3000)
    push(client, "old_metric", 300)
    passes(system)
    assert listed(client)[0] >= {old}
    assert names(client) == ["old_metric"]
    assert points(system, "old_metric") == 1


def test_old_traces_go_with_all_that_counts_them(make_xtrace):
    system = make_xtrace()
    client = system.client()
    old = [store(client, 31, sessionId="old"), store(client, 400, sessionId="old")]
    young = [store(client, 29, sessionId="young"), store(client, 0)]
    restart_writer(system, TRACES_RETENTION_DAYS="30")
    wait_until(lambda: listed(client) == (set(young), 2), 30, "the old ones to go")
    for trace_id in old:
        assert client.get("/api/public/traces/" + trace_id).status == 404
    assert client.get("/api/public/sessions/old").status == 404
    assert [each["id"] for each in client.get("/api/public/sessions").json()["data"]] == ["young"]
    daily = client.get("/api/public/metrics/daily", {"fromTimestamp": ago(1000)}).json()
    assert sorted(day["date"] for day in daily["data"]) == sorted({ago(29)[:10], ago(0)[:10]})
    assert system.database.value("SELECT count(*) FROM observations") == 2
    wait_until(lambda: system.database.value("SELECT count(*) FROM dirty_days") == 0, 60, "clean days")
    assert client.get("/api/public/metrics/daily", {"fromTimestamp": ago(1000)}).json() == daily


def test_more_than_one_step_of_traces_goes(make_xtrace):
    system = make_xtrace()
    client = system.client()
    young = store(client, 0)
    system.database.query("INSERT INTO traces (project_id, id, timestamp, event_version)"
                          " SELECT 'default', 't' || i, now() - interval '50 days', 1 FROM generate_series(1, 1234) i")
    system.database.query("INSERT INTO trace_counts VALUES ('default', (now() - interval '50 days')::date, 1234)")
    restart_writer(system, TRACES_RETENTION_DAYS="30")
    wait_until(lambda: listed(client) == ({young}, 1), 60, "the old ones to go")


def test_old_points_go_by_partitions_and_series_without_points_follow(make_xtrace):
    system = make_xtrace()
    client = system.client()
    push(client, "mixed", 100, 1)
    push(client, "only_old", 100, 60, labels={"a": "b"})
    partitions = "SELECT count(*) FROM metric_partitions WHERE ends <= (now() - interval '30 days')::date"
    assert system.database.value(partitions) == 2
    system.database.query("UPDATE metric_series SET created_at = now() - interval '2 hours'")
    restart_writer(system, METRICS_RETENTION_DAYS="30")
    wait_until(lambda: system.database.value(partitions) == 0, 30, "old partitions to be dropped")
    wait_until(lambda: names(client) == ["mixed"], 30, "the series without points to go")
    assert points(system, "mixed") == 1
    # A writer that still believes in a partition that has gone makes it again.
    push(client, "only_old", 100)
    assert names(client) == ["mixed", "only_old"]


def test_a_project_may_have_its_own_days(make_xtrace):
    system = make_xtrace()
    client = system.client()
    system.database.query("INSERT INTO projects (id, name) VALUES ('other', 'other')")
    system.database.query("INSERT INTO traces (project_id, id, timestamp, event_version)"
                          " VALUES ('other', 'theirs', now() - interval '50 days', 1)")
    ours = store(client, 50)
    push(client, "m", 50, 1)
    assert command(system, "retention", "set", "default", "traces", "0").returncode == 0
    assert command(system, "retention", "set", "default", "metrics", "10").returncode == 0
    restart_writer(system, TRACES_RETENTION_DAYS="30", METRICS_RETENTION_DAYS="0")
    wait_until(lambda: system.database.query("SELECT id FROM traces") == [(ours,)], 30, "theirs to go, ours to stay")
    # Others keep their points for ever, so that the partition stays and ours are deleted from it.
    wait_until(lambda: points(system, "m") == 1, 30, "our old point to go")


def test_days_are_set_and_listed(make_xtrace):
    system = make_xtrace()
    assert command(system, "retention", "list").stdout == "default\ttraces\tdefault\ndefault\tmetrics\tdefault\n"
    assert command(system, "retention", "set", "default", "traces", "90").returncode == 0
    assert command(system, "retention", "set", "default", "traces", "45").returncode == 0
    assert command(system, "retention", "list").stdout.splitlines()[0] == "default\ttraces\t45"
    assert command(system, "retention", "set", "default", "traces", "default").returncode == 0
    assert command(system, "retention", "list").stdout.splitlines()[0] == "default\ttraces\tdefault"


@pytest.mark.parametrize("words, named", [
    (["nobody", "traces", "3"], "nobody"), (["default", "scores", "3"], "scores"), (["default", "traces", "-1"], "-1"),
    (["default", "traces", "soon"], "soon"), (["default", "traces", "99999999999999999999"], "number of days"),
])
def test_a_wrong_number_of_days_is_one_line(make_xtrace, words, named):
    done = command(make_xtrace(start=False), "retention", "set", *words)
    assert done.returncode == 1
    assert named in done.stderr and len(done.stderr.splitlines()) == 1


def test_dead_letters_go_after_a_month_or_when_they_are_told_to(make_xtrace):
    system = make_xtrace(start=False)
    for days in (31, 29, 0):
        system.database.query(
            "INSERT INTO dead_letters (project_id, batch_id, row_index, kind, reason, packed_row, received_at, created_at)"
            " VALUES ('default', gen_random_uuid(), 0, 'trace', %s, '', now(), now() - make_interval(days => %s))",
            f"{days} days", days)

    def left():
        return [reason for reason, in system.database.query("SELECT reason FROM dead_letters ORDER BY id")]

    system.start().wait_ready()
    wait_until(lambda: left() == ["29 days", "0 days"], 30, "the month being over")
    passes(restart_writer(system, DEAD_LETTERS_RETENTION_DAYS="0"))
    assert left() == ["29 days", "0 days"]
    restart_writer(system, DEAD_LETTERS_RETENTION_DAYS="1")
    wait_until(lambda: left() == ["0 days"], 30, "the day being over")
