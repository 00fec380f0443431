"""Expressions of sympy: ``sympy.Basic``.

The label of a node is its function (``Add``, ``Mul``, ``sin``), that of a symbol its name. A rational or
floating-point number is a leaf "number" with a value; a named constant (``pi``) is a leaf labelled with its
name.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

from sklearn_tree.trees.formats.leaves import make_number_leaf
from sklearn_tree.trees.formats.node import TreeNode
from sklearn_tree.trees.formats.registry import register_lazily


def read_sympy(expression: Any) -> TreeNode:
    """Read one expression."""
    if expression.args:
        return TreeNode(expression.func.__name__, expression.args)
    if getattr(expression, "is_Rational", False) or getattr(expression, "is_Float", False):
        value = float(expression)
        return make_number_leaf(value) if isfinite(value) else TreeNode(str(expression))
    return TreeNode(str(expression))


register_lazily("sympy.Basic", read_sympy)
