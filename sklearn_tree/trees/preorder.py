"""Structure of trees stored in preorder: levels, parents and the ends of subtrees.

All functions take the depths of one tree or of several trees stored one after the other, and number nodes
through all of them. None of them loops over nodes or levels.
"""

from __future__ import annotations

import numpy as np

from sklearn_tree.trees.sorting import stable_argsort


def sort_by_depth(depths: np.ndarray) -> np.ndarray:
    """Sort nodes by depth; nodes of one depth stay in preorder; ndarray of int64, shape (n_nodes,)."""
    return stable_argsort(depths)


def nodes_by_depth(depths: np.ndarray) -> list[np.ndarray]:
    """Return the nodes of depth 0, 1, ... as one array each, in preorder."""
    return np.split(sort_by_depth(depths), np.cumsum(np.bincount(depths))[:-1])


def find_parents(depths: np.ndarray) -> np.ndarray:
    """Return the parent of each node.

    Parameters
    ----------
    depths : ndarray of int, shape (n_nodes,)
        Depth of each node in preorder, 0 for roots.

    Returns
    -------
    ndarray of int64, shape (n_nodes,)
        Parents, -1 for roots.
    """
    # A first child follows its parent. Sorted by depth, every other child follows a sibling.
    order = sort_by_depth(depths)
    is_first = np.diff(depths, prepend=1) > 0
    first_sibling = np.maximum.accumulate(np.where(is_first[order], np.arange(len(order)), 0))
    parents = np.empty(len(order), dtype=np.int64)
    parents[order] = order[first_sibling] - 1
    parents[depths == 0] = -1
    return parents


def find_subtree_ends(depths: np.ndarray) -> np.ndarray:
    """Return for each node the position one past the last node of its subtree.

    Parameters
    ----------
    depths : ndarray of int, shape (n_nodes,)
        Depth of each node in preorder, 0 for roots.

    Returns
    -------
    ndarray of int64, shape (n_nodes,)
        The subtree of node ``i`` consists of the nodes from ``i`` to ``ends[i] - 1``.
    """
    # Subtrees of one depth end in the order in which they begin. After node i, those of its own depth end,
    # then those of its ancestors, up to the depth of the next node.
    n_ending = depths - np.append(depths[1:], 0) + 1
    ends = np.repeat(np.arange(1, len(depths) + 1), n_ending)
    first = np.cumsum(n_ending) - n_ending
    depths_of_ends = np.repeat(depths + first, n_ending) - np.arange(len(ends))
    by_node = np.empty(len(depths), dtype=np.int64)
    by_node[sort_by_depth(depths)] = ends[sort_by_depth(depths_of_ends)]
    return by_node
