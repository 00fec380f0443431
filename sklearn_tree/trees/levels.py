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

    The edges of a level are sorted by the rank of the child among its siblings, then by the parent. The sums
    over siblings are computed by halves: the edges with the ranks of the upper half are added to those of the
    lower half until only rank 0 is left. No edge is the target of two edges of one step, so the steps can be
    computed in parallel.

    Parameters
    ----------
    array : TreeArray
        Trees, at least one.

    Returns
    -------
    dict of str to ndarray of int64
        - ``order``, shape (n_nodes,): the node at each position of the batch, see :class:`SortedNodes`;
        - ``levels``, shape (n_levels, 9): one row for each depth that has inner nodes, the deepest first:
          start and end of these inner nodes, end of the inner nodes one level deeper, start and end of the
          leaves one level deeper, all as positions in the batch, start and end of the edges, start of the
          bounds in ``folds`` and number of the steps. The last row has the leaves that are roots;
        - ``children``, shape (n_edges,): row of the child among the nodes of its depth, inner nodes first;
        - ``parents``, ``ranks``, shape (n_edges,): row of the parent among the inner nodes of its depth, and
          position of the child among its siblings;
        - ``targets``, shape (n_edges,): edge of the level to which an edge is added; 0 for rank 0;
        - ``folds``: for each level the number of edges before the first step and after each step;
        - ``above``, shape (n_nodes,): row of the parent of each node in batch order; 0 for roots;
        - ``roots``, shape (n_trees,): row of each root among the nodes of depth 0, inner nodes first;
        - ``sizes``, shape (n_trees,): number of nodes of each tree.
    """
    nodes = sort_nodes(array)
    n_levels = len(nodes.n_inner) - 1  # depths with inner nodes; there are none at the largest depth
    inner, leaves = np.r_[0, np.cumsum(nodes.n_inner)], np.r_[0, np.cumsum(nodes.n_leaves)]
    depths = array.depths[nodes.order]
    rows = np.arange(len(depths)) - np.where(depths >= 0, inner[depths], 0)
    n_inner = int(inner[-1])
    first_leaves = n_inner + leaves[depths[n_inner:]]
    rows[n_inner:] = (
        np.arange(n_inner, len(depths)) - first_leaves + np.array(nodes.n_inner)[depths[n_inner:]]
    )

    child_positions = nodes.position[nodes.children]
    parents = rows[nodes.position[nodes.parents[nodes.children]]]
    level = n_levels - array.depths[nodes.children]  # the deepest level is 0
    n_ranks = int(nodes.ranks.max(initial=0)) + 1
    order = stable_argsort(level * n_ranks + nodes.ranks)  # parents are in order within a level
    parents, ranks, level = parents[order], nodes.ranks[order], level[order]
    counts = np.bincount(level, minlength=n_levels)
    ends = np.cumsum(counts)
    targets, folds, n_folds = _plan_sums(level, ranks, parents, ends - counts, n_ranks)
    above = np.zeros(len(depths), dtype=np.int64)
    above[child_positions[order]] = parents
    columns = [
        inner[:-1][:n_levels][::-1],
        inner[1:][:n_levels][::-1],
        inner[1:][1 : n_levels + 1][::-1],
        n_inner + leaves[1 : n_levels + 1][::-1],
        n_inner + leaves[2 : n_levels + 2][::-1],
        ends - counts,
        ends,
        np.cumsum(n_folds + 1) - n_folds - 1,
        n_folds,
    ]
    root_row = [0, 0, inner[1], n_inner, n_inner + leaves[1], 0, 0, 0, 0]
    return {
        "order": nodes.order,
        "levels": np.vstack([np.stack(columns, axis=1), root_row]).astype(np.int64),
        "children": rows[child_positions[order]],
        "parents": parents,
        "ranks": ranks,
        "targets": targets,
        "folds": folds,
        "above": above,
        "roots": rows[nodes.position[array.offsets[:-1]]],
        "sizes": array.sizes,
    }


def _plan_sums(
    level: np.ndarray, ranks: np.ndarray, parents: np.ndarray, starts: np.ndarray, n_ranks: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Plan the sums over siblings, see :func:`make_level_tables`.

    Parameters
    ----------
    level, ranks, parents : ndarray of int64, shape (n_edges,)
        Level of each edge, in increasing order, rank of its child and row of its parent.
    starts : ndarray of int64, shape (n_levels,)
        First edge of each level.
    n_ranks : int
        Largest rank, plus one.

    Returns
    -------
    targets : ndarray of int64, shape (n_edges,)
        Edge to which each edge is added, relative to the first edge of the level.
    folds : ndarray of int64, shape (n_bounds,)
        For each level the number of edges before the first step and after each step.
    n_folds : ndarray of int64, shape (n_levels,)
        Number of steps of each level.
    """
    n_levels, width = len(starts), int(parents.max(initial=0)) + 1
    keys = (level * n_ranks + ranks) * width + parents
    left = np.zeros(n_levels, dtype=np.int64)  # ranks that are left in each level
    np.maximum.at(left, level, ranks + 1)
    targets = np.zeros(len(ranks), dtype=np.int64)
    bounds = [np.diff(np.r_[starts, len(ranks)])]
    while (left > 1).any():
        half = (left + 1) // 2
        upper = np.flatnonzero((ranks >= half[level]) & (ranks < left[level]))
        wanted = keys[upper] - half[level[upper]] * width
        targets[upper] = np.searchsorted(keys, wanted) - starts[level[upper]]
        ends = np.searchsorted(keys, (np.arange(n_levels) * n_ranks + half) * width) - starts
        bounds.append(np.where(left > 1, ends, -1))
        left = half
    table = np.stack(bounds, axis=1)
    return targets, table[table >= 0], (table >= 0).sum(axis=1) - 1
