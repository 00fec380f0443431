"""Threads of compiled walks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

_n_threads: ContextVar[int] = ContextVar("n_threads", default=1)


def count_walk_threads() -> int:
    """Return how many threads a compiled walk may use when it is called from this thread; 1 by default."""
    return _n_threads.get()


@contextmanager
def walk_threads(n: int) -> Iterator[None]:
    """Let compiled walks use up to ``n`` threads inside the block."""
    previous = _n_threads.get()
    try:  # Ctrl-C may interrupt every line
        _n_threads.set(n)
        yield
    finally:
        _n_threads.set(previous)


def run_parallel(calls: Sequence[Callable[[], object]]) -> None:
    """Run functions that release the global interpreter lock, each in a thread, and wait for all of them.

    Parameters
    ----------
    calls : sequence of callable
        Functions without arguments; the first one runs in the calling thread.
    """
    errors: list[BaseException] = []

    def run(call: Callable[[], object]) -> None:
        try:
            call()
        except BaseException as error:
            errors.append(error)

    first, *others = calls
    threads = [threading.Thread(target=run, args=(call,)) for call in others]
    try:
        for thread in threads:
            thread.start()
        first()
    finally:
        errors += [error for thread in threads for error in _join(thread)]
    if errors:
        raise errors[0]


def _join(thread: threading.Thread) -> list[BaseException]:
    """Wait for a thread even if Ctrl-C is pressed meanwhile; return the interrupts."""
    interrupts: list[BaseException] = []
    while thread.is_alive():
        try:
            thread.join()
        except KeyboardInterrupt as error:
            interrupts.append(error)
    return interrupts
