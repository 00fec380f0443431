"""Trees of nltk."""

from __future__ import annotations

from typing import Any

from sklearn_tree.trees.formats.registry import register_lazily


def read_nltk(node: Any) -> tuple[Any, list]:
    """Read one ``nltk.Tree``, a list of its children: subtrees and leaf strings."""
    return node.label(), list(node)


register_lazily("nltk.Tree", read_nltk)
