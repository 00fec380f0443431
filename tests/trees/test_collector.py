"""Columns of trees that are read one after the other."""

import numpy as np
import pytest

from sklearn_tree import Tree, TreeArray, register_tree_type
from sklearn_tree.trees.collector import TreeCollector


def test_columns_of_all_trees_are_concatenated():
    collector = TreeCollector()
    collector.add("(S a)", 0)
    collector.add(Tree(["T", "a"], [-1, 0], values=[None, 2], edges=[None, "x"]), 1)
    columns = collector.to_columns()
    assert columns["vocabulary"][columns["labels"]].tolist() == ["S", "a", "T", "a"]
    assert columns["edge_vocabulary"][columns["edges"]].tolist() == ["", "", "", "x"]
    np.testing.assert_array_equal(columns["values"], [np.nan, np.nan, np.nan, 2])
    assert columns["offsets"].tolist() == [0, 2, 4]


@pytest.mark.parametrize(
    ("trees", "error", "message"),
    [
        (["(S a)", "(S a"], ValueError, r"X\[1\]: unbalanced bracket"),
        (["(S a)", ("S", 3.5)], TypeError, r"X\[1\]: cannot read a tree"),
        (["(S a)", Tree([3], [-1])], TypeError, r"X\[1\]: labels must be str .* got 3"),
        ([Tree([3], [-1]), "(S a)"], TypeError, r"X\[1\]: labels must be int .* got 'S'"),
    ],
)
def test_errors_give_the_position_of_the_tree(trees, error, message):
    with pytest.raises(error, match=message):
        TreeArray.from_trees(trees)


def test_other_errors_of_an_adapter_get_a_note_with_the_position():
    class Broken:
        pass

    register_tree_type(Broken, lambda node: {}["nothing"])
    with pytest.raises(KeyError) as info:
        TreeArray.from_trees(["(S a)", Broken()])
    assert info.value.__notes__ == ["while reading X[1]"]
