"""Trees built from the events of a parser."""

import pytest

from sklearn_tree import Tree
from sklearn_tree.preprocessing.parsers.builder import TreeBuilder


@pytest.fixture
def builder():
    builder = TreeBuilder()
    builder.open("a")
    return builder


def test_nodes_are_added_to_the_innermost_open_node(builder):
    builder.add_attribute("x", "1.5")
    builder.open("b")
    builder.add_text("one ")
    builder.add_text("\n two")
    builder.close()
    builder.add_text("3")
    builder.close()
    assert Tree.from_flat(builder.build()) == Tree(
        ["a", "number", "b", "one two", "number"],
        [-1, 0, 0, 2, 0],
        values=[None, 1.5, None, None, 3],
        edges=[None, "x", None, None, None],
    )


def test_blank_texts_are_omitted(builder):
    builder.add_text(" \n")
    builder.close()
    assert builder.build() == (["a"], [-1], [0], None, None)
