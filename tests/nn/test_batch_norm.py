"""Batch normalization leaves the padding out of its statistics."""

import pytest
import torch

from sklearn_tree.nn import BatchNorm

MASK = (torch.arange(6) < torch.tensor([[6], [2], [0]])).view(3, 1, 6, 1)


def grids(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 3 + 2 * torch.randn(3, 1, 6, 4, dtype=torch.float64, generator=generator)


def make_norm(n_steps=3):
    """Return a normalization with random weights after some training steps, in training mode."""
    torch.manual_seed(0)
    norm = BatchNorm(4).double()
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    for i in range(n_steps):
        norm(grids(i), MASK)
    return norm


def torchs(norm):
    """Return torch's batch normalization of vectors with the same state."""
    reference = torch.nn.BatchNorm1d(4).double()
    reference.load_state_dict(norm.state_dict(), strict=False)
    return reference


@pytest.mark.parametrize("is_training", [True, False])
def test_valid_positions_are_normalized_as_by_torch(is_training):
    norm, x = make_norm(10), grids(9)  # the momentum is torch's after ten batches
    reference = torchs(norm).train(is_training)
    valid, variance = x[MASK[..., 0]], norm.running_var.clone()
    expected = reference(valid)
    if is_training:
        variance.lerp_(valid.var(0, correction=0), 0.1)  # torch's is divided by n - 1
    torch.testing.assert_close(norm.train(is_training)(x, MASK)[MASK[..., 0]], expected)
    torch.testing.assert_close(norm.running_mean, reference.running_mean)
    torch.testing.assert_close(norm.running_var, variance)


@pytest.mark.parametrize("n_steps", [1, 3, 10])
def test_the_first_batches_have_equal_weights(n_steps):
    norm = make_norm(n_steps)
    valid = [grids(i)[MASK[..., 0]] for i in range(n_steps)]
    mean, variance = (
        torch.stack(parts).mean(0) for parts in zip(*((x.mean(0), x.var(0, correction=0)) for x in valid))
    )
    torch.testing.assert_close(norm.running_mean, mean)
    torch.testing.assert_close(norm.running_var, variance)


def test_full_grids_are_normalized_as_with_a_mask():
    masked, unmasked, x = make_norm(), make_norm(), grids(9)
    torch.testing.assert_close(masked(x, torch.ones_like(MASK)), unmasked(x))
    torch.testing.assert_close(masked.state_dict(), unmasked.state_dict())


@pytest.mark.parametrize("mask", [None, MASK])
def test_weights_equal_repetitions(mask):
    weighted, repeated, x = make_norm(), make_norm(), grids(9)
    counts, rows = torch.tensor([2.0, 0.0, 3.0]), [0, 0, 2, 2, 2]
    found = weighted(x, mask, counts / 5)[rows]  # the scale of the weights does not matter
    torch.testing.assert_close(found, repeated(x[rows], None if mask is None else mask[rows]))
    torch.testing.assert_close(weighted.state_dict(), repeated.state_dict())
    unweighted = make_norm()  # the control
    assert not torch.allclose(unweighted(x, mask)[rows], found)


def test_samples_of_weight_zero_are_finite_beside_constant_ones():
    norm, x = BatchNorm(4), torch.cat([torch.ones(1, 1, 6, 4), 1e30 * torch.ones(1, 1, 6, 4)])
    for weights in ([1.0, 0.0], [0.0, 0.0]):
        assert (norm(x, None, torch.tensor(weights))[1] == 0).all()


def test_weights_of_zero_are_finite():
    norm, x = make_norm(), grids(9).requires_grad_()
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    (norm(x, MASK, torch.zeros(3)).sum() * 0).backward()
    assert (x.grad == 0).all()
    torch.testing.assert_close(norm.state_dict(), before, rtol=0, atol=0)


def test_statistics_are_exact_with_bfloat16_inputs():
    norms = [make_norm().float() for _ in range(3)]
    x = (100 + grids(9)).bfloat16()
    full = torch.ones_like(MASK)
    found = norms[0](x, full), norms[1](x)
    exact = norms[2](x.float())
    for norm, h in zip(norms, found):
        assert h.dtype == torch.bfloat16
        torch.testing.assert_close(h.float(), exact, rtol=0.01, atol=0.01)
        torch.testing.assert_close(norm.state_dict(), norms[2].state_dict())


def test_the_padding_changes_neither_outputs_nor_averages():
    norm, other, x = make_norm(), make_norm(), grids(9)
    changed = torch.where(MASK, x, torch.full_like(x, 1e6))
    torch.testing.assert_close(
        norm(x, MASK)[MASK[..., 0]], other(changed, MASK)[MASK[..., 0]], rtol=0, atol=0
    )
    torch.testing.assert_close(norm.state_dict(), other.state_dict(), rtol=0, atol=0)
    without_mask = make_norm()  # the control
    without_mask(changed)
    assert not torch.allclose(without_mask.running_mean, norm.running_mean)


@pytest.mark.parametrize("mask", [None, torch.ones(1, 1, 1, 1).bool(), torch.zeros(1, 1, 1, 1).bool()])
def test_fewer_than_two_valid_positions_leave_the_averages_unchanged(mask):
    norm = make_norm()
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    x = torch.randn(1, 1, 1, 4, dtype=torch.float64, requires_grad=True)
    norm(x, mask).sum().backward()
    assert x.grad.isfinite().all()
    torch.testing.assert_close(norm.state_dict(), before, rtol=0, atol=0)
    norm(torch.randn(1, 1, 2, 4, dtype=torch.float64))  # the control
    assert not torch.allclose(norm.running_mean, before["running_mean"])


def test_gradients_equal_numerical_gradients():
    norm, x = make_norm(), grids(9).requires_grad_()

    def function(x):
        return norm(x, MASK).masked_fill(~MASK, 0.0)

    assert torch.autograd.gradcheck(function, x)
