"""Dictionaries: ``{"label": ..., "children": [...]}``, as D3 writes them; any other dict is JSON."""

from __future__ import annotations

from typing import Any

from sklearn_tree.trees.formats.json_value import read_json
from sklearn_tree.trees.formats.registry import TreeNode, register_tree_type

LABEL_KEYS = ("label", "name", "id", "tag")


def read_mapping(node: dict) -> TreeNode:
    """Read one dict: its first key of label, name, id, tag; and children, value, edge if there.

    A dict with none of the four keys is a JSON object.
    """
    for key in LABEL_KEYS:
        if key in node:
            children: Any = node.get("children") or ()
            return TreeNode(node[key], children, node.get("value"), node.get("edge"))
    return read_json(node)


register_tree_type(dict, read_mapping)
