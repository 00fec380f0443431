"""Dictionaries ``{"label": ..., "children": [...]}``, the format of D3; others are read as JSON."""

from __future__ import annotations

from typing import Any, NoReturn

from sklearn_tree.trees.formats.excerpt import excerpt
from sklearn_tree.trees.formats.json_value import read_json
from sklearn_tree.trees.formats.node import TreeNode
from sklearn_tree.trees.formats.registry import register_fixed

LABEL_KEYS = ("label", "name", "id", "tag")
_KEYS = {*LABEL_KEYS, "children", "value", "edge"}
_MAX_SHOWN = 5  # keys in an error message


def read_mapping(node: dict) -> TreeNode:
    """Read one dictionary: its label (first key of label, name, id, tag), children, value and edge.

    A dictionary with none of these four keys is a JSON object.

    Raises
    ------
    ValueError
        If a dictionary with a label has other keys, whose content would be lost.
    """
    for key in LABEL_KEYS:
        if key in node:
            if not node.keys() <= _KEYS:
                _refuse(key, [other for other in node if other not in _KEYS])
            children: Any = node.get("children") or ()
            return TreeNode(node[key], children, node.get("value"), node.get("edge"))
    return read_json(node)


def _refuse(label: str, others: list) -> NoReturn:
    raise ValueError(
        f"a dict with the key {label!r} is a node and may only have the other keys 'children', 'value' and "
        f"'edge', got {', '.join(map(excerpt, others[:_MAX_SHOWN]))}: correct the keys, or read records with "
        'TreeVectorizer("json"), and texts with TreeParser("json")'
    )


register_fixed(dict, read_mapping)
