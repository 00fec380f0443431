"""Validation of the columns of trees, arrays of trees and arrays of sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_tree.trees.formats.excerpt import excerpt

_MAX_SIZE = 1 << 31  # ids are stored in 32 bits


def check_tree_shapes(labels: Sequence | np.ndarray, depths: np.ndarray, offsets: np.ndarray) -> None:
    """Check that the columns have the same length and that the depths are in preorder.

    Parameters
    ----------
    labels : sequence, length n_nodes_total
        Node labels; only their number is checked.
    depths : ndarray of int32, shape (n_nodes_total,)
        Depth of each node.
    offsets : ndarray of int64, shape (n_trees + 1,)
        Positions at which trees begin and end.

    Raises
    ------
    ValueError
        If the offsets do not increase, a column has another length, or a depth is impossible in preorder.
    """
    if offsets.ndim != 1 or len(offsets) < 1 or offsets[0] != 0 or np.any(np.diff(offsets) < 1):
        raise ValueError("offsets must start at 0 and increase by at least one node per tree")
    if len(labels) != len(depths) or len(depths) != offsets[-1]:
        raise ValueError(
            f"labels and depths must have offsets[-1] = {offsets[-1]} entries, "
            f"got {len(labels)} and {len(depths)}"
        )
    is_root = np.zeros(len(depths), dtype=bool)
    is_root[offsets[:-1]] = True
    is_too_deep = np.diff(depths, prepend=0) > 1
    wrong = np.flatnonzero(np.where(is_root, depths != 0, (depths < 1) | is_too_deep))
    if len(wrong):
        tree = int(np.searchsorted(offsets, wrong[0], side="right")) - 1
        raise ValueError(
            "depths must be in preorder: 0 at the root, >= 1 at other nodes, and at most 1 more than at the "
            f"previous node; got {depths[wrong[0]]} at node {wrong[0] - offsets[tree]} of tree {tree}"
        )


def as_ints(name: str, column: Any) -> np.ndarray:
    """Return a column as an array of ints of shape (n,).

    Raises
    ------
    ValueError
        If the entries are not ints or the column is not one-dimensional.
    """
    column = np.asarray(column)
    if column.size and column.dtype.kind not in "iu":
        raise ValueError(f"{name} must be ints, got {column.dtype}")
    if column.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got shape {column.shape}")
    return column.astype(np.int64, copy=False)


def check_codes(name: str, codes: Any, vocabulary: Any, n_codes: int | None) -> None:
    """Check that codes are ints in the range of their vocabulary or id space.

    Parameters
    ----------
    name : str
        Name of the column, for error messages.
    codes : array-like of int, or None
        The codes.
    vocabulary : sequence of str or None
        Texts of the codes.
    n_codes : int or None
        Size of the id space if ``vocabulary`` is None; None for no limit.

    Raises
    ------
    ValueError
        If the codes are not ints of shape (n,) or are out of range.
    """
    if codes is None or not len(codes):
        return
    codes = as_ints(name, codes)
    lowest, highest = codes.min(), codes.max()
    size = n_codes if vocabulary is None else len(vocabulary)
    if lowest < 0 or highest >= (_MAX_SIZE if size is None else size):
        limits = ">= 0" if lowest < 0 else "< 2**31"
        rule = limits if size is None else f"in [0, {size})"
        raise ValueError(f"{name} must be {rule}, got {lowest if lowest < 0 else highest}")


def check_length(name: str, column: Any, n_nodes: int) -> None:
    """Check that an optional column has one entry per node."""
    if column is not None and len(column) != n_nodes:
        raise ValueError(f"{name} must have one entry per node: {n_nodes}, got {len(column)}")


def check_values(values: Any) -> None:
    """Check that node values are one-dimensional numbers, finite or NaN."""
    if values is None:
        return
    values = np.asarray(values)
    if values.ndim != 1 or values.dtype.kind not in "fiub":
        raise ValueError(
            f"values must be floats of shape (n_nodes,), got {values.dtype} of shape {values.shape}"
        )
    if np.isinf(values).any():
        raise ValueError("values must be finite, or NaN for nodes without a value; got inf")


def check_steps(values: np.ndarray, offsets: np.ndarray) -> None:
    """Check the columns of an array of sequences.

    Parameters
    ----------
    values : ndarray of int, shape (n_steps_total,); or of float, shape (n_steps_total, n_channels)
        Steps of all sequences.
    offsets : ndarray of int64, shape (n_sequences + 1,)
        Positions at which sequences begin and end.

    Raises
    ------
    ValueError
        If the offsets decrease or ``values`` has another length, shape or dtype.
    """
    if offsets.ndim != 1 or len(offsets) < 1 or offsets[0] != 0 or np.any(np.diff(offsets) < 0):
        raise ValueError("offsets must start at 0 and never decrease")
    if len(values) != offsets[-1]:
        raise ValueError(f"values must have offsets[-1] = {offsets[-1]} steps, got {len(values)}")
    kind = values.dtype.kind
    if not (kind in "iu" and values.ndim == 1) and not (kind == "f" and values.ndim == 2):
        raise ValueError(
            "values must be ints of shape (n_steps,) or floats of shape (n_steps, n_channels), "
            f"got {values.dtype} of shape {values.shape}"
        )


def check_labels(labels: Sequence) -> list:
    """Check the labels of a tree and convert them to plain str or int.

    Parameters
    ----------
    labels : sequence of str or of int
        Labels of all nodes.

    Returns
    -------
    list of str or of int

    Raises
    ------
    ValueError
        If the sequence is empty or an id is negative.
    TypeError
        If the labels are not all str or all int.
    """
    if isinstance(labels, str):
        raise TypeError(f"labels must be a sequence of labels, got the str {labels!r:.40}")
    labels = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
    if not labels:
        raise ValueError("labels must not be empty: a tree has at least one node")
    labels = [_check_label(label, i) for i, label in enumerate(labels)]
    if len(set(map(type, labels))) > 1:
        raise TypeError("labels must be all str or all int, got both")
    return labels


def _check_label(label: Any, node: int) -> str | int:
    if isinstance(label, str):
        return str.__str__(label)  # str() would return "Color.RED" for an enum
    if isinstance(label, (int, np.integer)) and not isinstance(label, bool):
        if label < 0:
            raise ValueError(f"labels must be ids >= 0, got {label} at node {node}")
        return int(label)
    raise TypeError(
        "labels must be all str (or all int, for encoded trees), "
        f"got {excerpt(label)} ({type(label).__name__}) at node {node}"
    )
