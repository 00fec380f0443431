"""Pooling of node and step vectors into one vector per sample."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.sequence_batch import step_mask

POOLINGS = ("attention", "max", "mean", "root")
SEQUENCE_POOLINGS = ("attention", "last", "max", "mean")
CONVOLUTION_POOLINGS = ("attention", "max", "mean")


class TreePooling(nn.Module):
    """Pool the vectors of a tree's nodes into one vector per tree.

    Parameters
    ----------
    how : {"root", "mean", "max", "attention"}
        Kind of pooling; "attention" is an average with learned weights.
    size : int
        Size of a node's vector.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree import TreeVectorizer
    >>> from sklearn_tree.nn import TreeBatch, TreePooling
    >>> batch = TreeBatch.from_array(TreeVectorizer().fit_transform(["(+ 1 (× 2 3))", "(- 1 2)"]))
    >>> is_leaf = (torch.arange(batch.n_nodes) >= sum(batch.n_inner)).float().unsqueeze(1)
    >>> fractions = TreePooling("mean", size=1)(is_leaf, batch).flatten()  # of leaves
    >>> [round(fraction, 2) for fraction in fractions.tolist()]
    [0.6, 0.67]
    """

    def __init__(self, how: str, size: int) -> None:
        super().__init__()
        self.how = how
        self.score = nn.Linear(size, 1) if how == "attention" else None

    def forward(self, h: Tensor, batch: TreeBatch) -> Tensor:
        """Pool node vectors.

        Parameters
        ----------
        h : Tensor of float, shape (n_nodes, size)
            Node vectors in batch order.
        batch : TreeBatch
            Trees.

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

    def pool_subtrees(self, h: Tensor, batch: TreeBatch) -> Tensor:
        """Pool the vectors of each node's subtree, from the deepest level up.

        Parameters
        ----------
        h : Tensor of float, shape (n_nodes, size)
            Node vectors in batch order.
        batch : TreeBatch
            Trees.

        Returns
        -------
        Tensor of float, shape (n_nodes, size)
            At each node, the vector of its subtree pooled as a separate tree.
        """
        if self.how == "root":
            return h
        if self.how == "max":
            return _reduce_subtrees(h, batch, _max_into)
        weights = self.weights(h)
        sums = sum_subtrees(torch.cat([weights * h, weights], dim=1), batch)
        return sums[:, :-1] / sums[:, -1:]

    def weights(self, h: Tensor) -> Tensor:
        """Compute the unnormalized weights of nodes in an average, float, shape (n_nodes, 1)."""
        if self.score is None:
            return h.new_ones(len(h), 1)
        # Scores are bounded, so that the weights of one tree never underflow.
        return torch.exp(10 * torch.tanh(self.score(h).to(h.dtype) / 10))


class EndPooling(TreePooling):
    """Pool the final states of both walks of a bidirectional net.

    The vector of a tree is the upward state of its root and the mean of the downward states of its leaves.
    For a chain, these are the final states of a bidirectional net for sequences.

    Parameters
    ----------
    size : int
        Size of a node's vector: that of its upward and of its downward state.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree import TreeVectorizer
    >>> from sklearn_tree.nn import EndPooling, TreeBatch
    >>> batch = TreeBatch.from_array(TreeVectorizer().fit_transform(["(- 1 2)"]))
    >>> up_and_down = torch.tensor([[7.0, 0.0], [0.0, 1.0], [0.0, 3.0]])  # root, leaf, leaf
    >>> EndPooling(size=2)(up_and_down, batch).tolist()
    [[7.0, 2.0]]
    """

    def __init__(self, size: int) -> None:
        super().__init__("ends", size)

    def forward(self, h: Tensor, batch: TreeBatch) -> Tensor:
        """Pool node vectors.

        Parameters
        ----------
        h : Tensor of float, shape (n_nodes, size)
            Node vectors in batch order.
        batch : TreeBatch
            Trees.

        Returns
        -------
        Tensor of float, shape (n_trees, size)
        """
        (up, down), n = h.chunk(2, dim=1), sum(batch.n_inner)
        leaves, trees = down[n:], batch.trees[n:]
        counts = h.new_zeros(len(batch), 1).index_add(0, trees, h.new_ones(len(trees), 1))
        total = h.new_zeros(len(batch), down.shape[1]).index_add(0, trees, leaves)
        return torch.cat([up.index_select(0, batch.roots), total / counts], dim=1)

    def pool_subtrees(self, h: Tensor, batch: TreeBatch) -> Tensor:
        """Pool the vectors of each node's subtree, see :class:`TreePooling`."""
        up, down = h.chunk(2, dim=1)
        is_leaf = (torch.arange(len(h), device=h.device) >= sum(batch.n_inner)).unsqueeze(1).to(h.dtype)
        sums = sum_subtrees(torch.cat([is_leaf * down, is_leaf], dim=1), batch)
        return torch.cat([up, sums[:, :-1] / sums[:, -1:]], dim=1)


