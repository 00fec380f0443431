"""Nested tuples and lists: ``(label, child, ...)`` with bare strings as leaves."""

from __future__ import annotations

from typing import Any

from sklearn_tree.trees.formats.registry import register_tree_type


def read_nested(node: tuple | list) -> tuple[Any, Any]:
    """Read ``(label, child, ...)``, ``[label, child, ...]`` or ``(label, [child, ...])``.

    A pair whose second member is a list is ``(label, children)`` when it is a tuple; a list is
    always ``[label, child, ...]``.
    """
    if not node:
        raise ValueError(f"an empty {type(node).__name__} is not a tree: a node needs a label")
    if isinstance(node, tuple) and len(node) == 2 and isinstance(node[1], list):
        return node
    return node[0], node[1:]


register_tree_type(tuple, read_nested)
register_tree_type(list, read_nested)
