"""Conversion of labels, values and edge labels of single nodes."""

from __future__ import annotations

from contextlib import suppress
from math import isfinite
from typing import Any

import numpy as np

from sklearn_tree.trees.formats.excerpt import excerpt

NUMBER_ADVICE = "use str(label) for a category, or TreeNode(label, children, value=...) for a measurement"


def as_label(label: Any, node: int) -> str:
    """Return a label as a plain str; the error names the node if it is not a str."""
    if isinstance(label, str):
        return str.__str__(label)  # str() would return "Color.RED" for an enum
    raise TypeError(
        f"the label of node {node} must be a str, got {excerpt(label)} ({type(label).__name__}); "
        f"{NUMBER_ADVICE}"
    )


def as_value(value: Any, node: int) -> float | None:
    """Return a value as a finite float or None; the error names the node if it is neither."""
    if value is None:
        return None
    if isinstance(value, (int, float, np.integer, np.floating, np.bool_)):
        with suppress(OverflowError, TypeError):  # an int too large for a float, a complex number
            if isfinite(value):
                return float(value)
    raise ValueError(f"the value of node {node} must be a finite number, got {excerpt(value)}")


def as_edge(edge: Any, node: int, kind: type = str) -> str | int | None:
    """Return an edge label as a plain str or int (the type ``kind``) or None; the error names the node."""
    if edge is None:
        return None
    if kind is str and isinstance(edge, str):
        return str.__str__(edge)
    if kind is int and isinstance(edge, (int, np.integer)) and not isinstance(edge, bool):
        return int(edge)
    raise TypeError(
        f"the edge label of node {node} must be {kind.__name__} like the node labels, "
        f"got {excerpt(edge)} ({type(edge).__name__})"
    )
