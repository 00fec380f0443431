"""Integrated gradients are complete and equal a naive integral for each tree."""

import numpy as np
import pytest
from explain_helpers import LEARNS, SERIES, NaiveTrees, explain, fit_explainer, fit_sentiment, max_difference
from reference import integral

from sklearn_tree import RNNRegressor


@pytest.mark.parametrize("baseline", ["mean", "unknown", "zero"])
def test_integrated_gradients_are_complete(baseline):
    net, X, *_ = fit_sentiment()
    explained = explain(net, X, "integrated_gradients", baseline=baseline, n_steps=64, max_steps=64)
    error = np.abs(explained.completeness_error)
    error /= np.maximum(1, np.abs(explained.values - explained.baseline_values))
    assert np.quantile(error, 0.99) < 1e-2
    assert error.max() < 5e-2
    for subtrees, own in zip(explained.attributions, explained.own):
        assert subtrees[0] == pytest.approx(own.sum(), abs=1e-5)
    rough = explain(net, X, "input_x_gradient", baseline=baseline)
    assert np.quantile(np.abs(rough.completeness_error), 0.5) > 0.5  # the control: one step is not enough


def test_steps_are_doubled_only_for_samples_that_need_them():
    net, X, *_ = fit_sentiment()
    bounds = {"tol": 1e-3, "n_steps": 8, "baseline": "mean"}
    few, more = (explain(net, X, "integrated_gradients", max_steps=n, **bounds) for n in (8, 256))
    scale = np.maximum(1, np.abs(few.values - few.baseline_values))
    is_rough = np.abs(few.completeness_error) > 1e-3 * scale
    assert 0.2 < is_rough.mean() < 1
    assert (np.abs(more.completeness_error) <= 1e-3 * scale * 1.001).mean() > 0.97
    for i in np.flatnonzero(~is_rough):
        assert np.array_equal(few.own[i], more.own[i])


@pytest.mark.parametrize("max_rows", [1, 50, 8192])
def test_integrals_of_a_batch_equal_naive_integrals_of_each_tree(max_rows):
    net, X, *_ = fit_sentiment()
    X = X[:4]
    naive = NaiveTrees(net, X)
    params = {
        "n_steps": 16,
        "max_steps": 16,
        "max_rows": max_rows,
        "baseline": "unknown",
        "target": "positive",
    }
    found = explain(net, X, "integrated_gradients", **params)
    for own, (tree, x, x0) in zip(found.own, naive):
        expected = integral(lambda y, tree=tree: naive.evaluate(y, tree), x, x0, 16).sum(1)
        assert np.abs(own - expected.numpy()).max() < 1e-4
    other = explain(net, X, "integrated_gradients", **{**params, "n_steps": 4, "max_steps": 4})
    assert max_difference(found, other) > 1e-3  # the control: another integral


@pytest.mark.parametrize("unit", [2.0**-20, 2.0**20])
def test_the_number_of_steps_does_not_depend_on_the_unit_of_the_targets(unit):
    net, scaled = (RNNRegressor(**LEARNS).fit(SERIES, SERIES.sum((1, 2)) * u) for u in (1, unit))
    expected, found = (
        fit_explainer(reg, SERIES, n_steps=1, tol=0.001).explain(SERIES).to_frame().attribution
        for reg in (net, scaled)
    )
    np.testing.assert_allclose(found / unit, expected, atol=1e-4)
    rough = fit_explainer(net, SERIES, n_steps=1, max_steps=1).explain(SERIES).to_frame().attribution
    assert np.abs(rough - expected).max() > 1e-3  # the control
