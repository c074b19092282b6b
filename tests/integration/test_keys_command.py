"""xtrace-writer project, key and capture: what they say, and what they never say."""

import datetime
import json
import re

import pytest

from support.keys import add_key, add_project, command, done

SECRET = "sk-brought-along-0123456789"


@pytest.fixture
def system(make_xtrace):
    return make_xtrace(start=False)


def rows(system, *words):
    return [line.split("\t") for line in done(system, *words).splitlines()]


def test_projects_are_added_and_listed(system):
    add_project(system, "acme", "--name", "Acme Corporation")
    add_project(system, "beta")
    add_key(system, "acme")
    add_key(system, "acme", "--expires", "1h")
    listed = {row[0]: row for row in rows(system, "project", "list")}
    assert list(listed) == ["acme", "beta", "default"]
    assert listed["acme"][1] == "Acme Corporation" and listed["acme"][3] == "2"
    assert listed["beta"][1] == "beta" and listed["beta"][3] == "0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", listed["beta"][2])
    again = command(system, "project", "add", "acme")
    assert (again.returncode, again.stderr) == (1, "xtrace-writer: there is a project 'acme' already\n")


def test_a_key_is_shown_once_and_only_its_digest_is_stored(system):
    text = done(system, "key", "add", "default", "--name", "the app")
    public = re.search(r"^public key  (pk-xt-[0-9a-f]{32})$", text, re.M)[1]
    secret = re.search(r"^secret key  (sk-xt-[0-9a-f]{64})$", text, re.M)[1]
    assert re.search(r"^project     default$", text, re.M) and re.search(r"^scopes      all$", text, re.M)
    assert re.search(r"^expires     never$", text, re.M)
    assert system.database.value("SELECT secret_sha256 = sha256(convert_to(%s, 'UTF8')) FROM api_keys", secret)
    for listed in (done(system, "key", "list"), done(system, "key", "list", "--json"), str(system.database.query("TABLE api_keys"))):
        assert public in listed
        assert secret not in listed and secret[6:] not in listed


def test_a_key_is_made_as_it_was_asked_for(system):
    made = json.loads(done(system, "key", "add", "--json", "default", "--scope", "ingest,scores", "--expires", "90d", "--name", 'a "b"'))
    assert sorted(made) == ["expiresAt", "name", "projectId", "publicKey", "scopes", "secretKey"]
    assert made["scopes"] == ["ingest", "scores"] and made["name"] == 'a "b"' and made["projectId"] == "default"
    left = datetime.datetime.fromisoformat(made["expiresAt"]) - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(days=89, hours=23) < left <= datetime.timedelta(days=90)
    [listed] = json.loads(done(system, "key", "list", "default", "--json"))
    assert listed["publicKey"] == made["publicKey"] and listed["scopes"] == ["ingest", "scores"]
    assert listed["state"] == "active" and listed["revokedAt"] is None and listed["name"] == 'a "b"'
    assert "secretKey" not in listed


def test_a_key_that_clients_have_already_is_taken_over(system):
    key = add_key(system, "default", "--public-key", "pk-lf-1", "--secret-stdin", stdin=SECRET + "\n")
    assert (key.public, key.secret) == ("pk-lf-1", SECRET)
    for words, secret in ((["--public-key", "pk-lf-1"], "another-secret-0123"), (["--public-key", "pk-lf-2"], SECRET)):
        again = command(system, "key", "add", "default", *words, "--secret-stdin", stdin=secret)
        assert again.returncode == 1 and again.stderr.count("\n") == 1
        assert "already" in again.stderr and secret not in again.stderr + again.stdout


@pytest.mark.parametrize("secret", ["", "short", "with blank inside it", "x" * 1001, "ünicode-is-not-for-headers"])
def test_a_secret_that_cannot_be_one_is_refused(system, secret):
    answer = command(system, "key", "add", "default", "--secret-stdin", stdin=secret + "\n")
    assert answer.returncode == 1 and answer.stderr.startswith("xtrace-writer: a secret has 16 to 1000 visible")
    assert secret == "" or secret not in answer.stderr + answer.stdout
    assert rows(system, "key", "list") == []


