"""Grad-CAM weights the feature maps by their mean gradients."""

import pytest
import torch
from explain_helpers import fit_example, make_batch
from torch.nn.functional import interpolate

from sklearn_tree.explain.methods.grad_cam import grad_cam


def naive_grad_cam(batch, i):
    """Return the heat map of a sample, shape (height, width), from gradients of its own value."""
    inputs = batch.inputs
    module = inputs.module
    maps = (
        module.features(module.split_embedded(inputs.x)[0], inputs.batch).detach().requires_grad_()
    )  # (n, height, width, size)
    value = batch.objective(module.decide(maps, inputs.batch))[i]
    gradient = torch.autograd.grad(value, maps)[0][i]
    n_positions = gradient.shape[0] * gradient.shape[1]
    if maps.shape[1] == 1:  # a sequence
        n_positions = -(-inputs.removable[i].sum() // module.encoder.stride)
    return (maps[i] * (gradient.sum((0, 1)) / n_positions)).sum(-1).detach()


@pytest.mark.parametrize("kind", ["texts of a CNN", "texts of a CNN, linear path", "series of a CNN"])
def test_grad_cam_of_sequences_equals_the_weighted_feature_maps(kind):
    net, X = fit_example(kind)
    batch = make_batch(net, X[:3], baseline="unknown" if "text" in kind else "zero", target="x")
    found, removable = grad_cam(batch), batch.inputs.removable
    heat = found if found.ndim == 2 else found.sum(-1)
    for i in range(3):
        expected = naive_grad_cam(batch, i)[0]
        stride = batch.inputs.module.encoder.stride
        expected = expected[torch.arange(heat.shape[1]) // stride]  # a step has the value of its position
        torch.testing.assert_close(heat[i][removable[i]], expected[removable[i]])
    assert (found[~removable] == 0).all()
    assert heat.abs().max() > 1e-4  # the control


def test_grad_cam_of_images_is_scaled_up_and_equal_for_all_channels():
    net, X = fit_example("images")
    batch = make_batch(net, X[:3], baseline="zero", target="x")
    found = grad_cam(batch)
    assert found.shape == batch.inputs.x.shape
    torch.testing.assert_close(found[..., 0], found[..., 1])
    for i in range(3):
        heat = naive_grad_cam(batch, i)[None, None]
        expected = interpolate(heat, found.shape[1:3], mode="bilinear", align_corners=False)[0, 0]
        torch.testing.assert_close(found[i].sum(-1), expected)
    assert found.std() > 1e-6  # the control
