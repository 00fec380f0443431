"""Syntax trees of Python: ``ast.AST``.

The label of a node is its type and its edge label is its field. Identifiers and constants are leaves, numbers
with a value. Absent fields and the context of names (load, store) are omitted.
"""

from __future__ import annotations

import ast
import re
import warnings
from contextlib import suppress
from functools import partial
from typing import Any

from sklearn_tree.trees.formats.leaves import Splitter, keep_label, make_number_leaf
from sklearn_tree.trees.formats.node import Part, TreeNode
from sklearn_tree.trees.formats.registry import register_tree_type

# Matches the warnings about one file name only. Unlike `warnings.catch_warnings`, which replaces all filters
# of the process, it can be added and removed while other threads change the filters.
_FILE = "<code of a tree>"
_FILTER = ("ignore", None, Warning, re.compile(re.escape(_FILE)), 0)


def parse_code(source: str | bytes) -> ast.Module:
    """Parse the code of a module without warnings, such as those about invalid escapes."""
    warnings.filters.insert(0, _FILTER)  # type: ignore[attr-defined]
    try:
        return ast.parse(source, _FILE)
    finally:
        with suppress(ValueError):  # another thread has restored filters without it
            warnings.filters.remove(_FILTER)  # type: ignore[attr-defined]


def read_ast(node: ast.AST, split: Splitter = keep_label) -> TreeNode:
    """Read one node of a syntax tree; ``split`` splits identifiers and strings."""
    read = read_ast if split is keep_label else partial(read_ast, split=split)
    children: list[Any] = []
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, ast.AST):
            if field != "ctx":
                children.append(Part(value, read, field))
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, ast.AST):
                    children.append(Part(item, read, field))
                elif item is not None:
                    children.append(_make_leaf(item, field, split))
        elif value is not None or (type(node) is ast.Constant and field == "value"):
            children.append(_make_leaf(value, field, split))
    return TreeNode(type(node).__name__, children)


def _make_leaf(value: Any, field: str, split: Splitter) -> TreeNode:
    if isinstance(value, str):
        return TreeNode(*split(value), None, field)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return make_number_leaf(value, field)
    return TreeNode("..." if value is ... else repr(value), (), None, field)


register_tree_type(ast.AST, read_ast)
