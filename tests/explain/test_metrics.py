"""What the measures of explanations measure, at their edges too."""

import numpy as np
import pytest
from explaining import QUICK, Y, explained, ragged_series

from sklearn_tree import RNNClassifier
from sklearn_tree.explain import metrics

LONG = ["a b c d e f g h i j k l m n", "n m l k j i h g f e d c b a"] * 6


@pytest.mark.parametrize("method", ["lime", "shapley", "gradient_shap", "noise_tunnel(saliency)"])
def test_inputs_that_hardly_change_leave_what_is_drawn_as_it_is(method):
    explainer = explained(RNNClassifier(**QUICK).fit(LONG, Y[:12]), LONG[:2], method=method)
    assert metrics.sensitivity(explainer, LONG[:2], radius=1e-7, n_samples=2).max() < 1e-3
    assert metrics.sensitivity(explainer, LONG[:2], radius=0.1, n_samples=2).min() > 1e-3  # the control


@pytest.mark.parametrize("X", [["", *LONG[:5]], [np.zeros((0, 2)), *ragged_series()[:5]]])
def test_samples_without_inputs_are_measured(X):
    explainer = explained(RNNClassifier(**QUICK).fit(X, Y[:6]), X)
    curve = metrics.deletion_curve(explainer, X, n_points=3)
    assert (curve.values[0] == curve.values[0, 0]).all()
    assert np.ptp(curve.values[1]) > 0  # the control
    assert metrics.infidelity(explainer, X, n_samples=5)[0] == 0
    assert metrics.sensitivity(explainer, X, n_samples=2)[0] == 0
    without, all_of_them = (metrics.randomization_test(explainer, some, n_repeats=2) for some in (X[1:], X))
    np.testing.assert_allclose(all_of_them, without, atol=1e-6)


@pytest.mark.parametrize(
    ("measure", "params", "message"),
    [
        (metrics.deletion_curve, {"n_points": 1}, "n_points must be an int from 2, got 1"),
        (metrics.insertion_curve, {"n_points": 2.5}, "n_points must be an int from 2, got 2.5"),
        (metrics.insertion_curve, {"order": "best"}, "order must be .*, got 'best'"),
        (metrics.infidelity, {"n_samples": 0}, "n_samples must be an int from 1, got 0"),
        (metrics.sensitivity, {"n_samples": 0}, "n_samples must be an int from 1, got 0"),
        (metrics.randomization_test, {"n_repeats": 0}, "n_repeats must be an int from 1, got 0"),
    ],
)
def test_counts_that_count_nothing_are_named(measure, params, message):
    explainer = explained(RNNClassifier(**QUICK).fit(LONG, Y[:12]), LONG[:2])
    with pytest.raises(ValueError, match=message):
        measure(explainer, LONG[:2], **params)
