"""Transformations of the shapes of trees, compared with nltk and with recursion."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import forests, trees_with_values_and_edges

from sklearn_tree import Tree, TreeArray
from sklearn_tree.trees.transform import binarize, collapse_unary, split_leaves, truncate

NAMES = st.sampled_from(["S", "NP", "VP", "it"])
LABELS = st.sampled_from(["S", "NP", "", "it"])
PHRASES = st.sampled_from(["it", "", "it is", " is", "so it is"])
N = 100_000


def on_trees(transform, *args):
    """Return a transformation of one tree, which checks the columns of the result."""

    def transform_tree(tree):
        array = transform(TreeArray.from_trees([tree]), *args)
        columns = {
            name: getattr(array, name) for name in ("vocabulary", "values", "edges", "edge_vocabulary")
        }
        checked = TreeArray(array.labels, array.depths, array.offsets, parents=array.parents, **columns)
        assert checked == array
        return array[0]

    return transform_tree


SHAPES = (
    collapse_unary,
    lambda array: binarize(array, "right"),
    lambda array: split_leaves(array, split_words),
)


class Node:
    """A node of a tree as nested objects."""

    def __init__(self, label, children=(), value=None, edge=None):
        self.label, self.children, self.value, self.edge = label, list(children), value, edge


def to_nodes(tree, i=0):
    value = tree.values and tree.values[i]
    edge = tree.edges and tree.edges[i]
    return Node(tree.labels[i], [to_nodes(tree, k) for k in tree.children(i)], value, edge)


def to_tree(root):
    labels, parents, values, edges = [], [], [], []

    def visit(node, parent):
        i = len(labels)
        labels.append(node.label)
        parents.append(parent)
        values.append(node.value)
        edges.append(node.edge)
        for child in node.children:
            visit(child, i)

    visit(root, -1)
    return Tree(labels, parents, values=values, edges=edges)


def split_words(text):
    words = text.split()
    return ("", words) if len(words) > 1 else (text.strip(), [])


def split_by_recursion(node):
    for child in node.children:
        split_by_recursion(child)
    if not node.children and node.label and node.value is None:
        node.label, pieces = split_words(node.label)
        node.children = [Node(piece) for piece in pieces]
    return node


def collapse_by_recursion(node):
    while len(node.children) == 1 and node.children[0].children:
        (child,) = node.children
        node.label = "+".join(filter(None, [node.label, child.label]))
        node.value = child.value if node.value is None else node.value
        node.children = child.children
    for child in node.children:
        collapse_by_recursion(child)
    return node


def binarize_by_recursion(node, factor):
    for child in node.children:
        binarize_by_recursion(child, factor)
    if len(node.children) > 2:
        label = node.label.removesuffix("|<>") + "|<>" if node.label else ""
        if factor == "right":
            first, *rest = node.children
            node.children = [first, binarize_by_recursion(Node(label, rest), factor)]
        else:
            *rest, last = node.children
            node.children = [binarize_by_recursion(Node(label, rest), factor), last]
    return node


def truncate_by_queue(node, max_nodes):
    queue, kept = [node], 0
    while queue:
        node = queue.pop(0)
        kept += 1
        room = max(max_nodes - kept - len(queue), 0)
        node.children = node.children[:room]
        queue += node.children


@given(trees_with_values_and_edges(labels=PHRASES))
def test_split_trees_agree_with_recursion(tree):
    assert on_trees(split_leaves, split_words)(tree) == to_tree(split_by_recursion(to_nodes(tree)))


@given(forests(labels=PHRASES))
def test_trees_are_split_independently_of_each_other(forest):
    together = split_leaves(TreeArray.from_trees(forest), split_words)
    assert list(together) == [on_trees(split_leaves, split_words)(tree) for tree in forest]
    pieces = TreeArray.from_trees(["(NP (it it) is)"])  # the control: nothing to split
    assert split_leaves(pieces, split_words) is pieces


@given(trees_with_values_and_edges(labels=LABELS))
def test_collapsed_trees_agree_with_recursion(tree):
    assert on_trees(collapse_unary)(tree) == to_tree(collapse_by_recursion(to_nodes(tree)))


@pytest.mark.parametrize("factor", ["left", "right"])
@given(tree=trees_with_values_and_edges(labels=LABELS))
def test_binarized_trees_agree_with_recursion(factor, tree):
    assert on_trees(binarize, factor)(tree) == to_tree(binarize_by_recursion(to_nodes(tree), factor))


@given(tree=trees_with_values_and_edges(labels=LABELS), max_nodes=st.integers(1, 14))
def test_truncated_trees_agree_with_a_queue(tree, max_nodes):
    root = to_nodes(tree)
    truncate_by_queue(root, max_nodes)
    truncated = on_trees(truncate, max_nodes)(tree)
    assert truncated == to_tree(root)
    assert truncated.n_nodes == min(tree.n_nodes, max_nodes)


def to_nltk(node):
    """Return an ``nltk.Tree`` whose leaves are trees without children, which chomsky_normal_form requires."""
    nltk = pytest.importorskip("nltk")
    return nltk.Tree(node.label, map(to_nltk, node.children))


@given(forests(labels=NAMES))
def test_collapsed_trees_agree_with_nltk(forest):
    pytest.importorskip("nltk")
    for tree, collapsed in zip(forest, collapse_unary(TreeArray.from_trees(forest))):
        expected = tree.to_nltk()
        expected.collapse_unary(collapsePOS=True, collapseRoot=True)
        assert collapsed == Tree.from_any(expected)


@pytest.mark.parametrize("factor", ["left", "right"])
@given(forest=forests(labels=NAMES))
def test_binarized_trees_agree_with_nltk(factor, forest):
    for tree, binarized in zip(forest, binarize(TreeArray.from_trees(forest), factor)):
        expected = to_nltk(to_nodes(tree))
        expected.chomsky_normal_form(factor, horzMarkov=0)
        assert binarized == Tree.from_any(expected)


def test_the_sides_differ():  # the control of the laws above
    array = TreeArray.from_trees(["(S a b c)"])
    assert binarize(array, "left") != binarize(array, "right")


@given(forests(labels=LABELS))
def test_shapes_are_as_promised_and_leaves_keep_their_order(forest):
    array = TreeArray.from_trees(forest)
    leaves = [tree.labels[i] for tree in array for i in tree.leaves]
    collapsed, binarized = collapse_unary(array), binarize(array, "left")
    only_children = collapsed.absolute_parents[collapsed.parents >= 0]
    only_children = np.flatnonzero(np.bincount(only_children, minlength=collapsed.n_nodes) == 1) + 1
    assert (collapsed.arities[only_children] == 0).all()
    assert binarized.arities.max() <= 2
    for transformed in (collapsed, binarized):
        assert [tree.labels[i] for tree in transformed for i in tree.leaves] == leaves
        assert len(transformed) == len(array)


@given(forests(labels=LABELS))
def test_a_second_transformation_changes_nothing(forest):
    array = TreeArray.from_trees(forest)
    for transform in (*SHAPES, lambda a: truncate(a, 3)):
        once = transform(array)
        assert transform(once) is once


@pytest.mark.parametrize("shape", ["chain", "star"])
def test_trees_of_100_000_nodes_are_transformed_without_recursion(shape):
    parents = range(-1, N - 1) if shape == "chain" else [-1] + [0] * (N - 1)
    array = TreeArray.from_trees([Tree(["a"] * N, parents)])
    assert collapse_unary(array).n_nodes == (2 if shape == "chain" else N)
    for factor in ("left", "right"):
        assert binarize(array, factor).n_nodes == (N if shape == "chain" else 2 * N - 3)
    assert truncate(array, 1000).n_nodes == 1000
    assert split_leaves(array, lambda text: ("", [text] * 3)).n_nodes == (
        N + 3 if shape == "chain" else 4 * N - 3
    )


def test_encoded_trees_are_truncated_and_otherwise_refused():
    array = TreeArray.from_trees([Tree([2, 3, 4], [-1, 0, 0], edges=[None, 5, 6])])
    truncated = truncate(array, 2)
    assert truncated[0] == Tree([2, 3], [-1, 0], edges=[None, 5])
    assert (truncated.n_labels, truncated.n_edge_labels) == (array.n_labels, array.n_edge_labels)
    for transform in SHAPES:
        with pytest.raises(TypeError, match=r"labels must be str, got ids \(int\)"):
            transform(array)


def test_an_empty_array_stays_empty():
    array = TreeArray.from_trees(["(S a)"])[:0]
    for transform in (*SHAPES, lambda a: truncate(a, 1)):
        assert len(transform(array)) == 0


def test_errors_of_a_split_give_the_row():
    array = TreeArray.from_trees(["(S 1)", "(S a b)"])
    with pytest.raises(json.JSONDecodeError) as info:
        split_leaves(array, lambda text: (text, [json.loads(text)]))
    assert info.value.__notes__ == ["while splitting a label of X[1]"]
    with pytest.raises(ValueError, match=r"X\[1\]: .*'a'"):
        split_leaves(array, lambda text: (text, [int(text)]))
