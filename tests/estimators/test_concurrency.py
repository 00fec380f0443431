"""Fits that run side by side in threads and processes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import joblib
import numpy as np
import pytest
import torch
from samples import ESTIMATORS, outputs, quick
from sklearn.model_selection import GridSearchCV, cross_val_score

from sklearn_tree import CaptumExplainer, CNNClassifier, RecursiveNetClassifier, RNNClassifier

TREES = [("a", "b", ("c", "d")), ("b", "a"), ("c", ("a", "b", "d")), ("d", "c")] * 6
TEXTS = ["a b c d", "b a", "c a b d d", "d c"] * 6
LABELS = np.array([0, 1, 0, 1] * 6)
DROPPING = {"dropout": 0.3, "word_dropout": 0.2}


@contextmanager
def drawing_thread():
    """Draw from the global generators of torch and numpy in another thread."""
    stop = threading.Event()

    def draw():
        while not stop.is_set():
            torch.rand(3)
            np.random.rand(3)

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def samples_of(cls):
    return TREES if cls.__name__.startswith("Recursive") else TEXTS


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_concurrent_fits_have_the_bits_of_a_serial_one(cls):
    X = samples_of(cls)

    def fit(seed):
        model = quick(cls, random_state=seed, **DROPPING).fit(X, LABELS)
        return outputs(model, X)

    serial = [fit(seed) for seed in range(8)]
    with drawing_thread(), ThreadPoolExecutor(8) as pool:
        concurrent = list(pool.map(fit, range(8)))
    np.testing.assert_array_equal(concurrent, serial)
    assert not np.array_equal(serial[0], serial[1])


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_concurrent_predictions_of_one_estimator_have_the_bits_of_serial_ones(cls):
    X = samples_of(cls)
    model = quick(cls, random_state=0).fit(X, LABELS)
    parts = [X[i:] for i in range(8)]
    serial = [outputs(model, part) for part in parts]
    with drawing_thread(), ThreadPoolExecutor(8) as pool:
        concurrent = list(pool.map(lambda part: outputs(model, part), parts))
    for part, expected in zip(concurrent, serial, strict=True):
        np.testing.assert_array_equal(part, expected)
    assert not np.array_equal(serial[0][:2], serial[1][:2])  # the control


def test_a_fit_leaves_the_global_generators_to_other_threads():
    torch.manual_seed(0)
    np.random.seed(0)
    expected = torch.rand(5), np.random.rand(5)
    torch.manual_seed(0)
    np.random.seed(0)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda seed: quick(RNNClassifier, random_state=seed).fit(TEXTS, LABELS), range(2)))
    np.testing.assert_array_equal(torch.rand(5), expected[0])
    np.testing.assert_array_equal(np.random.rand(5), expected[1])


@pytest.mark.parametrize("cls", [RecursiveNetClassifier, RNNClassifier, CNNClassifier])
@pytest.mark.parametrize("backend", ["threading", "multiprocessing", "loky"])
def test_searches_have_the_same_bits_in_each_backend(cls, backend):
    X = samples_of(cls)
    search = GridSearchCV(
        quick(cls, **DROPPING), {"hidden_size": [4, 6]}, scoring="neg_log_loss", cv=3, error_score="raise"
    )
    serial = search.fit(X, LABELS)
    expected, probabilities = serial.cv_results_["mean_test_score"].copy(), serial.predict_proba(X)
    with drawing_thread(), joblib.parallel_config(backend, n_jobs=2):
        parallel = search.fit(X, LABELS)
    np.testing.assert_array_equal(parallel.cv_results_["mean_test_score"], expected)
    np.testing.assert_array_equal(parallel.predict_proba(X), probabilities)


def test_repeated_cross_validations_in_threads_are_equal():
    clf = quick(CNNClassifier, **DROPPING)
    with joblib.parallel_config("threading", n_jobs=4):
        scores = [cross_val_score(clf, TEXTS, LABELS, cv=4, scoring="neg_log_loss") for _ in range(3)]
    np.testing.assert_array_equal(scores[0], scores[1])
    np.testing.assert_array_equal(scores[0], scores[2])


@pytest.mark.parametrize("method", ["gradient_shap", "kernel_shap", "lime", "shapley"])
def test_concurrent_explanations_have_the_bits_of_a_serial_one(method):
    clf = quick(CNNClassifier).fit(TEXTS, LABELS)

    def explain(seed):
        return CaptumExplainer(clf, method=method, random_state=seed).fit(TEXTS).transform(TEXTS[:3])

    serial = [explain(seed) for seed in range(4)]
    with drawing_thread(), ThreadPoolExecutor(4) as pool:
        concurrent = list(pool.map(explain, range(4)))
    np.testing.assert_array_equal(concurrent, serial)
