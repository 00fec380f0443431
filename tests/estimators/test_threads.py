"""Number of threads of fits and predictions."""

import threading

import joblib
import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_tree import RecursiveNetClassifier, RNNClassifier
from sklearn_tree.estimators.threads import limit_for, limit_threads, threads_for
from sklearn_tree.nn import RecursiveNet

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


def fit_watched(**params):
    seen.clear()
    clf = RNNClassifier(max_epochs=1, random_state=0, callbacks=[Watch()], **params).fit(TEXTS, Y)
    return clf, set(seen)


def test_a_small_net_uses_one_thread_and_restores_the_number(three_threads):
    clf, threads = fit_watched(**SMALL)
    assert threads == {1}
    assert torch.get_num_threads() == 3
    clf.predict(TEXTS)
    assert torch.get_num_threads() == 3


def test_a_large_net_uses_all_threads(three_threads):  # the control of the test above
    assert fit_watched(**LARGE)[1] == {3}
    torch.set_num_threads(2)
    assert fit_watched(**LARGE)[1] == {2}


def test_a_failed_fit_restores_the_number_of_threads(three_threads):
    class Fail(Watch):
        def on_batch_begin(self, net, **kwargs):
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        RNNClassifier(callbacks=[Fail()], **SMALL).fit(TEXTS, Y)
    assert torch.get_num_threads() == 3


def test_a_nested_limit_has_no_effect(three_threads):
    with limit_threads(1):
        with limit_threads(2):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


def test_fits_in_parallel_threads_use_one_thread_each(three_threads):
    def fit(_):
        seen.append(threads_for(torch.nn.Linear(4096, 4096), np.full(999, 9), 999))
        RNNClassifier(max_epochs=2, **SMALL).fit(TEXTS, Y)
        return torch.get_num_threads()

    seen.clear()
    after = Parallel(n_jobs=4, backend="threading")(delayed(fit)(i) for i in range(12))
    assert set(seen) == {1}
    assert set(after) == {3}
    assert torch.get_num_threads() == 3


def test_overlapping_limits_restore_the_first_number(three_threads):
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


def test_a_reused_worker_keeps_its_number_of_threads():
    def fit(params):
        before = torch.get_num_threads()
        RNNClassifier(max_epochs=1, **params).fit(TEXTS[:4], Y[:4])
        return before, torch.get_num_threads()

    with Parallel(n_jobs=2) as parallel:
        numbers = {pair for _ in range(2) for pair in parallel(delayed(fit)(p) for p in (SMALL, LARGE) * 2)}
    # joblib assigns each worker its share of the cores
    assert len(numbers) == 1
    assert all(before == after for before, after in numbers)


def test_a_thread_keeps_the_number_it_has_set(three_threads):
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


def test_workers_share_the_cores_and_restore_the_number_of_threads(listops):
    X, y = listops
    before = torch.get_num_threads()

    def n_threads(estimator, X, y):  # defined here, so that it is pickled by value
        return torch.get_num_threads()

    search = GridSearchCV(
        RecursiveNetClassifier(max_epochs=1, random_state=0),
        {"lr": [0.01, 0.02]},
        cv=2,
        n_jobs=2,
        scoring=n_threads,
    ).fit(X, y)
    assert search.best_score_ <= max(1, joblib.cpu_count() // 2)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("module", "n_steps", "batch_size", "expected"),
    [
        (torch.nn.Linear(1000, 1000, bias=False), 300, 1, None),  # 6 * 10^6 * 300 operations
        (torch.nn.Linear(1000, 1000, bias=False), 200, 1, 1),
        (torch.nn.Linear(1000, 1000, bias=False), 200, 2, None),
        (torch.nn.Linear(100, 100, bias=False), 200, 2, 1),
        (torch.nn.Embedding(1000, 1000), 300, 1, 1),  # tables are not multiplied
    ],
)
def test_the_number_of_threads_depends_on_the_operations_of_a_batch(module, n_steps, batch_size, expected):
    assert threads_for(module, np.full(50, n_steps), batch_size) == expected


@pytest.mark.parametrize(("hidden_size", "expected"), [(128, 1), (400, None)])
def test_a_walk_by_torch_needs_more_operations_for_a_second_thread(hidden_size, expected):
    net = RecursiveNet(10, 2, embedding_dim=hidden_size, hidden_size=hidden_size, bidirectional=True)
    n_nodes = np.full(64, 25)
    flat = torch.nn.Linear(*[int(sum(p.numel() for p in net.encoder.parameters()) ** 0.5)] * 2)
    assert threads_for(flat, n_nodes, 64) is None  # as many weights
    assert threads_for(net, n_nodes, 64) == expected


def test_no_samples_need_one_thread():
    assert threads_for(torch.nn.Linear(4096, 4096), np.zeros(0, dtype=int), 64) == 1


def test_other_devices_set_no_limit(three_threads):
    module, n_positions = torch.nn.Linear(2, 2), np.full(4, 3)
    with limit_for(module, n_positions, 4, torch.device("meta")):
        assert torch.get_num_threads() == 3
    with limit_for(module, n_positions, 4, torch.device("cpu")):  # the control
        assert torch.get_num_threads() == 1


def test_a_limit_above_the_number_of_threads_has_no_effect(three_threads):
    with limit_threads(8):
        assert torch.get_num_threads() == 3
    with limit_threads(None):
        assert torch.get_num_threads() == 3


def blas_threads():
    return {info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"}


@pytest.fixture
def two_blas_threads():
    with threadpool_limits(2, "blas"):
        yield


def test_blas_has_no_more_threads_than_torch(two_blas_threads):
    assert blas_threads() == {2}  # the control
    for n in (None, 1):
        with limit_threads(n):
            assert blas_threads() == {1}
        assert blas_threads() == {2}
    with pytest.raises(KeyError), limit_threads(None):
        raise KeyError
    assert blas_threads() == {2}


def test_the_last_of_several_blocks_restores_blas(two_blas_threads):
    outer, inner = limit_threads(None), threading.Event()
    started, found = threading.Event(), []

    def fit():
        with limit_threads(1):
            started.set()
            inner.wait(10)
        found.append(blas_threads())

    thread = threading.Thread(target=fit)
    with outer:
        thread.start()
        assert started.wait(10)
    assert blas_threads() == {1}
    inner.set()
    thread.join()
    assert found == [{2}]
