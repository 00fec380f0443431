"""Shapley values of an additive function are its terms, spread evenly over groups."""

from dataclasses import replace

import pytest
import torch
from explain_helpers import QUICK, SERIES, Y, make_batch

from sklearn_tree import RNNClassifier
from sklearn_tree.explain.methods.shapley import shapley

TEXTS = ["a b c d e f", "n m l k j i h g f e d c b a"] * 12


def make_sample(X, i, power=1, **params):
    """Return a sample of a net whose outputs are a power of a linear function, and the weights of "1"."""
    net = RNNClassifier(**QUICK, linear_path=False).fit(X, Y)
    size = 2 if X is SERIES else 64
    weight = torch.randn(size, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    net.net_.module_.forward_embedded = lambda x, batch: (x.sum(1) @ weight.to(x)) ** power
    baseline = "zero" if X is SERIES else "unknown"
    batch = make_batch(net, X[i : i + 1], baseline=baseline, target=1, params=params)
    return batch, weight[:, 1] - weight[:, 0]


@pytest.mark.parametrize("i", [0, 1], ids=["exact", "drawn"])
def test_the_terms_of_an_additive_function_need_one_order(i):
    batch, weight = make_sample(TEXTS, i, n_samples=1)
    terms = (batch.inputs.x - batch.inputs.x0) @ weight
    torch.testing.assert_close(shapley(batch), terms, rtol=0, atol=1e-9)
    batch, weight = make_sample(TEXTS, i, power=3, n_samples=1)
    assert (shapley(batch) - terms).abs().max() > 1e-3  # the control


def test_the_shapley_value_of_a_window_is_spread_evenly_over_its_positions():
    batch, weight = make_sample(SERIES, 0, window=3)
    found, groups = shapley(batch), batch.inputs.expand(batch.groups())
    terms = (batch.inputs.x - batch.inputs.x0) * weight
    for group in groups.unique():
        shares = found[:, groups == group]
        torch.testing.assert_close(shares, shares[:, :1].expand_as(shares))
        torch.testing.assert_close(shares.sum(), terms[:, groups == group].sum(), rtol=0, atol=1e-9)
    assert (found - terms).abs().max() > 1e-2  # the control: numbers in a window differ


def test_orders_are_drawn_with_the_seed_of_the_request():
    batch, _ = make_sample(TEXTS, 1, power=3, n_samples=1)
    other = replace(batch, request=replace(batch.request, seed=1))
    assert torch.equal(shapley(batch), shapley(batch))
    assert not torch.equal(shapley(batch), shapley(other))  # the control
