"""The drawing of a tree: complete, bounded, and safe to show."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from strategies import trees

from sklearn_tree import Tree
from sklearn_tree.trees.svg import MAX_LEAVES, draw_tree


def texts(svg):
    root = ElementTree.fromstring(svg)  # well-formed
    return [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]


@given(trees())
def test_a_small_tree_shows_every_node_once(tree):
    shown = texts(draw_tree(tree, values=[i - 1.0 for i in tree.nodes]))
    assert shown == [" ".join(label.split()) for label in tree.labels]


def test_a_big_tree_folds_and_counts_what_it_hides():
    tree = Tree(["a"] * 1000, [-1] + [i // 3 for i in range(999)])
    shown = texts(draw_tree(tree))
    assert len(shown) < 4 * MAX_LEAVES
    hidden = sum(int(n) for text in shown for n in re.findall(r"…\((\d+)\)", text))
    plain = sum("…" not in text or text.startswith("a") for text in shown)
    assert plain + hidden == 1000


def test_hostile_labels_are_text():
    svg = draw_tree(Tree(["<img src=x onerror=alert(1)>", "</svg>"], [-1, 0]))
    assert "<img" not in svg
    assert svg.count("</svg>") == 1


def test_what_xml_cannot_hold_is_replaced():
    assert texts(draw_tree(Tree(["a\x01b", "\ud800"], [-1, 0]))) == ["a\ufffdb", "\ufffd"]


@pytest.mark.parametrize("name", ["values", "titles"])
def test_columns_of_another_length_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} must have one entry per node: 2, got 1"):
        draw_tree(Tree(["a", "b"], [-1, 0]), **{name: [1]})
