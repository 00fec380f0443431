"""Schedule of the fast walk: the rows to compute, level by level, and the edges between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from sklearn_tree.nn.tensors import as_tensor
from sklearn_tree.trees.sorting import stable_argsort
from sklearn_tree.trees.subtrees import heights_of


@dataclass(frozen=True)
class Schedule:
    """Rows that a walk computes, from the roots down, and the edges between them.

    A row is one inner node, or all inner nodes that are roots of equal subtrees. Rows ``n_rows`` and higher
    are those of the leaves.

    Attributes
    ----------
    rows : Tensor of int64, shape (n_inner,)
        Row of each inner node of the batch.
    inputs : Tensor of int64, shape (n_rows,)
        Row of the input table for each row.
    children, parents : Tensor of int64, shape (n_edges,)
        Rows of both ends of each edge; ``parents`` is non-decreasing.
    ranks : Tensor of int64, shape (n_edges,)
        Position of each child among its siblings.
    level_rows : Tensor of int64, shape (n_rows,)
        Each row, relative to the first row of its level.
    level_offsets : Tensor of int64, shape (n_rows,)
        First edge of each row, relative to the first edge of its level.
    incoming : Tensor of int64, shape (n_incoming,)
        Edges whose child is an inner node, sorted by child.
    incoming_offsets : Tensor of int64, shape (n_rows,), or None
        First element of ``incoming`` for each row, relative to the first of its level; None if every row
        below the first level has exactly one parent.
    leaf_edges : Tensor of int64, shape (n_leaf_edges,)
        Edges whose child is a leaf.
    leaf_rows : Tensor of int64, shape (n_leaf_edges,)
        Row of the leaf table for each of ``leaf_edges``.
    n_rows, n_edges, n_incoming : tuple of int, length n_levels
        Number of rows of each level, of edges to their children and of incoming edges.
    """

    rows: Tensor
    inputs: Tensor
    children: Tensor
    parents: Tensor
    ranks: Tensor
    level_rows: Tensor
    level_offsets: Tensor
    incoming: Tensor
    incoming_offsets: Tensor | None
    leaf_edges: Tensor
    leaf_rows: Tensor
    n_rows: tuple[int, ...]
    n_edges: tuple[int, ...]
    n_incoming: tuple[int, ...]


def share_subtrees(
    numbers: np.ndarray,
    parents: np.ndarray,
    ranks: np.ndarray,
    inner: np.ndarray,
    inputs: np.ndarray,
) -> Schedule:
    """Make the schedule of a batch in which equal subtrees are computed once.

    Parameters
    ----------
    numbers : ndarray of int64, shape (n_nodes,)
        Numbers of the subtrees, see :func:`~sklearn_tree.trees.subtrees.number_subtrees`.
    parents, ranks : ndarray of int64, shape (n_nodes,)
        Parent of each node, -1 for roots, and its position among its siblings.
    inner : ndarray of int64, shape (n_inner,)
        Inner nodes in batch order, at least one.
    inputs : ndarray of int64, shape (n_nodes,)
        Row of the input table for each inner node, row of the leaf table for each leaf.

    Returns
    -------
    Schedule
    """
    distinct, first, inverse = np.unique(numbers[inner], return_index=True, return_inverse=True)
    n, examples = len(distinct), inner[first]
    row = inputs + n
    row[inner] = inverse
    children = _children_of(examples, parents)
    children = children[stable_argsort(row[parents[children]])]  # siblings keep their order
    above, below = row[parents[children]], row[children]
    incoming = np.flatnonzero(below < n)
    incoming = incoming[stable_argsort(below[incoming])]
    leaf_edges = np.flatnonzero(below >= n)
    n_children, n_incoming = np.bincount(above, minlength=n), np.bincount(below[incoming], minlength=n)
    heights = heights_of(distinct)
    levels = np.flatnonzero(np.r_[True, heights[1:] != heights[:-1]])
    n_rows = np.diff(levels, append=n)
    return Schedule(
        rows=as_tensor(inverse),
        inputs=as_tensor(inputs[examples]),
        children=as_tensor(below),
        parents=as_tensor(above),
        ranks=as_tensor(ranks[children]),
        level_rows=as_tensor(relative_to_level(np.arange(n), n_rows)),
        level_offsets=as_tensor(relative_to_level(np.cumsum(n_children) - n_children, n_rows)),
        incoming=as_tensor(incoming),
        incoming_offsets=as_tensor(relative_to_level(np.cumsum(n_incoming) - n_incoming, n_rows)),
        leaf_edges=as_tensor(leaf_edges),
        leaf_rows=as_tensor(below[leaf_edges] - n),
        n_rows=tuple(n_rows.tolist()),
        n_edges=_sum_levels(n_children, levels),
        n_incoming=_sum_levels(n_incoming, levels),
    )


def relative_to_level(indices: np.ndarray, n_rows: np.ndarray) -> np.ndarray:
    """Subtract the first index of each level.

    Parameters
    ----------
    indices : ndarray of int64, shape (sum(n_rows),)
        One index per row, by level.
    n_rows : ndarray of int64, shape (n_levels,)
        Number of rows of each level, at least one.
    """
    return indices - np.repeat(indices[np.cumsum(n_rows) - n_rows], n_rows)


def _children_of(nodes: np.ndarray, parents: np.ndarray) -> np.ndarray:
    is_parent = np.zeros(len(parents) + 1, dtype=bool)  # the last element belongs to parent -1 of the roots
    is_parent[nodes] = True
    return np.flatnonzero(is_parent[parents])


def _sum_levels(counts: np.ndarray, first_rows: np.ndarray) -> tuple[int, ...]:
    return tuple(np.add.reduceat(counts, first_rows).tolist())
