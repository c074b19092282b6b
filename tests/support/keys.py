"""Projects and their keys, made by the commands that people use."""

import base64
import json
import subprocess
from dataclasses import dataclass

from .xtrace import program_path


def command(system, *words, stdin=""):
    """xtrace-writer WORDS... on the system's database, as its writer's role."""
    return subprocess.run([program_path("writer"), *words], env=system.environment("writer-1"), text=True,
                          capture_output=True, timeout=20, input=stdin)


def done(system, *words, stdin=""):
    """The same, and it must succeed; its output."""
    answer = command(system, *words, stdin=stdin)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def basic(public, secret):
    return {"Authorization": "Basic " + base64.b64encode(f"{public}:{secret}".encode()).decode()}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@dataclass
class Key:
    public: str
    secret: str

    @property
    def basic(self):
        return basic(self.public, self.secret)

    @property
    def bearer(self):
        return bearer(self.secret)

    @property
    def public_bearer(self):
        return bearer(self.public)


def add_project(system, project, *words):
    done(system, "project", "add", project, *words)


def add_key(system, project, *words, stdin=""):
    made = json.loads(done(system, "key", "add", project, "--json", *words, stdin=stdin))
    return Key(made["publicKey"], made["secretKey"])
