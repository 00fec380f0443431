"""The drawing of a tree: complete, bounded, and safe to show."""

import re
from xml.etree import ElementTree

import numpy as np
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
    svg = draw_tree(tree)
    shown = texts(svg)
    assert len(shown) < 4 * MAX_LEAVES
    hidden = [int(text[1:]) for text in shown if text.startswith("…")]
    assert shown.count("a") + sum(hidden) == 1000
    assert svg.count("<polygon") == len(hidden)
    assert all(f"[{n} node{'s' * (n != 1)} folded]" in svg for n in hidden)


def test_up_to_the_limit_nothing_is_folded_one_leaf_more_and_something_is():
    def tree(n_leaves):  # every leaf under a chain of two
        n = n_leaves
        labels = ["S", *["P"] * n, *["Q"] * n, *[f"w{i}" for i in range(n)]]
        return Tree(labels, [-1, *[0] * n, *range(1, 2 * n + 1)])

    assert texts(draw_tree(tree(MAX_LEAVES))) == list(tree(MAX_LEAVES).labels)
    assert "<polygon" in draw_tree(tree(MAX_LEAVES + 1))


def test_a_chain_of_100_000_nodes_is_drawn_without_recursion():
    assert len(draw_tree(Tree(["a"] * 100_000, range(-1, 99_999)))) < 50_000


def test_no_line_crosses_another():
    rng = np.random.default_rng(0)
    tree = Tree(["a"] * 70, [-1, *(int(rng.integers(max(0, i - 6), i)) for i in range(1, 70))])
    number = r"([\d.]+)"
    paths = re.findall(rf'd="M{number} {number} L{number} {number} V{number}"', draw_tree(tree))
    lines = [tuple(map(float, path)) for path in paths]
    assert len(lines) == 69
    drops = [(x, top, bottom) for _, _, x, top, bottom in lines if bottom > top]
    assert drops
    for x0, y0, x1, y1, _ in lines:
        for x, top, bottom in drops:  # a slanted line never passes a column where another falls
            assert not (min(x0, x1) < x < max(x0, x1) and top < y0 and y1 < bottom)


def test_a_picture_has_the_colour_of_its_page():
    tree = Tree(["", "a", "b"], [-1, 0, 0])
    colours = set(re.findall(r'(?:fill|stroke)="([^"]*)"', draw_tree(tree)))
    assert colours == {"currentColor", "none"}
    assert any("rgb" in c for c in re.findall(r'(?:fill|stroke)="([^"]*)"', draw_tree(tree, [1, 0, -1])))


def test_a_node_without_a_label_is_a_dot():
    assert draw_tree(Tree(["", "a", ""], [-1, 0, 0])).count("<circle") == 2
    assert "<circle" not in draw_tree(Tree(["b", "a"], [-1, 0]))


def test_tooltips_tell_edges_and_values():
    svg = draw_tree(Tree(["net", "price<"], [-1, 0], values=[None, 3.5], edges=[None, "of&"]))
    assert "<title>(of&amp;) price&lt; = 3.5</title>" in svg


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


def opacities(values, limit=None):
    svg = draw_tree(Tree(["a"] * len(values), [-1] + [0] * (len(values) - 1)), values, limit=limit)
    return [float(opacity) for opacity in re.findall(r'fill="rgba\(.*?, ([\d.]+)\)"', svg)]


def test_the_limit_clips_and_scales():
    assert opacities([1, 9], limit=1) == [0.5, 0.5]
    assert opacities([3, 9], limit=9) == [0.17, 0.5]


def test_without_a_limit_one_large_number_does_not_wash_out_the_rest():
    assert opacities([1] * 40 + [1000]) == [0.5] * 41
    assert opacities([0] * 40 + [1000]) == [0.5]  # the percentile is 0: the largest counts


def test_what_is_not_finite_has_no_colour():
    assert opacities([np.nan, np.inf, 1]) == [0.5]


@pytest.mark.parametrize("limit", [0, -1, np.nan, np.inf])
def test_limits_that_are_not_positive_are_refused(limit):
    with pytest.raises(ValueError, match=f"limit must be a positive number, got {limit}"):
        draw_tree(Tree(["a"], [-1]), [1], limit=limit)
