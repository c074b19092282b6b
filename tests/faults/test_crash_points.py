"""Every named crash point is walked: the process dies right there, a supervisor starts it again, clients retry,
and nothing acknowledged is lost or doubled. The names are read from the sources, so that a new point is walked
from the day it is written."""

import pathlib
import re

import pytest
from builds import ROOT
from nemesis import campaign
from stack import FAST, wait_for

DEATHS = 1


def points():
    """(program, name) of each CRASH_POINT in the sources of both programs."""
    found = []
    for room, program in (("gateway", "gateway"), ("writer", "writer-1")):
        for source in sorted((ROOT / room).rglob("*.c")):
            for name in re.findall(r'\bcrash_(?:at|point|here)\("([^"]+)"\)', source.read_text(), re.IGNORECASE):
                found.append((program, name))
    return sorted(set(found))


class Crash:
    """Lets the process die at its point, each time at another passage of it, and come again unharmed."""

    def __init__(self, program, point):
        self.program = program
        self.point = point
        self.name = f"crash at {point}"
        self.died = 0

    def strike(self, stack, chance):
        program = next(p for p in stack.programs() if p.name == self.program)
        stack.env_of[self.program] = {"XTRACE_CRASH_AT": f"{self.point}:{chance.choice([1, 2, 5, 12])}"}
        program.kill()  # comes again with the fuse set
        deaths = len(stack.deaths)
        wait_for(lambda: len(stack.deaths) > deaths, 20, f"{self.program} dying at {self.point}")
        stack.env_of[self.program] = {}
        wait_for(program.is_running, 10, "the restart")
        # One that came up between the death and our word has the fuse still: the next one has not.
        program.kill()
        self.died += 1


@pytest.mark.parametrize(("program", "point"), points())
def test_crash_point(stack_of, tmp_path, program, point):
    # One writer, so that it is this one which has the batch.
    stack = stack_of(writers=1, settings=FAST, crashes=True).supervise()
    nemesis = Crash(program, point)
    campaign(stack, tmp_path, nemesis, rounds=DEATHS, threads=6)
    assert nemesis.died >= DEATHS


def test_there_are_crash_points_to_walk():
    names = {name for _, name in points()}
    for wanted in ("decoded", "sent", "before_reply", "received", "copy_begun", "before_commit", "after_commit", "receipt_sent"):
        assert wanted in names, f"no crash point {wanted} in {names}"
    assert pathlib.Path(ROOT / "common" / "crash.h").exists()
