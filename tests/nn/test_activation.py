"""The activation of a table equals the activations of its gates."""

import pytest
import torch
from user_cells import GATED_CELLS, SoftSumCell

from sklearn_tree.nn.activation import GateActivation

each_cell = pytest.mark.parametrize("cell", list(GATED_CELLS))


def activate(activation, table):
    """Return the gates of a table and the table of sigmoids."""
    sigmoids = table * activation.scale
    activation.apply_(sigmoids)
    return activation.split(sigmoids), sigmoids


@each_cell
def test_it_equals_the_activations_of_the_gates(cell):
    cell = GATED_CELLS[cell](3, 4)
    for names in (cell.gates, cell.child_gates, cell.layout.table_gates):
        table = torch.randn(5, 4 * len(names), dtype=torch.float64)
        gates, _ = activate(GateActivation(cell, names), table)
        for ours, theirs in zip(gates, cell.activate_gates(table, names), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


@each_cell
def test_its_backward_pass_equals_autograd(cell):
    cell = GATED_CELLS[cell](3, 4)
    table = torch.randn(5, 4 * len(cell.gates), dtype=torch.float64, requires_grad=True)
    grad = torch.randn(5, 4 * len(cell.gates), dtype=torch.float64)
    torch.cat(cell.activate_gates(table, cell.gates), dim=1).backward(grad)
    activation = GateActivation(cell, cell.gates)
    _, sigmoids = activate(activation, table.detach())
    activation.backward_(grad, sigmoids)
    torch.testing.assert_close(grad * activation.grad_scale, table.grad, rtol=0, atol=1e-12)


def test_tanh_gates_need_scaled_inputs():  # the control of the laws above
    cell = SoftSumCell(3, 4)
    activation = GateActivation(cell, ("u",))
    table = torch.randn(5, 4, dtype=torch.float64)
    sigmoids = table.clone()
    activation.apply_(sigmoids)
    assert not torch.allclose(activation.split(sigmoids)[0], table.tanh(), atol=1e-3)


def test_adjacent_sigmoids_are_computed_together():
    cell = SoftSumCell(3, 4)
    activation = GateActivation(cell, ("u", "g", "k", "v"))
    assert activation.sigmoid_columns == [slice(0, 8), slice(12, 16)]  # k is linear
