"""Logits of the linear path of a net for trees whose nodes change."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from sklearn_tree.explain.tree_inputs import TreeInputs
from sklearn_tree.trees.reduction import reduce_subtrees


class LinearScores:
    """Logits that a :class:`~sklearn_tree.nn.linear_path.LinearPath` adds for trees whose nodes change.

    Parameters
    ----------
    inputs : TreeInputs
        Trees that a net with a linear path reads.

    Attributes
    ----------
    weights, baseline : Tensor of float, shape (n_nodes, n_outputs)
        Weight of the label of each node, and of its baseline; 0 for nodes that the explained logits ignore.
    """

    def __init__(self, inputs: TreeInputs) -> None:
        self.inputs = inputs
        self.bias = inputs.module.active_linear.bias
        self._is_read = inputs.is_below_explained.unsqueeze(1).to(self.bias)
        self.weights, self.baseline = self._look_up(inputs.x), self._look_up(inputs.x0)
        sizes = torch.bincount(inputs.trees_of_nodes[inputs.is_below_explained], minlength=len(inputs.array))
        self._norm = sizes.to(self.bias).sqrt().unsqueeze(1)[inputs.trees_of_nodes]

    def _look_up(self, x: Tensor) -> Tensor:
        _, weights = self.inputs.module.split_embedded(torch.cat([self.inputs.fixed, x]))
        return weights.index_select(0, self.inputs.rows_of_nodes) * self._is_read

    def sum_subtrees(self, numbers: Tensor) -> Tensor:
        """Sum numbers of nodes over each subtree, shape (n_nodes, ...)."""
        sums = reduce_subtrees(numbers.cpu().numpy(), self.inputs.array.depths)
        return torch.from_numpy(sums).to(numbers)

    @cached_property
    def of_trees(self) -> Tensor:
        """Logits of all trees, shape (n_trees, n_outputs)."""
        return self.of_kept(torch.ones_like(self.inputs.trees_of_nodes, dtype=torch.bool))

    def of_kept(self, is_kept: Tensor) -> Tensor:
        """Compute the logits of all trees without the weights of the other nodes, shape (n_trees, n_outputs).

        Parameters
        ----------
        is_kept : Tensor of bool, shape (n_nodes,)
            Nodes whose weights count.
        """
        sums = self.weights.new_zeros(len(self.inputs.array), self.weights.shape[1])
        weights = self.weights / self._norm * is_kept.unsqueeze(1)
        return self.bias + sums.index_add(0, self.inputs.trees_of_nodes, weights)

    @cached_property
    def of_subtrees(self) -> Tensor:
        """Logits of each subtree as a separate tree, shape (n_nodes, n_outputs)."""
        sizes = self.sum_subtrees(torch.ones_like(self._norm))
        return self.bias + self.sum_subtrees(self.weights) / sizes.sqrt()

    def with_baseline(self, *, is_subtree: bool) -> Tensor:
        """Compute the logits of a tree if the inputs of a subtree, or of its root only, are baselines.

        Parameters
        ----------
        is_subtree : bool
            Whether all inputs of the subtree are replaced.

        Returns
        -------
        Tensor of float, shape (n_nodes, n_outputs)
            The logits for each node as the root of the subtree.
        """
        changes = (self.baseline - self.weights) / self._norm
        return self._add(self.sum_subtrees(changes) if is_subtree else changes)

    def without_subtrees(self) -> Tensor:
        """Compute the logits of a tree without the weights of a subtree, shape (n_nodes, n_outputs)."""
        return self._add(-self.sum_subtrees(self.weights / self._norm))

    def _add(self, changes: Tensor) -> Tensor:
        return self.of_trees[self.inputs.trees_of_nodes] + changes
