"""Targets of regressors."""

import numpy as np
import pytest
import torch
from samples import tree_regressor
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler

from sklearn_tree.estimators.targets import Numbers, read_numbers


@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (1e6, -5e8), (1e-6, 0)])
def test_a_regressor_learns_targets_of_any_scale(words_counted, scale, shift):
    X, counts = words_counted
    y = (counts[:, 0] - 0.5 * counts[:, 1]) * scale + shift
    reg = tree_regressor().fit(X, y)
    assert reg.score(X, y) > 0.95
    assert reg.predict(X).shape == (120,)
    control = tree_regressor().fit(X, np.random.RandomState(0).permutation(y))
    assert control.score(X, y) < 0.5


def test_a_regressor_learns_several_columns(words_counted):
    X, counts = words_counted
    y = counts * [1.0, 100.0, 0.01]
    reg = tree_regressor().fit(X, y)
    assert reg.predict(X).shape == (120, 3)
    assert r2_score(y, reg.predict(X), multioutput="raw_values").min() > 0.9
    assert tree_regressor(max_epochs=1).fit(X, y[:, :1]).predict(X).shape == (120, 1)
    with pytest.raises(ValueError, match="y must have 3 columns, as in fit, got one dimension"):
        reg.partial_fit(X, y[:, 0])


def test_a_constant_target_is_predicted(words_counted):
    X, _ = words_counted
    np.testing.assert_allclose(tree_regressor().fit(X, np.full(120, 7.0)).predict(X), 7.0, atol=0.1)


def test_samples_of_weight_zero_are_ignored(words_counted):
    X, counts = words_counted
    y = counts[:, 0].astype(float)
    wrong = y.copy()
    wrong[:60] = 1e6
    weight = np.r_[np.zeros(60), np.ones(60)]
    assert tree_regressor().fit(X, wrong, sample_weight=weight).score(X, y) > 0.8
    assert tree_regressor().fit(X, wrong).score(X, y) < 0  # the control


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", "b"] * 60, "y must hold numbers: could not convert string to float"),
        ([np.inf] * 120, "Input y contains infinity"),
        ([0.0] * 119 + [np.nan], r"y\[119\] is missing"),
        ([[0.0, 1.0]] * 2 + [[0.0, None]], r"y\[2, 1\] is missing"),
    ],
)
def test_targets_that_are_not_numbers_are_rejected(words_counted, y, message):
    with pytest.raises(ValueError, match=message):
        tree_regressor().fit(words_counted[0], y)


def fit(y, weight=None):
    target = Numbers()
    return target, target.fit(np.asarray(y, dtype=float), sample_weight=weight)


@pytest.mark.parametrize("weight", [None, np.random.RandomState(1).rand(50)])
@pytest.mark.parametrize("n_columns", [1, 3])
def test_numbers_are_standardised_as_by_scikit_learn(weight, n_columns):
    y = np.random.RandomState(0).randn(50, n_columns) * 1e3 + 1e5
    target, encoded = fit(y, weight)
    scaler = StandardScaler().fit(y, sample_weight=weight)
    np.testing.assert_allclose(target.mean, scaler.mean_)
    np.testing.assert_allclose(target.scale, scaler.scale_)
    np.testing.assert_allclose(encoded, scaler.transform(y))
    assert encoded.dtype == np.float64


def test_a_constant_column_has_scale_1():
    target, encoded = fit(np.column_stack([np.full(9, 1e7 + 0.1), np.arange(9)]))
    assert target.scale[0] == 1.0 != target.scale[1]
    np.testing.assert_allclose(encoded[:, 0], 0.0, atol=1e-8)


def test_small_numbers_are_not_constant():
    target, _ = fit(np.arange(9) * 1e-15)
    assert target.scale[0] < 1e-14


@pytest.mark.parametrize(
    ("fitted_on", "y", "message"),
    [
        (np.zeros((4, 3)), np.zeros(4), "y must have 3 columns, as in fit, got one dimension"),
        (np.zeros(4), np.zeros((4, 1)), "y must have one dimension, as in fit, got 1 columns"),
        (np.zeros((4, 3)), np.zeros((4, 2)), "y must have 3 columns, as in fit, got 2 columns"),
    ],
)
def test_the_number_of_columns_must_match_fit(fitted_on, y, message):
    target, _ = fit(fitted_on)
    with pytest.raises(ValueError, match=message):
        target.encode(y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1.0, np.inf], "Input y contains infinity"),
        (["a", "b"], "could not convert string to float"),
        ([], "minimum of 1 is required"),
        (np.zeros((2, 2, 2)), "3"),
    ],
)
def test_read_numbers_rejects_everything_else(y, message):
    with pytest.raises(ValueError, match=message):
        read_numbers(y)


@pytest.mark.parametrize("n_columns", [1, 2])
def test_the_score_of_constant_targets_is_nan(n_columns):
    target, encoded = fit(np.random.RandomState(0).randn(9, n_columns))
    encoded = torch.as_tensor(encoded)
    for rows in (encoded[:1], encoded[:1].expand(3, -1)):
        assert np.isnan(target.score(torch.zeros(rows.shape), rows))
    mixed, outputs = torch.cat([encoded[:, :1], encoded[:1, :1].expand(9, 1)], dim=1), torch.zeros(9, 2)
    expected = r2_score(mixed[:, 0], outputs[:, 0])
    assert target.score(outputs, mixed) == pytest.approx(expected)  # the control: a column that varies
