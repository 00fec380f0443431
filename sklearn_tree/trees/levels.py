"""Nodes of several trees sorted by depth, and the tables of a walk through their levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sklearn_tree.trees.array import TreeArray
from sklearn_tree.trees.sorting import stable_argsort
from sklearn_tree.trees.subtrees import sibling_ranks


@dataclass(frozen=True)
class SortedNodes:
    """Nodes of a ``TreeArray`` in batch order: the inner nodes by depth, then the leaves by depth.

    Attributes
    ----------
    parents : ndarray of int64, shape (n_nodes,)
        Parent of each node, -1 for roots.
    is_leaf : ndarray of bool, shape (n_nodes,)
        Whether each node is a leaf.
    order, position : ndarray of int64, shape (n_nodes,)
        Node at each position of the batch, and position of each node.
    children, ranks : ndarray of int64, shape (n_children,)
        All nodes except the roots by depth, and the position of each among its siblings.
    n_inner, n_leaves : tuple of int, length n_levels
        Number of inner nodes and of leaves at each depth.
    """

    parents: np.ndarray
    is_leaf: np.ndarray
    order: np.ndarray
    position: np.ndarray
    children: np.ndarray
    ranks: np.ndarray
    n_inner: tuple[int, ...]
    n_leaves: tuple[int, ...]


def sort_by_depth(depths: np.ndarray, parents: np.ndarray) -> tuple[np.ndarray, ...]:
    """Sort nodes as :func:`sklearn_tree.nn.compiled.merge.sort_nodes` does."""
    n_levels = int(depths.max(initial=0)) + 1
    is_leaf = np.ones(len(depths), dtype=bool)
    is_leaf[parents[parents >= 0]] = False
    order = stable_argsort(depths + is_leaf * n_levels)
    position = np.empty_like(order)
    position[order] = np.arange(len(order))
    n_roots = np.count_nonzero(parents < 0)
    children = stable_argsort(depths)[n_roots:]  # in preorder, siblings of one depth are adjacent
    n_inner, n_leaves = (np.bincount(depths[x], minlength=n_levels) for x in (~is_leaf, is_leaf))
    return is_leaf, order, position, children, sibling_ranks(parents[children]), n_inner, n_leaves


def sort_nodes(array: TreeArray, sort: Callable[..., tuple[np.ndarray, ...]] = sort_by_depth) -> SortedNodes:
    """Sort the nodes of all trees of an array into batch order.

    Parameters
    ----------
    array : TreeArray
        Trees.
    sort : callable, default=sort_by_depth
        Function that sorts them.

    Returns
    -------
    SortedNodes
    """
    depths, parents = array.depths, array.absolute_parents
    is_leaf, order, position, children, ranks, n_inner, n_leaves = sort(depths, parents)
    return SortedNodes(
        parents=parents,
        is_leaf=is_leaf,
        order=order,
        position=position,
        children=children,
        ranks=ranks,
        n_inner=tuple(n_inner.tolist()),
        n_leaves=tuple(n_leaves.tolist()),
    )


def make_level_tables(array: TreeArray) -> dict[str, np.ndarray]:
    """Return the tables by which an exported net walks through the levels of trees.

    Sums over siblings are computed by halves. The edges are sorted by the rank of the child among its
    siblings, then by the parent. In each step, the edges with ranks of the upper half are added to those of
    the lower half, until only rank 0 is left. No edge is the target of two edges of one step, so the edges of
    a step can be added in parallel. Ranks are counted among the leaves and the inner nodes separately.

    Parameters
    ----------
    array : TreeArray
        Trees, at least one.

    Returns
    -------
    dict of str to ndarray of int64
        - ``order``, shape (n_nodes,): the node at each position of the batch, see :class:`SortedNodes`;
        - ``levels``, shape (n_levels + 1, 9): one row for each depth that has inner nodes, the deepest first:
          start and end of these inner nodes, end of the inner nodes one level deeper, start and end of the
          leaves one level deeper, all as positions in the batch, start and end of the edges to inner nodes,
          start of the bounds in ``folds`` and number of steps. The last row has the leaves that are roots;
        - ``children``, ``parents``, ``ranks``, shape (n_edges,): for each edge to an inner node, by level,
          the row of the child among the inner nodes of its depth, the row of the parent among those of its
          depth, and the position of the child among all its siblings;
        - ``targets``, shape (n_edges,): edge of the level to which the edge is added; 0 for rank 0;
        - ``folds``: for each level the number of edges before the first step and after each step;
        - ``leaf_children``, ``leaf_parents``, ``leaf_ranks``, ``leaf_targets``, ``leaf_folds``: the same for
          the edges to leaves of all levels together, with positions in the batch instead of rows;
        - ``above``, shape (n_nodes,): row of the parent of each node in batch order; 0 for roots;
        - ``roots``, shape (n_trees,): row of each root among the nodes of depth 0, inner nodes first;
        - ``sizes``, shape (n_trees,): number of nodes of each tree.
    """
    nodes = sort_nodes(array)
    n_levels = len(nodes.n_inner) - 1  # depths with inner nodes; there are none at the largest depth
    inner, leaves = np.r_[0, np.cumsum(nodes.n_inner)], np.r_[0, np.cumsum(nodes.n_leaves)]
    n_inner, depths = int(inner[-1]), array.depths
    children, parents = nodes.position[nodes.children], nodes.position[nodes.parents[nodes.children]]
    parent_rows = parents - inner[depths[nodes.children] - 1]
    above = np.zeros(len(depths), dtype=np.int64)
    above[children] = parent_rows

    is_leaf = children >= n_inner
    to_leaves = _sort_edges(np.zeros(is_leaf.sum(), dtype=np.int64), parents[is_leaf], 1)
    levels = n_levels - depths[nodes.children[~is_leaf]]  # the deepest level is 0
    to_inner = _sort_edges(levels, parent_rows[~is_leaf], n_levels)
    child_rows = children - inner[depths[nodes.children]]
    return {
        "order": nodes.order,
        "levels": _level_bounds(inner, n_inner + leaves, to_inner.bounds, to_inner.n_steps),
        "children": child_rows[~is_leaf][to_inner.order],
        "parents": parent_rows[~is_leaf][to_inner.order],
        "ranks": nodes.ranks[~is_leaf][to_inner.order],
        "targets": to_inner.targets,
        "folds": to_inner.folds,
        "leaf_children": children[is_leaf][to_leaves.order],
        "leaf_parents": parents[is_leaf][to_leaves.order],
        "leaf_ranks": nodes.ranks[is_leaf][to_leaves.order],
        "leaf_targets": to_leaves.targets,
        "leaf_folds": to_leaves.folds,
        "above": above,
        "roots": _root_rows(nodes, array.offsets[:-1], n_inner),
        "sizes": array.sizes,
    }


def _level_bounds(
    inner: np.ndarray, leaves: np.ndarray, edges: np.ndarray, n_steps: np.ndarray
) -> np.ndarray:
    """Return the table of levels, see :func:`make_level_tables`.

    Parameters
    ----------
    inner, leaves : ndarray of int64, shape (n_levels + 2,)
        Positions at which the inner nodes and the leaves of each depth start, and their ends.
    edges : ndarray of int64, shape (n_levels + 1,)
        Edges with which the levels start, the deepest level first, and the end.
    n_steps : ndarray of int64, shape (n_levels,)
        Number of steps of the sums of each level.
    """
    columns = [
        inner[:-2][::-1],
        inner[1:-1][::-1],
        inner[2:][::-1],
        leaves[1:-1][::-1],
        leaves[2:][::-1],
        edges[:-1],
        edges[1:],
        np.cumsum(n_steps + 1) - n_steps - 1,
        n_steps,
    ]
    root_row = [0, 0, inner[1], leaves[0], leaves[1], 0, 0, 0, 0]
    return np.vstack([np.stack(columns, axis=1), root_row])


def _root_rows(nodes: SortedNodes, roots: np.ndarray, n_inner: int) -> np.ndarray:
    positions = nodes.position[roots]
    return np.where(positions < n_inner, positions, positions - n_inner + nodes.n_inner[0])


@dataclass(frozen=True)
class _SortedEdges:
    """Edges in the order in which they are added up, see :func:`make_level_tables`.

    Attributes
    ----------
    order : ndarray of int64, shape (n_edges,)
        The edges in this order.
    targets : ndarray of int64, shape (n_edges,)
        Edge to which each edge is added, relative to the first edge of the level; 0 for rank 0.
    folds : ndarray of int64, shape (n_bounds,)
        For each level the number of edges before the first step and after each step.
    n_steps : ndarray of int64, shape (n_levels,)
        Number of steps of each level.
    bounds : ndarray of int64, shape (n_levels + 1,)
        First edge of each level, and the number of edges.
    """

    order: np.ndarray
    targets: np.ndarray
    folds: np.ndarray
    n_steps: np.ndarray
    bounds: np.ndarray


def _sort_edges(levels: np.ndarray, parents: np.ndarray, n_levels: int) -> _SortedEdges:
    """Sort edges by level, rank and parent.

    Parameters
    ----------
    levels, parents : ndarray of int64, shape (n_edges,)
        Level of each edge and its parent. Edges of one parent are adjacent, and the parents of a level are in
        increasing order.
    n_levels : int
        Number of levels.
    """
    n, ranks = len(parents), _rank(levels, parents)
    n_ranks, width = int(ranks.max(initial=0)) + 1, int(parents.max(initial=0)) + 1
    order = stable_argsort(levels * n_ranks + ranks)
    levels, parents, ranks = levels[order], parents[order], ranks[order]
    starts = np.searchsorted(levels, np.arange(n_levels))
    left = np.zeros(n_levels, dtype=np.int64)  # ranks that are left in each level
    np.maximum.at(left, levels, ranks + 1)
    keys = (levels * n_ranks + ranks) * width + parents
    targets = np.zeros(n, dtype=np.int64)
    bounds = [np.diff(np.r_[starts, n])]
    while (left > 1).any():
        half = (left + 1) // 2
        upper = np.flatnonzero((ranks >= half[levels]) & (ranks < left[levels]))
        wanted = keys[upper] - half[levels[upper]] * width
        targets[upper] = np.searchsorted(keys, wanted) - starts[levels[upper]]
        ends = np.searchsorted(keys, (np.arange(n_levels) * n_ranks + half) * width) - starts
        bounds.append(np.where(left > 1, ends, -1))
        left = half
    table = np.stack(bounds, axis=1)
    return _SortedEdges(
        order=order,
        targets=targets,
        folds=table[table >= 0],
        n_steps=(table >= 0).sum(axis=1) - 1,
        bounds=np.r_[starts, n],
    )


def _rank(levels: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """Return the position of each edge among the edges of its parent, which are adjacent."""
    is_first = np.ones(len(parents), dtype=bool)
    is_first[1:] = (parents[1:] != parents[:-1]) | (levels[1:] != levels[:-1])
    return np.arange(len(parents)) - np.flatnonzero(is_first)[np.cumsum(is_first) - 1]