def sum_subtrees(h: Tensor, batch: TreeBatch) -> Tensor:
    """Sum the rows of each node's subtree, float, shape (n_nodes, size) in batch order."""
    return _reduce_subtrees(h, batch, _add_into)


def _reduce_subtrees(h: Tensor, batch: TreeBatch, reduce: Callable) -> Tensor:
    """Reduce the rows of each node's subtree, level by level; the cost is linear in the number of nodes."""
    inner, leaves = h.split((sum(batch.n_inner), sum(batch.n_leaves)))
    inner_levels, leaf_levels = inner.split(batch.n_inner), leaves.split(batch.n_leaves)
    reduced = [inner_levels[-1]]  # no rows: the deepest nodes are leaves
    for depth in range(len(batch.levels) - 1, -1, -1):
        level = batch.levels[depth]
        below = torch.cat([reduced[-1], leaf_levels[depth + 1]]).index_select(0, level.rows)
        reduced.append(reduce(inner_levels[depth], level.parents, below))
    return torch.cat([*reduced[::-1], leaves])


def _add_into(own: Tensor, parents: Tensor, below: Tensor) -> Tensor:
    return own.index_add(0, parents, below)


def _max_into(own: Tensor, parents: Tensor, below: Tensor) -> Tensor:
    return own.scatter_reduce(0, parents.unsqueeze(1).expand_as(below), below, reduce="amax")


class SequencePooling(nn.Module):
    """Pool the vectors of a sequence's steps into one vector per sequence, without the padding.

    Parameters
    ----------
    how : {"mean", "max", "attention"}
        Kind of pooling; "attention" is an average with learned weights.
    size : int
        Size of a step's vector.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree.nn import SequencePooling
    >>> steps = torch.tensor([[1.0, 3.0, 0.0], [2.0, 4.0, 9.0]]).unsqueeze(2)
    >>> lengths = torch.tensor([2, 3])
    >>> [SequencePooling(how, size=1)(steps, lengths).flatten().tolist() for how in ("mean", "max")]
    [[2.0, 5.0], [3.0, 9.0]]
    """

    def __init__(self, how: str, size: int) -> None:
        super().__init__()
        self.how = how
        self.score = nn.Linear(size, 1) if how == "attention" else None

    def forward(self, h: Tensor, ends: Tensor | None) -> Tensor:
        """Pool step vectors.

        Parameters
        ----------
        h : Tensor of float, shape (n, n_steps, size)
            Step vectors.
        ends : Tensor of int64, shape (n,), or None
            Number of steps of each sequence; later steps are ignored. None if nothing is padded.

        Returns
        -------
        Tensor of float, shape (n, size)
            Zero for an empty sequence.
        """
        if self.how == "max":
            return self._max(h, ends)
        mask = None if ends is None else step_mask(ends, h.shape[1]).unsqueeze(2)
        if mask is not None:
            h = h.masked_fill(~mask, 0.0)
        if self.how == "mean":
            return h.mean(1) if ends is None else h.sum(1) / ends.clamp(min=1).unsqueeze(1)
        return (self._attention(h, mask) * h).sum(1)

    def _max(self, h: Tensor, ends: Tensor | None) -> Tensor:
        if ends is None:
            return max_over_steps(h)
        mask = step_mask(ends, h.shape[1]).unsqueeze(2)
        largest = max_over_steps(h.masked_fill(~mask, -torch.inf))
        return largest.masked_fill(ends.unsqueeze(1) == 0, 0.0)

    def _attention(self, h: Tensor, mask: Tensor | None) -> Tensor:
        assert self.score is not None
        scores = self.score(h).to(h.dtype)  # autocast returns its own dtype
        if mask is not None:  # a finite number: the softmax over -inf only is NaN
            scores = scores.masked_fill(~mask, torch.finfo(h.dtype).min)
        return scores.softmax(1)


def max_over_steps(h: Tensor) -> Tensor:
    """Return the maximum over axis 1, computed by the faster of torch's two functions."""
    return h.max(1).values if h.requires_grad else h.amax(1)


def layer_norm(size: int) -> nn.Module:
    """Return a layer normalization; the identity for size 1, whose normalization would be constant."""
    return nn.LayerNorm(size) if size > 1 else nn.Identity()
