"""Node inputs: the vector of a node from its label, its number and the edge above it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.image_batch import ImageBatch
from sklearn_tree.nn.sequence_batch import SequenceBatch
from sklearn_tree.trees.flat import PAD_ID, UNKNOWN_ID


class NodeEmbedding(nn.Module):
    r"""Embed nodes as :math:`x = E_{label} + R_{edge} + z \cdot V_{label}`.

    :math:`z` is the node's value, standardised per label; a label thus has a vector of its own
    for its values, as in a feature tokenizer for tables. Ids that the tables do not hold count
    as unknown, id 0 adds nothing.

    Parameters
    ----------
    n_labels : int
        Number of label ids, the reserved 0 ("no label") and 1 ("unknown") included.
    embedding_dim : int
        Size of a node's vector.
    n_edge_labels : int, default=0
        Number of edge ids; 0 for trees without edge labels.
    value_shift, value_scale : sequence of float, length n_labels, default=None
        Mean and standard deviation of the values of each label; None for trees without values.
    dropout : float, default=0.0
        Share of features set to zero in training.
    word_dropout : float, default=0.0
        Share of labels replaced by "unknown" in training.
    scale : float, default=1.0
        Standard deviation of the labels' vectors before training.
    """

    def __init__(
        self,
        n_labels: int,
        embedding_dim: int,
        *,
        n_edge_labels: int = 0,
        value_shift: Sequence[float] | None = None,
        value_scale: Sequence[float] | None = None,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.word_dropout = word_dropout
        self.dropout = nn.Dropout(dropout)
        self.labels = _table(n_labels, embedding_dim, scale)
        self.edges = _table(n_edge_labels, embedding_dim) if n_edge_labels else None
        self.values = None
        if value_shift is not None:
            self.values = _table(n_labels, embedding_dim)
            self.standardize = Standardize(value_shift, value_scale or [1.0] * n_labels)

    @property
    def is_random(self) -> bool:
        """Whether equal nodes get different vectors, as dropout in training makes them."""
        return self.training and bool(self.word_dropout or self.dropout.p)

    def forward(self, batch: TreeBatch | SequenceBatch, nodes: Tensor | None = None) -> Tensor:
        """Embed the nodes of a batch.

        Parameters
        ----------
        batch : TreeBatch or SequenceBatch
            The trees, or sequences of tokens.
        nodes : Tensor of int64, shape (n,), default=None
            Positions of the nodes wanted; None for all.

        Returns
        -------
        Tensor of float, shape (n, embedding_dim), or (n, n_steps, embedding_dim) of sequences
        """

        def wanted(column: Tensor | None) -> Tensor:
            assert column is not None
            return column if nodes is None else column.index_select(0, nodes)

        labels = _known(wanted(batch.labels), self.labels)
        numbers = None
        if self.values is not None and batch.values is not None:
            numbers = self.standardize(wanted(batch.values), labels)  # as what they were measured
        labels = self._thinned(labels)
        x = self.labels(labels)
        if self.edges is not None and batch.edges is not None:
            x = x + self.edges(_known(wanted(batch.edges), self.edges))
        if self.values is not None and numbers is not None:
            x = x + numbers.to(x.dtype).unsqueeze(-1) * self.values(labels)
        return self.dropout(x)

    def words(self, batch: SequenceBatch) -> tuple[Tensor, Tensor] | None:
        """Embed the distinct words of texts, if equal words of a batch have equal vectors.

        Parameters
        ----------
        batch : SequenceBatch
            Sequences of tokens, on the CPU.

        Returns
        -------
        tuple of Tensor of float, shape (n_words, embedding_dim), and of int64, shape (n, n_steps)
            The vectors, and for each token its row there; None where dropout makes each vector
            another, or tokens have numbers or edges.
        """
        if batch.labels is None or self.values is not None or self.edges is not None:
            return None
        if self.training and self.dropout.p:
            return None
        ids = self._thinned(_known(batch.labels, self.labels)).numpy()
        is_there = np.zeros(self.labels.num_embeddings, dtype=bool)
        is_there[ids] = True
        distinct = np.flatnonzero(is_there)
        rows = np.empty(len(is_there), dtype=np.int64)
        rows[distinct] = np.arange(len(distinct))
        return self.labels(torch.from_numpy(distinct)), torch.from_numpy(rows[ids])

    def _thinned(self, labels: Tensor) -> Tensor:
        if not (self.training and self.word_dropout):
            return labels
        drop = torch.rand(labels.shape, device=labels.device) < self.word_dropout
        return labels.masked_fill(drop & (labels != PAD_ID), UNKNOWN_ID)


class StepValues(nn.Module):
    """The inputs of series and images: their channels, standardised.

    Parameters
    ----------
    value_shift, value_scale : sequence of float, length n_channels
        Mean and standard deviation of each channel.
    dropout : float, default=0.0
        Share of features set to zero in training.
    """

    def __init__(
        self, value_shift: Sequence[float], value_scale: Sequence[float], dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.standardize = Standardize(value_shift, value_scale)

    def forward(self, batch: SequenceBatch | ImageBatch) -> Tensor:
        """Standardise all numbers.

        Parameters
        ----------
        batch : SequenceBatch or ImageBatch
            Series or images.

        Returns
        -------
        Tensor of float64, shape (n, n_steps, n_channels) or (n, height, width, n_channels)
        """
        assert batch.values is not None
        return self.dropout(self.standardize(batch.values))


def step_inputs(
    n_labels: int,
    embedding_dim: int,
    *,
    value_shift: Sequence[float] | None,
    value_scale: Sequence[float] | None,
    dropout: float,
    word_dropout: float,
) -> nn.Module:
    """Return the input layer of sequences and images: of ``n_labels`` tokens, or of numbers if 0."""
    if not n_labels:
        return StepValues(value_shift or [], value_scale or [], dropout)
    return NodeEmbedding(
        n_labels,
        embedding_dim,
        value_shift=value_shift,
        value_scale=value_scale,
        dropout=dropout,
        word_dropout=word_dropout,
        scale=0.1,  # on short texts more accurate than 1, on trees less
    )


class Standardize(nn.Module):
    """Subtract a mean and divide by a standard deviation, in double precision.

    Numbers may be large beside their spread (time stamps are), so neither the statistics nor the
    difference may be rounded to single precision first: ``to(dtype)`` leaves the statistics alone.

    Parameters
    ----------
    shift, scale : sequence of float
        Mean and standard deviation per label or channel; infinity for a scale makes all numbers 0.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, shift: Sequence[float], scale: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("shift", torch.tensor(shift, dtype=torch.float64))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float64))

    def _apply(self, fn: Any, recurse: bool = True) -> Standardize:
        device = fn(torch.zeros(1)).device
        dtype = torch.float32 if device.type == "mps" else torch.float64  # mps has no doubles
        for name, buffer in self.named_buffers():
            setattr(self, name, buffer.to(device, dtype))
        return self

    def forward(self, values: Tensor, labels: Tensor | None = None) -> Tensor:
        """Standardise numbers.

        Parameters
        ----------
        values : Tensor of float, any shape with ``labels``, else (..., n_channels)
            The numbers; NaN means none.
        labels : Tensor of int64, shape of ``values``, default=None
            Which statistics to take for each; None takes those of the last dimension.

        Returns
        -------
        Tensor of float64, shape of ``values``
            0 where there was no number.
        """
        shift, scale = self.shift, self.scale
        if labels is not None:
            shift, scale = shift[labels], scale[labels]
        return ((values.to(shift.dtype) - shift) / scale).nan_to_num(0.0)


def _table(n: int, size: int, scale: float = 1.0) -> nn.Embedding:
    table = nn.Embedding(max(n, UNKNOWN_ID + 1), size, padding_idx=PAD_ID)
    with torch.no_grad():
        table.weight *= scale
    return table


def _known(ids: Tensor, table: nn.Embedding) -> Tensor:
    return ids.masked_fill(ids >= table.num_embeddings, UNKNOWN_ID)
