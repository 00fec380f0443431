"""Syntax trees of tree-sitter: ``Node`` and ``Tree``.

The label of a node is its type and its edge label is its field. A named node without children (an identifier,
a number) has a leaf with its text. Keywords and punctuation are leaves.
"""

from __future__ import annotations

from typing import Any

from sklearn_tree.trees.formats.leaves import make_text_leaf
from sklearn_tree.trees.formats.node import Part, TreeNode
from sklearn_tree.trees.formats.registry import register_lazily
from sklearn_tree.trees.formats.unpicklable import refuse_pickling


def read_node(node: Any) -> TreeNode:
    """Read one node."""
    if node.child_count == 0:
        text = (node.text or b"").decode("utf-8", "replace")
        return TreeNode(node.type, [make_text_leaf(text)] if node.is_named and text else ())
    fields = (node.field_name_for_child(k) for k in range(node.child_count))
    children = [Part(child, read_node, field) for child, field in zip(node.children, fields, strict=True)]
    return TreeNode(node.type, children)


def read_tree(tree: Any) -> TreeNode:
    """Read the root node of a ``Tree``."""
    return read_node(tree.root_node)


register_lazily("tree_sitter.Node", read_node)
register_lazily("tree_sitter.Tree", read_tree)
refuse_pickling("tree_sitter", "Node", "Tree")
