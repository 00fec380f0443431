"""Numbers for subtrees: equal subtrees get equal numbers, so that each is computed once."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from sklearn_tree.trees.array import TreeArray

HEIGHT_SHIFT = 40  # the number of a subtree is -height * 2**40 plus a count


def number_subtrees(array: TreeArray, labels: Any = None, edges: Any = None) -> np.ndarray:
    """Number the subtrees of all nodes by what they are: labels, edge labels and shape.

    Subtrees are hashed from the leaves up, and then each is compared with the first of its number,
    so equal numbers mean equal subtrees.

    Parameters
    ----------
    array : TreeArray
        The trees; values are not looked at.
    labels, edges : ndarray of int, shape (n_nodes_total,), default=None
        The columns of the array, if the array itself has them on a device.

    Returns
    -------
    ndarray of int64, shape (n_nodes_total,)
        Higher subtrees have lower numbers; :func:`heights_of` reads the height back.
    """
    labels = np.asarray(array.labels if labels is None else labels).astype(np.uint64)
    edges = array.edges if edges is None else edges
    edges = np.zeros_like(labels) if edges is None else np.asarray(edges).astype(np.uint64)
    heights = array.heights.astype(np.int64)
    each = np.arange(len(labels)) - (heights << HEIGHT_SHIFT)
    if not len(labels):
        return each
    parents = array.absolute_parents
    children = np.argsort(parents, kind="stable")[len(array) :]  # behind the roots; siblings in order
    numbers = _numbered(_hashes(labels, edges, children, parents[children], heights), heights)
    return numbers if _are_right(numbers, labels, edges, children, parents[children]) else each


def heights_of(numbers: np.ndarray) -> np.ndarray:
    """Return the heights of subtrees from their numbers, ndarray of int64."""
    return -(numbers >> HEIGHT_SHIFT)


def sibling_ranks(parents: np.ndarray) -> np.ndarray:
    """Return the position of each child among its siblings.

    Parameters
    ----------
    parents : ndarray of int, shape (n,)
        The parent of each child; those of one parent stand beside each other.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    starts = np.flatnonzero(np.diff(parents, prepend=-1))
    return np.arange(len(parents)) - np.repeat(starts, np.diff(starts, append=len(parents)))


def _hashes(
    labels: np.ndarray, edges: np.ndarray, children: np.ndarray, parents: np.ndarray, heights: np.ndarray
) -> np.ndarray:
    own = _mixed(labels + _mixed(edges + np.uint64(1)))
    hashes = own.copy()
    ranks = sibling_ranks(parents)
    by_height = np.argsort(heights[parents], kind="stable")
    children, parents, ranks = children[by_height], parents[by_height], ranks[by_height]
    cuts = np.searchsorted(heights[parents], np.arange(1, heights.max() + 2))
    for start, stop in pairwise(cuts):
        here = parents[start:stop]
        first = np.flatnonzero(np.r_[True, here[1:] != here[:-1]])
        sent = _mixed(hashes[children[start:stop]] + _mixed(ranks[start:stop].astype(np.uint64)))
        nodes = here[first]
        hashes[nodes] = _mixed(own[nodes] + np.add.reduceat(sent, first))
    return hashes


def _mixed(x: np.ndarray) -> np.ndarray:
    """Scramble the bits of unsigned numbers, as splitmix64 does at its end."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _numbered(hashes: np.ndarray, heights: np.ndarray) -> np.ndarray:
    order = np.lexsort((hashes, -heights))
    keys, tops = hashes[order], heights[order]
    is_new = np.r_[True, (keys[1:] != keys[:-1]) | (tops[1:] != tops[:-1])]
    numbers = np.empty(len(hashes), dtype=np.int64)
    numbers[order] = np.cumsum(is_new)
    return numbers - (heights << HEIGHT_SHIFT)


def _are_right(
    numbers: np.ndarray, labels: np.ndarray, edges: np.ndarray, children: np.ndarray, parents: np.ndarray
) -> bool:
    """Whether nodes of one number have equal labels, and children of equal numbers in the same places."""
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    like = first[inverse]
    n_children = np.bincount(parents, minlength=len(numbers))
    for column in (labels, edges, n_children):
        if not np.array_equal(column[like], column):
            return False
    start = np.cumsum(n_children) - n_children  # siblings stand in the order of their parents
    other = children[start[like[parents]] + sibling_ranks(parents)]
    return np.array_equal(numbers[other], numbers[children])
