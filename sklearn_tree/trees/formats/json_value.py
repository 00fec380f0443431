"""JSON values as ``json.load`` returns them.

An object is a node ``"{}"`` whose children are its members; the keys are edge labels. An array is a node
``"[]"`` whose children are its items. A string is a leaf labelled with its text. A number is a leaf
``"number"`` with a value. The constants are leaves ``"true"``, ``"false"`` and ``"null"``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import isfinite
from typing import Any

import numpy as np

from sklearn_tree.trees.formats.excerpt import excerpt
from sklearn_tree.trees.formats.leaves import NUMBERS, Splitter, keep_label, make_number_leaf
from sklearn_tree.trees.formats.node import Part, TreeNode

OBJECT, ARRAY = "{}", "[]"
_CONSTANTS = {True: "true", False: "false"}


def read_json(value: Any, split: Splitter = keep_label) -> TreeNode:
    """Read one JSON value; the values inside it are read as JSON too. ``split`` splits strings."""
    if isinstance(value, str):
        return TreeNode(*split(value))
    if isinstance(value, (dict, list, tuple)):
        return _read_container(value, read_json if split is keep_label else partial(read_json, split=split))
    if isinstance(value, (bool, np.bool_)):
        return TreeNode(_CONSTANTS[bool(value)])
    if value is None:
        return TreeNode("null")
    if isinstance(value, NUMBERS):
        if not isinstance(value, int) and not isfinite(value):
            raise ValueError(f"a number in JSON must be finite, got {value}")
        return make_number_leaf(value)
    raise TypeError(
        "a JSON value must be a dict, list, str, number, bool or None, "
        f"got {excerpt(value)} ({type(value).__name__})"
    )


def _read_container(value: Any, read: Callable[[Any], TreeNode]) -> TreeNode:
    if not isinstance(value, dict):
        return TreeNode(ARRAY, [Part(item, read) for item in value])
    for key in value:
        if not isinstance(key, str):
            raise TypeError(
                f"the keys of a JSON object must be str, got {excerpt(key)} ({type(key).__name__})"
            )
    return TreeNode(OBJECT, [Part(item, read, key) for key, item in value.items()])
