"""Linear model over labels, or over tokens and bigrams, whose logits are added to those of a net."""

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

    For sequences, the sum may also run over the weights of bigrams, the pairs of successive tokens.

    Its logits are added to those of a net, as in wide and deep learning [1]_. The weights are buffers: they
    are fitted before the net, and training does not change them. Unknown labels and bigrams have zero
    weights.

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
    bigrams : Tensor of int64, shape (n_bigrams,)
        Known bigrams in increasing order, as ``first_id * n_labels + second_id``; empty for trees.
    bigram_weight : Tensor of float, shape (n_bigrams, n_outputs)
        Weights of the bigrams.
    is_fitted : bool
        Whether the weights have been fitted. Until then, the model adds nothing.

    References
    ----------
    .. [1] H. Cheng et al. (2016). Wide & Deep Learning for Recommender Systems. DLRS.
    """

    weight: Tensor
    bias: Tensor
    bigrams: Tensor
    bigram_weight: Tensor

    def __init__(self, n_labels: int, n_outputs: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(max(n_labels, UNKNOWN_ID + 1), n_outputs))
        self.register_buffer("bias", torch.zeros(n_outputs))
        self.register_buffer("bigrams", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("bigram_weight", torch.zeros(0, n_outputs))
        self.is_fitted = False

    @torch.no_grad()
    def set_weights(
        self, weight: Tensor, bias: Tensor, bigrams: Tensor | None = None, bigram_weight: Tensor | None = None
    ) -> None:
        """Set fitted weights.

        Parameters
        ----------
        weight : Tensor of float, shape (n_labels, n_outputs)
            Weights of the labels.
        bias : Tensor of float, shape (n_outputs,)
            Bias.
        bigrams : Tensor of int64, shape (n_bigrams,), default=None
            Bigrams, see the attribute; None for no bigrams.
        bigram_weight : Tensor of float, shape (n_bigrams, n_outputs), default=None
            Weights of the bigrams.
        """
        self.weight.copy_(weight)
        self.bias.copy_(bias)
        self.bigrams = self.bigrams.new_empty(0) if bigrams is None else bigrams.to(self.bigrams)
        empty = self.bigram_weight.new_empty(0, len(self.bias))
        self.bigram_weight = empty if bigram_weight is None else bigram_weight.to(self.bigram_weight)
        self.is_fitted = True

    @property
    def n_columns(self) -> int:
        """Number of columns of :meth:`score_labels`."""
        return len(self.bias) + bool(len(self.bigrams))

    @property
    def label_columns(self) -> Tensor:
        """Row of :meth:`score_labels` for each label, shape (n_labels, n_columns)."""
        if not len(self.bigrams):
            return self.weight
        is_known = torch.arange(len(self.weight), device=self.weight.device) > UNKNOWN_ID
        return torch.cat([self.weight, is_known.to(self.weight.dtype).unsqueeze(1)], 1)

    def get_extra_state(self) -> Tensor:
        """Return whether the weights have been fitted, Tensor of bool, as all entries of a state dict."""
        return torch.tensor(self.is_fitted)

    def set_extra_state(self, state: Tensor) -> None:
        """Set whether the weights have been fitted."""
        self.is_fitted = bool(state)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        # The number of bigrams is known after the fit.
        for name in ("bigrams", "bigram_weight"):
            loaded = state_dict.get(prefix + name)
            if loaded is not None:
                setattr(self, name, getattr(self, name).new_empty(loaded.shape))
        super()._load_from_state_dict(state_dict, prefix, *args)

    def forward(self, batch: TreeBatch | SequenceBatch) -> Tensor:
        """Compute the logits of a batch, Tensor of float, shape (n, n_outputs)."""
        return self.pool(self.score_labels(batch), batch)

    def score_labels(self, batch: Any) -> Tensor:
        """Return what the logits need of each position.

        Parameters
        ----------
        batch : TreeBatch or SequenceBatch
            Samples.

        Returns
        -------
        Tensor of float, shape (n_nodes, n_columns) or (n, n_steps, n_columns)
            Weights of the labels. With bigrams, the last column is 1 for known tokens and 0 for others: a
            bigram counts if both of its tokens are present.
        """
        ids = self._known_ids(batch.labels)
        if not len(self.bigrams):
            return self.weight[ids]
        return torch.cat([self.weight[ids], (ids > UNKNOWN_ID).to(self.weight.dtype).unsqueeze(-1)], -1)

    def pool(self, scores: Tensor, batch: TreeBatch | SequenceBatch) -> Tensor:
        """Compute the logits of samples from the return value of :meth:`score_labels`.

        Parameters
        ----------
        scores : Tensor of float, shape (n_nodes, n_columns) or (n, n_steps, n_columns)
            Columns of all positions. Explanations change them.
        batch : TreeBatch or SequenceBatch
            Samples.

        Returns
        -------
        Tensor of float, shape (n, n_outputs)
        """
        sums = batch.sum_positions(scores[..., : len(self.bias)])
        if len(self.bigrams):
            assert isinstance(batch, SequenceBatch)
            sums = sums + self._sum_bigrams(scores[..., -1], batch)
        return self._scale(sums, batch.lengths)

    def _sum_bigrams(self, presence: Tensor, batch: SequenceBatch) -> Tensor:
        """Sum the weights of the bigrams of each sample, given the presence of each token, in [0, 1]."""
        assert batch.labels is not None
        ids = self._known_ids(batch.labels)
        codes = ids[:, :-1] * len(self.weight) + ids[:, 1:]
        index = torch.searchsorted(self.bigrams, codes).clamp(max=len(self.bigrams) - 1)
        factors = presence[:, :-1] * presence[:, 1:] * (self.bigrams[index] == codes)
        mask = batch.mask
        if mask is not None:
            factors = factors.masked_fill(~mask[:, 1:], 0.0)
        return (factors.unsqueeze(2) * self.bigram_weight[index]).sum(1)

    def _known_ids(self, labels: Tensor) -> Tensor:
        return labels.masked_fill(labels >= len(self.weight), UNKNOWN_ID)

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
        return self.pool_subtrees(self.score_labels(batch), batch, nodes)

    def pool_subtrees(self, scores: Tensor, batch: TreeBatch, nodes: Tensor) -> Tensor:
        """Compute the logits of subtrees from the return value of :meth:`score_labels`.

        Parameters
        ----------
        scores : Tensor of float, shape (n_nodes, n_outputs)
            Columns of all nodes.
        batch, nodes
            See :meth:`score_subtrees`.

        Returns
        -------
        Tensor of float, shape (n, n_outputs)
        """
        sums = sum_subtrees(torch.cat([scores, scores.new_ones(len(scores), 1)], dim=1), batch)[nodes]
        return self._scale(sums[:, :-1], sums[:, -1])

    def _scale(self, sums: Tensor, lengths: Tensor) -> Tensor:
        return self.bias + sums / lengths.clamp(min=1).to(sums.dtype).sqrt().unsqueeze(1)
