"""Reductions over subtrees and over the paths from the roots, one level at a time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sklearn_tree.trees.preorder import find_parents, sort_by_depth


def reduce_subtrees(numbers: np.ndarray, depths: np.ndarray, ufunc: np.ufunc = np.add) -> np.ndarray:
    """Reduce the numbers of all nodes in each node's subtree.

    Parameters
    ----------
    numbers : ndarray, shape (n_nodes, ...)
        Numbers or vectors of the nodes in preorder.
    depths : ndarray of int, shape (n_nodes,)
        Depth of each node, 0 for roots; several trees may follow one another.
    ufunc : numpy.ufunc, default=numpy.add
        ``np.add``, ``np.maximum`` or another associative function of two arguments.

    Returns
    -------
    ndarray, shape and dtype of ``numbers``
        At each node, the reduction over the node and its descendants.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tree.trees.reduction import reduce_subtrees
    >>> reduce_subtrees(np.array([1, 2, 4, 8]), np.array([0, 1, 2, 1]))
    array([15,  6,  4,  8])
    """
    reduced = numbers.copy()
    nodes, parents, levels = _sort_edges(depths)
    for level in reversed(levels):
        ufunc.at(reduced, parents[level], reduced[nodes[level]])
    return reduced


def accumulate_paths(numbers: np.ndarray, depths: np.ndarray, ufunc: np.ufunc = np.add) -> np.ndarray:
    """Reduce the numbers of all nodes on the path from the root to each node.

    Parameters
    ----------
    numbers : ndarray, shape (n_nodes, ...)
        Numbers or vectors of the nodes in preorder.
    depths : ndarray of int, shape (n_nodes,)
        Depth of each node, 0 for roots; several trees may follow one another.
    ufunc : numpy.ufunc, default=numpy.add
        ``np.add``, ``np.maximum`` or another associative function of two arguments.

    Returns
    -------
    ndarray, shape and dtype of ``numbers``
        At each node, the reduction over the node and its ancestors.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tree.trees.reduction import accumulate_paths
    >>> accumulate_paths(np.array([1, 2, 4, 8]), np.array([0, 1, 2, 1]))
    array([1, 3, 7, 9])
    """
    accumulated = numbers.copy()
    nodes, parents, levels = _sort_edges(depths)
    for level in levels:
        accumulated[nodes[level]] = ufunc(accumulated[parents[level]], accumulated[nodes[level]])
    return accumulated


def _sort_edges(depths: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[slice]]:
    """Return all nodes sorted by depth, their parents, and the slice of each depth below the roots."""
    nodes = sort_by_depth(depths)
    levels = [slice(start, stop) for start, stop in pairwise(np.cumsum(np.bincount(depths)).tolist())]
    return nodes, find_parents(depths)[nodes], levels
