"""Leaves for what a node holds: numbers become values, anything else labels."""

from __future__ import annotations

import re
from math import isfinite

import numpy as np

from sklearn_tree.trees.formats.registry import TreeNode

NUMBER = "number"  # the label of a number, whose value tells which
NUMBERS = (int, float, np.integer, np.floating)
TEXT = "<text>"  # the label of the root over several sentences
# A number as JSON writes it: 007 is a code, not a measurement.
_IS_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?").fullmatch
_LONGEST_NUMBER = 40


def number_leaf(number: float | np.number, edge: str | None = None) -> TreeNode:
    """Return a leaf labelled "number"; one too large for a float keeps its digits as a label."""
    value = _as_float(number)
    return TreeNode(str(number), (), None, edge) if value is None else TreeNode(NUMBER, (), value, edge)


def text_leaf(text: str, edge: str | None = None) -> TreeNode:
    """Return a leaf labelled with the text, or a "number" if that is what it says."""
    if len(text) <= _LONGEST_NUMBER and _IS_NUMBER(text) and isfinite(float(text)):
        return TreeNode(NUMBER, (), float(text), edge)
    return TreeNode(text, (), None, edge)


def value_of(number: object) -> float | None:
    """Return a finite number as a value, None for all else (a bool is no measurement)."""
    is_number = isinstance(number, NUMBERS) and not isinstance(number, bool)
    return _as_float(number) if is_number else None  # type: ignore[arg-type]


def _as_float(number: float | np.number) -> float | None:
    try:
        value = float(number)
    except OverflowError:
        return None
    return value if isfinite(value) else None
