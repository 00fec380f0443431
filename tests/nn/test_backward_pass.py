"""The backward pass computes the gradients of the forward pass."""

import pytest
import torch
from user_cells import GATED_CELLS

from sklearn_tree import Tree, TreeArray
from sklearn_tree.nn import RecursiveEncoder, TreeBatch
from sklearn_tree.nn.backward_pass import BackwardPass

BATCH = TreeBatch.from_array(TreeArray.from_trees([Tree([2] * 6, [-1, 0, 0, 1, 1, 3])]))
each_cell = pytest.mark.parametrize("cell", list(GATED_CELLS))


def encode(name):
    torch.manual_seed(0)
    encoder = RecursiveEncoder(GATED_CELLS[name](2, 2, 3).double())
    x = torch.randn(BATCH.n_nodes, 2, dtype=torch.float64, requires_grad=True)
    return encoder, x


@each_cell
def test_gradients_equal_numerical_gradients(cell):
    encoder, x = encode(cell)
    assert torch.autograd.gradcheck(lambda x: encoder(x, BATCH), x, check_undefined_grad=False)


@each_cell
def test_gradients_of_the_weights_are_computed_only_if_needed(cell, monkeypatch):
    encoder, x = encode(cell)
    calls = []
    correct = BackwardPass.weight_grads
    monkeypatch.setattr(BackwardPass, "weight_grads", lambda self: calls.append(1) or correct(self))
    (with_weights,) = torch.autograd.grad(encoder(x, BATCH).sum(), [x], retain_graph=True)
    assert calls == [1]
    encoder.requires_grad_(False)
    (without,) = torch.autograd.grad(encoder(x, BATCH).sum(), x)
    assert calls == [1]
    torch.testing.assert_close(with_weights, without, rtol=0, atol=0)


@pytest.mark.parametrize("part", ["_update_grads", "_message_grads"])
def test_a_wrong_step_fails_the_numerical_check(part, monkeypatch):  # the control of the law above
    correct = getattr(BackwardPass, part)

    def scale(self, *args):
        first, second = correct(self, *args)
        return tuple(1.01 * grad for grad in first), second

    monkeypatch.setattr(BackwardPass, part, scale)
    encoder, x = encode("child_sum_lstm")
    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        torch.autograd.gradcheck(lambda x: encoder(x, BATCH), x, check_undefined_grad=False)
