"""Targets of regressors."""

import numpy as np
import pytest
from samples import tree_regressor
from sklearn.metrics import r2_score


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
    [(["a", "b"] * 60, "could not convert string to float"), ([np.nan] * 120, "Input y contains NaN")],
)
def test_targets_that_are_not_numbers_are_rejected(words_counted, y, message):
    with pytest.raises(ValueError, match=message):
        tree_regressor().fit(words_counted[0], y)
