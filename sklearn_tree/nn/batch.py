"""``TreeBatch``: the trees of a minibatch merged, their nodes sorted into levels by depth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.nn.schedule import Schedule, share_subtrees, stable_sort
from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.subtrees import sibling_ranks


class Level(NamedTuple):
    """How the nodes of one depth in a batch hang on the inner nodes one level above.

    Attributes
    ----------
    rows : Tensor of int64, shape (n_children,)
        For each node, its row among the inner nodes of its level, or behind them among the leaves.
    parents : Tensor of int64, shape (n_children,)
        For each node, the row of its parent among the inner nodes of the level above; it rises.
    ranks : Tensor of int64, shape (n_children,)
        Position of each node among its siblings, from 0.
    n_parents : int
        Number of inner nodes of the level above.
    """

    rows: Tensor
    parents: Tensor
    ranks: Tensor
    n_parents: int


@dataclass(frozen=True)
class TreeBatch:
    """Trees merged for a bottom-up pass that handles all nodes of one depth at once.

    The children of the nodes of one depth are exactly the nodes one deeper, so a pass needs
    nothing but the states of the level that it has just left, and costs what the nodes cost,
    whatever the shape of the trees. In a batch all inner nodes come first, by depth, then all
    leaves, by depth; inside a depth, trees and siblings keep their order. So both the inner nodes
    and the leaves of a level are contiguous, and all leaves are computed in one go.

    Attributes
    ----------
    labels : Tensor of int64, shape (n_nodes,)
        Label ids in batch order.
    values : Tensor of float, shape (n_nodes,), or None
        Node values in batch order, NaN where there is none.
    edges : Tensor of int64, shape (n_nodes,), or None
        Ids of the edges to the parents.
    trees : Tensor of int64, shape (n_nodes,)
        Number of each node's tree.
    roots : Tensor of int64, shape (n_trees,)
        Position of each tree's root.
    order : Tensor of int64, shape (n_nodes,)
        Position in the batch of each node of the ``TreeArray``.
    children : Tensor of int64, shape (n_children,)
        Position of every node but the roots, by depth; siblings in order, beside each other.
    parents : Tensor of int64, shape (n_children,)
        Position of the parent of each; it rises, so the children of each inner node are a run.
    ranks : Tensor of int64, shape (n_children,)
        Position of each among its siblings, from 0.
    offsets : Tensor of int64, shape (n_inner,)
        Where the run of each inner node's children begins.
    inner_children, leaf_children : Tensor of int64
        Which of ``children`` are inner nodes, and which leaves; both in batch order.
    n_inner, n_leaves : tuple of int, length n_levels
        Numbers of inner nodes and of leaves at each depth.
    distinct : Tensor of int64, shape (n_distinct,), or None
        One inner node of each pair of label and edge label that occurs among the inner nodes,
        then one leaf of each that occurs among the leaves; None for trees with values.
    inverse : Tensor of int64, shape (n_nodes,), or None
        For each node the row of its pair in ``distinct``.
    n_distinct_inner : int
        How many of ``distinct`` are inner nodes.
    max_rank : int
        The largest of ``ranks``.
    shared : Schedule or None
        How equal subtrees are computed once, if they are.
    sample_weight : Tensor of float, shape (n_trees,), or None
        Weight of each tree in the loss.
    """

    labels: Tensor
    trees: Tensor
    roots: Tensor
    order: Tensor
    children: Tensor
    parents: Tensor
    ranks: Tensor
    offsets: Tensor
    inner_children: Tensor
    leaf_children: Tensor
    n_inner: tuple[int, ...]
    n_leaves: tuple[int, ...]
    max_rank: int = 0
    values: Tensor | None = None
    edges: Tensor | None = None
    distinct: Tensor | None = None
    inverse: Tensor | None = None
    n_distinct_inner: int = 0
    shared: Schedule | None = None
    sample_weight: Tensor | None = None

    @classmethod
    def from_array(cls, array: TreeArray) -> TreeBatch:
        """Merge all trees of an array (on the CPU; 0.1 us a node).

        Parameters
        ----------
        array : TreeArray
            Encoded trees, at least one.

        Returns
        -------
        TreeBatch
        """
        depths, n_levels = array.depths, int(array.depths.max(initial=0)) + 1
        parents = array.absolute_parents
        is_leaf = np.ones(len(depths), dtype=bool)
        is_leaf[parents[parents >= 0]] = False

        order = stable_sort(depths + is_leaf * n_levels)  # inner by depth, then leaves by depth
        position = np.empty_like(order)
        position[order] = np.arange(len(order))
        n_inner = np.bincount(depths[~is_leaf], minlength=n_levels)
        n_leaves = np.bincount(depths[is_leaf], minlength=n_levels)

        children = stable_sort(depths)[len(array) :]  # siblings follow each other in preorder
        ranks = sibling_ranks(parents[children])

        trees = np.repeat(np.arange(len(array)), array.sizes)
        labels, edges = as_tensor(array.labels[order]).long(), None
        if array.edges is not None:
            edges = as_tensor(array.edges[order]).long()
        distinct = inverse = shared = None
        n_distinct_inner, n = 0, int(n_inner.sum())
        if array.values is None:
            inner, inverse = _distinct(labels[:n], None if edges is None else edges[:n])
            outer, leaf_inverse = _distinct(labels[n:], None if edges is None else edges[n:])
            n_distinct_inner = len(inner)
            distinct = torch.cat([inner, outer + n])
            if array.subtrees is not None and n:
                inputs = torch.cat([inverse, leaf_inverse]).cpu().numpy()[position]
                all_ranks = np.zeros_like(parents)
                all_ranks[children] = ranks
                shared = share_subtrees(array.subtrees, is_leaf, parents, all_ranks, order[:n], inputs)
            inverse = torch.cat([inverse, leaf_inverse + n_distinct_inner])
        return cls(
            labels=labels,
            trees=as_tensor(trees[order]),
            roots=as_tensor(position[array.offsets[:-1]]),
            order=as_tensor(position),
            children=as_tensor(position[children]),
            parents=as_tensor(position[parents[children]]),
            ranks=as_tensor(ranks),
            offsets=as_tensor(np.flatnonzero(ranks == 0)),
            inner_children=as_tensor(np.flatnonzero(~is_leaf[children])),
            leaf_children=as_tensor(np.flatnonzero(is_leaf[children])),
            max_rank=int(ranks.max(initial=0)),
            n_inner=tuple(n_inner.tolist()),
            n_leaves=tuple(n_leaves.tolist()),
            values=None if array.values is None else as_tensor(array.values[order]),
            edges=edges,
            distinct=distinct,
            inverse=inverse,
            n_distinct_inner=n_distinct_inner,
            shared=shared,
        )

    def __len__(self) -> int:
        return len(self.roots)

    @property
    def n_nodes(self) -> int:
        """Number of nodes of all trees."""
        return len(self.labels)

    def to(self, device: torch.device | str) -> TreeBatch:
        """Return the batch on another device (itself if it is there already)."""
        return moved(self, device)

    @cached_property
    def levels(self) -> list[Level]:
        """One :class:`Level` per depth from 1 on: the children of depths 0, 1, ..."""
        sizes = [inner + leaves for inner, leaves in zip(self.n_inner, self.n_leaves, strict=True)][1:]
        columns = zip(*(c.split(sizes) for c in (self.children, self.parents, self.ranks)), strict=True)
        levels, n_all_inner, first_inner, first_leaf = [], sum(self.n_inner), 0, self.n_leaves[0]
        for depth, (children, parents, ranks) in enumerate(columns):
            n_parents = self.n_inner[depth]
            is_inner = children < n_all_inner
            first_below = first_inner + n_parents
            leaf_rows = children - (n_all_inner + first_leaf) + self.n_inner[depth + 1]
            rows = torch.where(is_inner, children - first_below, leaf_rows)
            levels.append(Level(rows, parents - first_inner, ranks, n_parents))
            first_inner, first_leaf = first_below, first_leaf + self.n_leaves[depth + 1]
        return levels


def as_tensor(array: np.ndarray | Tensor) -> Tensor:
    """Return a column as a tensor where it is, without a copy if its rows are contiguous."""
    return array if isinstance(array, Tensor) else torch.from_numpy(np.ascontiguousarray(array))


def picked(column: Any, rows: np.ndarray) -> Any:
    """Return some rows of an array or tensor, where it is."""
    if isinstance(column, Tensor):
        return column.index_select(0, torch.from_numpy(rows).to(column.device, non_blocking=True))
    return column.take(rows, axis=0)


def moved(batch: Any, device: torch.device | str) -> Any:
    """Return a batch with all its columns on a device, itself if they are there already."""
    device = torch.device(device)
    columns = vars(batch).items()
    if all(column.device == device for _, column in columns if isinstance(column, Tensor)):
        return batch
    tensors = {name: _move(column, device) for name, column in columns if isinstance(column, Tensor)}
    parts = {name: moved(column, device) for name, column in columns if isinstance(column, Schedule)}
    return replace(batch, **tensors, **parts)


def _move(column: Tensor, device: torch.device) -> Tensor:
    if device.type == "mps" and column.dtype == torch.float64:
        column = column.float()  # mps has no doubles
    if device.type == "cuda" and column.device.type == "cpu":
        column = column.pin_memory()  # else the copy would not be asynchronous
    return column.to(device, non_blocking=True)


def _distinct(labels: Tensor, edges: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return one node of each pair of label and edge, and for each node the row of its pair."""
    pairs = labels if edges is None or not len(edges) else labels * (edges.max() + 1) + edges
    if pairs.device.type != "cpu":
        _, inverse = pairs.unique(return_inverse=True)
        nodes = torch.arange(len(pairs), device=pairs.device)
        n = int(inverse.max()) + 1 if len(pairs) else 0
        return torch.zeros_like(nodes)[:n].scatter(0, inverse, nodes), inverse
    _, distinct, inverse = np.unique(pairs.numpy(), return_index=True, return_inverse=True)
    return as_tensor(distinct), as_tensor(inverse)
