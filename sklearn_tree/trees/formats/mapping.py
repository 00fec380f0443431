"""Dictionaries ``{"label": ..., "children": [...]}``, the format of D3; others are read as JSON."""

from __future__ import annotations

from typing import Any

from sklearn_tree.trees.formats.json_value import read_json
from sklearn_tree.trees.formats.node import TreeNode
from sklearn_tree.trees.formats.registry import register_tree_type

LABEL_KEYS = ("label", "name", "id", "tag")


def read_mapping(node: dict) -> TreeNode:
    """Read one dictionary: its label (first key of label, name, id, tag), children, value and edge.

    A dictionary with none of these four keys is a JSON object.
    """
    for key in LABEL_KEYS:
        if key in node:
            children: Any = node.get("children") or ()
            return TreeNode(node[key], children, node.get("value"), node.get("edge"))
    return read_json(node)


register_tree_type(dict, read_mapping)
