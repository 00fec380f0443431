"""Numbers of subtrees are equal if and only if labels, edge labels and shapes are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import forests

import sklearn_tree.trees.subtrees as subtrees
from sklearn_tree import Tree, TreeArray
from sklearn_tree.trees.subtrees import heights_of, number_subtrees, sibling_ranks, take_subtrees


def subtrees_by_recursion(array):
    """Return each subtree as nested tuples."""
    nested = []
    for tree in array:
        edges = tree.edges or [None] * len(tree.labels)

        def to_tuple(node, tree=tree, edges=edges):
            return tree.labels[node], edges[node], *map(to_tuple, tree.children(node))

        nested += [to_tuple(node) for node in tree.nodes]
    return nested


def assert_correct(array, numbers):
    nested = subtrees_by_recursion(array)
    pairs = set(zip(nested, numbers.tolist()))
    assert len(pairs) == len(set(nested)) == len(set(numbers.tolist()))
    assert (heights_of(numbers) == array.heights).all()
    assert (np.diff(heights_of(np.sort(numbers))) <= 0).all()


@given(forest=forests(labels=st.integers(2, 3)), data=st.data())
def test_equal_numbers_imply_equal_subtrees_and_vice_versa(forest, data):
    array = TreeArray.from_trees(forest)
    assert_correct(array, number_subtrees(array))
    edges = data.draw(st.lists(st.integers(0, 1), min_size=array.n_nodes, max_size=array.n_nodes))
    array = array.replace(edges=np.array(edges), n_edge_labels=2)
    assert_correct(array, number_subtrees(array))
    assert_correct(array, number_subtrees(array.replace(labels=None), array.labels))


@given(forest=forests(labels=st.integers(2, 3)))
def test_subtrees_with_colliding_hashes_have_different_numbers(forest):
    array = TreeArray.from_trees(forest)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subtrees, "_mix", lambda x: x & np.uint64(1))
        numbers = number_subtrees(array)
    nested = subtrees_by_recursion(array)
    assert len(set(zip(nested, numbers.tolist()))) == len(set(numbers.tolist()))
    assert (heights_of(numbers) == array.heights).all()


def test_chains_and_stars_of_100_000_nodes_are_numbered():
    chain, star = Tree([2] * 100_000, list(range(-1, 99_999))), Tree([2] * 100_000, [-1] + [0] * 99_999)
    numbers = number_subtrees(TreeArray.from_trees([star, chain]))
    assert len(set(numbers[:100_000].tolist())) == 2
    assert len(set(numbers[100_000:].tolist())) == 100_000
    assert numbers[-1] == numbers[1]


def test_no_trees_and_single_nodes_are_numbered():
    array = TreeArray.from_trees([Tree([2], [-1])])
    assert len(number_subtrees(array[:0])) == 0
    assert len(number_subtrees(array)) == 1


def test_replaced_labels_remove_the_numbers():
    array = TreeArray.from_trees([Tree([2, 3], [-1, 0])])
    with_numbers = array.replace(subtrees=number_subtrees(array))
    assert len(with_numbers[[0, 0]].subtrees) == 4
    assert with_numbers.replace(n_labels=9).subtrees is with_numbers.subtrees
    assert with_numbers.replace(labels=array.labels + 1).subtrees is None


def test_sibling_ranks_start_at_0_for_each_parent():
    assert sibling_ranks(np.array([0, 0, 3, 4, 4, 4])).tolist() == [0, 1, 0, 0, 1, 2]
    assert len(sibling_ranks(np.zeros(0, dtype=int))) == 0


@given(forest=forests(labels=st.integers(2, 3)), data=st.data())
def test_the_subtree_of_a_node_is_taken_from_each_tree(forest, data):
    array = TreeArray.from_trees(forest)
    nodes = np.array([data.draw(st.integers(0, size - 1)) for size in array.sizes.tolist()], dtype=np.int64)
    taken = take_subtrees(array.replace(subtrees=number_subtrees(array)), nodes)
    for tree, part, node in zip(array, taken, nodes.tolist(), strict=True):
        expected = tree.subtree(node)
        assert part.labels == expected.labels
        assert part.parents.tolist() == expected.parents.tolist()
        assert part.values == expected.values
        if tree.edges is not None:
            assert (part.edges or [None])[0] == tree.edges[node]
    assert taken.subtrees is None
