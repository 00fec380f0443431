"""States of nodes equal plain recursion, and a changed node costs its ancestors only."""

import pytest
import torch
from explain_helpers import NaiveTrees, fit_tree_net, make_trees
from reference import NODE, recursive_states

from sklearn_tree.explain.ancestors import NodeStates


@pytest.mark.parametrize("cell", sorted(NODE))
def test_the_states_of_all_nodes_equal_plain_recursion(cell):
    naive = NaiveTrees(fit_tree_net(cell), make_trees())
    states = NodeStates(naive.inputs)
    for found, rows_of_x in ((states.states[0], naive.x), (states.baseline_states[0], naive.x0)):
        for rows, tree in zip(naive.rows, naive.trees):
            x, _ = naive.module.split_embedded(rows_of_x[rows])
            expected = recursive_states(naive.module.encoder.cell, NODE[cell], x, tree)
            expected = torch.stack([expected[node] for node in tree.nodes])
            torch.testing.assert_close(found[rows], expected, rtol=0, atol=1e-9)
    assert (states.states[0] - states.baseline_states[0]).abs().max() > 1e-3  # the control


@pytest.mark.parametrize("cell", ["child_sum_lstm", "child_sum_gru"])
def test_sums_over_siblings_give_the_states_of_a_cell_that_reads_all_children(cell):
    fast, slow = (NodeStates(NaiveTrees(fit_tree_net(cell), make_trees()).inputs) for _ in range(2))
    assert fast._sibling_sums is not None
    slow._sibling_sums = None
    nodes = (fast.parents >= 0).nonzero().squeeze(1)
    unchanged = tuple(state[nodes] for state in fast.states)
    for states in (unchanged, tuple(0.5 * state + 0.1 for state in unchanged)):
        pairs = zip(fast.parent_states(nodes, states), slow.parent_states(nodes, states), strict=True)
        for a, b in pairs:
            torch.testing.assert_close(a, b, rtol=0, atol=1e-9)
    before = fast.states[0][fast.parents[nodes]]
    torch.testing.assert_close(fast.parent_states(nodes, unchanged)[0], before, rtol=0, atol=1e-9)
    assert (a.sum(1) - before.sum(1)).abs().min() > 1e-6  # the control: a changed child changes its parent


def test_the_cost_of_a_subtree_is_its_depth():
    naive = NaiveTrees(fit_tree_net(), make_trees(30))
    states, array = NodeStates(naive.inputs), naive.inputs.array
    states.vectors(torch.arange(array.n_nodes), states.states)
    assert states.n_evaluations == array.depths.sum()
    n_naive = sum(size * size for size in array.sizes.tolist())
    assert states.n_evaluations < n_naive / 3
