"""Dropout with the generators of the enclosing fit."""

import pytest
import torch
from torch import nn

from sklearn_tree.nn.dropout import Dropout
from sklearn_tree.randomness import own_generators, seed_globally

CPU = torch.device("cpu")


@pytest.mark.parametrize("p", [0.0, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_values_and_gradients_equal_those_of_torch(p, dtype):
    x = torch.linspace(-2, 2, 60, dtype=dtype).reshape(6, 10).requires_grad_()
    with seed_globally(3, CPU):
        expected = nn.Dropout(p)(x)
    with own_generators(3):
        found = Dropout(p)(x)
    assert torch.equal(found, expected)
    gradients = [torch.autograd.grad(out.sum(), x)[0] for out in (found, expected)]
    assert torch.equal(*gradients)


def test_a_fit_draws_without_torchs_global_generator():
    state = torch.get_rng_state()
    with own_generators(3):
        Dropout(0.5)(torch.ones(50))
    assert torch.equal(torch.get_rng_state(), state)
    Dropout(0.5)(torch.ones(50))
    assert not torch.equal(torch.get_rng_state(), state)


def test_evaluation_mode_changes_nothing():
    x = torch.ones(50)
    with own_generators(3):
        assert Dropout(0.5).eval()(x) is x
