"""Estimators of pairs: they learn relations of two samples that no single sample shows."""

import gzip
import os
import pickle
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from samples import ESTIMATORS, quick
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, cross_val_score

from sklearn_tree import (
    CNNClassifier,
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    RNNRegressor,
    predict_nodes,
)
from sklearn_tree.estimators.batches import EncodedDataset


def make_formulas(n, seed=0):
    """Return pairs of bracketed formulas, and whether both have the same value."""
    rng = np.random.RandomState(seed)

    def formula(depth):
        if depth == 0 or rng.rand() < 0.3:
            value = rng.rand() < 0.5
            return ("1" if value else "0"), value
        (a, x), (b, y) = formula(depth - 1), formula(depth - 1)
        return (f"(and {a} {b})", x and y) if rng.rand() < 0.5 else (f"(or {a} {b})", x or y)

    pairs = [[formula(2) for _ in "ab"] for _ in range(n)]
    texts = [[f"(F {text})" for text, _ in pair] for pair in pairs]
    return pd.DataFrame(texts, columns=["first", "second"]), np.array(
        [a == b for (_, a), (_, b) in pairs], dtype=int
    )


FORMULAS, EQUAL = make_formulas(400)
TEXTS = FORMULAS.map(lambda tree: " ".join(re.findall(r"\w+", tree)[1:]))


def data_for(cls):
    return FORMULAS if cls.__name__.startswith("Recursive") else TEXTS


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
def test_an_open_vocabulary_decides_the_training(cls):
    closed = cls(random_state=0).fit(TEXTS[:320], EQUAL[:320])
    names = pd.DataFrame([[f"a{i} b{i}", f"c{i}"] for i in range(320)])
    opened = cls(random_state=0).fit(names, EQUAL[:320])
    many = cls(batch_size=2, random_state=0).fit(names, EQUAL[:320])
    assert [closed.net_.module__dropout, closed.n_iter_] == [0.0, 20]
    assert [opened.net_.module__dropout, opened.n_iter_] == [0.2, 20]
    assert many.n_iter_ == 3  # 160 batches each


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_all_estimators_read_pairs(cls):
    X, y = data_for(cls)[:60], EQUAL[:60]
    net = quick(cls).fit(X, y)
    assert net.input_kind_ == "pairs"
    assert net.feature_names_in_.tolist() == ["first", "second"]
    assert net.n_features_in_ == 2
    vectors = net.transform(X)
    a, b, difference, product = np.split(vectors, 4, axis=1)
    np.testing.assert_array_equal(difference, np.abs(a - b))
    np.testing.assert_array_equal(product, a * b)
    assert net.get_feature_names_out().shape == (vectors.shape[1],)
    output = net.decision_function if is_classifier(net) else net.predict
    np.testing.assert_array_equal(getattr(pickle.loads(pickle.dumps(net)), output.__name__)(X), output(X))
    one_by_one = np.concatenate([output(X[i : i + 1]) for i in range(10)])
    np.testing.assert_allclose(one_by_one, output(X)[:10], rtol=1e-4, atol=1e-5)
    again = clone(net).fit(X.to_numpy(dtype=object), y)
    np.testing.assert_array_equal(again.transform(X.to_numpy(dtype=object)), vectors)


@pytest.mark.parametrize("cls", [RecursiveNetClassifier, RNNClassifier])
def test_the_relation_of_two_formulas_is_learned(cls):
    X, y = data_for(cls), EQUAL
    net = cls(random_state=0, hidden_size=32, max_epochs=40, lr=0.01).fit(X[:300], y[:300])
    assert net.score(X[300:], y[300:]) > 0.9
    shuffled = X.assign(second=np.random.RandomState(0).permutation(X.second))
    assert net.score(shuffled[300:], y[300:]) < 0.75  # the control


def test_the_distance_of_two_numbers_is_learned():
    rng = np.random.RandomState(0)
    numbers = rng.randint(1, 8, size=(300, 2))
    X = pd.DataFrame(numbers, columns=["a", "b"]).map(lambda n: " ".join(["x"] * n))
    y = np.abs(numbers[:, 0] - numbers[:, 1]).astype(float)
    net = RNNRegressor(random_state=0, hidden_size=16, max_epochs=30).fit(X[:200], y[:200])
    assert np.corrcoef(net.predict(X[200:]), y[200:])[0, 1] > 0.95


