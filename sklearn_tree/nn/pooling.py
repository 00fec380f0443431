"""Pooling: one vector per tree from the vectors of its nodes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from sklearn_tree.nn.batch import TreeBatch


def pool_root(h: Tensor, batch: TreeBatch) -> Tensor:
    """Take each tree's root; (n_nodes, size) -> (n_trees, size)."""
    return h.index_select(0, batch.roots)


def pool_mean(h: Tensor, batch: TreeBatch) -> Tensor:
    """Average over each tree's nodes; (n_nodes, size) -> (n_trees, size)."""
    total = h.new_zeros(len(batch), h.shape[1]).index_add(0, batch.trees, h)
    return total / torch.bincount(batch.trees, minlength=len(batch)).unsqueeze(1)


def pool_max(h: Tensor, batch: TreeBatch) -> Tensor:
    """Take the maximum of each feature over each tree's nodes; (n_nodes, size) -> (n_trees, size)."""
    index = batch.trees.unsqueeze(1).expand_as(h)
    lowest = h.new_full((len(batch), h.shape[1]), -torch.inf)
    return lowest.scatter_reduce(0, index, h, reduce="amax")


POOLINGS: dict[str, Callable[[Tensor, TreeBatch], Tensor]] = {
    "root": pool_root,
    "mean": pool_mean,
    "max": pool_max,
}
