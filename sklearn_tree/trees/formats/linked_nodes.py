"""Nodes that hold their children (anytree, bigtree, ete4) and trees of treelib.

The label of a node is its name. A number in its attribute ``value`` (in ete4, its branch length; in treelib,
its data) is its value.
"""

from __future__ import annotations

from typing import Any

from sklearn_tree.trees.formats.leaves import to_value
from sklearn_tree.trees.formats.mapping import LABEL_KEYS
from sklearn_tree.trees.formats.node import Part, TreeNode
from sklearn_tree.trees.formats.registry import register_lazily


def read_linked(node: Any) -> TreeNode:
    """Read a node of anytree or bigtree, labelled with its first attribute of label, name, id, tag."""
    labels = [str(getattr(node, key)) for key in LABEL_KEYS if hasattr(node, key)]
    if not labels:
        raise ValueError(f"a {type(node).__name__} must have one of the attributes {LABEL_KEYS}, got none")
    children = [child for child in node.children if child is not None]  # binary nodes may lack a child
    edge = getattr(node, "edge", None)
    return TreeNode(labels[0], children, to_value(getattr(node, "value", None)), edge)


def read_bigtree(tree: Any) -> TreeNode:
    """Read the root of a ``bigtree.Tree``."""
    return read_linked(tree.node)


def read_ete(node: Any) -> TreeNode:
    """Read a node of ete4; a node without a name has the empty label."""
    return TreeNode(node.name or "", node.children, to_value(node.dist))


def read_treelib(tree: Any) -> TreeNode:
    """Read the root of a ``treelib.Tree``."""
    if tree.root is None:
        raise ValueError("a treelib tree must have a root, got an empty tree")

    def read(node: Any) -> TreeNode:
        children = [Part(child, read) for child in tree.children(node.identifier)]
        return TreeNode(str(node.tag), children, to_value(node.data))

    return read(tree[tree.root])


register_lazily("anytree.NodeMixin", read_linked)
register_lazily("anytree.LightNodeMixin", read_linked)
register_lazily("bigtree.BaseNode", read_linked)
register_lazily("bigtree.Tree", read_bigtree)
register_lazily("ete4.Tree", read_ete)
register_lazily("treelib.Tree", read_treelib)