def test_batches_in_parts_give_the_same_gradients_and_predictions():
    whole = RecursiveNetRegressor(random_state=0, max_epochs=2, max_batch_nodes=None).fit(
        FORMULAS[:60], EQUAL[:60]
    )
    parts = RecursiveNetRegressor(random_state=0, max_epochs=2, max_batch_nodes=40).fit(
        FORMULAS[:60], EQUAL[:60]
    )
    np.testing.assert_allclose(whole.predict(FORMULAS), parts.predict(FORMULAS), rtol=1e-3, atol=1e-4)


def test_equal_subtrees_of_both_sides_are_computed_once():
    net = quick(RecursiveNetClassifier).fit(FORMULAS, EQUAL)
    dataset = EncodedDataset(net.kind_.read(FORMULAS), kind=net.kind_)
    rows = np.arange(32)
    shared = dataset.batch(rows, samples=dataset.shared(32))[0]
    assert shared.items.shared is not None
    assert shared.items.shared.n_rows != shared.items.n_inner
    np.testing.assert_allclose(
        net.net_.infer(shared).detach().numpy(),
        net.net_.infer(dataset.batch(rows)[0]).detach().numpy(),
        atol=1e-5,
    )


def test_pairs_are_searched_validated_weighted_and_continued():
    X, y = TEXTS[:80], EQUAL[:80]
    search = GridSearchCV(quick(CNNClassifier), {"hidden_size": [2, 3]}, cv=2).fit(X, y)
    assert search.best_estimator_.net_.module_.head.in_features in (8, 12)
    assert len(cross_val_score(quick(RNNClassifier, early_stopping=True), X, y, cv=2)) == 2
    net = quick(RNNClassifier).partial_fit(X, y, sample_weight=np.arange(80)).partial_fit(X, y)
    assert net.n_iter_ == 2
    weighted = quick(RNNClassifier).fit(X, y, X_val=X, y_val=y)
    assert weighted.history_.valid_loss.notna().all()
    skorch_net = quick(RNNClassifier).make_net(X, y).set_params(module__hidden_size=3)
    assert skorch_net.initialize().module_.head.in_features == 4 * 2 * 3


def test_input_kind_names_the_kind_of_pairs_of_grey_images():
    rng = np.random.RandomState(0)
    X, y = np.empty((20, 2), dtype=object), [0, 1] * 10
    X.ravel()[:] = list(rng.rand(40, 6, 5))
    colour = np.empty((20, 2), dtype=object)
    colour.ravel()[:] = list(rng.rand(40, 6, 5, 3))
    for name in ("image", "images"):
        net = quick(CNNClassifier, input_kind=name, warm_start=True).fit(X, y).fit(X, y)
        assert (net.input_kind_, net.kind_.item_kind.name) == ("pairs", "images")
        assert pickle.loads(pickle.dumps(net)).predict(X[:3]).tolist() == net.predict(X[:3]).tolist()
        assert quick(CNNClassifier, input_kind=name).fit(colour, y).kind_.item_kind.name == "images"
        assert quick(CNNClassifier, input_kind=name).fit(rng.rand(20, 6, 5), y).input_kind_ == "images"
    assert quick(CNNClassifier).fit(X, y).kind_.item_kind.name == "series"  # the control


def test_nodes_of_pairs_are_not_predicted():
    net = quick(RecursiveNetClassifier).fit(FORMULAS[:20], EQUAL[:20])
    with pytest.raises(ValueError, match="predict_nodes requires single trees, got pairs"):
        predict_nodes(net, FORMULAS[:2])


@pytest.mark.skipif("SKLEARN_TREE_DATA" not in os.environ, reason="SKLEARN_TREE_DATA is not set")
def test_logical_relations_of_small_formulas_are_learned():
    folder = Path(os.environ["SKLEARN_TREE_DATA"]) / "prop_logic"
    if not folder.exists():
        pytest.skip("prop_logic is not in SKLEARN_TREE_DATA")

    def read(name):
        lines = gzip.decompress((folder / name).read_bytes()).decode().splitlines()
        frame = pd.DataFrame([line.split("\t") for line in lines], columns=["relation", "first", "second"])
        return frame[["first", "second"]].map(_label_nodes), frame.relation

    train = [read(f"longer2_train{i}.gz") for i in range(3)]
    X, y = (pd.concat(parts) for parts in zip(*train))
    rows = np.random.RandomState(0).permutation(len(X))[:4000]
    net = RecursiveNetClassifier(cell="nary_lstm", random_state=0, max_epochs=20).fit(
        X.iloc[rows], y.iloc[rows]
    )
    X_test, y_test = read("longer2_test2.gz")
    assert net.score(X_test, y_test) > y_test.value_counts(normalize=True).max() + 0.1


def _label_nodes(formula):
    return formula.replace("(", "(.") if formula.startswith("(") else f"({formula})"
