"""Conversion of trees of registered types to preorder columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import trees_with_values_and_edges

from sklearn_tree import Tree, TreeNode, register_tree_type
from sklearn_tree.trees.formats import FlatTree, flatten


class Broken:
    pass


register_tree_type(Broken, lambda node: "a")


def flatten_recursively(node, parent=-1, depth=0, rows=None):
    """Return one row per node: label, parent, depth, value and edge label."""
    rows = [] if rows is None else rows
    rows.append((node.label, parent, depth, node.value, node.edge))
    i = len(rows) - 1
    for child in node.children:
        flatten_recursively(child, i, depth + 1, rows)
    return rows


def to_rows(flat):
    empty = [None] * len(flat.labels)
    return [*zip(flat.labels, flat.parents, flat.depths, flat.values or empty, flat.edges or empty)]


def to_node(tree, i=0):
    values, edges = tree.values or [None] * tree.n_nodes, tree.edges or [None] * tree.n_nodes
    return TreeNode(tree.labels[i], [to_node(tree, k) for k in tree.children(i)], values[i], edges[i])


@given(trees_with_values_and_edges())
def test_columns_equal_those_of_a_recursive_walk(tree):
    node = to_node(tree)
    flat = flatten(node)
    assert to_rows(flat) == flatten_recursively(node)
    assert Tree.from_flat(flat) == tree
    lazy = node._replace(children=(child for child in node.children))
    assert flatten(lazy) == flat


def test_the_order_of_children_matters():  # the control of the law above
    node = TreeNode("S", ["a", "b"])
    assert flatten(node) == FlatTree(["S", "a", "b"], [-1, 0, 0], [0, 1, 1])
    assert flatten(node._replace(children=["b", "a"])) != flatten(node)


@given(trees_with_values_and_edges(), st.data())
def test_subtrees_may_be_flat(tree, data):
    flat_nodes = data.draw(st.sets(st.integers(0, tree.n_nodes - 1)))

    def build(i):
        node = to_node(tree, i)
        if i in flat_nodes:
            return flatten(node)
        return node._replace(children=[build(k) for k in tree.children(i)])

    assert flatten(build(0)) == flatten(to_node(tree))


@pytest.mark.parametrize(
    ("node", "error", "message"),
    [
        (TreeNode("S", "ab"), TypeError, "the children of node 0 must be an iterable of nodes, got 'ab'"),
        (TreeNode("S", [TreeNode("a", {"b": 1})]), TypeError, "the children of node 1 must be an iterable"),
        (TreeNode("S", ["a", TreeNode(3)]), TypeError, "the label of node 2 must be a str, got 3"),
        (TreeNode("S", ["a", FlatTree([3], [-1], [0])]), TypeError, "the label of node 2 must be a str"),
        (TreeNode("S", [TreeNode("a", value="1")]), ValueError, "the value of node 1 must be a finite"),
        (TreeNode("S", [Broken()]), TypeError, "adapter of Broken must return .* or a TreeNode, got 'a'"),
    ],
)
def test_invalid_descriptions_are_refused(node, error, message):
    with pytest.raises(error, match=message):
        flatten(node)
