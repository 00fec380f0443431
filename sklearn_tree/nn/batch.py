"""Batches of trees, with their nodes sorted into levels by depth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.nn.compiled.loaded import are_loaded
from sklearn_tree.nn.schedule import Schedule, relative_to_level, share_subtrees
from sklearn_tree.nn.tensors import as_tensor, move_to
from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.levels import SortedNodes, sort_by_depth, sort_nodes

_MAX_CODES_PER_NODE = 64  # a table of all codes is faster than sorting the nodes


class Level(NamedTuple):
    """Edges between the nodes of one depth and the inner nodes one level above.

    Attributes
    ----------
    rows : Tensor of int64, shape (n_children,)
        Row of each node in the table of its level, which holds the inner nodes first, then the leaves.
    parents : Tensor of int64, shape (n_children,)
        Row of each node's parent among the inner nodes of the level above; non-decreasing.
    ranks : Tensor of int64, shape (n_children,)
        Position of each node among its siblings, from 0.
    n_parents : int
        Number of inner nodes of the level above.

    Examples
    --------
    >>> from sklearn_tree import TreeVectorizer
    >>> from sklearn_tree.nn import TreeBatch
    >>> trees = TreeVectorizer().fit_transform(["(+ 1 (× 2 3))", "(- 1 2)"])
    >>> for level in TreeBatch.from_array(trees).levels:
    ...     print(level.n_parents, level.parents.tolist(), level.ranks.tolist())
    2 [0, 0, 1, 1] [0, 1, 0, 1]
    1 [0, 0] [0, 1]
    """

    rows: Tensor
    parents: Tensor
    ranks: Tensor
    n_parents: int


@dataclass(frozen=True)
class TreeBatch:
    """Trees merged for a bottom-up walk that computes all nodes of one depth at once.

    The children of the nodes of one depth are exactly the nodes one level deeper, so the walk needs only
    the states of the level below, and its cost depends on the number of nodes, not on the shape of the
    trees. In batch order all inner nodes come first, sorted by depth, then all leaves, sorted by depth;
    within a depth, trees and siblings keep their order. Inner nodes and leaves of a level are therefore
    contiguous, and all leaves are computed together.

    Attributes
    ----------
    labels : Tensor of int64, shape (n_nodes,)
        Label ids in batch order.
    values : Tensor of float, shape (n_nodes,), or None
        Values of the nodes in batch order, NaN for nodes without a value.
    edges : Tensor of int64, shape (n_nodes,), or None
        Ids of the labels of the edges to the parents.
    trees : Tensor of int64, shape (n_nodes,)
        Index of each node's tree.
    roots : Tensor of int64, shape (n_trees,)
        Position of each tree's root.
    order : Tensor of int64, shape (n_nodes,)
        Position in the batch of each node of the ``TreeArray``.
    children : Tensor of int64, shape (n_children,)
        Positions of all nodes except the roots, sorted by depth; siblings are adjacent and in order.
    parents : Tensor of int64, shape (n_children,)
        Position of the parent of each child; non-decreasing, so the children of a node are contiguous.
    ranks : Tensor of int64, shape (n_children,)
        Position of each child among its siblings, from 0.
    level_rows : Tensor of int64, shape (n_inner,)
        Position of each inner node among those of its depth.
    level_offsets : Tensor of int64, shape (n_inner,)
        Number of children of the inner nodes of the same depth that precede each inner node.
    inner_children, leaf_children : Tensor of int64
        Indices in ``children`` of the inner nodes and of the leaves; both in batch order.
    n_inner, n_leaves : tuple of int, length n_levels
        Number of inner nodes and of leaves at each depth.
    distinct : Tensor of int64, shape (n_distinct,), or None
        One inner node for each distinct pair of label and edge label of the inner nodes, then one leaf for
        each distinct pair of the leaves; None for trees with values.
    inverse : Tensor of int64, shape (n_nodes,), or None
        Index in ``distinct`` of the pair of each node.
    n_distinct_inner : int
        Number of inner nodes in ``distinct``.
    max_rank : int
        Largest of ``ranks``.
    shared : Schedule or None
        Schedule that computes equal subtrees once; None if all nodes are computed one by one.
    sample_weight : Tensor of float, shape (n_predictions,), or None
        Weight of each prediction in the loss.
    correction : Tensor of float, shape (n_predictions, n_outputs), or None
        Added to the logits in training, see ``fit_linear_path``.
    output_nodes : Tensor of int64, shape (n_predictions,), or None
        Positions of the nodes for which the net computes logits; None for the roots.
    vectors : Tensor of float, shape (n_new, size), or None
        Vectors of the ids from the size of the vocabulary on.

    Examples
    --------
    >>> from sklearn_tree import TreeVectorizer
    >>> from sklearn_tree.nn import TreeBatch
    >>> trees = TreeVectorizer().fit_transform(["(+ 1 (× 2 3))", "(- 1 2)"])
    >>> batch = TreeBatch.from_array(trees)
    >>> batch.n_inner, batch.n_leaves  # at each depth
    ((2, 1, 0), (0, 3, 2))
    >>> batch.trees.tolist()  # inner nodes first
    [0, 1, 0, 0, 1, 1, 0, 0]
    >>> batch.lengths.tolist()
    [5, 3]
    """

    labels: Tensor
    trees: Tensor
    roots: Tensor
    order: Tensor
    children: Tensor
    parents: Tensor
    ranks: Tensor
    level_rows: Tensor
    level_offsets: Tensor
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
    correction: Tensor | None = None
    output_nodes: Tensor | None = None
    vectors: Tensor | None = None

    @classmethod
    def from_array(cls, array: TreeArray) -> TreeBatch:
        """Merge all trees of an array, in main memory (0.1 us per node).

        Parameters
        ----------
        array : TreeArray
            Encoded trees, at least one.

        Returns
        -------
        TreeBatch
        """
        nodes = _sort_nodes(array)
        labels = as_tensor(array.labels[nodes.order]).long()
        edges = None if array.edges is None else as_tensor(array.edges[nodes.order]).long()
        inputs = None if array.values is not None else _find_distinct(labels, edges, sum(nodes.n_inner))
        is_leaf = nodes.is_leaf[nodes.children]
        n_rows = np.array([n for n in nodes.n_inner if n], dtype=np.int64)
        return cls(
            labels=labels,
            trees=as_tensor(np.repeat(np.arange(len(array)), array.sizes)[nodes.order]),
            roots=as_tensor(nodes.position[array.offsets[:-1]]),
            order=as_tensor(nodes.position),
            children=as_tensor(nodes.position[nodes.children]),
            parents=as_tensor(nodes.position[nodes.parents[nodes.children]]),
            ranks=as_tensor(nodes.ranks),
            level_rows=as_tensor(relative_to_level(np.arange(sum(n_rows)), n_rows)),
            level_offsets=as_tensor(relative_to_level(np.flatnonzero(nodes.ranks == 0), n_rows)),
            inner_children=as_tensor(np.flatnonzero(~is_leaf)),
            leaf_children=as_tensor(np.flatnonzero(is_leaf)),
            max_rank=int(nodes.ranks.max(initial=0)),
            n_inner=nodes.n_inner,
            n_leaves=nodes.n_leaves,
            values=None if array.values is None else as_tensor(array.values[nodes.order]),
            edges=edges,
            distinct=None if inputs is None else inputs.nodes,
            inverse=None if inputs is None else inputs.inverse,
            n_distinct_inner=0 if inputs is None else inputs.n_inner,
            shared=None if inputs is None else _share_subtrees(array, nodes, inputs),
            vectors=None if array.vectors is None else as_tensor(array.vectors),
        )

    def __len__(self) -> int:
        return len(self.roots)

    @property
    def n_nodes(self) -> int:
        """Number of nodes of all trees."""
        return len(self.labels)

    @property
    def n_predictions(self) -> int:
        """Number of rows of the logits."""
        return len(self.roots if self.output_nodes is None else self.output_nodes)

    @property
    def lengths(self) -> Tensor:
        """Number of nodes of each tree, Tensor of int64, shape (n_trees,)."""
        return self.sum_positions(torch.ones_like(self.trees).unsqueeze(1)).squeeze(1)

    def sum_positions(self, x: Tensor) -> Tensor:
        """Sum vectors of nodes over each tree, shape (n_nodes, size) to (n_trees, size)."""
        return x.new_zeros(len(self), x.shape[1]).index_add(0, self.trees, x)

    def to(self, device: torch.device | str) -> TreeBatch:
        """Return the batch on a device; the batch itself if it is on the device already."""
        if str(device) == "cpu" == self.labels.device.type:  # a batch is merged in main memory
            return self
        return move_to(self, device)

    @cached_property
    def levels(self) -> list[Level]:
        """One :class:`Level` for each depth from 1 on."""
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

    def make_schedule(self, inputs: Tensor, leaf_rows: Tensor) -> Schedule:
        """Make the schedule that has one row for each inner node, in batch order.

        Parameters
        ----------
        inputs : Tensor of int64, shape (n_inner,)
            Row of the input table for each inner node; at least one.
        leaf_rows : Tensor of int64, shape (n_leaves,)
            Row of the leaf table for each leaf.

        Returns
        -------
        Schedule
        """
        n_rows = tuple(n for n in self.n_inner if n)
        leaf_rows = leaf_rows[self.n_leaves[0] :]  # without the leaves that are roots
        rows = torch.arange(len(inputs), device=inputs.device)
        children = torch.empty_like(self.children)
        children[self.inner_children] = rows[n_rows[0] :]
        children[self.leaf_children] = len(inputs) + leaf_rows
        n_children = zip((*n_rows[1:], 0), self.n_leaves[1 : len(n_rows) + 1], strict=True)
        return Schedule(
            rows=rows,
            inputs=inputs,
            children=children,
            parents=self.parents,
            ranks=self.ranks,
            level_rows=self.level_rows,
            level_offsets=self.level_offsets,
            incoming=self.inner_children,
            incoming_offsets=None,
            leaf_edges=self.leaf_children,
            leaf_rows=leaf_rows,
            n_rows=n_rows,
            n_edges=tuple(map(sum, n_children)),
            n_incoming=(0, *n_rows[1:]),
        )


def _sort_nodes(array: TreeArray) -> SortedNodes:
    sort: Callable[..., tuple[np.ndarray, ...]] = sort_by_depth
    if are_loaded():
        from sklearn_tree.nn.compiled.merge import sort_nodes as sort
    return sort_nodes(array, sort)


@dataclass(frozen=True)
class _DistinctInputs:
    """Distinct pairs of label and edge label, see ``distinct`` and ``inverse`` of :class:`TreeBatch`."""

    nodes: Tensor
    inverse: Tensor
    n_inner: int


def _find_distinct(labels: Tensor, edges: Tensor | None, n_inner: int) -> _DistinctInputs:
    pairs = _number_pairs(labels, edges)
    if pairs.device.type == "cpu":
        codes = pairs.numpy()
        n_codes = int(codes.max(initial=0)) + 1
        if n_codes <= _MAX_CODES_PER_NODE * len(codes):
            find: Callable[..., tuple[np.ndarray, np.ndarray, int]] = _find_by_numpy
            if are_loaded():
                from sklearn_tree.nn.compiled.merge import find_distinct as find
            nodes, inverse, n = find(codes, n_inner, n_codes)
            return _DistinctInputs(nodes=as_tensor(nodes), inverse=as_tensor(inverse), n_inner=n)
    inner, inner_inverse = _unique(pairs[:n_inner])
    leaves, leaf_inverse = _unique(pairs[n_inner:])
    return _DistinctInputs(
        nodes=torch.cat([inner, leaves + n_inner]),
        inverse=torch.cat([inner_inverse, leaf_inverse + len(inner)]),
        n_inner=len(inner),
    )


def _find_by_numpy(codes: np.ndarray, n_inner: int, n_codes: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Find distinct codes as :func:`sklearn_tree.nn.compiled.merge.find_distinct` does."""
    n = len(codes)
    codes = codes.copy()
    codes[n_inner:] += n_codes  # separates the leaves from the inner nodes
    first = np.full(2 * n_codes, -1)
    first[codes[::-1]] = np.arange(n - 1, -1, -1)
    occurring = np.flatnonzero(first >= 0)
    index = np.empty_like(first)
    index[occurring] = np.arange(len(occurring))
    return first[occurring], index[codes], int(np.searchsorted(occurring, n_codes))


