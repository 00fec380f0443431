"""Numbers that identify equal subtrees, so that each distinct subtree is computed once."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from sklearn_tree.trees.array import TreeArray

HEIGHT_SHIFT = 40  # a subtree's number is -height * 2**40 plus a count


def number_subtrees(array: TreeArray, labels: Any = None, edges: Any = None) -> np.ndarray:
    """Number the subtrees of all nodes by their labels, edge labels and shape.

    Subtrees are hashed from the leaves to the roots. Then every subtree is compared with the first one that
    has the same number, so equal numbers imply equal subtrees.

    Parameters
    ----------
    array : TreeArray
        The trees. Their values are ignored.
    labels, edges : ndarray of int, shape (n_nodes_total,), default=None
        The columns of the array in main memory, if the array holds them on a device.

    Returns
    -------
    ndarray of int64, shape (n_nodes_total,)
        Taller subtrees have smaller numbers; :func:`heights_of` recovers the heights.
    """
    labels = np.asarray(array.labels if labels is None else labels).astype(np.uint64)
    edges = array.edges if edges is None else edges
    edges = np.zeros_like(labels) if edges is None else np.asarray(edges).astype(np.uint64)
    heights = array.heights.astype(np.int64)
    distinct = np.arange(len(labels)) - (heights << HEIGHT_SHIFT)
    if not len(labels):
        return distinct
    parents = array.absolute_parents
    children = np.argsort(parents, kind="stable")[len(array) :]  # without the roots; siblings in order
    hashes = _hash(labels, edges, children, parents[children], heights)
    numbers = _number(hashes, heights)
    has_collision = not _are_equal(numbers, labels, edges, children, parents[children])
    return distinct if has_collision else numbers


def heights_of(numbers: np.ndarray) -> np.ndarray:
    """Return the heights of subtrees, given their numbers; ndarray of int64, shape of ``numbers``."""
    return -(numbers >> HEIGHT_SHIFT)


def take_subtrees(array: TreeArray, nodes: np.ndarray) -> TreeArray:
    """Return one subtree of each tree as a separate tree; its root keeps the label of the edge above it.

    Parameters
    ----------
    array : TreeArray
        The trees.
    nodes : ndarray of int, shape (n_trees,)
        Root of each subtree, numbered in preorder through its tree.
    """
    starts = array.offsets[:-1] + nodes
    sizes = array.subtree_ends[starts] - starts
    offsets = np.r_[0, np.cumsum(sizes)]
    rows = np.repeat(starts - offsets[:-1], sizes) + np.arange(offsets[-1])
    depths = array.depths[rows] - np.repeat(array.depths[starts], sizes)
    return array._select(rows, offsets).replace(depths=depths, parents=None)


def sibling_ranks(parents: np.ndarray) -> np.ndarray:
    """Return the position of each child among its siblings.

    Parameters
    ----------
    parents : ndarray of int, shape (n,)
        Parent of each child. Siblings must be adjacent.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    indices = np.arange(len(parents))
    starts = np.zeros_like(indices)
    is_first = parents[1:] != parents[:-1]
    starts[1:][is_first] = indices[1:][is_first]
    return indices - np.maximum.accumulate(starts)


def _hash(
    labels: np.ndarray, edges: np.ndarray, children: np.ndarray, parents: np.ndarray, heights: np.ndarray
) -> np.ndarray:
    """Hash every subtree from the hashes of its children, in the order of heights."""
    own = _mix(labels + _mix(edges + np.uint64(1)))
    hashes = own.copy()
    ranks = sibling_ranks(parents)
    by_height = np.argsort(heights[parents], kind="stable")
    children, parents, ranks = children[by_height], parents[by_height], ranks[by_height]
    bounds = np.searchsorted(heights[parents], np.arange(1, heights.max() + 2))
    for start, stop in pairwise(bounds):
        parents_here = parents[start:stop]
        first = np.flatnonzero(np.r_[True, parents_here[1:] != parents_here[:-1]])
        terms = _mix(hashes[children[start:stop]] + _mix(ranks[start:stop].astype(np.uint64)))
        nodes = parents_here[first]
        hashes[nodes] = _mix(own[nodes] + np.add.reduceat(terms, first))
    return hashes


def _mix(x: np.ndarray) -> np.ndarray:
    """Scramble the bits of unsigned numbers with the finalizer of splitmix64."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _number(hashes: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Number the distinct pairs of hash and height."""
    order = np.lexsort((hashes, -heights))
    hashes_in_order, heights_in_order = hashes[order], heights[order]
    is_new_hash = hashes_in_order[1:] != hashes_in_order[:-1]
    is_new = np.r_[True, is_new_hash | (heights_in_order[1:] != heights_in_order[:-1])]
    numbers = np.empty(len(hashes), dtype=np.int64)
    numbers[order] = np.cumsum(is_new)
    return numbers - (heights << HEIGHT_SHIFT)


def _are_equal(
    numbers: np.ndarray, labels: np.ndarray, edges: np.ndarray, children: np.ndarray, parents: np.ndarray
) -> bool:
    """Return whether nodes with equal numbers have equal labels, and equally numbered children in order."""
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    representative = first[inverse]
    n_children = np.bincount(parents, minlength=len(numbers))
    for column in (labels, edges, n_children):
        if not np.array_equal(column[representative], column):
            return False
    start = np.cumsum(n_children) - n_children  # of the children of each node in ``children``
    counterparts = children[start[representative[parents]] + sibling_ranks(parents)]
    return np.array_equal(numbers[counterparts], numbers[children])
