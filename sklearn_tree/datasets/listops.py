"""Generator of nested list operations, whose values depend on their structure."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from sklearn_tree.trees import Tree, TreeArray

OPERATORS = ("MAX", "MIN", "MED", "SM")
_SHARE_OF_OPERATORS = 0.25


def make_listops(
    n_samples: int = 1000,
    *,
    max_depth: int = 5,
    max_args: int = 5,
    random_state: Any = None,
) -> tuple[TreeArray, np.ndarray]:
    """Generate ListOps expressions and their values.

    An expression is a digit, or one of the operators MAX, MIN, MED (the median, rounded down) and SM (the sum
    modulo 10) applied to two or more expressions, as in ``(MAX 2 9 (MIN 4 7) 0)`` = 9 [1]_.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of expressions.
    max_depth : int, default=5
        Largest height of an expression, at least 1.
    max_args : int, default=5
        Maximum number of arguments of an operator, at least 2.
    random_state : int, RandomState or None, default=None
        Seed of the random number generator.

    Returns
    -------
    X : TreeArray, shape (n_samples,)
        Expressions, with operators at inner nodes and digits at leaves.
    y : ndarray of int64, shape (n_samples,)
        Values of the expressions, in [0, 9].

    Raises
    ------
    ValueError
        If a parameter is out of range.

    References
    ----------
    .. [1] N. Nangia, S. R. Bowman (2018). ListOps: A Diagnostic Dataset for Latent Tree
       Learning. NAACL Student Research Workshop.

    Examples
    --------
    >>> from sklearn_tree.datasets import make_listops
    >>> X, y = make_listops(100, random_state=0)
    >>> print(X[2], "=", y[2])
    (MIN 4 2 2 (MAX 4 8) 6) = 2
    """
    for name, number, smallest in (
        ("n_samples", n_samples, 1),
        ("max_depth", max_depth, 1),
        ("max_args", max_args, 2),
    ):
        if not isinstance(number, Integral) or number < smallest:
            raise ValueError(f"{name} must be an int >= {smallest}, got {number!r}")
    rng = check_random_state(random_state)
    trees, values = zip(*(_make_expression(rng, max_depth, max_args) for _ in range(n_samples)), strict=True)
    return TreeArray.from_trees(trees), np.array(values, dtype=np.int64)


def _make_expression(rng: np.random.RandomState, max_depth: int, max_args: int) -> tuple[Tree, int]:
    labels, parents, depths = [OPERATORS[rng.randint(len(OPERATORS))]], [-1], [0]
    for node, label in enumerate(labels):  # the loop appends to labels
        if label.isdigit():
            continue
        for _ in range(rng.randint(2, max_args + 1)):
            nested = depths[node] + 1 < max_depth and rng.random_sample() < _SHARE_OF_OPERATORS
            labels.append(OPERATORS[rng.randint(len(OPERATORS))] if nested else str(rng.randint(10)))
            parents.append(node)
            depths.append(depths[node] + 1)
    return Tree(labels, parents), evaluate(labels, parents)


def evaluate(labels: list[str], parents: list[int]) -> int:
    """Compute the value of an expression, given in an order in which parents precede their children."""
    arguments: list[list[int]] = [[] for _ in labels]
    for node in range(len(labels) - 1, -1, -1):
        value = _apply(labels[node], arguments[node])
        if node == 0:
            return value
        arguments[parents[node]].append(value)
    raise AssertionError("an expression must have a root")


def _apply(label: str, arguments: list[int]) -> int:
    if label.isdigit():
        return int(label)
    if label == "MED":
        return int(np.median(arguments))
    if label == "SM":
        return sum(arguments) % 10
    return max(arguments) if label == "MAX" else min(arguments)
