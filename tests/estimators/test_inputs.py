"""Every container of the API table with every estimator that reads it."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from samples import CONTAINERS, DENSE, IDS, PIXELS, TABLE, TEXTS, WAVES, N, Y, object_array, outputs
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_tree import CNNClassifier, RNNClassifier

CASES = [
    pytest.param(cls, name, id=f"{name}-{cls.__name__}")
    for name, sample in CONTAINERS.items()
    for cls in sample.readers
]


@pytest.mark.parametrize(("cls", "name"), CASES)
def test_every_container_can_be_fitted_pickled_cloned_validated_and_piped(cls, name):
    _, kind, X, params = CONTAINERS[name]
    net = cls(max_epochs=2, hidden_size=8, random_state=0, **params).fit(X, Y)
    assert net.input_kind_ == kind
    reference = outputs(net, X)
    assert len(reference) == N
    assert np.isfinite(reference).all()
    assert net.transform(X).shape == (N, len(net.get_feature_names_out()))
    np.testing.assert_array_equal(outputs(pickle.loads(pickle.dumps(net)), X), reference)
    np.testing.assert_array_equal(outputs(clone(net).fit(X, Y), X), reference)
    assert np.isfinite(cross_val_score(clone(net).set_params(max_epochs=1), X, Y, cv=2)).all()
    first = clone(net.vectorizer_) if hasattr(net, "vectorizer_") else FunctionTransformer()
    np.testing.assert_array_equal(outputs(make_pipeline(first, clone(net)).fit(X, Y), X), reference)


@pytest.mark.parametrize(("cls", "name"), [case for case in CASES if "Classifier" in case.id])
def test_a_single_sample_is_predicted_as_in_a_batch(cls, name):
    _, _, X, params = CONTAINERS[name]
    net = cls(max_epochs=1, hidden_size=8, random_state=0, **params).fit(X, Y)
    part = X.iloc[3:4] if hasattr(X, "iloc") else X[3:4]
    np.testing.assert_allclose(net.predict_proba(part), net.predict_proba(X)[3:4], rtol=0, atol=1e-6)


def test_containers_of_the_same_samples_give_the_same_net():
    for family in ("texts", "tokens", "trees"):
        samples = {name: sample for name, sample in CONTAINERS.items() if name.startswith(family)}
        for cls in next(iter(samples.values())).readers:
            results = {
                name: outputs(cls(max_epochs=1, random_state=0).fit(sample.X, Y), sample.X)
                for name, sample in samples.items()
            }
            first = next(iter(results.values()))
            for name, result in results.items():
                np.testing.assert_array_equal(result, first, err_msg=name)


def test_a_batch_of_empty_sequences_is_predicted():
    empty = {"texts": [""], "token ids": [[]], "series": [np.zeros((0, 2))]}
    for kind, X in {"texts": TEXTS, "token ids": IDS, "series": WAVES}.items():
        for cls in (RNNClassifier, CNNClassifier):
            net = cls(max_epochs=1, random_state=0).fit(X, Y)
            among = [*empty[kind], X[0]]
            np.testing.assert_allclose(
                net.predict_proba(empty[kind]), net.predict_proba(among)[:1], rtol=0, atol=1e-6
            )


def test_the_kind_of_a_column_does_not_depend_on_its_first_rows():
    ids = [[2, 3, 4]] * 150 + [[2, 3]] * 50
    for X in (ids, pd.Series(ids), object_array(ids)):
        assert CNNClassifier(max_epochs=1).fit(X, np.arange(200) % 2).input_kind_ == "tokens"


def test_small_floats_train_in_single_precision():
    for dtype in ("f2", "f4", ">f4"):
        for X in (TABLE, DENSE, PIXELS[..., None] / 255):
            net = CNNClassifier(max_epochs=1).fit(X.astype(dtype), Y)
            assert net.net_.module_.head.weight.dtype == torch.float32


def test_sample_weights_equal_repeated_samples():
    """Check also ragged series, whose mean length sets the memory of an RNN."""
    weights = np.random.RandomState(0).randint(0, 3, N)
    for cls in (RNNClassifier, CNNClassifier):
        for X in (TEXTS, WAVES):
            repeated = [row for row, k in zip(X, weights) for _ in range(k)]
            net = cls(max_epochs=5, hidden_size=8, random_state=0)
            weighted = net.fit(X, Y, sample_weight=weights).predict_proba(X)
            expected = net.fit(repeated, np.repeat(Y, weights)).predict_proba(X)
            np.testing.assert_allclose(weighted, expected, rtol=0, atol=1e-4)


def test_a_net_of_width_1_learns():
    X = np.random.RandomState(0).rand(200, 3)
    y = X[:, 0] > 0.5
    params = {"lr": 0.02, "max_epochs": 50, "random_state": 0}
    assert RNNClassifier(hidden_size=1, bidirectional=False, **params).fit(X, y).score(X, y) > 0.65
    assert CNNClassifier((3,), n_filters=1, **params).fit(X, y).predict_proba(X).std() > 0.1


@pytest.mark.parametrize(
    ("X", "params", "message"),
    [
        (torch.rand(4, 2, 2, 2, 2), {}, "X must have 2 axes"),
        (torch.rand(4, 4, 2), {"input_kind": "table"}, r"X must have 2 axes of at least one entry, got shape \(4, 4, 2\)"),
        (torch.rand(4), {}, r"X must have 2 axes of at least one entry, got shape \(4,\)"),
        (torch.rand(4, 0), {}, "X must have 2 axes of at least one entry"),
        (np.zeros((4, 0, 2)), {}, r"X must have 3 axes of at least one entry, got shape \(4, 0, 2\)"),
        (np.zeros((4, 3, 0)), {}, "X must have 3 axes of at least one entry"),
        (torch.rand(4, 5).to_sparse(), {}, "X must be a dense tensor of real numbers"),
        (np.zeros((4, 4, 2, 2)), {"input_kind": "series"}, "X must have 3 axes"),
        ([[2], [-1, 2], [3], [3]], {}, "row 1 must hold ids >= 0, got -1"),
    ],
)  # fmt: skip
def test_numbers_of_the_wrong_shape_are_rejected(X, params, message):
    for cls in (RNNClassifier, CNNClassifier):
        with pytest.raises(ValueError, match=message):
            cls(**params).fit(X, [0, 1, 0, 1])
