"""Shapley values are complete and equal the mean gain over all orders."""

from functools import cache, partial

import numpy as np
import pytest
from explain_helpers import (
    NaiveTrees,
    each_kind,
    explain,
    fit_example,
    fit_sentiment,
    fit_tree_net,
    make_trees,
    max_difference,
)
from reference import shapley_values

from sklearn_tree.explain import coalitions


@each_kind
def test_shapley_values_are_complete(kind):
    net, X = fit_example(kind)
    for n_samples in (1, 4):
        explained = explain(net, X[:10], "shapley", method_params={"n_samples": n_samples, "window": 2})
        assert np.abs(explained.completeness_error).max() < 1e-4
    assert np.abs(explained.values - explained.baseline_values).max() > 1e-2
    occluded = explain(net, X[:10], "occlusion", baseline="mean")
    assert np.abs(occluded.completeness_error).max() > 1e-3  # the control


def test_shapley_values_are_means_over_all_orders():
    trees = [tree for tree in make_trees(12, max_nodes=6) if len(tree.nodes) < 6]
    net = fit_tree_net("nary_lstm", "attention")
    naive = NaiveTrees(net, trees)
    found = explain(net, trees, "shapley", target=1, baseline="unknown", dtype="float64")
    for (tree, x, x0), phi in zip(naive, found.own):
        value = cache(partial(naive.evaluate_coalition, tree, x, x0))
        assert phi == pytest.approx(shapley_values(value, len(x)), abs=1e-9)
    occluded = explain(net, trees, "occlusion", target=1, baseline="unknown", dtype="float64")
    assert max_difference(found, occluded) > 1e-3  # the control


def test_estimates_from_random_orders_approach_the_exact_values(monkeypatch):
    net, X, *_ = fit_sentiment()
    exact = explain(net, X[:10], "shapley", target="positive")
    monkeypatch.setattr(coalitions, "MAX_EXACT", 1)
    means = []
    for n_samples in (1, 10, 100):
        params = {"method_params": {"n_samples": n_samples}}
        found = explain(net, X[:10], "shapley", target="positive", **params)
        means.append(np.mean([np.abs(a - b).mean() for a, b in zip(found.own, exact.own)]))
    assert means[2] < means[1] / 2 < means[0] / 4
