"""Pooling of the nodes outside a subtree equals the pooling of a plain list of vectors."""

import pytest
import torch
from explain_helpers import fit_tree_net, make_trees
from reference import pool_nodes, subtree

from sklearn_tree import TreeArray
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.outside import ComplementPooling

each_pooling = pytest.mark.parametrize("pooling", ["max", "mean", "attention"])


def make_pooling(pooling):
    """Return trees, random vectors of their nodes, and the pooling of these vectors."""
    trees = TreeArray.from_trees(make_trees())
    h = torch.randn(trees.n_nodes, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    pool = ExplainedNet(fit_tree_net(pooling=pooling), torch.float64).module.pool.requires_grad_(False)
    return trees, h, ComplementPooling(pool, trees, h)


def pool_each(trees, h, pool, choose):
    """Pool the vectors of ``choose(tree, node)`` for each node of each tree, node by node."""
    vectors = []
    for tree, start in zip(trees, trees.offsets):
        for node in tree.nodes:
            chosen = [h[start + i] for i in choose(tree, node)]
            vectors.append(pool_nodes(pool, torch.zeros_like(h[0]), chosen))
    return torch.stack(vectors)


def path_to_root(tree, node):
    """Return a node and its ancestors."""
    return [node, *path_to_root(tree, tree.parents[node])] if node >= 0 else []


@each_pooling
def test_the_nodes_outside_a_subtree_exclude_its_ancestors(pooling):
    def outside(tree, node):
        excluded = {*subtree(tree, node), *path_to_root(tree, node)}
        return [i for i in tree.nodes if i not in excluded]

    trees, h, complement = make_pooling(pooling)
    found = complement.finish(complement.pool_outside(torch.arange(trees.n_nodes)))
    torch.testing.assert_close(found, pool_each(trees, h, complement.pool, outside), rtol=0, atol=1e-9)
    assert (found[torch.from_numpy(trees.offsets[:-1])] == 0).all()
    with_ancestors = pool_each(
        trees, h, complement.pool, lambda tree, node: set(tree.nodes) - {*subtree(tree, node)}
    )
    assert (found - with_ancestors).abs().max() > 0.1  # the control


@each_pooling
def test_the_descendants_of_a_node_exclude_the_node(pooling):
    trees, h, complement = make_pooling(pooling)
    descendants = complement.pool_descendants(h)
    expected = pool_each(trees, h, complement.pool, lambda tree, node: subtree(tree, node)[1:])
    torch.testing.assert_close(complement.finish(descendants), expected, rtol=0, atol=1e-9)
    expected = pool_each(trees, h, complement.pool, subtree)
    torch.testing.assert_close(complement.finish(complement.add(descendants, h)), expected, rtol=0, atol=1e-9)
    assert (complement.finish(descendants) - expected).abs().max() > 0.1  # the control
