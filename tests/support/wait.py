"""Waiting for a condition, with a deadline."""

import time


def wait_until(condition, seconds=10.0, what="the condition", every=0.02):
    """Returns the first true value of condition(). An AssertionError or OSError counts as not yet."""
    give_up_at = time.monotonic() + seconds
    while True:
        reason = None
        try:
            value = condition()
            if value:
                return value
        except (AssertionError, OSError) as error:
            reason = error
        if time.monotonic() > give_up_at:
            raise AssertionError(f"{what} did not come true within {seconds} s" + (f": {reason}" if reason else ""))
        time.sleep(every)
