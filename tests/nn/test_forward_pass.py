"""The forward pass computes the states of every row as the cell does."""

import pytest
import torch
from user_cells import GATED_CELLS

from sklearn_tree import Tree, TreeArray
from sklearn_tree.nn import RecursiveEncoder, TreeBatch
from sklearn_tree.nn.forward_pass import ForwardPass
from sklearn_tree.nn.plan import make_plan
from sklearn_tree.nn.walk_tables import WalkSetup

TREES = [Tree([2] * 7, [-1, 0, 0, 1, 1, 3, 0]), Tree([2] * 2, [-1, 0])]
BATCH = TreeBatch.from_array(TreeArray.from_trees(TREES))
each_cell = pytest.mark.parametrize("cell", list(GATED_CELLS))


def run(name):
    """Return the plain states of all nodes in batch order, and a forward pass that was run."""
    torch.manual_seed(0)
    cell, n = GATED_CELLS[name](3, 4, 4).double(), sum(BATCH.n_inner)
    wx = cell.project(torch.randn(BATCH.n_nodes, 3, dtype=torch.float64))
    with torch.no_grad():
        plain = RecursiveEncoder(cell).compute_states(wx, BATCH)
        n_leaves = BATCH.n_nodes - n
        plan = make_plan(cell, BATCH.make_schedule(torch.arange(n), torch.arange(n_leaves)), n_leaves)
        weights = (cell.U.weight,) if cell.U_k is None else (cell.U.weight, cell.U_k.weight)
        setup = WalkSetup.from_cell(cell, plan)
        forward = ForwardPass(setup, wx[:n], tuple(state[n:] for state in plain), weights)
        return plain, forward, forward.run()


@each_cell
def test_all_states_equal_those_of_the_plain_walk(cell):
    plain, forward, h = run(cell)
    for state, expected in zip(forward.states, plain, strict=True):
        torch.testing.assert_close(state[:-1], expected, rtol=0, atol=1e-12)
        assert (state[-1] == 0).all()  # the state of an empty place
    assert h.data_ptr() == forward.states[0].data_ptr()


@each_cell
def test_children_are_gathered_by_edge(cell):
    _, forward, h = run(cell)
    plan = forward.setup.plan
    padded = torch.cat([h, h.new_zeros(1, 4)])
    n_edges = sum(plan.n_edges)
    assert torch.equal(forward.tables.child_states[0][:n_edges], padded[plan.children])


def test_states_depend_on_the_weights():  # the control of the laws above
    plain, forward, _ = run("nary_lstm")
    with torch.no_grad():
        forward.U_scaled.mul_(2)
    assert not torch.allclose(forward.run(), plain[0], atol=1e-3)
