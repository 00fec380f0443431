"""How many threads fits and predictions take, and that nothing of it stays behind."""

import threading

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from skorch.callbacks import Callback

from sklearn_tree import RNNClassifier
from sklearn_tree.estimators.threads import limit_threads, threads_for

SMALL, LARGE = {"hidden_size": 4, "embedding_dim": 4}, {"hidden_size": 512, "embedding_dim": 512}
TEXTS, Y = ["a great film", "dull"] * 40, [1, 0] * 40


@pytest.fixture
def three_threads():
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(1)


class Watch(Callback):
    def __init__(self):
        self.seen = seen

    def on_batch_begin(self, net, **kwargs):
        self.seen.append(torch.get_num_threads())

    def __deepcopy__(self, memo):
        return self


seen: list = []


def watched(**params):
    seen.clear()
    clf = RNNClassifier(max_epochs=1, random_state=0, callbacks=[Watch()], **params).fit(TEXTS, Y)
    return clf, set(seen)


def test_a_small_net_takes_one_thread_and_gives_the_others_back(three_threads):
    clf, threads = watched(**SMALL)
    assert threads == {1}
    assert torch.get_num_threads() == 3
    clf.predict(TEXTS)
    assert torch.get_num_threads() == 3


def test_a_large_net_takes_what_the_user_allows(three_threads):  # the control of the law above
    assert watched(**LARGE)[1] == {3}
    torch.set_num_threads(2)
    assert watched(**LARGE)[1] == {2}


def test_a_fit_that_fails_gives_the_threads_back(three_threads):
    class Fail(Watch):
        def on_batch_begin(self, net, **kwargs):
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        RNNClassifier(callbacks=[Fail()], **SMALL).fit(TEXTS, Y)
    assert torch.get_num_threads() == 3


def test_inside_a_block_another_one_changes_nothing(three_threads):
    with limit_threads(1):
        with limit_threads(2):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


def test_fits_in_threads_side_by_side_take_one_each(three_threads):
    def fit(_):
        seen.append(threads_for(torch.nn.Linear(4096, 4096), np.full(999, 9), 999))
        RNNClassifier(max_epochs=2, **SMALL).fit(TEXTS, Y)
        return torch.get_num_threads()

    seen.clear()
    after = Parallel(n_jobs=4, backend="threading")(delayed(fit)(i) for i in range(12))
    assert set(seen) == {1}
    assert set(after) == {3}
    assert torch.get_num_threads() == 3


def test_blocks_that_overlap_in_any_order_restore_the_first_number(three_threads):
    entered, left = threading.Event(), threading.Event()
    numbers = []

    def other():
        with limit_threads(1):
            entered.set()
            left.wait(10)
        numbers.append(torch.get_num_threads())

    with limit_threads(1):
        thread = threading.Thread(target=other)
        thread.start()
        assert entered.wait(10)
    assert torch.get_num_threads() == 3
    left.set()
    thread.join()
    assert numbers == [3]
    thread = threading.Thread(target=lambda: numbers.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert numbers == [3, 3]


def test_nothing_sticks_in_a_worker_that_is_used_again():
    def fit(params):
        before = torch.get_num_threads()
        RNNClassifier(max_epochs=1, **params).fit(TEXTS[:4], Y[:4])
        return before, torch.get_num_threads()

    with Parallel(n_jobs=2) as parallel:
        numbers = {pair for _ in range(2) for pair in parallel(delayed(fit)(p) for p in (SMALL, LARGE) * 2)}
    # joblib gives each worker its share of the cores
    assert len(numbers) == 1
    assert all(before == after for before, after in numbers)


def test_a_thread_with_a_number_of_its_own_keeps_it(three_threads):
    numbers = []

    def other():
        torch.set_num_threads(2)
        with limit_threads(1):
            numbers.append(torch.get_num_threads())
        numbers.append(torch.get_num_threads())

    with limit_threads(1):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert numbers == [1, 2]
    assert torch.get_num_threads() == 3