def test_keys_have_a_state(system):
    kept, gone, over = (add_key(system, "default", "--name", name) for name in ("kept", "gone", "over"))
    system.database.query("UPDATE api_keys SET expires_at = now() - interval '1 s' WHERE public_key = %s", over.public)
    for _ in range(2):
        assert command(system, "key", "revoke", gone.public).returncode == 0
    states = {row[6]: row[3] for row in rows(system, "key", "list")}
    assert states == {"kept": "active", "gone": "revoked", "over": "expired"}
    assert [row[0] for row in rows(system, "key", "list", "default")] == [kept.public, gone.public, over.public]
    add_project(system, "empty")
    assert rows(system, "key", "list", "empty") == []
    assert json.loads(done(system, "key", "list", "empty", "--json")) == []


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["key", "add", "nobody"], 1, "there is no project 'nobody'"),
        (["key", "list", "nobody"], 1, "there is no project 'nobody'"),
        (["key", "revoke", "pk-nobody"], 1, "there is no key 'pk-nobody'"),
        (["capture", "list", "nobody"], 1, "there is no project 'nobody'"),
        (["capture", "set", "nobody", "mode", "full"], 1, "there is no project 'nobody'"),
        (["key", "add", "default", "--scope", "write"], 2, "'write' is no scope"),
        (["key", "add", "default", "--expires", "soon"], 2, "'soon' is no time"),
        (["key", "add", "default", "--expires", "2020-01-01T00:00:00Z"], 2, "is over already"),
        (["key", "add", "default", "--bogus"], 2, "there is no option --bogus"),
        (["key", "add", "default", "more"], 2, "'more' is one word too many"),
        (["key", "add", "--json"], 2, "a word is missing"),
        (["project", "add", "a\tb"], 2, "a project's id"),
        (["capture", "set", "default", "mode", "some"], 1, "'some' is no mode"),
        (["capture", "set", "default", "colour", "red"], 1, "'colour' is neither"),
        (["capture", "set", "default", "patterns", "good ba(d"], 1, "pattern 2: missing closing parenthesis"),
        (["capture", "set", "default", "patterns", "x*"], 1, "pattern 1 matches an empty text"),
        (["capture", "set", "default", "keys", "a\nb"], 1, "line breaks"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(system, words, code, named):
    answer = command(system, *words)
    assert (answer.returncode, answer.stdout) == (code, "")
    assert named in answer.stderr and answer.stderr.startswith("xtrace-writer: ") and answer.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["key"], ["key", "make"], ["key", "revoke"], ["project", "list", "x"], ["capture", "set", "default"]])
def test_no_command_is_the_usage(system, words):
    answer = command(system, *words)
    assert (answer.returncode, answer.stdout) == (2, "") and answer.stderr.startswith("usage: xtrace-writer")


@pytest.mark.parametrize("words", [["--help"], ["key", "--help"], ["key", "add", "--help"], ["project", "--help"]])
def test_help_names_the_commands(system, words):
    text = done(system, *words)
    for command_words in ("project add", "project list", "key add", "key revoke", "key list", "capture set", "capture list"):
        assert command_words in text


def test_what_a_project_keeps_is_set_and_listed(system):
    assert rows(system, "capture", "list") == [["default"] * 4]
    done(system, "capture", "set", "default", "mode", "PII_masked")
    done(system, "capture", "set", "default", "keys", "token, card")
    assert rows(system, "capture", "list", "default") == [["default", "masked", "token, card", "default"]]
    done(system, "capture", "set", "default", "patterns", r"\d{6} x+y")
    done(system, "capture", "set", "default", "mode", "default")
    done(system, "capture", "set", "default", "keys", "")
    assert rows(system, "capture", "list") == [["default", "default", "", r"\d{6} x+y"]]


def test_every_change_is_marked_for_the_gateways(system):
    def token():
        return system.database.value("SELECT token FROM access_change")

    seen = {token()}
    key = add_key(system, "default")
    seen.add(token())
    done(system, "capture", "set", "default", "mode", "full")
    seen.add(token())
    done(system, "key", "revoke", key.public)
    seen.add(token())
    assert len(seen) == 4
