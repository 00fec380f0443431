"""Numbers of subtrees: equal exactly where labels, edge labels and shape are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import forests

import sklearn_tree.trees.subtrees as subtrees
from sklearn_tree import Tree, TreeArray
from sklearn_tree.trees.subtrees import heights_of, number_subtrees, sibling_ranks


def by_recursion(array):
    """What each subtree is, as nested tuples: the slow, obvious version."""
    kinds = []
    for tree in array:
        edges = tree.edges or [None] * len(tree.labels)

        def kind(node, tree=tree, edges=edges):
            return tree.labels[node], edges[node], *map(kind, tree.children(node))

        kinds += [kind(node) for node in tree.nodes]
    return kinds


def assert_right(array, numbers):
    kinds = by_recursion(array)
    pairs = set(zip(kinds, numbers.tolist()))
    assert len(pairs) == len(set(kinds)) == len(set(numbers.tolist()))
    assert (heights_of(numbers) == array.heights).all()
    assert (np.diff(heights_of(np.sort(numbers))) <= 0).all()


@given(forest=forests(labels=st.integers(2, 3)), data=st.data())
def test_equal_numbers_mean_equal_subtrees(forest, data):
    array = TreeArray.from_trees(forest)
    assert_right(array, number_subtrees(array))
    edges = data.draw(st.lists(st.integers(0, 1), min_size=array.n_nodes, max_size=array.n_nodes))
    array = array.replace(edges=np.array(edges), n_edge_labels=2)
    assert_right(array, number_subtrees(array))
    assert_right(array, number_subtrees(array.replace(labels=None), array.labels))


@given(forest=forests(labels=st.integers(2, 3)))
def test_subtrees_of_one_hash_are_told_apart(forest):
    """Where hashes collide, no subtree is taken for another."""
    array = TreeArray.from_trees(forest)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subtrees, "_mixed", lambda x: x & np.uint64(1))
        numbers = number_subtrees(array)
    kinds = by_recursion(array)
    assert len(set(zip(kinds, numbers.tolist()))) == len(set(numbers.tolist()))
    assert (heights_of(numbers) == array.heights).all()


def test_chains_and_stars_of_100_000_nodes_are_numbered():
    chain, star = Tree([2] * 100_000, list(range(-1, 99_999))), Tree([2] * 100_000, [-1] + [0] * 99_999)
    numbers = number_subtrees(TreeArray.from_trees([star, chain]))
    assert len(set(numbers[:100_000].tolist())) == 2
    assert len(set(numbers[100_000:].tolist())) == 100_000
    assert numbers[-1] == numbers[1]


def test_there_may_be_nothing():
    array = TreeArray.from_trees([Tree([2], [-1])])
    assert len(number_subtrees(array[:0])) == 0
    assert len(number_subtrees(array)) == 1


def test_other_labels_make_other_subtrees():
    array = TreeArray.from_trees([Tree([2, 3], [-1, 0])])
    numbered = array.replace(subtrees=number_subtrees(array))
    assert len(numbered[[0, 0]].subtrees) == 4
    assert numbered.replace(n_labels=9).subtrees is numbered.subtrees
    assert numbered.replace(labels=array.labels + 1).subtrees is None


def test_ranks_begin_at_each_parent():
    assert sibling_ranks(np.array([0, 0, 3, 4, 4, 4])).tolist() == [0, 1, 0, 0, 1, 2]
    assert len(sibling_ranks(np.zeros(0, dtype=int))) == 0
