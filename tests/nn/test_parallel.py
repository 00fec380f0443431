"""Functions run in threads, all of which end before the call does."""

import threading
from functools import partial

import pytest

from sklearn_tree.nn.parallel import count_walk_threads, run_parallel, walk_threads


def test_each_function_runs_in_its_own_thread():
    names, barrier = [], threading.Barrier(3, timeout=10)

    def call(name):
        barrier.wait()  # of all three at once
        names.append((name, threading.current_thread() is threading.main_thread()))

    run_parallel([partial(call, name) for name in "abc"])
    assert sorted(names) == [("a", True), ("b", False), ("c", False)]


@pytest.mark.parametrize("failing", [0, 1])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_is_raised_after_all_threads_have_ended(failing, error):
    ended, failed = [], threading.Event()

    def call(i):
        if i == failing:
            failed.set()
            raise error
        failed.wait(10)
        ended.append(i)

    before = threading.active_count()
    with pytest.raises(error):
        run_parallel([partial(call, i) for i in range(2)])
    assert ended == [1 - failing]
    assert threading.active_count() == before


def test_the_number_of_threads_is_restored_and_belongs_to_the_thread():
    assert count_walk_threads() == 1
    found = []

    def fail():
        assert count_walk_threads() == 3
        thread = threading.Thread(target=lambda: found.append(count_walk_threads()))
        thread.start()
        thread.join()
        raise KeyError

    with pytest.raises(KeyError), walk_threads(3):
        fail()
    assert found == [1]
    assert count_walk_threads() == 1
