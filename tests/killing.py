"""Fits in child processes that are killed at random moments."""

import os
import signal
import time


def run_and_kill(fit, delay):
    """Run a fit in a copy of this process and kill it after some seconds; return whether it was killed."""
    child = os.fork()
    if child == 0:
        try:
            fit()
        finally:
            os._exit(0)  # without the handlers of the parent
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def kill_often(fit, rng, n_kills, duration, finish):
    """Kill fits after delays of up to ``duration`` seconds until ``n_kills`` were killed.

    ``finish`` is called after a fit that ended before it was killed, and ``fit`` then begins a new training.
    """
    n_killed = 0
    while n_killed < n_kills:
        if run_and_kill(fit, rng.uniform(0, duration)):
            n_killed += 1
        else:
            finish()
