"""Cells equal their published equations, computed node by node."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import NODE, recursive_states
from strategies import forests

from sklearn_tree import Tree, TreeArray
from sklearn_tree.nn import CELLS, RecursiveEncoder, TreeBatch

IDS = st.integers(2, 6)
each_cell = pytest.mark.parametrize("name", sorted(CELLS))


def make_cell(name, input_size=4, hidden_size=5, max_arity=3):
    torch.manual_seed(0)
    return CELLS[name](input_size, hidden_size, max_arity).double()


def node_inputs(array, size=4):
    """Return random inputs in the order of the array."""
    return torch.randn(array.n_nodes, size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def walk_levels(cell, x, array):
    """Return the outputs of all nodes in the order of the array."""
    batch = TreeBatch.from_array(array)
    in_batch_order = torch.empty_like(x).index_copy(0, batch.order, x)
    return RecursiveEncoder(cell)(in_batch_order, batch)[batch.order]


def recurse(cell, node, x, array):
    """Return the outputs of all nodes, computed by recursion over each tree."""
    rows = []
    for tree, start in zip(array, array.offsets):
        states = recursive_states(cell, node, x[start : start + tree.n_nodes], tree)
        rows += [states[i] for i in tree.nodes]
    return torch.stack(rows)


@each_cell
@settings(max_examples=40)
@given(forest=forests(labels=IDS))
def test_a_walk_by_levels_equals_recursion(name, forest):
    array, cell = TreeArray.from_trees(forest), make_cell(name)
    x = node_inputs(array)
    torch.testing.assert_close(
        walk_levels(cell, x, array), recurse(cell, NODE[name], x, array), rtol=0, atol=1e-6
    )


@each_cell
@settings(max_examples=30)
@given(forest=forests(labels=IDS, max_trees=3))
def test_gradients_equal_those_of_recursion(name, forest):
    array, cell = TreeArray.from_trees(forest), make_cell(name)
    x = node_inputs(array).requires_grad_()
    weights = torch.randn(array.n_nodes, 5, dtype=torch.float64)
    parameters = [x, *cell.parameters()]
    fast = torch.autograd.grad((walk_levels(cell, x, array) * weights).sum(), parameters, allow_unused=True)
    slow = torch.autograd.grad(
        (recurse(cell, NODE[name], x, array) * weights).sum(), parameters, allow_unused=True
    )
    for a, b in zip(fast, slow):
        a, b = (torch.zeros(1, dtype=torch.float64) if g is None else g for g in (a, b))
        torch.testing.assert_close(*torch.broadcast_tensors(a, b), rtol=0, atol=1e-9)


@each_cell
def test_a_wrong_equation_differs(name):  # the control of the two laws above
    array, cell = TreeArray.from_trees([Tree([2, 3, 4], [-1, 0, 0])]), make_cell(name)
    x = node_inputs(array)

    def without_bias(cell, x, children):
        bias = cell.W.bias.clone()
        with torch.no_grad():
            cell.W.bias.zero_()
        state = NODE[name](cell, x, children)
        with torch.no_grad():
            cell.W.bias.copy_(bias)
        return state

    assert not torch.allclose(walk_levels(cell, x, array), recurse(cell, without_bias, x, array), atol=1e-3)


@given(st.integers(1, 20))
def test_a_unary_chain_of_nary_cells_equals_an_lstm(length):
    cell = make_cell("nary_lstm", max_arity=1)
    lstm = torch.nn.LSTMCell(4, 5).double()
    i, o, u, f = range(4)  # the cell's order of gates; torch's is i, f, g, o
    with torch.no_grad():
        for ours, theirs in ((cell.W.weight, lstm.weight_ih), (cell.U.weight, lstm.weight_hh)):
            gates = ours.split(5)
            theirs.copy_(torch.cat([gates[i], gates[f], gates[u], gates[o]]))
        gates = cell.W.bias.split(5)
        lstm.bias_ih.copy_(torch.cat([gates[i], gates[f], gates[u], gates[o]]))
        lstm.bias_hh.zero_()
    array = TreeArray.from_trees([Tree([2] * length, list(range(-1, length - 1)))])
    x = node_inputs(array)
    state = None
    for step in reversed(range(length)):  # the leaf is the first step
        state = lstm(x[step : step + 1], state)
    torch.testing.assert_close(walk_levels(cell, x, array)[:1], state[0], rtol=0, atol=1e-12)


def test_a_child_sum_cell_equals_an_nary_cell_on_chains_only():  # the control of the law above
    cell = make_cell("child_sum_lstm")
    nary = make_cell("nary_lstm", max_arity=1)
    with torch.no_grad():
        nary.W.load_state_dict(cell.W.state_dict())
        nary.U.weight.copy_(torch.cat([cell.U.weight, cell.U_k.weight]))
    chain = TreeArray.from_trees([Tree([2, 3], [-1, 0])])
    fork = TreeArray.from_trees([Tree([2, 3, 3], [-1, 0, 0])])
    x = node_inputs(chain)
    torch.testing.assert_close(walk_levels(cell, x, chain), walk_levels(nary, x, chain))
    x = node_inputs(fork)
    assert not torch.allclose(walk_levels(cell, x, fork)[0], walk_levels(nary, x, fork)[0], atol=1e-4)


def test_children_beyond_max_arity_are_summed_in_the_last_place():
    cell = make_cell("nary_lstm", max_arity=2)
    array = TreeArray.from_trees([Tree([2] * 5, [-1, 0, 0, 0, 0])])
    x = node_inputs(array)
    torch.testing.assert_close(
        walk_levels(cell, x, array), recurse(cell, NODE["nary_lstm"], x, array), rtol=0, atol=1e-12
    )


@each_cell
def test_gradients_equal_numerical_gradients(name):
    array = TreeArray.from_trees([Tree([2, 3, 4, 5], [-1, 0, 0, 1]), Tree([2], [-1])])
    cell = make_cell(name, input_size=2, hidden_size=2)
    assert torch.autograd.gradcheck(
        lambda x: walk_levels(cell, x, array), node_inputs(array, 2).requires_grad_()
    )
