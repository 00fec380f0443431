"""Leaves for texts and numbers: a number becomes a value, any other text a label."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import isfinite

import numpy as np

from sklearn_tree.trees.formats.excerpt import excerpt
from sklearn_tree.trees.formats.node import TreeNode

NUMBER = "number"  # label of leaves that carry a number as their value
NUMBERS = (int, float, np.integer, np.floating)
TEXT = "<text>"  # label of a root whose children are sentences
# A number as JSON writes it: 007 is a code and not a measurement.
_IS_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?").fullmatch
_LONGEST_NUMBER = 40
_TOO_LONG = 10**4300

# Returns the label and the pieces of a leaf with a given text; the pieces become children.
Splitter = Callable[[str], tuple[str, Sequence[str]]]


def keep_label(text: str) -> tuple[str, tuple[()]]:
    """Return a text as the label of a leaf without pieces."""
    return text, ()


def make_number_leaf(number: float | np.number, edge: str | None = None) -> TreeNode:
    """Return a leaf labelled "number"; if the number is too large for a float, its digits are the label.

    Raises
    ------
    ValueError
        If the number is an int of more than 4,300 digits, Python's limit for a conversion in linear time.
    """
    value = _as_float(number)
    if value is not None:
        return TreeNode(NUMBER, (), value, edge)
    if isinstance(number, int) and abs(number) >= _TOO_LONG:
        raise ValueError(f"a number must have at most 4300 digits, got {excerpt(number)}: make it a string")
    return TreeNode(str(number), (), None, edge)


def make_text_leaf(text: str, edge: str | None = None) -> TreeNode:
    """Return a leaf labelled with a text, or a leaf labelled "number" if the text is a number."""
    if len(text) <= _LONGEST_NUMBER and _IS_NUMBER(text) and isfinite(float(text)):
        return TreeNode(NUMBER, (), float(text), edge)
    return TreeNode(text, (), None, edge)


def to_value(number: object) -> float | None:
    """Return a finite number as a float, and None for anything else; a bool is not a number here."""
    if isinstance(number, NUMBERS) and not isinstance(number, bool):
        return _as_float(number)
    return None


def _as_float(number: float | np.number) -> float | None:
    try:
        value = float(number)
    except OverflowError:
        return None
    return value if isfinite(value) else None
