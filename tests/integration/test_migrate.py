"""xtrace-writer migrate, and what the writer does of it at start-up."""

import os
import subprocess
import threading

import pytest

from support.xtrace import program_path


def run(url, *words, **env):
    return subprocess.run([program_path("writer"), *words], text=True, capture_output=True, timeout=60,
                          env={**os.environ, "DATABASE_URL": url, "XTRACE_GATEWAYS": "ipc:///nowhere/queue", **env})  # fmt: skip


class Empty:
    def __init__(self, postgres, name, options=""):
        self.postgres = postgres
        self.name = name
        self.url = postgres.url(name)
        postgres.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        postgres.execute(f"CREATE DATABASE {name} {options}")

    def value(self, sql):
        return self.postgres.execute(sql, self.name).fetchone()[0]

    def execute(self, sql):
        self.postgres.execute(sql, self.name)


@pytest.fixture
def empty(postgres):
    made = Empty(postgres, "migrate_me")
    yield made
    postgres.execute("DROP DATABASE migrate_me WITH (FORCE)")


def test_migrate_may_be_run_again(empty):
    first = run(empty.url, "migrate", DEFAULT_PROJECT_ID="mine")
    assert first.returncode == 0, first.stderr
    version = empty.value("SELECT max(version) FROM schema_migrations")
    assert first.stdout == f"the database is at version {version}\n"
    assert empty.value("SELECT count(*) FROM schema_migrations") == version
    assert empty.value("SELECT name FROM projects WHERE id = 'mine'") == "mine"
    again = run(empty.url, "migrate", DEFAULT_PROJECT_ID="mine")
    assert (again.returncode, again.stdout) == (0, first.stdout)


def test_several_at_once_apply_everything_once(empty):
    done = []
    threads = [threading.Thread(target=lambda: done.append(run(empty.url, "migrate"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.returncode for one in done] == [0] * 4, [one.stderr for one in done]
    assert empty.value("SELECT count(*) = max(version) FROM schema_migrations")


def test_a_changed_migration_is_an_error(empty):
    assert run(empty.url, "migrate").returncode == 0
    empty.execute("UPDATE schema_migrations SET checksum = 'other' WHERE version = 1")
    for words in (["migrate"], []):
        done = run(empty.url, *words)
        assert done.returncode == 1
        assert "migration 0001_init has changed since it was applied" in done.stderr


def test_a_newer_database_is_an_error(empty):
    assert run(empty.url, "migrate").returncode == 0
    empty.execute("INSERT INTO schema_migrations VALUES (9999, 'later', 'x')")
    for words in (["migrate"], []):
        done = run(empty.url, *words)
        assert done.returncode == 1
        assert "version 9999, newer than this program" in done.stderr


def test_without_migrating_an_old_database_is_an_error_that_says_what_to_run(empty):
    done = run(empty.url, XTRACE_MIGRATE="0")
    assert done.returncode == 1
    assert "run xtrace-writer migrate" in done.stderr
    assert empty.value("SELECT to_regclass('traces') IS NULL")


def test_another_encoding_is_an_error(postgres):
    latin = Empty(postgres, "latin", "ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    done = run(latin.url, "migrate")
    assert done.returncode == 1
    assert "encoding is LATIN1; xtrace needs UTF8" in done.stderr
    postgres.execute("DROP DATABASE latin WITH (FORCE)")


def test_the_roles_may_do_what_they_must_and_no_more(empty):
    assert run(empty.url, "migrate").returncode == 0
    may = "SELECT has_table_privilege('%s', '%s', '%s')"
    for role, table, right, expected in [
        ("xtrace_gateway", "traces", "SELECT", True), ("xtrace_gateway", "xtrace.traces", "SELECT", True),
        ("xtrace_gateway", "traces", "INSERT", False), ("xtrace_gateway", "traces", "UPDATE", False),
        ("xtrace_writer", "traces", "INSERT", True), ("xtrace_writer", "dead_letters", "DELETE", True),
        ("xtrace_writer", "schema_migrations", "SELECT", True), ("xtrace_writer", "schema_migrations", "INSERT", False),
    ]:  # fmt: skip
        assert empty.value(may % (role, table, right)) is expected, (role, table, right)
