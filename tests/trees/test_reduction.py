"""Reductions over subtrees and paths."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import forests

from sklearn_tree import TreeArray
from sklearn_tree.trees.reduction import accumulate_paths, reduce_subtrees


def reduce_by_recursion(tree, numbers, ufunc, node=0):
    """Return the reductions of all subtrees below a node as {node: reduction}."""
    reduced = {node: numbers[node]}
    for child in tree.children(node):
        reduced |= reduce_by_recursion(tree, numbers, ufunc, child)
        reduced[node] = ufunc(reduced[node], reduced[child])
    return reduced


def accumulate_by_loop(tree, numbers, ufunc):
    accumulated = list(numbers)
    for node in tree.nodes[1:]:
        accumulated[node] = ufunc(accumulated[tree.parents[node]], numbers[node])
    return accumulated


@pytest.mark.parametrize("ufunc", [np.add, np.maximum, np.minimum])
@given(forest=forests(), data=st.data())
def test_reductions_agree_with_recursion(ufunc, forest, data):
    array = TreeArray.from_trees(forest)
    ints = st.integers(-9, 9)
    numbers = np.array(data.draw(st.lists(ints, min_size=array.n_nodes, max_size=array.n_nodes)))
    before = numbers.copy()
    subtrees, paths = [], []
    for tree, start, stop in zip(forest, array.offsets, array.offsets[1:]):
        reduced = reduce_by_recursion(tree, numbers[start:stop], ufunc)
        subtrees += [reduced[node] for node in tree.nodes]
        paths += accumulate_by_loop(tree, numbers[start:stop], ufunc)
    assert reduce_subtrees(numbers, array.depths, ufunc).tolist() == subtrees
    assert accumulate_paths(numbers, array.depths, ufunc).tolist() == paths
    assert (numbers == before).all()


def test_vectors_are_reduced_column_by_column():
    array = TreeArray.from_trees(["(S (a b) c)", "(T d)"])
    numbers = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    for reduce in (reduce_subtrees, accumulate_paths):
        reduced = reduce(numbers, array.depths, np.maximum)
        assert reduced.dtype == np.float32
        columns = [reduce(column, array.depths, np.maximum) for column in numbers.T]
        np.testing.assert_array_equal(reduced, np.stack(columns, axis=1))


def test_the_ufunc_and_the_shape_matter():  # the control of the laws above
    numbers = np.array([1, 2, 3])
    flat, deep = (TreeArray.from_trees([text]).depths for text in ("(S a b)", "(S (a b))"))
    assert reduce_subtrees(numbers, flat).tolist() == [6, 2, 3]
    assert reduce_subtrees(numbers, deep).tolist() == [6, 5, 3]
    assert reduce_subtrees(numbers, deep, np.maximum).tolist() == [3, 3, 3]
    assert accumulate_paths(numbers, deep, np.maximum).tolist() == [1, 2, 3]


def test_a_chain_of_100_000_nodes_is_reduced_without_recursion():
    depths = np.arange(100_000)
    assert reduce_subtrees(np.ones(100_000), depths)[0] == 100_000
    assert accumulate_paths(np.ones(100_000), depths)[-1] == 100_000
