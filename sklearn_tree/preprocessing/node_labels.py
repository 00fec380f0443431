"""Labels and weights of nodes in the containers of the user."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_tree.containers import as_known, is_tensor, refuse_unreadable, refuse_unreadable_rows, to_numpy
from sklearn_tree.missing import is_missing

_REMEDY = (
    "pass the labels of the nodes that reach the net; TreeVectorizer.align_nodes returns them if split, "
    "binarize, collapse_unary or max_nodes changes the trees"
)


def flatten_nodes(
    labels: Any, sizes: np.ndarray, *, names: tuple[str, str] = ("node_y", "X"), n_columns: int | None = None
) -> np.ndarray:
    """Return the labels of the nodes of all trees as one array.

    Parameters
    ----------
    labels : RaggedArray; list, Series or array of sequences; or flat list, Series or array
        One sequence per tree, with a label per node in preorder, None for a tree without labels; or a flat
        container with one label per node of all trees.
    sizes : ndarray of int, shape (n_trees,)
        Number of nodes of each tree.
    names : tuple of str, default=("node_y", "X")
        Names of the labels and of the trees, for error messages.
    n_columns : int, default=None
        Number of columns of a label; None for single values.

    Returns
    -------
    ndarray of numbers or objects, shape (n_nodes_total,), or (n_nodes_total, n_columns)

    Raises
    ------
    TypeError, ValueError
        If the number of trees, nodes or columns differs from that of the labels, or an array has masked
        entries; the message gives the row.
    """
    items = _read_items(labels, names[0])
    if _is_flat(items, len(sizes), int(sizes.sum()), n_columns):
        return _as_labels(items, f"{names[0]}[{{}}]", n_columns)
    if len(items) != len(sizes):
        raise ValueError(
            f"{names[0]} must have one sequence per sample of {names[1]} ({len(sizes)}) or one label per "
            f"node ({sizes.sum()}), got {len(items)} items"
        )
    refuse_unreadable_rows(items, f"{names[0]}[{{}}]")
    rows = [[None] * sizes[i] if is_missing(item) else item for i, item in enumerate(items)]
    for i, row in enumerate(rows):
        if _count(row) != sizes[i]:
            raise ValueError(
                f"{names[0]}[{i}] must have one label per node of {names[1]}[{i}], {sizes[i]}, got "
                f"{_count(row)}: {_REMEDY}"
            )
    return np.concatenate(
        [_as_labels(row, f"{names[0]}[{i}][{{}}]", n_columns) for i, row in enumerate(rows)]
    )


def find_missing(labels: np.ndarray) -> np.ndarray:
    """Return whether each entry is None or NaN, ndarray of bool of the same shape."""
    is_absent = np.frompyfunc(is_missing, 1, 1)(labels) if labels.dtype == object else labels != labels
    return is_absent.astype(bool)


def _read_items(labels: Any, name: str) -> Any:
    """Return the items of a container as a list, or as an array if they are numbers."""
    if isinstance(labels, (str, bytes)) or not hasattr(labels, "__len__"):
        raise TypeError(f"{name} must hold one sequence of labels per tree, got {type(labels).__name__}")
    refuse_unreadable(labels, name)
    if is_tensor(labels) or hasattr(labels, "iloc"):
        labels = to_numpy(labels)
    is_numbers = isinstance(labels, np.ndarray) and labels.dtype != object
    return labels if is_numbers else list(as_known(labels, name))


def _is_flat(items: Any, n_trees: int, n_nodes: int, n_columns: int | None) -> bool:
    if len(items) != n_nodes:
        return False
    return n_trees != n_nodes or np.ndim(items[0]) < (1 if n_columns is None else 2)


def _count(row: Any) -> Any:
    """Return the length of a sequence, or the repr of an item of another type."""
    is_sequence = hasattr(row, "__len__") and not isinstance(row, (str, bytes))
    return len(row) if is_sequence else repr(row)[:40]


def _as_labels(items: Any, place: str, n_columns: int | None) -> np.ndarray:
    """Return labels as an array; ``place`` is the format of a label's name in error messages."""
    if hasattr(items, "dtype"):
        array, n = to_numpy(items), n_columns or 1
        if array.dtype.kind in "iufb" and array.size == n * len(array):
            return array.ravel() if n_columns is None else array.reshape(-1, n)
    refuse_unreadable_rows(items, place)
    if n_columns is None:
        return np.fromiter(items, dtype=object, count=len(items))
    rows = [[None] * n_columns if is_missing(item) else item for item in items]
    for i, row in enumerate(rows):
        if _count(row) != n_columns:
            raise ValueError(f"{place.format(i)} must have {n_columns} columns or be None, got {row!r:.40}")
    flat = [label for row in rows for label in row]
    return np.fromiter(flat, dtype=object, count=len(flat)).reshape(-1, n_columns)
