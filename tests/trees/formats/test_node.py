"""Descriptions of nodes and trees that adapters return."""

from hypothesis import given
from strategies import trees, trees_with_values_and_edges

from sklearn_tree import Tree, TreeNode, register_tree_type
from sklearn_tree.trees.formats import FlatTree, Part, flatten


class Wrapped:
    """A description that the adapter of its type returns."""

    def __init__(self, description):
        self.description = description


register_tree_type(Wrapped, lambda node: node.description)


def read_word(word):
    return word[0], list(word[1:])


@given(trees())
def test_a_pair_describes_the_same_node_as_a_tree_node(tree):
    def build(node, describe):
        return describe(tree.labels[node], [build(child, describe) for child in tree.children(node)])

    pairs = build(0, lambda *pair: Wrapped(pair))
    assert flatten(pairs) == flatten(build(0, TreeNode))
    assert Tree.from_any(pairs) == tree


@given(trees_with_values_and_edges())
def test_a_flat_tree_describes_all_nodes_at_once(tree):
    flat = FlatTree(tree.labels, tree.parents, tree.depths, tree.values, tree.edges)
    assert Tree.from_flat(flatten(flat)) == Tree.from_flat(flatten(Wrapped(flat))) == tree


def test_a_part_is_read_by_its_own_adapter():
    part = Part("abc", read_word, "x")
    expected = Tree(["S", "a", "b", "c"], [-1, 0, 1, 1], edges=[None, "x", None, None])
    assert Tree.from_any(TreeNode("S", [part])) == expected
    assert Tree.from_any(TreeNode("S", ["abc"])) == Tree.from_any("(S abc)")  # the control


def test_the_edge_of_a_part_replaces_that_of_its_node_and_keeps_the_value():
    node = TreeNode("a", value=2.0, edge="inner")
    for edge, expected in (("outer", "outer"), (None, "inner")):
        flat = flatten(TreeNode("S", [Part(node, lambda node: node, edge)]))
        assert (flat.values, flat.edges) == ([None, 2.0], [None, expected])
