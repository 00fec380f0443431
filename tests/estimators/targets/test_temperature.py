"""Temperature scaling of logits."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from reference import log_loss_at
from scipy.special import softmax

from sklearn_tree.estimators.targets.temperature import BOUNDS, fit_temperature


def draw(n=200, n_classes=3, seed=0, scale=2.0):
    """Return logits, classes drawn from their softmax, and weights."""
    rng = np.random.RandomState(seed)
    logits = scale * rng.randn(n, n_classes)
    y = (rng.rand(n, 1) > softmax(logits, axis=1).cumsum(axis=1)).sum(axis=1).clip(max=n_classes - 1)
    return logits, y, rng.rand(n)


@given(n=st.integers(20, 60), n_classes=st.integers(2, 4), seed=st.integers(0, 9), factor=st.floats(0.5, 4.0))
def test_no_other_temperature_has_a_lower_log_loss(n, n_classes, seed, factor):
    logits, y, weight = draw(n, n_classes, seed)
    assume((logits.argmax(axis=1) != y).any())
    found = fit_temperature(factor * logits, y, weight)
    least = log_loss_at(found, factor * logits, y, weight)
    grid = np.exp(np.linspace(*np.log(BOUNDS), 101))
    assert all(least <= log_loss_at(t, factor * logits, y, weight) + 1e-9 for t in grid)
    assert all(least <= log_loss_at(found * f, factor * logits, y, weight) + 1e-9 for f in (0.99, 1.01))


@pytest.mark.parametrize("factor", [0.5, 3.0, 10.0])
def test_the_temperature_undoes_a_scale(factor):
    logits, y, _ = draw(5000)
    assert fit_temperature(factor * logits, y) == pytest.approx(factor, rel=0.06)
    assert fit_temperature(factor * logits, y) == pytest.approx(factor * fit_temperature(logits, y), rel=1e-4)


def test_weights_count_as_repeated_samples():
    logits, y, _ = draw(60)
    counts = np.arange(60) % 3
    weighted = fit_temperature(logits, y, counts)
    repeated = fit_temperature(np.repeat(logits, counts, axis=0), np.repeat(y, counts))
    assert weighted == pytest.approx(repeated, rel=1e-6)
    assert weighted != pytest.approx(fit_temperature(logits, y), rel=1e-3)  # the control


@pytest.mark.parametrize("weight", [None, [1, 1, 0]])
def test_the_temperature_is_1_if_every_class_is_right(weight):
    logits = np.array([[3.0, 0.0], [0.0, 0.2], [1.0, 1.0 if weight is None else 2.0]])
    assert fit_temperature(logits, np.array([0, 1, 0]), weight) == 1.0
    assert fit_temperature(logits, np.array([0, 0, 0]), weight) != 1.0  # the control


def test_the_temperature_is_bounded():
    logits = np.tile([[0.0, 5.0]], (10, 1))
    assert fit_temperature(logits, np.zeros(10, int)) == pytest.approx(BOUNDS[1], rel=1e-3)  # all wrong
    nearly = np.array([[0.9, 0.0]] * 999 + [[0.0, 1e-60]])
    assert fit_temperature(nearly, np.zeros(1000, int)) == pytest.approx(BOUNDS[0], rel=1e-3)


def test_large_logits_and_single_precision_are_fitted_in_double_precision():
    logits, y, _ = draw()
    exact = fit_temperature(logits, y)
    assert fit_temperature(logits + 1e6, y) == pytest.approx(exact, rel=1e-5)
    assert fit_temperature(logits.astype(np.float32), y) == pytest.approx(exact, rel=1e-5)


def test_one_class_and_no_samples_have_the_temperature_1():
    assert fit_temperature(np.ones((3, 1)), np.zeros(3, int)) == 1.0
    assert fit_temperature(np.ones((0, 2)), np.zeros(0, int)) == 1.0
