"""Excerpts of values in error messages."""

from collections import OrderedDict

import pytest

from sklearn_tree import Tree, TreeNode
from sklearn_tree.trees.formats.excerpt import excerpt


def nest(make):
    value = "a"
    for _ in range(100_000):
        value = make(value)
    return value


def double(make):
    value = "a"
    for _ in range(60):
        value = make(value)
    return value


@pytest.mark.parametrize("grow", [nest, double])
@pytest.mark.parametrize(
    "make",
    [
        lambda value: [value, value],  # a list as a label
        lambda value: {"label": "a", "children": {"label": "b", "x": value, "y": value}},
        lambda value: {"label": "a", "value": [value, value]},
        lambda value: {"label": "a", "edge": OrderedDict(x=value, y=value)},
    ],
)
def test_errors_show_the_beginning_of_deep_or_shared_objects(grow, make):
    with pytest.raises((TypeError, ValueError), match=r"must be .*, got .*\.\.\.") as info:
        Tree.from_any(grow(make))
    assert len(str(info.value)) < 250


def test_excerpts_are_short():
    endless = []
    endless.append(endless)
    assert excerpt(endless) == "[[[...]]]"
    assert excerpt("a") == "'a'"
    assert excerpt(10**400) == "an int of 1329 bits"
    assert len(excerpt("a" * 1000)) == 60


def test_a_number_too_large_for_a_float_is_refused():
    with pytest.raises(ValueError, match="must be a finite number, got an int of 1329 bits"):
        Tree.from_any(TreeNode("a", value=10**400))
