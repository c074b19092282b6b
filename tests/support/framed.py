"""Drives a helper that hears and answers pieces with a length before them (framed.h)."""

import struct
import subprocess

from .xtrace import build_folder


def ask(program, pieces):
    """Every piece that the helper answers."""
    path = build_folder() / "tests" / "support" / program
    sent = b"".join(struct.pack(">I", len(piece)) + piece for piece in pieces)
    done = subprocess.run([path], input=sent, capture_output=True)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    answers = []
    at = 0
    while at < len(done.stdout):
        (length,) = struct.unpack_from(">I", done.stdout, at)
        answers.append(done.stdout[at + 4:at + 4 + length])
        at += 4 + length
    return answers
