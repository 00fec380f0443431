"""Nodes of anytree, bigtree, ete4 and treelib as trees."""

import pytest

from sklearn_tree import Tree


def test_branch_lengths_of_ete_are_values():
    ete4 = pytest.importorskip("ete4")
    tree = Tree.from_any(ete4.Tree("((A:1,B:2)x:0.5,C);", parser=1))
    assert tree == Tree(["", "x", "A", "B", "C"], [-1, 0, 1, 1, 0], values=[None, 0.5, 1, 2, None])


def test_numbers_of_nodes_are_values():
    anytree, bigtree = pytest.importorskip("anytree"), pytest.importorskip("bigtree")
    treelib = pytest.importorskip("treelib")
    expected = Tree(["S", "a"], [-1, 0], values=[None, 2.0])
    assert Tree.from_any(anytree.Node("S", children=[anytree.Node("a", value=2)])) == expected
    root = bigtree.Node("S", children=[bigtree.Node("a", value=2)])
    assert Tree.from_any(root) == Tree.from_any(bigtree.Tree(root)) == expected
    tree = treelib.Tree()
    tree.create_node("S", 0)
    tree.create_node("a", 1, parent=0, data=2)
    assert Tree.from_any(tree) == expected


def test_missing_children_of_binary_nodes_are_omitted():
    bigtree = pytest.importorskip("bigtree")
    assert Tree.from_any(bigtree.BinaryNode(1, right=bigtree.BinaryNode(2))) == Tree.from_any("(1 2)")


def test_empty_trees_and_nodes_without_a_name_are_refused():
    with pytest.raises(ValueError, match="must have a root, got an empty tree"):
        Tree.from_any(pytest.importorskip("treelib").Tree())
    with pytest.raises(ValueError, match="a BaseNode must have one of the attributes"):
        Tree.from_any(pytest.importorskip("bigtree").BaseNode(x=1))
