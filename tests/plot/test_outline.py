"""Outlines of trees: nested, complete up to their limits, escaped, and open where the large numbers are."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_tree import Tree
from sklearn_tree.plot import draw_outline
from sklearn_tree.plot.outline import MAX_LEVELS, MAX_NODES


class Nesting(HTMLParser):
    """Reads the depth, label and visibility of each node, and checks that all elements are closed."""

    def __init__(self, page):
        super().__init__()
        self.path, self.nodes, self.max_depth = [], [], 0
        self.feed(page)
        assert self.path == []

    def handle_starttag(self, tag, attrs):
        self.path.append((tag, "open" in dict(attrs)))
        self.max_depth = max(self.max_depth, sum(name == "details" for name, _ in self.path))

    def handle_endtag(self, tag):
        assert self.path.pop()[0] == tag

    def handle_data(self, data):
        names = [name for name, _ in self.path]
        if names[-1] == "span":
            outer = self.path[: -2 if names[-2] == "summary" else -1]
            outer = outer[:-1] if names[-2] == "summary" else outer  # the own details of a node
            is_visible = all(is_open for name, is_open in outer if name == "details")
            self.nodes.append((names.count("ul"), data, is_visible))


def make_tree(parents):
    return Tree([f"n{i}" for i in range(len(parents) + 1)], [-1, *parents])


parents_of = st.integers(1, 40).flatmap(
    lambda n: st.tuples(*(st.integers(max(0, i - 3), i) for i in range(n)))
)


@settings(max_examples=40)
@given(parents_of, st.randoms())
def test_small_trees_are_complete_and_in_order(parents, random):
    tree = Tree.from_any(make_tree(parents))
    if max(tree.depths) > MAX_LEVELS:
        return
    values = np.array(random.sample(range(1, tree.n_nodes + 1), tree.n_nodes)) * -1.0  # without ties
    nodes = Nesting(draw_outline(tree, values)).nodes
    assert [label for _, label, _ in nodes] == list(tree.labels)
    assert [depth for depth, _, _ in nodes] == list(tree.depths)
    largest = np.argsort(-np.abs(values[1:]), kind="stable")[:8] + 1
    assert all(nodes[i][2] for i in largest)


def test_subtrees_without_large_numbers_are_folded():
    tree = Tree.from_any(("S", ("A", *[f"a{i}" for i in range(8)]), ("B", "b1", "b2")))
    values = np.array([1.0, *[0.5] * 9, 0.0, 0.0, 0.0])
    shown = {label: is_visible for _, label, is_visible in Nesting(draw_outline(tree, values)).nodes}
    assert shown["a7"]
    assert shown["B"]
    assert not shown["b1"]
    assert "<small>b1 b2</small>" in draw_outline(tree, values)  # the words of a folded subtree


@pytest.mark.parametrize("shape", ["chain", "star", "broom"])
def test_large_trees_are_cut_and_count_the_rest(shape):
    n = 100_000
    parents = {
        "chain": np.arange(-1, n - 1),
        "star": np.array([-1] + [0] * (n - 1)),
        "broom": np.minimum(np.arange(-1, n - 1), 30),
    }[shape]
    tree = Tree(["x"] * n, parents.tolist())
    values = np.zeros(n)
    values[-1] = 1.0
    page = draw_outline(tree, values)
    nesting = Nesting(page)
    hidden = [int(count.replace(",", "")) for count in re.findall(r"([\d,]+) more nodes?", page)]
    assert len(nesting.nodes) + sum(hidden) == n
    assert len(nesting.nodes) <= MAX_NODES
    assert nesting.max_depth <= MAX_LEVELS
    assert len(page) < 30_000
    assert (" +1" in page) == (shape != "chain")  # the largest number is drawn unless it is too deep


def test_labels_values_and_edges_are_escaped():
    evil = "<script>]]>\"'&\0"
    tree = Tree([evil, evil], [-1, 0], values=[None, 2.5], edges=[None, evil])
    page = draw_outline(tree, [1, -1])
    assert "<script" not in page
    assert "\0" not in page
    assert "2.5" in page
    assert page.count("&lt;script&gt;]]&gt;") >= 3


def test_signs_are_visible_without_colours():
    page = draw_outline("(S a b)", [1, 0.5, -0.5])
    assert "solid" in page.split("+0.5")[0]
    assert "dashed" in page.split("+0.5")[1]
    assert "-0.5" in page
    assert "background" not in draw_outline("(S a b)", np.zeros(3))


def test_invalid_values_are_refused():
    with pytest.raises(ValueError, match=r"values must have one entry per node: 3, got shape \(2,\)"):
        draw_outline("(S a b)", [1, 2])
    with pytest.raises(ValueError, match="limit must be a positive number"):
        draw_outline("(S a b)", [1, 2, 3], limit=0)