def unique_pairs(labels: Tensor, edges: Tensor | None) -> tuple[Tensor, Tensor]:
    """Find the distinct pairs of label and edge label.

    Parameters
    ----------
    labels : Tensor of int64, shape (n,)
        Label ids.
    edges : Tensor of int64, shape (n,), or None
        Ids of the edge labels; None for trees without edge labels.

    Returns
    -------
    nodes : Tensor of int64, shape (n_distinct,)
        One node of each pair.
    inverse : Tensor of int64, shape (n,)
        Index in ``nodes`` of the pair of each node.
    """
    return _unique(_number_pairs(labels, edges))


def _number_pairs(labels: Tensor, edges: Tensor | None) -> Tensor:
    """Return numbers that are equal for equal pairs of label and edge label."""
    return labels if edges is None or not len(edges) else labels * (edges.max() + 1) + edges


def _unique(pairs: Tensor) -> tuple[Tensor, Tensor]:
    if pairs.device.type == "cpu":
        _, nodes, inverse = np.unique(pairs.numpy(), return_index=True, return_inverse=True)
        return as_tensor(nodes), as_tensor(inverse)
    _, inverse = pairs.unique(return_inverse=True)
    positions = torch.arange(len(pairs), device=pairs.device)
    n = int(inverse.max()) + 1 if len(pairs) else 0
    return torch.zeros_like(positions)[:n].scatter(0, inverse, positions), inverse


def _share_subtrees(array: TreeArray, nodes: SortedNodes, inputs: _DistinctInputs) -> Schedule | None:
    n = sum(nodes.n_inner)
    if array.subtrees is None or not n:
        return None
    rows = inputs.inverse.cpu().numpy()[nodes.position]
    rows[nodes.is_leaf] -= inputs.n_inner
    ranks = np.zeros_like(nodes.parents)
    ranks[nodes.children] = nodes.ranks
    return share_subtrees(array.subtrees, nodes.parents, ranks, nodes.order[:n], rows)
