"""Function ``diagnose``: estimators, side effects, kinds of samples and errors."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from diagnosis_helpers import ordered_texts, products
from samples import PIXELS, TABLE, TEXTS, TUPLES, WAVES, Y, quick
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_tree import (
    CNNClassifier,
    CNNRegressor,
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    RNNRegressor,
    SequenceVectorizer,
    diagnose,
)
from sklearn_tree.estimators.digests import digest

N_COPIES = 4
LABELS = np.tile(Y, N_COPIES)
NUMBERS = np.random.RandomState(0).randn(len(LABELS))
TEXT_PAIRS = pd.DataFrame({"a": TEXTS * N_COPIES, "b": TEXTS[::-1] * N_COPIES})
KINDS = {
    "texts": (TEXTS * N_COPIES, RNNClassifier, RNNRegressor, {}),
    "trees": (TUPLES * N_COPIES, RecursiveNetClassifier, RecursiveNetRegressor, {}),
    "series": (WAVES * N_COPIES, CNNClassifier, CNNRegressor, {}),
    "images": (np.tile(PIXELS, (N_COPIES, 1, 1)), CNNClassifier, CNNRegressor, {"input_kind": "image"}),
    "table": (np.tile(TABLE, (N_COPIES, 1)), RNNClassifier, RNNRegressor, {}),
    "table as trees": (np.tile(TABLE, (N_COPIES, 1)), RecursiveNetClassifier, RecursiveNetRegressor, {}),
    "pairs of texts": (TEXT_PAIRS, CNNClassifier, CNNRegressor, {}),
    "pairs of series": (
        pd.DataFrame({"a": WAVES * N_COPIES, "b": WAVES[::-1] * N_COPIES}),
        CNNClassifier,
        CNNRegressor,
        {},
    ),
}
TARGETS = {
    "classes": LABELS,
    "texts": np.array(["no", "yes"])[LABELS],
    "labels": np.c_[LABELS, 1 - LABELS, np.arange(len(LABELS)) % 2],
    "columns of classes": np.c_[LABELS + 1, np.arange(len(LABELS)) % 3],
    "one class": np.ones(len(LABELS), dtype=int),
    "numbers": NUMBERS,
    "columns of numbers": np.c_[NUMBERS, LABELS],
    "a constant": np.ones(len(LABELS)),
}


@pytest.fixture(scope="module")
def fitted():
    """Return a small fitted net, texts and classes."""
    texts, y = ordered_texts(100, 0)
    return quick(RNNClassifier).fit(texts, y), texts, y


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("target", TARGETS)
def test_all_kinds_of_samples_and_targets_are_diagnosed(kind, target):
    X, classifier, regressor, params = KINDS[kind]
    y = TARGETS[target]
    net = quick(classifier if y.dtype.kind in "iU" else regressor, **params).fit(X, y)
    for held_out in ({}, {"X_val": X[:30], "y_val": y[:30]}):
        assert isinstance(diagnose(net, X, y, **held_out).names, list)


def test_estimator_samples_generators_and_threads_are_unchanged(fitted):
    net, texts, y = fitted
    net = pickle.loads(pickle.dumps(net)).set_params(random_state=np.random.RandomState(3))
    before = digest(net.net_.module_.state_dict()), net.history_, copy.deepcopy(net.get_params())
    numpy_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()
    given = list(texts), y.copy()
    n_threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    diagnose(net, texts, y)
    assert digest(net.net_.module_.state_dict()) == before[0]
    pd.testing.assert_frame_equal(net.history_, before[1])
    assert digest(net.get_params()) == digest(before[2])
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert texts == given[0]
    np.testing.assert_array_equal(y, given[1])
    assert (torch.get_num_threads(), torch.get_default_dtype()) == (n_threads, dtype)


def test_equal_seeds_give_equal_reports(fitted):
    assert diagnose(*fitted, random_state=3) == diagnose(*fitted, random_state=3)


def test_pipelines_searches_and_frozen_estimators_have_the_findings_of_their_net():
    texts, y = ordered_texts(100, 0)
    pipe = make_pipeline(SequenceVectorizer(), quick(RNNClassifier)).fit(texts, y)
    expected = diagnose(pipe[-1], pipe[0].transform(texts), y)
    assert len(expected)
    assert diagnose(pipe, texts, y) == expected
    assert diagnose(FrozenEstimator(pipe), texts, y) == expected
    search = GridSearchCV(pipe, {"rnnclassifier__hidden_size": [8]}, cv=2).fit(texts, y)
    assert diagnose(search, texts, y).names == expected.names


def test_generators_of_samples_are_read_once(fitted):
    net, texts, y = fitted
    assert diagnose(net, tuple(texts), list(y)) == diagnose(net, texts, y)


def test_at_most_max_samples_are_used_for_nets(fitted, monkeypatch):
    net, texts, y = fitted
    sizes = []
    run = RNNClassifier._run_encoded

    def run_encoded(self, encoded, function, **options):
        sizes.append(len(encoded))
        return run(self, encoded, function, **options)

    monkeypatch.setattr(RNNClassifier, "_run_encoded", run_encoded)
    diagnose(net, texts, y, max_samples=40)
    assert max(sizes) == 40
    diagnose(net, texts, y)
    assert max(sizes) == 100


def test_a_diverging_copy_is_no_error():
    table, y = products(60, 0)
    net = quick(RNNClassifier).fit(table, y)
    net.lr = 1e30
    assert isinstance(diagnose(net, table, y).names, list)


# Errors.


def test_unfitted_estimators_are_refused(fitted):
    _, texts, y = fitted
    unfitted = quick(RNNClassifier)
    for estimator in (unfitted, make_pipeline(SequenceVectorizer(), unfitted), GridSearchCV(unfitted, {})):
        with pytest.raises(NotFittedError):
            diagnose(estimator, texts, y)


def test_other_estimators_are_refused():
    other = LogisticRegression().fit(TABLE, Y)
    with pytest.raises(TypeError, match=r"estimator must be a net of sklearn_tree.*got LogisticRegression"):
        diagnose(other, TABLE, Y)
    with pytest.raises(TypeError, match=r"estimator must be a net of sklearn_tree.*got str"):
        diagnose("net", TABLE, Y)
    scaled = TransformedTargetRegressor(quick(RNNRegressor)).fit(TABLE, NUMBERS[: len(TABLE)])
    with pytest.raises(TypeError, match=r"pass the net inside, estimator\.regressor_"):
        diagnose(scaled, TABLE, NUMBERS[: len(TABLE)])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"max_samples": 19}, "max_samples must be an int >= 20, got 19"),
        ({"max_samples": 50.0}, "max_samples must be an int >= 20, got 50.0"),
        ({"random_state": None}, r"random_state must be an int in \[0, 4294967295\], got None"),
        ({"random_state": -1}, r"random_state must be an int in \[0, 4294967295\], got -1"),
        ({"random_state": True}, "random_state must be an int .*, got True"),
        ({"X_val": ["w1 x"]}, "X_val and y_val must be given together"),
        ({"X_val": ["w1 x"], "y_val": [0, 1]}, "y_val must have one entry per sample of X_val, got 2 for 1"),
        ({"X_val": [], "y_val": []}, "X_val must contain at least one sample"),
        ({"X_val": ["w1 x"], "y_val": [7]}, "y_val must hold only the classes"),
        ({"y": [0]}, "y must have one entry per sample of X, got 1 for 100 samples"),
        ({"y": None}, "y must be array-like"),
        ({"X": [None]}, r"X\[0\]"),
    ],
)
def test_invalid_arguments_are_named(fitted, params, message):
    net, texts, y = fitted
    with pytest.raises((ValueError, TypeError), match=message):
        diagnose(net, **{"X": texts, "y": y, **params})
