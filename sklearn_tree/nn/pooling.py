"""Pooling: one vector per tree or sequence from the vectors of its nodes or steps."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.sequence_batch import step_mask

POOLINGS = ("attention", "max", "mean", "root")


class TreePooling(nn.Module):
    """One vector per tree from the vectors of its nodes.

    Parameters
    ----------
    how : {"root", "mean", "max", "attention"}
        "attention" averages over the nodes with learned weights.
    size : int
        Size of a node's vector.
    """

    def __init__(self, how: str, size: int) -> None:
        super().__init__()
        self.how = how
        self.score = nn.Linear(size, 1) if how == "attention" else None

    def forward(self, h: Tensor, batch: TreeBatch) -> Tensor:
        """Pool.

        Parameters
        ----------
        h : Tensor of float, shape (n_nodes, size)
            Node vectors in batch order.
        batch : TreeBatch
            The trees.

        Returns
        -------
        Tensor of float, shape (n_trees, size)
        """
        if self.how == "root":
            return h.index_select(0, batch.roots)
        if self.how == "max":
            index = batch.trees.unsqueeze(1).expand_as(h)
            lowest = h.new_full((len(batch), h.shape[1]), -torch.inf)
            return lowest.scatter_reduce(0, index, h, reduce="amax")
        weights = self.weights(h)
        total = h.new_zeros(len(batch), 1).index_add(0, batch.trees, weights)
        return h.new_zeros(len(batch), h.shape[1]).index_add(0, batch.trees, weights * h) / total

    def weights(self, h: Tensor) -> Tensor:
        """Return the weight of each node in an average, float, shape (n_nodes, 1), to a constant factor."""
        if self.score is None:
            return h.new_ones(len(h), 1)
        # Scores are bounded, so that no tree's weights vanish beside those of another in the batch.
        return torch.exp(10 * torch.tanh(self.score(h).to(h.dtype) / 10))


class SequencePooling(nn.Module):
    """One vector per sequence from the vectors of its steps; padding never counts.

    Parameters
    ----------
    how : {"mean", "max", "attention"}
        "attention" averages with learned weights.
    size : int
        Size of a step's vector.
    """

    def __init__(self, how: str, size: int) -> None:
        super().__init__()
        self.how = how
        self.score = nn.Linear(size, 1) if how == "attention" else None

    def forward(self, h: Tensor, ends: Tensor | None) -> Tensor:
        """Pool.

        Parameters
        ----------
        h : Tensor of float, shape (n, n_steps, size)
            Vectors of the steps.
        ends : Tensor of int64, shape (n,), or None
            Number of steps of each sequence; what stands behind them does not count. None if
            nothing does.

        Returns
        -------
        Tensor of float, shape (n, size)
            Zero for an empty sequence.
        """
        mask = None if ends is None else step_mask(ends, h.shape[1]).unsqueeze(2)
        if self.how == "max":
            if ends is None:
                return largest(h)
            found = largest(h.masked_fill(~mask, -torch.inf))  # type: ignore[operator]
            return found.masked_fill(ends.unsqueeze(1) == 0, 0.0)
        if mask is not None:
            h = h.masked_fill(~mask, 0.0)
        if self.how == "mean":
            return h.mean(1) if ends is None else h.sum(1) / ends.clamp(min=1).unsqueeze(1)
        assert self.score is not None
        weights = self.score(h).to(h.dtype)  # autocast has rounded them
        if mask is not None:  # the lowest number, not -inf: a row of nothing but -inf would be NaN
            weights = weights.masked_fill(~mask, torch.finfo(h.dtype).min)
        return (weights.softmax(1) * h).sum(1)


def largest(h: Tensor) -> Tensor:
    """Return the largest of each column of each sample, by the function that is fastest."""
    return h.max(1).values if h.requires_grad else h.amax(1)


def layer_norm(size: int) -> nn.Module:
    """Return a layer normalisation, none for a single number: it would be constant."""
    return nn.LayerNorm(size) if size > 1 else nn.Identity()


SEQUENCE_POOLINGS = ("attention", "last", "max", "mean")
CONVOLUTION_POOLINGS = ("attention", "max", "mean")
