"""Linear model over the labels or tokens of a sample, beside a net."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.pooling import sum_subtrees
from sklearn_tree.nn.sequence_batch import SequenceBatch
from sklearn_tree.trees.flat import UNKNOWN_ID


class LinearPath(nn.Module):
    r"""Linear model over the bag of labels of a sample: :math:`b + \frac{1}{\sqrt{n}} \sum_i w_{label_i}`.

    Its logits are added to those of a net, as in wide and deep learning [1]_. The weights are buffers: they
    are fitted before the net, and training does not change them. Unknown labels have zero weights.

    Parameters
    ----------
    n_labels : int
        Number of label ids, including the reserved ids 0 ("no label") and 1 ("unknown").
    n_outputs : int
        Number of logits per sample.

    Attributes
    ----------
    weight : Tensor of float, shape (n_labels, n_outputs)
        Weights of the labels; zeros until they are fitted.
    bias : Tensor of float, shape (n_outputs,)
        Logits of a sample without known labels.
    is_fitted : bool
        Whether the weights have been fitted. Until then, the model adds nothing.

    References
    ----------
    .. [1] H. Cheng et al. (2016). Wide & Deep Learning for Recommender Systems. DLRS.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, n_labels: int, n_outputs: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(max(n_labels, UNKNOWN_ID + 1), n_outputs))
        self.register_buffer("bias", torch.zeros(n_outputs))
        self.is_fitted = False

    @torch.no_grad()
    def set_weights(self, weight: Tensor, bias: Tensor) -> None:
        """Set the fitted weights, shape (n_labels, n_outputs), and the bias, shape (n_outputs,)."""
        self.weight.copy_(weight)
        self.bias.copy_(bias)
        self.is_fitted = True

    def get_extra_state(self) -> Tensor:
        """Return whether the weights have been fitted, Tensor of bool, as all entries of a state dict."""
        return torch.tensor(self.is_fitted)

    def set_extra_state(self, state: Tensor) -> None:
        """Set whether the weights have been fitted."""
        self.is_fitted = bool(state)

    def forward(self, batch: TreeBatch | SequenceBatch) -> Tensor:
        """Compute the logits of a batch, Tensor of float, shape (n, n_outputs)."""
        return self.pool(self.score_labels(batch), batch)

    def score_labels(self, batch: Any) -> Tensor:
        """Return the weights of all positions, see :meth:`pool`."""
        labels = batch.labels
        return self.weight[labels.masked_fill(labels >= len(self.weight), UNKNOWN_ID)]

    def pool(self, scores: Tensor, batch: TreeBatch | SequenceBatch) -> Tensor:
        """Compute the logits of samples from the weights of their positions.

        Parameters
        ----------
        scores : Tensor of float, shape (n_nodes, n_outputs) or (n, n_steps, n_outputs)
            Weights of all positions.
        batch : TreeBatch or SequenceBatch
            Samples.

        Returns
        -------
        Tensor of float, shape (n, n_outputs)
        """
        return self._scale(batch.sum_positions(scores), batch.lengths)

    def score_subtrees(self, batch: TreeBatch, nodes: Tensor) -> Tensor:
        """Compute the logits of subtrees as separate trees.

        Parameters
        ----------
        batch : TreeBatch
            Trees.
        nodes : Tensor of int64, shape (n,)
            Positions of the roots of the subtrees.

        Returns
        -------
        Tensor of float, shape (n, n_outputs)
        """
        scores = self.score_labels(batch)
        sums = sum_subtrees(torch.cat([scores, scores.new_ones(len(scores), 1)], dim=1), batch)[nodes]
        return self._scale(sums[:, :-1], sums[:, -1])

    def _scale(self, sums: Tensor, lengths: Tensor) -> Tensor:
        return self.bias + sums / lengths.clamp(min=1).to(sums.dtype).sqrt().unsqueeze(1)
