"""``Schedule``: which inner nodes the fast walk computes, level by level, and how they hang together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.trees.subtrees import heights_of

if TYPE_CHECKING:
    from sklearn_tree.nn.batch import TreeBatch


@dataclass(frozen=True)
class Schedule:
    """The rows that a walk computes, from the roots down, and the edges between them.

    A row is an inner node, or all inner nodes that are the roots of equal subtrees. Behind the rows of
    the schedule stand those of the leaves.

    Attributes
    ----------
    rows : Tensor of int64, shape (n_inner,)
        The row of each inner node of the batch.
    inputs : Tensor of int64, shape (n_rows,)
        The row of the inputs that each row has.
    children, parents : Tensor of int64, shape (n_edges,)
        Rows of both ends of each edge; parents rise.
    ranks : Tensor of int64, shape (n_edges,)
        Position of each child among its siblings.
    offsets : Tensor of int64, shape (n_rows,)
        Where the edges of each row begin.
    incoming : Tensor of int64, shape (n_incoming,)
        The edges whose child is no leaf, in the order of their children.
    incoming_offsets : Tensor of int64, shape (n_rows,), or None
        Where those of each row begin among ``incoming``; None if all rows below the first level have one.
    leaf_edges : Tensor of int64, shape (n_leaf_edges,)
        The edges whose child is a leaf.
    leaf_rows : Tensor of int64, shape (n_leaf_edges,)
        The row of the leaves that each of those has.
    n_rows, n_edges, n_incoming : tuple of int, length n_levels
        How many rows, edges below them and incoming edges each level has.
    """

    rows: Tensor
    inputs: Tensor
    children: Tensor
    parents: Tensor
    ranks: Tensor
    offsets: Tensor
    incoming: Tensor
    incoming_offsets: Tensor | None
    leaf_edges: Tensor
    leaf_rows: Tensor
    n_rows: tuple[int, ...]
    n_edges: tuple[int, ...]
    n_incoming: tuple[int, ...]


def one_by_one(batch: TreeBatch, inputs: Tensor, leaf_rows: Tensor) -> Schedule:
    """Make the schedule of a batch with a row for each inner node, level by level as the batch has them.

    Parameters
    ----------
    batch : TreeBatch
        The trees, at least one with an inner node.
    inputs : Tensor of int64, shape (n_inner,)
        The row of the inputs of each inner node.
    leaf_rows : Tensor of int64, shape (n_leaves,)
        The row of the leaves of each leaf.
    """
    n_rows = tuple(n for n in batch.n_inner if n)
    n, below = len(inputs), leaf_rows[batch.n_leaves[0] :]  # leaves that are no roots
    everything = torch.arange(n, device=inputs.device)
    children = torch.empty_like(batch.children)
    children[batch.inner_children] = everything[n_rows[0] :]
    children[batch.leaf_children] = n + below
    inner_below = (*n_rows[1:], 0)
    return Schedule(
        rows=everything,
        inputs=inputs,
        children=children,
        parents=batch.parents,
        ranks=batch.ranks,
        offsets=batch.offsets,
        incoming=batch.inner_children,
        incoming_offsets=None,
        leaf_edges=batch.leaf_children,
        leaf_rows=below,
        n_rows=n_rows,
        n_edges=tuple(map(sum, zip(inner_below, batch.n_leaves[1 : len(n_rows) + 1], strict=True))),
        n_incoming=(0, *n_rows[1:]),
    )


def share_subtrees(
    numbers: np.ndarray,
    is_leaf: np.ndarray,
    parents: np.ndarray,
    ranks: np.ndarray,
    inner: np.ndarray,
    inputs: np.ndarray,
) -> Schedule:
    """Make the schedule of a batch whose equal subtrees are computed once.

    Parameters
    ----------
    numbers : ndarray of int64, shape (n_nodes,)
        Numbers of the subtrees, see :func:`~sklearn_tree.trees.subtrees.number_subtrees`.
    is_leaf : ndarray of bool, shape (n_nodes,)
        Which nodes have no children; not all.
    parents, ranks : ndarray of int64, shape (n_nodes,)
        Parent of each node, -1 for roots, and its position among its siblings.
    inner : ndarray of int64, shape (n_inner,)
        The inner nodes in the order of the batch.
    inputs : ndarray of int64, shape (n_nodes,)
        The row of the inputs of each inner node, and the row of the leaves for each leaf.

    Returns
    -------
    Schedule
    """
    kinds, first, inverse = np.unique(numbers[inner], return_index=True, return_inverse=True)
    n, examples = len(kinds), inner[first]
    row = inputs + n
    row[inner] = inverse
    is_example = np.zeros(len(numbers) + 1, dtype=bool)  # the last is for the parents of roots
    is_example[examples] = True
    children = np.flatnonzero(is_example[parents])
    children = children[stable_sort(row[parents[children]])]  # siblings stay in order
    above, below = row[parents[children]], row[children]
    is_inner = below < n
    incoming = np.flatnonzero(is_inner)
    incoming = incoming[stable_sort(below[incoming])]
    leaf_edges = np.flatnonzero(~is_inner)
    n_children, n_incoming = np.bincount(above, minlength=n), np.bincount(below[incoming], minlength=n)
    heights = heights_of(kinds)
    levels = np.flatnonzero(np.r_[True, heights[1:] != heights[:-1]])

    def per_level(counts: np.ndarray) -> tuple[int, ...]:
        return tuple(np.add.reduceat(counts, levels).tolist())

    columns = {
        "rows": inverse,
        "inputs": inputs[examples],
        "children": below,
        "parents": above,
        "ranks": ranks[children],
        "offsets": np.cumsum(n_children) - n_children,
        "incoming": incoming,
        "incoming_offsets": np.cumsum(n_incoming) - n_incoming,
        "leaf_edges": leaf_edges,
        "leaf_rows": below[leaf_edges] - n,
    }
    return Schedule(
        **{name: torch.from_numpy(np.ascontiguousarray(column)) for name, column in columns.items()},
        n_rows=per_level(np.ones(n, dtype=np.int64)),
        n_edges=per_level(n_children),
        n_incoming=per_level(n_incoming),
    )


def stable_sort(keys: np.ndarray) -> np.ndarray:
    """Return the order that sorts small numbers; numpy sorts those of 16 bits by radix, in linear time."""
    small = keys.max(initial=0) < 2**16
    return np.argsort(keys.astype(np.uint16) if small else keys, kind="stable")
