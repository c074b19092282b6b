"""pytest fixtures of every suite that needs a database or the programs."""

import itertools
import os
import subprocess

import psycopg
import pytest

from .postgres import Postgres
from .xtrace import Xtrace, program_path

TEMPLATE = "xtrace_template"


class Databases:
    """Fresh, migrated databases of one PostgreSQL, copied from one that was migrated once."""

    def __init__(self, postgres):
        self.postgres = postgres
        self.numbers = itertools.count(1)
        postgres.execute(f"CREATE DATABASE {TEMPLATE}")
        done = subprocess.run([program_path("writer"), "migrate"], text=True, capture_output=True,
                              env={**os.environ, "DATABASE_URL": postgres.url(TEMPLATE)})
        assert done.returncode == 0, f"xtrace-writer migrate: {done.stdout}{done.stderr}"
        for role in ("gateway", "writer"):
            postgres.execute(f"CREATE ROLE {role}_login LOGIN IN ROLE xtrace_{role}")

    def create(self):
        return Database(self.postgres, f"test_{next(self.numbers)}")


class Database:
    def __init__(self, postgres, name):
        self.postgres = postgres
        self.name = name
        postgres.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        self.url = postgres.url(name)
        # The programs get no more rights than their roles have.
        self.urls = {role: postgres.url(name, f"{role}_login") for role in ("gateway", "writer")}

    def query(self, sql, *values):
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else None

    def value(self, sql, *values):
        return self.query(sql, *values)[0][0]

    def drop(self):
        self.postgres.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres():
    """The PostgreSQL that tests share; who wants to hurt one makes one with own_postgres."""
    server = Postgres({"fsync": "on"}).start()
    yield server
    server.destroy()


@pytest.fixture(scope="session")
def postgres_url(postgres):
    return postgres.url()


@pytest.fixture(scope="session")
def databases(postgres):
    return Databases(postgres)


@pytest.fixture
def database(databases):
    made = databases.create()
    yield made
    made.drop()


@pytest.fixture
def own_postgres():
    """A PostgreSQL of the test's own, to kill and to stop; .databases makes databases in it."""
    server = Postgres().start()
    server.databases = Databases(server)
    yield server
    server.destroy()


@pytest.fixture(scope="module")
def xtrace(databases):
    """Both programs for the tests of one file, with a database of their own: .database."""
    yield from running(databases.create(), 1, None)


@pytest.fixture
def make_xtrace(database):
    """make_xtrace(writers=2, env={...}) -> both programs, ready, for one test; start=False to start them
    by hand, on= another database than the test's."""
    made = []

    def make(writers=1, env=None, start=True, on=None):
        system = Xtrace((on or database).urls, writers, env)
        system.database = on or database
        made.append(system)
        if start:
            system.start().wait_ready()
        return system

    yield make
    finish_all(made)


def running(database, writers, env):
    system = Xtrace(database.urls, writers, env)
    system.database = database
    try:
        yield system.start().wait_ready()
    finally:
        finish_all([system])
        database.drop()


def finish_all(systems):
    problems = []
    for system in systems:
        try:
            system.finish()
        except AssertionError as error:
            problems.append(str(error))
    assert not problems, "\n\n".join(problems)
