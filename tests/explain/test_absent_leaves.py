"""Trees without the states of some leaves are evaluated as the occlusion of subtrees evaluates them."""

import numpy as np
import pandas as pd
import pytest
from explain_helpers import QUICK, fit_explainer

from sklearn_tree import RecursiveNetClassifier
from sklearn_tree.explain.explained_sample import explain_each
from sklearn_tree.explain.metrics import deletion_curve

TREES = [
    "(S (NP it really) (VP works well))",
    "(S (NP she) (VP fails))",
    "(S works)",
    "(VP fails not)",
    "(works)",
] * 4
Y = np.arange(20) % 2


def single_removals(explainer, X):
    """Yield the decreases without each input, and the attributions of the inputs of each sample."""
    for sample in explain_each(explainer, X):
        inputs = sample.batch.inputs
        everything = np.ones((1, inputs.n_rows), dtype=bool)
        values = sample.evaluate(np.vstack([everything, ~np.eye(inputs.n_rows, dtype=bool)]))
        yield values[0] - values[1:], sample.attributions


@pytest.mark.parametrize("linear_path", [True, False])
@pytest.mark.parametrize("cell", ["child_sum_lstm", "nary_lstm", "nary_gru", "child_sum_gru", "rnn"])
def test_the_value_without_one_input_is_that_of_the_occlusion(cell, linear_path):
    net = RecursiveNetClassifier(cell, linear_path=linear_path, **QUICK).fit(TREES, Y)
    found = list(single_removals(fit_explainer(net, TREES, dtype="float64"), TREES[:5]))
    for decreases, attributions in found:
        assert np.allclose(decreases, attributions, atol=1e-10)
    others = single_removals(fit_explainer(net, TREES, dtype="float64", method="shapley"), TREES[:5])
    differences = [np.abs(a - b).max() for (a, _), (b, _) in zip(found, others, strict=True)]
    assert max(differences) > 1e-4  # the control: other methods replace inputs by their baselines


def test_pairs_of_trees_lose_states_on_both_sides():
    pairs = pd.DataFrame({"a": TREES, "b": TREES[::-1]})
    net = RecursiveNetClassifier(**QUICK).fit(pairs, Y)
    for decreases, attributions in single_removals(fit_explainer(net, pairs, dtype="float64"), pairs[:4]):
        assert np.allclose(decreases, attributions, atol=1e-10)


@pytest.mark.parametrize("params", [{"pooling": "mean"}, {"bidirectional": True}])
def test_other_nets_replace_inputs_by_their_baselines(params):
    net = RecursiveNetClassifier(**params, **QUICK).fit(TREES, Y)
    curves = [
        deletion_curve(fit_explainer(net, TREES, method=method), TREES[:2], n_points=2).values[:, 1]
        for method in ("occlusion", "shapley")
    ]
    assert np.allclose(*curves, atol=1e-6)


def test_curves_do_not_depend_on_the_number_of_rows_at_once():
    net = RecursiveNetClassifier(**QUICK).fit(TREES, Y)
    curves = [deletion_curve(fit_explainer(net, TREES, max_rows=n), TREES[:4]).values for n in (1, 8192)]
    assert np.allclose(*curves, atol=1e-6)
