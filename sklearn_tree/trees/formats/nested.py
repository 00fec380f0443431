"""Nested tuples and lists: ``(label, child, ...)`` with bare strings as leaves."""

from __future__ import annotations

from typing import Any

from sklearn_tree.trees.formats.json_value import read_json
from sklearn_tree.trees.formats.registry import register_nested


def read_nested(node: tuple | list) -> Any:
    """Read ``(label, child, ...)``, ``[label, child, ...]`` or ``(label, [child, ...])``.

    A pair whose second member is a list is ``(label, children)`` when it is a tuple; a list is
    always ``[label, child, ...]``, or a JSON array when a dict stands first.
    """
    if not node:
        raise ValueError(f"an empty {type(node).__name__} is not a tree: a node needs a label")
    if isinstance(node, tuple):
        if len(node) == 2 and isinstance(node[1], list):
            return node
    elif isinstance(node[0], dict):
        return read_json(node)
    return node[0], node[1:]


register_nested(tuple, read_nested)
register_nested(list, read_nested)
