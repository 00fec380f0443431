"""Structure of trees in preorder: levels, parents and subtree ends."""

import numpy as np
import pytest
from hypothesis import given
from strategies import forests

from sklearn_tree import Tree, TreeArray
from sklearn_tree.trees.preorder import find_parents, find_subtree_ends, nodes_by_depth, sort_by_depth


def descendants(tree, node):
    """Return the nodes of a subtree by plain recursion."""
    return [node, *(k for child in tree.children(node) for k in descendants(tree, child))]


@given(forests())
def test_parents_and_subtree_ends_agree_with_recursion(forest):
    array = TreeArray.from_trees(forest)
    parents, ends, start = [], [], 0
    for tree in forest:
        parents += [p + start if p >= 0 else -1 for p in tree.parents.tolist()]
        ends += [start + max(descendants(tree, node)) + 1 for node in tree.nodes]
        start += tree.n_nodes
    assert find_parents(array.depths).tolist() == parents
    assert find_subtree_ends(array.depths).tolist() == ends


@given(forests())
def test_levels_hold_all_nodes_of_a_depth_in_preorder(forest):
    depths = TreeArray.from_trees(forest).depths
    levels = nodes_by_depth(depths)
    assert [level.tolist() for level in levels] == [
        np.flatnonzero(depths == depth).tolist() for depth in range(depths.max() + 1)
    ]
    assert sort_by_depth(depths).tolist() == np.concatenate(levels).tolist()


def test_another_shape_has_other_parents_and_ends():  # the control of the laws above
    flat, deep = (Tree.from_any(text).depths for text in ("(S a b c)", "(S (a b c))"))
    assert find_parents(flat).tolist() != find_parents(deep).tolist()
    assert find_subtree_ends(flat).tolist() != find_subtree_ends(deep).tolist()


@pytest.mark.parametrize("n", [1 << 16, (1 << 16) + 1])
def test_depths_beyond_16_bits_are_sorted(n):
    depths = np.arange(n, dtype=np.int32)
    assert find_parents(depths).tolist() == list(range(-1, n - 1))
    assert (find_subtree_ends(depths) == n).all()


def test_no_nodes_have_no_parents():
    nothing = np.zeros(0, dtype=np.int32)
    assert len(find_parents(nothing)) == len(find_subtree_ends(nothing)) == 0
