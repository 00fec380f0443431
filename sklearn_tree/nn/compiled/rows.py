"""Rows of a compiled walk, computed by numba."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklearn_tree.nn.compiled.edges import Edges
from sklearn_tree.nn.compiled.jit import compile_function


@dataclass(frozen=True)
class Rows:
    """Rows of the tables of a compiled walk, and the edges and products between them.

    The rows are inner nodes from the roots down, then leaves, then one row of zeros for empty places. An edge
    leads from an inner node to a child; cells with places have ``max_arity`` edges per inner node, some of
    them to the row of zeros. ``U`` consists of the weights of each place; cells without places have one
    place. The product of a leaf and the weights of a place is computed once. All other children of a node in
    the same place form a bag, whose sum is multiplied.

    Attributes
    ----------
    children : ndarray of int64, shape (n_edges,)
        Row of each child.
    offsets : ndarray of int64, shape (n_inner + 1,)
        First edge of each inner node.
    inputs : ndarray of int64, shape (n_inner,)
        Row of the input table for each inner node.
    n_rows : ndarray of int64, shape (n_levels,)
        Number of inner nodes of each level.
    bags : ndarray of int64, shape (n_bags,)
        Inner node of each bag, by place, then from the deepest level up.
    n_bags : ndarray of int64, shape (n_levels, n_places)
        Number of bags of each level and place.
    leaf_pairs : ndarray of int64, shape (n_pairs,)
        Row of the leaf of each distinct pair of a place and a leaf, by place.
    n_pairs : ndarray of int64, shape (n_places,)
        Number of pairs of each place.
    pair_of_edge : ndarray of int64, shape (n_edges,)
        Pair of each edge to a leaf; -1 for other edges.
    """

    children: np.ndarray
    offsets: np.ndarray
    inputs: np.ndarray
    n_rows: np.ndarray
    bags: np.ndarray
    n_bags: np.ndarray
    leaf_pairs: np.ndarray
    n_pairs: np.ndarray
    pair_of_edge: np.ndarray

    @classmethod
    def from_edges(cls, edges: Edges, n_places: int) -> Rows:
        """Make the rows of a walk.

        Parameters
        ----------
        edges : Edges
            Trees.
        n_places : int
            Number of places of the cell; 0 for cells without places.

        Returns
        -------
        Rows
        """
        n, n_leaves, columns = len(edges.inputs), edges.n_leaves, (edges.children, edges.parents, edges.ranks)
        children, offsets = _arrange_edges(*columns, n, n_leaves, n_places)
        products = _list_products(children, offsets, edges.n_rows, n_leaves, n_places)
        return cls(children, offsets, edges.inputs, edges.n_rows, *products)

    @property
    def columns(self) -> tuple[np.ndarray, ...]:
        """All columns, in the order of the parameters of the passes."""
        return (
            self.children,
            self.offsets,
            self.inputs,
            self.n_rows,
            self.bags,
            self.n_bags,
            self.leaf_pairs,
            self.n_pairs,
            self.pair_of_edge,
        )


@compile_function
def _arrange_edges(
    below: np.ndarray, parents: np.ndarray, ranks: np.ndarray, n: int, n_leaves: int, n_places: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return ``children`` and ``offsets``; ``parents`` are non-decreasing."""
    offsets = np.zeros(n + 1, np.int64)
    if n_places:
        children = np.full(n * n_places, n + n_leaves, np.int64)
        for edge in range(len(below)):
            children[parents[edge] * n_places + ranks[edge]] = below[edge]
        for row in range(n):
            offsets[row + 1] = offsets[row] + n_places
    else:
        children = below
        for parent in parents:
            offsets[parent + 1] += 1
        for row in range(n):
            offsets[row + 1] += offsets[row]
    return children, offsets


@compile_function
def _list_products(
    children: np.ndarray, offsets: np.ndarray, n_rows: np.ndarray, n_leaves: int, n_places: int
) -> tuple[np.ndarray, ...]:
    """Return ``bags``, ``n_bags``, ``leaf_pairs``, ``n_pairs`` and ``pair_of_edge``."""
    n, n_columns = len(offsets) - 1, max(n_places, 1)
    has_bag = np.zeros((n_columns, n), np.bool_)
    pairs = np.full((n_columns, n_leaves), -1, np.int64)
    for row in range(n):
        for edge in range(offsets[row], offsets[row + 1]):
            child, place = children[edge], edge - offsets[row] if n_places else 0
            if child < n:
                has_bag[place, row] = True
            elif child < n + n_leaves:
                pairs[place, child - n] = 0

    bags, k = np.empty(has_bag.sum(), np.int64), 0
    n_bags = np.zeros((len(n_rows), n_columns), np.int64)
    for place in range(n_columns):
        stop = n
        for level in range(len(n_rows) - 1, -1, -1):
            start = stop - n_rows[level]
            for row in range(start, stop):
                if has_bag[place, row]:
                    bags[k] = row
                    n_bags[level, place] += 1
                    k += 1
            stop = start

    leaf_pairs, k = np.empty((pairs == 0).sum(), np.int64), 0
    n_pairs = np.zeros(n_columns, np.int64)
    for place in range(n_columns):
        for leaf in range(n_leaves):
            if pairs[place, leaf] == 0:
                pairs[place, leaf] = k
                leaf_pairs[k] = n + leaf
                n_pairs[place] += 1
                k += 1

    pair_of_edge = np.full(len(children), -1, np.int64)
    for row in range(n):
        for edge in range(offsets[row], offsets[row + 1]):
            child, place = children[edge], edge - offsets[row] if n_places else 0
            if n <= child < n + n_leaves:
                pair_of_edge[edge] = pairs[place, child - n]
    return bags, n_bags, leaf_pairs, n_pairs, pair_of_edge
