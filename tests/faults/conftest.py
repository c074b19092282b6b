"""Fixtures of the fault suite. Processes and databases are tests/support's."""

import bounds
import pytest
from builds import release_build
from nemesis import TABLE
from stack import DURABLE, Stack
from support.fixtures import Databases, finish_all
from support.postgres import Postgres


@pytest.fixture(scope="module")
def stack(databases):
    """Both programs for the tests of one file."""
    made = databases.create()
    system = Stack(made, databases.postgres)
    try:
        system.start().wait_ready()
        yield system
    finally:
        finish_all([system])
        made.drop()


@pytest.fixture(scope="session")
def fragile_postgres():
    """One that is hurt: killed, frozen, restarted, filled with connections."""
    server = Postgres({**DURABLE, "max_connections": "40", "deadlock_timeout": "1s"}).start()
    server.databases = Databases(server)
    yield server
    server.destroy()


class Maker:
    """stack_of(...): stacks for one test, ready, each with a database of its own."""

    def __init__(self, databases, build=None):
        self._databases = databases
        self._build = build
        self._made = []

    def __call__(self, writers=1, settings=None, database_password=None, start=True, postgres=None, database=None, **more):
        """postgres: one with .databases, else the shared one. database: one that another stack has already."""
        databases = postgres.databases if postgres else self._databases
        database = database or databases.create()
        urls = more.pop("urls", None) or dict(database.urls)
        if database_password:
            urls = {role: url.replace("_login@", f"_login:{database_password}@") for role, url in urls.items()}
        system = Stack(database, databases.postgres, writers, settings, urls=urls, build=self._build, **more)
        self._made.append(system)
        if start:
            system.start().wait_ready()
        return system

    def finish(self):
        # The databases stay until their server goes: dropping one is a checkpoint, half a second each time.
        made, self._made = self._made, []
        finish_all(reversed(made))


@pytest.fixture
def stack_of(databases):
    maker = Maker(databases)
    yield maker
    maker.finish()


@pytest.fixture
def release_stack_of(databases):
    """The same from a build without sanitizers."""
    maker = Maker(databases, release_build())
    yield maker
    maker.finish()


def pytest_terminal_summary(terminalreporter):
    if TABLE.rows:
        terminalreporter.write_sep("-", "nemesis x rounds")
        for line in TABLE.lines():
            terminalreporter.write_line(line)
    if bounds.TABLE:
        terminalreporter.write_sep("-", "memory of the gateway, MiB")
        for line in [bounds.HEADING] + [measured.line() for measured in bounds.TABLE]:
            terminalreporter.write_line(line)
