"""Ablation and sliding windows equal one forward pass per removed group."""

import numpy as np
import pytest
import torch
from explain_helpers import assert_all_close, fit_example, fit_explainer, make_batch

from sklearn_tree.explain.methods.removal import ablate, slide_window


@torch.no_grad()
def decrease(batch, removed):
    """Return the decrease of each sample's value if some numbers have their baselines."""
    inputs = batch.inputs
    return batch.values - batch.evaluate(torch.where(removed, inputs.x0, inputs.x))


@pytest.mark.parametrize("kind", ["texts", "texts of a CNN", "a table"])
def test_ablation_removes_one_position_at_a_time(kind):
    net, X = fit_example(kind)
    batch = make_batch(net, X[:4], baseline="unknown" if "text" in kind else "zero", target="x")
    found = ablate(batch)
    for position in range(found.shape[1]):
        removed = torch.zeros_like(batch.inputs.x, dtype=torch.bool)
        removed[:, position] = True
        torch.testing.assert_close(found[:, position], decrease(batch, removed), rtol=0, atol=1e-9)
    assert found[batch.inputs.removable].abs().min() > 1e-9  # the control


@pytest.mark.parametrize(("kind", "n_groups"), [("series", 8), ("images", 9)])
def test_ablation_removes_one_window_or_patch_at_a_time(kind, n_groups):
    net, X = fit_example(kind)
    batch = make_batch(net, X[:4], baseline="zero", target="x", params={"window": 3})
    groups = batch.inputs.expand(batch.groups())
    assert groups.unique().tolist() == list(range(n_groups))
    found = ablate(batch)
    for group in range(n_groups):
        expected = decrease(batch, (groups == group).expand_as(batch.inputs.x))
        total = found[:, groups == group].sum(1)
        torch.testing.assert_close(total, expected, rtol=0, atol=1e-9)
        shares = found[:, groups == group]
        torch.testing.assert_close(shares, shares[:, :1].expand_as(shares))
        assert expected.abs().max() > 1e-3  # the control


@pytest.mark.parametrize("kind", ["series", "images"])
def test_a_sliding_window_averages_the_decreases_of_the_windows_over_a_number(kind):
    net, X = fit_example(kind)
    batch = make_batch(net, X[:2], baseline="zero", target="x", params={"window": 3, "stride": 1})
    x, found = batch.inputs.x, slide_window(batch)
    total, counts = torch.zeros_like(x), torch.zeros_like(x)
    for start in np.ndindex(*(size - 2 for size in x.shape[1:-1])):
        for channels in [slice(None)] if kind == "images" else [slice(c, c + 1) for c in range(x.shape[-1])]:
            window = (slice(None), *(slice(i, i + 3) for i in start), channels)
            removed = torch.zeros_like(x, dtype=torch.bool)
            removed[window] = True
            size = removed[0].sum()
            total[window] += (decrease(batch, removed) / size).view(-1, *(1,) * (x.ndim - 1))
            counts[window] += 1
    torch.testing.assert_close(found.double(), total / counts, rtol=0, atol=1e-6)  # Captum returns float32
    other = make_batch(net, X[:2], baseline="zero", target="x", params={"window": 3, "stride": 2})
    assert (slide_window(other) - found).abs().max() > 1e-4  # the control


def test_occlusion_and_feature_ablation_are_equal_for_texts():
    net, X = fit_example("texts")
    ablated, occluded = (
        fit_explainer(net, X[:6], method=method).explain(X[:4]).own
        for method in ("feature_ablation", "occlusion")
    )
    assert_all_close(ablated, occluded, atol=0)
