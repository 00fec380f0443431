"""Gradient methods equal the gradients of autograd."""

import pytest
import torch
from explain_helpers import fit_example, make_batch

from sklearn_tree.explain.methods.gradients import input_x_gradient, saliency, slope


def autograd(batch, x):
    """Return the gradient of each sample's value with respect to its own inputs, sample by sample."""
    x = x.clone().requires_grad_()
    values = batch.evaluate(x)
    return sum(torch.autograd.grad(value, x, retain_graph=True)[0] for value in values)


@pytest.mark.parametrize("kind", ["trees", "texts", "texts of a CNN", "series", "a table", "images"])
def test_gradient_methods_equal_the_gradients_of_autograd(kind):
    net, X = fit_example(kind)
    baseline = "unknown" if kind.startswith(("trees", "texts")) else "zero"
    batch = make_batch(net, X[:4], baseline=baseline, target="x")
    x, x0 = batch.inputs.x, batch.inputs.x0
    expected = autograd(batch, x)
    assert expected.abs().max() > 1e-3
    torch.testing.assert_close(slope(batch, x), expected)
    torch.testing.assert_close(input_x_gradient(batch, x, x0), expected * (x - x0))
    is_vector = batch.inputs.is_embedded
    sizes = expected.norm(dim=-1) if is_vector else expected.abs()
    torch.testing.assert_close(saliency(batch, x, x0), sizes)
    with pytest.raises(AssertionError):  # the control: the gradient at other inputs
        torch.testing.assert_close(slope(batch, x0), expected)


def test_saliency_of_several_copies_equals_the_saliency_of_each_copy():
    net, X = fit_example("texts")
    batch = make_batch(net, X[:4], target="x")
    x, x0 = batch.inputs.x, batch.inputs.x0
    found = saliency(batch, torch.cat([x, x0]), torch.cat([x0, x0]))
    torch.testing.assert_close(found, torch.cat([saliency(batch, x, x0), saliency(batch, x0, x0)]))
