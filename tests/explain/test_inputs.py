"""Inputs of the net come in whole copies, and padding has no effect."""

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from explain_helpers import (
    NaiveTrees,
    assert_all_close,
    fit_example,
    fit_example_explainer,
    fit_tree_net,
    make_batch,
    make_trees,
)

from sklearn_tree.explain.methods.gradients import input_x_gradient, saliency
from sklearn_tree.explain.methods.integrated_gradients import integrate


def test_captum_integrates_wrongly_and_silently_if_the_structure_of_trees_is_not_copied():
    naive = NaiveTrees(fit_tree_net(), make_trees())
    inputs = naive.inputs
    with torch.no_grad():
        difference = naive.evaluate_all(inputs.x) - naive.evaluate_all(inputs.x0)

    def error(f, **params):
        found = IntegratedGradients(f).attribute(inputs.x, inputs.x0, n_steps=16, **params)
        return ((inputs.sum_per_sample(found) - difference).abs() / difference.abs()).detach()

    assert (error(naive.evaluate_all) > 0.5).all()
    assert (error(naive.batch.evaluate) < 0.01).all()
    assert (error(naive.evaluate_all, internal_batch_size=inputs.n_rows) < 0.01).all()  # one copy at a time


@pytest.mark.parametrize("n", [0, 1, -1])
def test_rows_that_are_not_whole_copies_are_refused(n):
    inputs = NaiveTrees(fit_tree_net(), make_trees()).inputs
    rows = inputs.x[:0] if n == 0 else torch.cat([inputs.x, inputs.x])[: n + 2 * inputs.n_rows - (n == 1) * 2]
    message = rf"rows must be whole copies of the 37 rows of this batch, got {len(rows)} rows"
    with pytest.raises(ValueError, match=message):
        inputs.outputs(rows)
    assert len(inputs.outputs(inputs.x.repeat(3, 1))) == 3 * len(inputs)


@pytest.mark.parametrize("kind", ["texts", "texts of a CNN", "ragged series"])
def test_padding_has_no_effect_and_no_attribution(kind):
    net, X = fit_example(kind)
    order = np.argsort([len(x.split()) if isinstance(x, str) else len(x) for x in X])
    short, long = X[order[3]], X[order[-1]]
    for method in ("integrated_gradients", "saliency", "shapley", "feature_ablation"):
        explainer = fit_example_explainer(kind, method, max_rows=1000)
        single, padded = explainer.explain([short]), explainer.explain([short, long])
        assert_all_close(single.own, padded.own[:1], atol=1e-6)
        assert single.values == pytest.approx(padded.values[:1], abs=1e-6)
    baseline = torch.ones(64) if "text" in kind else "zero"
    batch = make_batch(net, [short, long], baseline=baseline, target="x", dtype=torch.float32)
    x, x0, removable = batch.inputs.x, batch.inputs.x0, batch.inputs.removable
    assert not removable.all()
    for found in (integrate(batch, 8), saliency(batch, x, x0), input_x_gradient(batch, x, x0)):
        assert (found[~removable] == 0).all()
        assert (found[removable] != 0).any()  # the control
