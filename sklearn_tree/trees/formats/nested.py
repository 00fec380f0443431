"""Nested tuples and lists, ``(label, child, ...)``, in which leaves are bare strings."""

from __future__ import annotations

from typing import Any

from sklearn_tree.trees.formats.json_value import read_json
from sklearn_tree.trees.formats.registry import register_nested


def read_nested(node: tuple | list) -> Any:
    """Read ``(label, child, ...)``, ``[label, child, ...]`` or ``(label, [child, ...])``.

    A tuple of two items of which the second is a list is ``(label, children)``. A list is ``[label, child,
    ...]``, or a JSON array if its first item is a dictionary.
    """
    if not node:
        raise ValueError(f"a node must have a label, got an empty {type(node).__name__}")
    if isinstance(node, tuple):
        if len(node) == 2 and isinstance(node[1], list):
            return node
    elif isinstance(node[0], dict):
        return read_json(node)
    return node[0], node[1:]


register_nested(tuple, read_nested)
register_nested(list, read_nested)
