"""Nested tuples and lists as trees."""

import numpy as np
import pytest

from sklearn_tree import Tree
from sklearn_tree.trees.formats import Part, flatten, nested, walk


def test_the_fast_path_agrees_with_the_adapter(monkeypatch):
    forest = [("S", ("NP", "I"), ("VP", "run", ("X", [("Y",)]))), ["S", "a", ["b", "c", ("d", "e", "f")]]]
    expected = [flatten(tree) for tree in forest]
    monkeypatch.setattr(walk, "NESTED", set())
    assert [flatten(tree) for tree in forest] == expected
    assert flatten(Part(forest[0], nested.read_nested)) == expected[0]


def test_a_list_that_starts_with_a_dictionary_is_a_json_array():
    assert Tree.from_any([{"name": 2.5}]) == Tree(
        ["[]", "{}", "number"], [-1, 0, 1], values=[None, None, 2.5], edges=[None, None, "name"]
    )
    assert Tree.from_any(["S", {"name": "x"}]) == Tree.from_any("(S x)")
    with pytest.raises(TypeError, match="label of node 0 must be a str"):
        Tree.from_any([["NP", "I"]])


def test_numpy_strings_are_leaves():
    assert Tree.from_any(("S", *np.array(["a", "b"]))) == Tree.from_any("(S a b)")
