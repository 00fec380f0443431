"""Pooling: one vector per tree or sequence from the vectors of its nodes or steps."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.sequence_batch import SequenceBatch


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


class SequencePooling(nn.Module):
    """One vector per sequence from the vectors of its steps; padding never counts.

    Parameters
    ----------
    how : {"last", "mean", "max", "attention"}
        "last" takes where each direction ends: the last step of the forward half, the first of
        the backward half. "attention" averages with learned weights.
    size : int
        Size of a step's vector.
    n_directions : int, default=1
        Number of directions that the vector is made of.
    """

    def __init__(self, how: str, size: int, n_directions: int = 1) -> None:
        super().__init__()
        self.how = how
        self.n_directions = n_directions
        self.score = nn.Linear(size, 1) if how == "attention" else None

    def forward(self, h: Tensor, batch: SequenceBatch) -> Tensor:
        """Pool.

        Parameters
        ----------
        h : Tensor of float, shape (n, n_steps, size)
            Vectors of the steps.
        batch : SequenceBatch
            The sequences.

        Returns
        -------
        Tensor of float, shape (n, size)
            Zero for an empty sequence.
        """
        mask = batch.mask.unsqueeze(2)
        h = h.masked_fill(~mask, 0.0)
        if self.how == "last":
            return self._last(h, batch)
        if self.how == "mean":
            return h.sum(1) / batch.lengths.clamp(min=1).unsqueeze(1)
        if self.how == "max":
            return h.masked_fill(~mask, -torch.inf).amax(1).masked_fill(batch.lengths.unsqueeze(1) == 0, 0.0)
        assert self.score is not None
        # The lowest number, not -inf: a row of nothing but -inf would be NaN.
        weights = self.score(h).masked_fill(~mask, torch.finfo(h.dtype).min).softmax(1)
        return (weights * h).sum(1)

    def _last(self, h: Tensor, batch: SequenceBatch) -> Tensor:
        end = (batch.lengths - 1).clamp(min=0).view(-1, 1, 1).expand(-1, 1, h.shape[2])
        last = h.gather(1, end).squeeze(1)
        if self.n_directions == 1:
            return last
        half = h.shape[2] // 2
        return torch.cat([last[:, :half], h[:, 0, half:]], dim=1)


SEQUENCE_POOLINGS = ("attention", "last", "max", "mean")
