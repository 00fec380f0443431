"""Tables of levels: walks and sums by the tables equal those over parents."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from strategies import forests

from sklearn_tree import TreeArray
from sklearn_tree.trees.levels import make_level_tables


def fold(values, targets, folds):
    """Add up the rows of edges by the steps of a table."""
    for old, new in pairwise(folds):
        assert len(set(targets[new:old])) == old - new  # no target occurs twice in one step
        assert (targets[new:old] < new).all()
        values = values[:new] + np.bincount(targets[new:old], values[new:old], minlength=new)
    return values


def sum_subtrees(array, values):
    """Sum the values of each tree by the tables."""
    t = make_level_tables(array)
    own = values[t["order"]]
    leaf_sums = np.zeros(array.n_nodes)
    leaves = fold(own[t["leaf_children"]], t["leaf_targets"], t["leaf_folds"])
    leaf_sums[t["leaf_parents"][: len(leaves)]] += leaves
    below = np.zeros(0)
    for start, end, _, _, _, first, last, fold_start, n_folds in t["levels"][:-1]:
        bounds = t["folds"][fold_start : fold_start + n_folds + 1]
        assert bounds[0] == last - first
        sums = fold(below[t["children"][first:last]], t["targets"][first:last], bounds)
        below = own[start:end] + leaf_sums[start:end]
        below[t["parents"][first:last][: len(sums)]] += sums
    first, last = t["levels"][-1][3:5]
    return np.r_[below, own[first:last]][t["roots"]]


@given(forests(max_nodes=40))
def test_sums_by_the_tables_are_those_of_the_trees(forest):
    array = TreeArray.from_trees(forest)
    values = np.random.RandomState(0).randint(0, 1000, array.n_nodes).astype(float)
    expected = np.add.reduceat(values, array.offsets[:-1])
    np.testing.assert_array_equal(sum_subtrees(array, values), expected)


@given(forests(max_nodes=40))
def test_rows_of_parents_ranks_and_sizes(forest):
    array = TreeArray.from_trees(forest)
    t = make_level_tables(array)
    position = np.argsort(t["order"])
    is_child = array.parents >= 0
    first = np.r_[[row[0] for row in t["levels"][:-1][::-1]], 0]  # of the inner nodes of each depth
    rows = t["above"] + first[np.maximum(array.depths[t["order"]] - 1, 0)]
    np.testing.assert_array_equal(rows[position[is_child]], position[array.absolute_parents[is_child]])
    np.testing.assert_array_equal(t["sizes"], array.sizes)
    assert len(t["ranks"]) + len(t["leaf_ranks"]) == is_child.sum()


def test_a_wrong_target_changes_the_sums():
    """Control: the sums depend on the targets."""
    values = np.arange(4.0)
    assert (
        fold(values, np.array([0, 0, 0, 1]), [4, 2, 2])[0]
        != fold(values, np.array([0, 0, 1, 0]), [4, 2, 2])[0]
    )


@pytest.mark.parametrize("n", [1, 2, 3, 17, 1000])
def test_the_number_of_steps_is_the_logarithm_of_the_arity(n):
    t = make_level_tables(TreeArray.from_trees([("S", *["it"] * n)]))
    assert len(t["leaf_folds"]) - 1 == int(np.ceil(np.log2(n)))
