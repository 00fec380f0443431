"""Columns of the gates cover the weights and tables of a cell exactly."""

import pytest
import torch
from user_cells import GATED_CELLS

from sklearn_tree.nn.gate_layout import GateLayout

each_cell = pytest.mark.parametrize("cell", list(GATED_CELLS))
PLACED = GateLayout(hidden_size=2, x_gates=("a", "b"), h_gates=("b", "c"), child_gates=("s",), n_places=3)
SUMMED = GateLayout(hidden_size=2, x_gates=("a", "b"), h_gates=("b", "c"), child_gates=("s",))


def test_gates_of_a_node_are_ordered_by_their_inputs():
    assert PLACED.node_gates == ("a", "b", "c")
    assert PLACED.table_gates == ("a", "b", "c", "s", "s", "s")
    assert SUMMED.table_gates == ("a", "b", "c")


def test_weights_have_the_sizes_of_their_gates():
    assert PLACED.w_size == SUMMED.w_size == 6
    assert (PLACED.u_shape, PLACED.u_sizes, PLACED.u_k_shape) == ((6, 10), (4, 6), None)
    assert (SUMMED.u_shape, SUMMED.u_sizes, SUMMED.u_k_shape) == ((2, 4), (4, 0), (2, 2))


def test_only_cells_without_places_have_edge_gates():
    assert SUMMED.has_edge_gates
    assert not PLACED.has_edge_gates
    assert not GateLayout(hidden_size=2, x_gates=("a",), h_gates=("a",), child_gates=()).has_edge_gates


@pytest.mark.parametrize("layout", [PLACED, SUMMED])
def test_columns_partition_the_tables(layout):
    wx = torch.arange(layout.w_size)
    assert torch.equal(torch.cat([wx[layout.x_columns], wx[layout.x_child_columns]]), wx)
    table = torch.arange(len(layout.table_gates) * layout.hidden_size)
    assert len(table[layout.u_columns]) == layout.u_shape[1]
    assert len(table[layout.place_columns]) == layout.u_sizes[1]
    assert len(wx[layout.x_columns]) + layout.n_padding + layout.u_sizes[1] == len(table)


@each_cell
def test_each_gate_reads_its_own_rows_of_the_weights(cell):
    """A change of the rows of ``W`` for the child gates changes only the messages."""
    cell = GATED_CELLS[cell](3, 4).double()
    x = torch.randn(2, 3, dtype=torch.float64)
    leaves = cell.compute_leaves(cell.project(x))
    with torch.no_grad():
        cell.W.weight[cell.layout.x_child_columns] += 1
    for ours, theirs in zip(cell.compute_leaves(cell.project(x)), leaves, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    with torch.no_grad():  # the control
        cell.W.weight[cell.layout.x_columns] += 1
    assert not torch.allclose(cell.compute_leaves(cell.project(x))[0], leaves[0], atol=1e-3)
