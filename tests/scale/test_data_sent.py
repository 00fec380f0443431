"""Bytes that a search sends to the workers of an engine."""

import pickle
import sys

import joblib
import numpy as np
import pytest
from samples import BRACKETS, Y, quick
from scale_helpers import count_samples, cross_validation_score
from sklearn.model_selection import GridSearchCV

from sklearn_tree import RaggedArray, RecursiveNetClassifier, RNNClassifier, TreeArray
from sklearn_tree.kinds import PairArray
from sklearn_tree.trees.flat import FlatArray

N = 4000
WORDS = np.random.RandomState(0).randint(0, 500, (N, 6)).astype(str).tolist()
CLASSES = np.arange(N) % 2
TREES = TreeArray.from_trees([("S", ("NP", *words[:3]), ("VP", *words[3:])) for words in WORDS])
TEXTS = [" ".join(words) for words in WORDS]
N_TASKS = 12


@pytest.fixture
def sent(dask_client, monkeypatch):
    """Sizes of the pickles that this process makes for dask."""
    import distributed
    import distributed.client
    import distributed.protocol.pickle as protocol

    sizes, dumps = [], protocol.dumps

    def counting_dumps(x, *, buffer_callback=None, protocol=None):
        buffers = []
        data = dumps(x, buffer_callback=buffer_callback and buffers.append, protocol=protocol)
        for buffer in buffers:
            buffer_callback(buffer)
        sizes.append(len(data) + sum(memoryview(buffer).nbytes for buffer in buffers))
        return data

    monkeypatch.setattr(protocol, "dumps", counting_dumps)
    monkeypatch.setattr(distributed.client, "dumps", counting_dumps, raising=False)
    return sizes


def search(estimator, X, **config):
    """Run a search of 12 fits on dask."""
    net = estimator(max_epochs=1, batch_size=1000, hidden_size=4, embedding_dim=4, random_state=0)
    grid = {"weight_decay": list(10.0 ** -np.arange(N_TASKS // 2))}
    with joblib.parallel_config("dask", **config):
        GridSearchCV(net, grid, cv=2, refit=False).fit(X, CLASSES)


def test_arrays_of_trees_are_sent_once_because_they_state_their_size(sent, monkeypatch):
    size = len(pickle.dumps(TREES))
    search(RecursiveNetClassifier, TREES)
    once, others = sum(sent), len(pickle.dumps(CLASSES)) + 2 * 8 * N  # the folds
    assert size < once < 2 * size + others + 10_000 * N_TASKS  # at most once per worker
    sent.clear()
    monkeypatch.delattr(FlatArray, "__sizeof__")
    search(RecursiveNetClassifier, TREES)
    assert sum(sent) > N_TASKS * size


def test_lists_are_sent_with_every_task_unless_they_are_scattered(sent):
    size = len(pickle.dumps(TEXTS))
    search(RNNClassifier, TEXTS)
    every = sum(sent)
    assert every > N_TASKS * size
    for X, config in ((TEXTS, {"scatter": [TEXTS]}), (np.array(TEXTS, dtype=object), {})):
        sent.clear()
        search(RNNClassifier, X, **config)
        assert sum(sent) < 3 * size + 10_000 * N_TASKS


@pytest.mark.parametrize(
    "array",
    [TREES, RaggedArray.from_sequences(WORDS), PairArray(TREES), PairArray(np.zeros((4, 9)))],
    ids=["trees", "tokens", "pairs of trees", "pairs of rows"],
)
def test_sizes_of_arrays_include_their_columns(array):
    size = sys.getsizeof(array)
    n_bytes = len(pickle.dumps(array))
    assert n_bytes / 2 < size < 2 * n_bytes
    assert sys.getsizeof(array[: len(array) // 2]) < size


def test_ray_sends_samples_with_every_task_of_joblib_but_stored_samples_once(ray, monkeypatch):
    from ray.util.joblib import register_ray

    register_ray()
    pickles, get_state = [], FlatArray.__getstate__
    monkeypatch.setattr(FlatArray, "__getstate__", lambda self: pickles.append(1) or get_state(self))
    with joblib.parallel_config("ray", n_jobs=-1):
        joblib.Parallel()(joblib.delayed(count_samples)(TREES) for _ in range(4))
    assert len(pickles) >= 4  # Ray 2.60 does not share the arguments of the tasks of joblib 1.6
    pickles.clear()
    count, samples = ray.remote(num_cpus=1)(count_samples), ray.put(TREES)
    assert ray.get([count.remote(samples) for _ in range(4)]) == [len(TREES)] * 4
    assert len(pickles) == 1


def test_fits_on_samples_in_the_store_of_ray_have_the_scores_of_serial_fits(ray):
    trees, y, grid = TreeArray.from_trees(BRACKETS), Y, [{"hidden_size": size} for size in (4, 8)]
    score = ray.remote(num_cpus=1)(cross_validation_score)
    samples, classes = ray.put(trees), ray.put(y)
    net = quick(RecursiveNetClassifier)
    scores = ray.get([score.remote(net, params, samples, classes) for params in grid])
    assert scores == [cross_validation_score(net, params, trees, y) for params in grid]
