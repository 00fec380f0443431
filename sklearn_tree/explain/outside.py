"""Pooling of the nodes outside each subtree, for nets that pool all nodes of a tree."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.preorder import nodes_by_depth


class ComplementPooling:
    """Pooling of the nodes to the left and to the right of each subtree.

    A tree without a subtree consists of the nodes to its left, the nodes to its right and its ancestors.
    In preorder, all nodes after a subtree are to its right; in postorder, all nodes before it are to its
    left. Poolings are represented by *totals*: running maxima, or for averages weighted sums of the vectors
    followed by the sum of the weights.

    Parameters
    ----------
    pool : TreePooling
        Pooling of the net.
    array : TreeArray
        Trees.
    h : Tensor of float, shape (n_nodes, hidden_size)
        Vectors of the nodes.
    """

    def __init__(self, pool: Any, array: TreeArray, h: Tensor) -> None:
        self.pool, self.array, self.is_max = pool, array, pool.how == "max"
        terms = self._to_terms(h)
        sizes = array.subtree_ends - np.arange(array.n_nodes)
        self.left, self.right = self._make_empty(terms), self._make_empty(terms)
        for first, last in pairwise(array.offsets.tolist()):
            size, depth = sizes[first:last], array.depths[first:last]
            nodes = np.arange(last - first)
            after = nodes + size  # in preorder
            in_postorder = after - 1 - depth
            before = in_postorder - size
            part = terms[first:last]
            from_left = self._accumulate(part[np.argsort(in_postorder)])
            from_right = self._accumulate(part.flip(0)).flip(0)
            has_left, has_right = before >= 0, after < last - first
            self.left[first + nodes[has_left]] = from_left[before[has_left]]
            self.right[first + nodes[has_right]] = from_right[after[has_right]]

    def _to_terms(self, h: Tensor) -> Tensor:
        """Return the totals of single nodes."""
        if self.is_max:
            return h
        weights = self.pool.weights(h)
        return torch.cat([weights * h, weights], dim=1)

    def _make_empty(self, terms: Tensor) -> Tensor:
        """Return totals of no nodes."""
        return torch.full_like(terms, -torch.inf if self.is_max else 0.0)

    def _accumulate(self, terms: Tensor) -> Tensor:
        return terms.cummax(0).values if self.is_max else terms.cumsum(0)

    def merge(self, a: Tensor, b: Tensor) -> Tensor:
        """Merge the totals of disjoint sets of nodes."""
        return torch.maximum(a, b) if self.is_max else a + b

    def add(self, total: Tensor, h: Tensor) -> Tensor:
        """Add one node to each total."""
        return self.merge(total, self._to_terms(h))

    def finish(self, total: Tensor) -> Tensor:
        """Convert totals to vectors, shape (n, hidden_size); totals of no nodes become zeros."""
        if self.is_max:
            return total.masked_fill(total == -torch.inf, 0.0)
        return (total[:, :-1] / total[:, -1:]).nan_to_num(0.0)

    def pool_outside(self, nodes: Tensor) -> Tensor:
        """Return the totals of the nodes to the left and right of subtrees, shape (n, any)."""
        return self.merge(self.left.index_select(0, nodes), self.right.index_select(0, nodes))

    def pool_descendants(self, h: Tensor) -> Tensor:
        """Return the totals of the descendants of each node.

        Parameters
        ----------
        h : Tensor of float, shape (n_nodes, hidden_size)
            Vectors of all nodes.

        Returns
        -------
        Tensor of float, shape (n_nodes, any)
        """
        terms = self._to_terms(h)
        total = self._make_empty(terms)
        parents = torch.from_numpy(self.array.absolute_parents).to(h.device)
        for level in nodes_by_depth(self.array.depths)[:0:-1]:
            nodes = torch.from_numpy(level).to(h.device)
            above = parents[nodes].unsqueeze(1).expand(-1, terms.shape[1])
            merged = self.merge(total[nodes], terms[nodes])
            total.scatter_reduce_(0, above, merged, reduce="amax" if self.is_max else "sum")
        return total
