"""Inputs of recursive nets hold one row per removable node and give the outputs of plain recursion."""

import numpy as np
import pytest
import torch
from explain_helpers import NaiveTrees, fit_example, fit_tree_net, make_batch, make_trees

from sklearn_tree import Tree


def make_naive_trees():
    """Return trees whose inner nodes have no label."""
    trees = [
        Tree([word * (i not in tree.parents) for i, word in enumerate(tree.labels)], tree.parents)
        for tree in make_trees()
    ]
    return NaiveTrees(fit_tree_net(), trees)


@torch.no_grad()
def test_all_copies_of_a_batch_have_the_outputs_of_plain_recursion():
    naive = make_naive_trees()
    inputs = naive.inputs
    found = naive.batch.evaluate(torch.cat([inputs.x, inputs.x0, inputs.x]))
    x, x0 = naive.evaluate_all(naive.x), naive.evaluate_all(naive.x0)
    torch.testing.assert_close(found, torch.cat([x, x0, x]), rtol=0, atol=1e-9)
    assert (x - x0).abs().max() > 1e-3  # the control


def test_rows_are_the_nodes_with_a_label_and_the_others_share_one_input():
    inputs = make_naive_trees().inputs
    assert torch.equal(inputs.nodes, inputs.is_leaf.nonzero().squeeze(1))
    assert len(inputs.fixed) == 1
    assert inputs.n_rows < inputs.n_positions == inputs.array.n_nodes  # the control: some nodes have no label


def test_numbers_of_rows_are_split_into_trees_with_zeros_for_other_nodes():
    naive = make_naive_trees()
    numbers = torch.arange(1.0, 1 + naive.inputs.n_rows)
    parts = naive.inputs.split(numbers)
    assert [len(part) for part in parts] == [len(tree.nodes) for tree in naive.trees]
    for tree, part in zip(naive.trees, parts):
        assert [number > 0 for number in part] == [not tree.children(node) for node in tree.nodes]
    np.testing.assert_array_equal(np.concatenate(parts)[naive.inputs.nodes], numbers)
    sums = naive.inputs.sum_per_sample(numbers)
    assert [part.sum() for part in parts] == pytest.approx(sums.tolist())


def test_the_roots_of_stars_are_dropped():
    net, X = fit_example("a table as trees")
    inputs = make_batch(net, X[:3], baseline="zero", target="x").inputs
    assert [part.shape for part in inputs.split(torch.ones(inputs.n_rows))] == [(X.shape[1],)] * 3
    assert inputs.array.n_nodes == 3 * (X.shape[1] + 1)  # the control: the net reads roots
