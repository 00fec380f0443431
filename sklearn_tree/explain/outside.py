"""``Outside``: what lies beside a subtree, where a tree's vector is pooled from all its nodes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.array import nodes_by_depth


class Outside:
    """Poolings of the nodes left and right of each subtree.

    A tree without a subtree is what lies left of it, what lies right of it, and its ancestors. In
    preorder all behind a subtree lies right of it; in postorder all before it lies left.

    Parameters
    ----------
    pool : TreePooling
        How nodes are pooled.
    array : TreeArray
        The trees.
    h : Tensor of float, shape (n_nodes, hidden_size)
        The nodes' vectors.
    """

    def __init__(self, pool: Any, array: TreeArray, h: Tensor) -> None:
        self.pool, self.array, self.is_max = pool, array, pool.how == "max"
        terms = self._terms(h)
        sizes = subtree_sizes(array)
        nothing = -torch.inf if self.is_max else 0.0
        left, right = torch.full_like(terms, nothing), torch.full_like(terms, nothing)
        for first, last in pairwise(array.offsets.tolist()):
            size, depth = sizes[first:last], array.depths[first:last]
            nodes = np.arange(last - first)
            behind = nodes + size  # in preorder
            in_postorder = behind - 1 - depth
            before = in_postorder - size
            part = terms[first:last]
            from_left = self._running(part[np.argsort(in_postorder)])
            from_right = self._running(part.flip(0)).flip(0)
            has_left, has_right = before >= 0, behind < last - first
            left[first + nodes[has_left]] = from_left[before[has_left]]
            right[first + nodes[has_right]] = from_right[behind[has_right]]
        self.left, self.right = left, right

    def _terms(self, h: Tensor) -> Tensor:
        """Return what is joined: the vectors; for an average, weighted, and the weight behind them."""
        if self.is_max:
            return h
        weights = self.pool.weights(h)
        return torch.cat([weights * h, weights], dim=1)

    def _running(self, terms: Tensor) -> Tensor:
        return terms.cummax(0).values if self.is_max else terms.cumsum(0)

    def join(self, a: Tensor, b: Tensor) -> Tensor:
        """Join two poolings."""
        return torch.maximum(a, b) if self.is_max else a + b

    def beside(self, nodes: Tensor) -> Tensor:
        """Join what lies left and right of nodes, shape (n, any)."""
        return self.join(self.left.index_select(0, nodes), self.right.index_select(0, nodes))

    def below(self, h: Tensor) -> Tensor:
        """Join the vectors of all nodes below each, ``h`` being those of all; shape (n_nodes, any)."""
        own = self._terms(h)
        total = torch.full_like(own, -torch.inf if self.is_max else 0.0)
        parents = torch.from_numpy(self.array.absolute_parents).to(h.device)
        for level in nodes_by_depth(self.array.depths)[:0:-1]:
            nodes = torch.from_numpy(level).to(h.device)
            above = parents[nodes].unsqueeze(1).expand(-1, own.shape[1])
            terms = self.join(total[nodes], own[nodes])
            total.scatter_reduce_(0, above, terms, reduce="amax" if self.is_max else "sum")
        return total

    def joined(self, total: Tensor, h: Tensor) -> Tensor:
        """Join further nodes to totals."""
        return self.join(total, self._terms(h))

    def pooled(self, total: Tensor) -> Tensor:
        """Return the trees' vectors, shape (n, hidden_size); zeros of a tree of which nothing is left."""
        if self.is_max:
            return total.masked_fill(total == -torch.inf, 0.0)
        return (total[:, :-1] / total[:, -1:]).nan_to_num(0.0)


def subtree_sizes(array: TreeArray) -> np.ndarray:
    """Return how many nodes each subtree has, ndarray of int64, shape (n_nodes,)."""
    sizes, parents = np.ones(array.n_nodes, dtype=np.int64), array.absolute_parents
    for nodes in nodes_by_depth(array.depths)[:0:-1]:
        np.add.at(sizes, parents[nodes], sizes[nodes])
    return sizes
