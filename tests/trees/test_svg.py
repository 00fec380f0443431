"""Drawings of trees are complete, bounded in size and safe to display."""

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


def test_a_large_tree_is_folded_and_hidden_nodes_are_counted():
    tree = Tree(["a"] * 1000, [-1] + [i // 3 for i in range(999)])
    svg = draw_tree(tree)
    shown = texts(svg)
    assert len(shown) < 4 * MAX_LEAVES
    hidden = [int(text[1:]) for text in shown if text.startswith("…")]
    assert shown.count("a") + sum(hidden) == 1000
    assert svg.count("<polygon") == len(hidden)
    assert all(f"[{n} node{'s' * (n != 1)} folded]" in svg for n in hidden)


def test_trees_are_folded_only_beyond_the_limit():
    def tree(n_leaves):  # every leaf is below a chain of two nodes
        n = n_leaves
        labels = ["S", *["P"] * n, *["Q"] * n, *[f"w{i}" for i in range(n)]]
        return Tree(labels, [-1, *[0] * n, *range(1, 2 * n + 1)])

    assert texts(draw_tree(tree(MAX_LEAVES))) == list(tree(MAX_LEAVES).labels)
    assert "<polygon" in draw_tree(tree(MAX_LEAVES + 1))


def test_a_chain_of_100_000_nodes_is_drawn_without_recursion():
    assert len(draw_tree(Tree(["a"] * 100_000, range(-1, 99_999)))) < 50_000


def test_edges_do_not_cross():
    rng = np.random.default_rng(0)
    tree = Tree(["a"] * 70, [-1, *(int(rng.integers(max(0, i - 6), i)) for i in range(1, 70))])
    number = r"([\d.]+)"
    paths = re.findall(rf'd="M{number} {number} L{number} {number} V{number}"', draw_tree(tree))
    lines = [tuple(map(float, path)) for path in paths]
    assert len(lines) == 69
    drops = [(x, top, bottom) for _, _, x, top, bottom in lines if bottom > top]
    assert drops
    for x0, y0, x1, y1, _ in lines:
        for x, top, bottom in drops:  # no slanted line crosses a vertical one
            assert not (min(x0, x1) < x < max(x0, x1) and top < y0 and y1 < bottom)


def test_drawings_use_the_text_colour_of_the_page():
    tree = Tree(["", "a", "b"], [-1, 0, 0])
    colours = set(re.findall(r'(?:fill|stroke)="([^"]*)"', draw_tree(tree)))
    assert colours == {"currentColor", "none"}
    assert any("rgb" in c for c in re.findall(r'(?:fill|stroke)="([^"]*)"', draw_tree(tree, [1, 0, -1])))


def contrast(colour, background):
    """Return the contrast ratio of two greys (WCAG 2)."""
    light, dark = sorted(
        (((v / 255 + 0.055) / 1.055) ** 2.4 + 0.05 for v in (colour, background)), reverse=True
    )
    return light / dark


def test_images_of_trees_have_a_colour_that_is_readable_on_light_and_dark_pages():
    """An image cannot read the text colour of the page: ``currentColor`` is black there."""
    tree = Tree(["S", "a"], [-1, 0])
    (grey,) = re.findall(r"color: #([0-9a-f]{6});", tree._repr_svg_())
    assert grey[:2] == grey[2:4] == grey[4:]
    assert all(contrast(int(grey[:2], 16), background) > 4 for background in (0x11, 0xFF))
    assert contrast(0, 0x11) < 1.2  # the control
    assert "color: currentColor; max-width: none" in tree._repr_html_()


def test_nodes_without_a_label_are_dots():
    assert draw_tree(Tree(["", "a", ""], [-1, 0, 0])).count("<circle") == 2
    assert "<circle" not in draw_tree(Tree(["b", "a"], [-1, 0]))


def test_tooltips_show_edge_labels_and_values():
    svg = draw_tree(Tree(["net", "price<"], [-1, 0], values=[None, 3.5], edges=[None, "of&"]))
    assert "<title>(of&amp;) price&lt; = 3.5</title>" in svg


def test_labels_are_escaped():
    svg = draw_tree(Tree(["<img src=x onerror=alert(1)>", "</svg>"], [-1, 0]))
    assert "<img" not in svg
    assert svg.count("</svg>") == 1


def test_characters_that_xml_does_not_allow_are_replaced():
    assert texts(draw_tree(Tree(["a\x01b", "\ud800"], [-1, 0]))) == ["a\ufffdb", "\ufffd"]


@pytest.mark.parametrize("name", ["values", "titles"])
def test_columns_of_the_wrong_length_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} must have one entry per node: 2, got 1"):
        draw_tree(Tree(["a", "b"], [-1, 0]), **{name: [1]})


def opacities(values, limit=None):
    svg = draw_tree(Tree(["a"] * len(values), [-1] + [0] * (len(values) - 1)), values, limit=limit)
    return [float(opacity) for opacity in re.findall(r'fill="rgba\(.*?, ([\d.]+)\)"', svg)]


def test_strengths_are_scaled_and_clipped_by_the_limit():
    assert opacities([1, 9], limit=1) == [0.5, 0.5]
    assert opacities([3, 9], limit=9) == [0.17, 0.5]


def test_the_default_limit_is_robust_to_one_large_number():
    assert opacities([1] * 40 + [10]) == [0.5] * 41
    assert opacities([0] * 40 + [1000]) == [0.5]  # the percentile is 0, so the largest is the limit


def test_numbers_that_are_not_finite_have_no_colour():
    assert opacities([np.nan, np.inf, 1]) == [0.5]


@pytest.mark.parametrize("limit", [0, -1, np.nan, np.inf])
def test_invalid_limits_are_refused(limit):
    with pytest.raises(ValueError, match=f"limit must be a positive number, got {limit}"):
        draw_tree(Tree(["a"], [-1]), [1], limit=limit)
