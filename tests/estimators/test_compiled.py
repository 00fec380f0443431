"""Estimators whose walks are compiled learn and predict the same."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from threadpoolctl import threadpool_info

from sklearn_tree import RecursiveNetClassifier, RNNClassifier, TreeVectorizer
from sklearn_tree.estimators import threads
from sklearn_tree.nn import RecurrentNet, RecursiveEncoder, compilation

pytest.importorskip("numba")
from sklearn_tree.nn.compiled import walk

PARAMS = {"cell": "child_sum_lstm", "hidden_size": 8, "embedding_dim": 6, "max_epochs": 3, "random_state": 0}


@pytest.fixture
def compiled(monkeypatch):
    monkeypatch.setattr(compilation, "_MIN_NODES", 0)


def encoders(clf):
    return [part for part in clf.net_.module_.modules() if isinstance(part, RecursiveEncoder)]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"dropout": 0.3, "word_dropout": 0.2},
        {"bidirectional": True, "pooling": "attention"},
        {"max_batch_nodes": 40},
        {"linear_path": True},
    ],
)
def test_a_compiled_fit_equals_the_other_one_up_to_rounding(small_trees, params, monkeypatch):
    X, y = small_trees
    weight = np.linspace(0.5, 2, len(X))
    plain = RecursiveNetClassifier(**PARAMS, **params).fit(X, y, sample_weight=weight)
    assert not any(encoder.is_compiled for encoder in encoders(plain))
    monkeypatch.setattr(compilation, "_MIN_NODES", 0)
    fast = clone(plain).fit(X, y, sample_weight=weight)
    assert all(encoder.is_compiled for encoder in encoders(fast))
    np.testing.assert_allclose(fast.predict_proba(X), plain.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("kind", ["labels of nodes", "pairs"])
def test_labels_of_nodes_and_pairs_are_compiled_as_well(small_trees, kind, monkeypatch):
    X, y = small_trees
    samples, params = X, {}
    if kind == "pairs":
        samples = np.empty((len(X) // 2, 2), dtype=object)
        samples[:, 0], samples[:, 1] = X[::2], X[1::2]
        y = y[: len(samples)]
    else:
        sizes = TreeVectorizer().fit_transform(X).sizes
        params = {"node_y": [[label] * n for label, n in zip(y, sizes)]}
    results = []
    for n in (10**9, 0):
        monkeypatch.setattr(compilation, "_MIN_NODES", n)
        clf = RecursiveNetClassifier(**PARAMS).fit(samples, y, **params)
        assert {encoder.is_compiled for encoder in encoders(clf)} == {n == 0}
        results.append(clf.predict_proba(samples))
    np.testing.assert_allclose(*results, atol=1e-5)


def test_equal_fits_have_equal_bits(small_trees, compiled):
    X, y = small_trees
    one, two = (RecursiveNetClassifier(**PARAMS).fit(X, y).predict_proba(X) for _ in range(2))
    assert np.array_equal(one, two)


def test_workers_of_a_search_have_the_same_bits(small_trees):
    X, y = small_trees
    clf = RecursiveNetClassifier(**{**PARAMS, "max_epochs": 1})
    serial, parallel = (cross_val_score(clf, X, y, cv=2, n_jobs=n, scoring="neg_log_loss") for n in (1, 2))
    assert np.array_equal(serial, parallel)


def test_a_pickle_predicts_the_same_and_holds_no_kernels(small_trees, compiled):
    X, y = small_trees
    clf = RecursiveNetClassifier(**PARAMS).fit(X, y)
    data = pickle.dumps(clf)
    assert b"sklearn_tree_walk" not in data
    assert np.array_equal(pickle.loads(data).predict_proba(X), clf.predict_proba(X))


def test_without_numba_a_compiled_net_predicts_the_same(small_trees, compiled, monkeypatch):
    X, y = small_trees
    clf = RecursiveNetClassifier(**PARAMS).fit(X, y)
    expected = clf.predict_proba(X)
    monkeypatch.setattr("sklearn_tree.nn.compiled.kernels.has_numba", lambda: False)
    np.testing.assert_allclose(clf.predict_proba(X), expected, atol=1e-6)


def test_the_threads_of_all_libraries_are_restored(small_trees, compiled):
    X, y = small_trees
    before = [(info["filepath"], info["num_threads"]) for info in threadpool_info()]
    RecursiveNetClassifier(**PARAMS).fit(X, y).predict(X)
    after = {info["filepath"]: info["num_threads"] for info in threadpool_info()}
    assert all(after[path] == n for path, n in before)


def test_walks_of_large_nets_use_all_threads(small_trees, compiled, monkeypatch):
    X, y = small_trees
    torch.set_num_threads(2)
    seen = []
    count = walk.count_walk_threads
    monkeypatch.setattr(walk, "count_walk_threads", lambda: seen.append(count()) or seen[-1])
    try:
        results = []
        for min_operations, expected in ((0, 2), (10**12, 1)):
            monkeypatch.setattr(threads, "_MIN_OPERATIONS_COMPILED", min_operations)
            monkeypatch.setattr(threads, "_MIN_OPERATIONS_PER_WALK", 1)
            seen.clear()
            clf = RecursiveNetClassifier(**PARAMS).fit(X, y)
            results.append(clf.predict_proba(X))
            assert set(seen) == {expected}
            assert torch.get_num_threads() == 2
            assert count() == 1
        np.testing.assert_allclose(*results, atol=1e-5)
    finally:
        torch.set_num_threads(1)


def test_predictions_take_large_batches(small_trees, compiled, monkeypatch):
    X, y = small_trees
    clf = RecursiveNetClassifier(**PARAMS, batch_size=8).fit(X, y)
    sizes = []
    compute = clf.net_.compute
    monkeypatch.setattr(clf.net_, "compute", lambda f, X: sizes.append(len(X)) or compute(f, X))
    compiled_result = clf.predict_proba(X)
    assert sizes == [len(X)]
    encoders(clf)[0].is_compiled = False
    sizes.clear()
    np.testing.assert_allclose(clf.predict_proba(X), compiled_result, atol=1e-6)
    assert sizes == [8] * (len(X) // 8)  # the control


def test_walks_are_compiled_only_if_they_can_be(small_trees, compiled, monkeypatch):
    X, y = small_trees
    clf = RecursiveNetClassifier(**{**PARAMS, "cell": "rntn"}).fit(X, y)
    assert not encoders(clf)[0].is_compiled
    monkeypatch.setattr(compilation, "has_numba", lambda: False)
    assert not encoders(RecursiveNetClassifier(**PARAMS).fit(X, y))[0].is_compiled


@pytest.mark.parametrize(
    "params", [{}, {"word_dropout": 0.3}, {"n_layers": 2, "pooling": "mean"}, {"precision": "bfloat16"}]
)
@pytest.mark.parametrize("kind", ["texts", "pairs"])
def test_a_compiled_gru_learns_and_predicts_the_same(kind, params, monkeypatch):
    texts = ["a great film", "dull", "a film so dull", "great", ""] * 12
    X = np.array([texts, texts[::-1]], dtype=object).T if kind == "pairs" else texts
    y = [len(text) % 2 for text in texts]
    results = []
    for n in (10**9, 0):
        monkeypatch.setattr(compilation, "_MIN_NODES", n)
        clf = RNNClassifier("gru", dropout=0.0, max_epochs=3, random_state=0, **params).fit(X, y)
        nets = [part for part in clf.net_.module_.modules() if isinstance(part, RecurrentNet)]
        assert {net.is_compiled for net in nets} == {n == 0}
        results.append(clf.predict_proba(X))
    atol = 0.02 if params.get("precision") else 1e-5
    np.testing.assert_allclose(*results, atol=atol)
