"""Dictionaries: ``{"label": ..., "children": [...]}``, as JSON files and D3 write them."""

from __future__ import annotations

from typing import Any

from sklearn_tree.trees.formats.registry import TreeNode, register_tree_type

LABEL_KEYS = ("label", "name", "id", "tag")


def read_mapping(node: dict) -> TreeNode:
    """Read one dict: its first key of label, name, id, tag; and children, value, edge if there."""
    for key in LABEL_KEYS:
        if key in node:
            children: Any = node.get("children") or ()
            return TreeNode(node[key], children, node.get("value"), node.get("edge"))
    raise ValueError(f"a dict node needs one of the keys {LABEL_KEYS}, got {sorted(map(str, node))}")


register_tree_type(dict, read_mapping)
