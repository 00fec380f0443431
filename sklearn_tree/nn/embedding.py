"""Embeddings of tokens and tree nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.dropout import Dropout
from sklearn_tree.nn.sequence_batch import SequenceBatch
from sklearn_tree.nn.step_values import Standardize, StepValues
from sklearn_tree.randomness import generator_for
from sklearn_tree.trees.flat import PAD_ID, UNKNOWN_ID

Pretrained = Callable[[], tuple[np.ndarray, np.ndarray]]


class Embedding(nn.Module):
    r"""Embed tokens as :math:`x = E_{label} + z \cdot V_{label}`.

    :math:`z` is the value of the token, standardized per label. Each label has its own vector for its
    values, as in a feature tokenizer for tables. Ids outside the tables count as unknown. The vectors of id
    0 are zero, and those of id 1 are zero until they are trained, so that unknown labels add nothing. Ids
    that have a vector in the batch (words seen at prediction only) get this vector.

    Parameters
    ----------
    n_labels : int
        Number of label ids, including the reserved ids 0 ("no label") and 1 ("unknown").
    embedding_dim : int
        Size of a vector.
    value_shift, value_scale : sequence of float, length n_labels, default=None
        Mean and standard deviation of the values of each label; None for samples without values.
    dropout : float, default=0.0
        Fraction of features set to zero in training.
    word_dropout : float, default=0.0
        Fraction of labels replaced by "unknown" in training.
    scale : float, default=1.0
        Standard deviation of the initial vectors of the labels.

    Examples
    --------
    >>> from sklearn_tree import SequenceVectorizer
    >>> from sklearn_tree.nn import Embedding, SequenceBatch
    >>> vectorizer = SequenceVectorizer().fit(["a good film"])
    >>> batch = SequenceBatch.from_array(vectorizer.transform(["a good film", "a unseen"]))
    >>> vectors = Embedding(n_labels=5, embedding_dim=8)(batch)
    >>> vectors.any(dim=2).tolist()  # unknown words and the padding have the vector 0
    [[True, True, True], [True, False, False]]
    """

    values: nn.Embedding | None

    def __init__(
        self,
        n_labels: int,
        embedding_dim: int,
        *,
        value_shift: Sequence[float] | None = None,
        value_scale: Sequence[float] | None = None,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.word_dropout = word_dropout
        self.dropout = Dropout(dropout)
        self.scale = scale
        self.labels = _make_table(n_labels, embedding_dim, scale)
        self.values = None
        if value_shift is not None:
            self._add_values(n_labels, embedding_dim, value_shift, value_scale)

    def _add_values(
        self, n_labels: int, embedding_dim: int, shift: Sequence[float], scale: Sequence[float] | None
    ) -> None:
        self.values = _make_table(n_labels, embedding_dim)
        self.standardize = Standardize(shift, scale or [1.0] * n_labels)

    @property
    def is_random(self) -> bool:
        """Whether equal inputs get different vectors, as with dropout in training."""
        return self.training and bool(self.word_dropout or self.dropout.p)

    def load(self, pretrained: Pretrained) -> None:
        """Set the vectors of labels to pretrained ones.

        The random vectors of the other labels are scaled to the standard deviation of the pretrained ones.

        Parameters
        ----------
        pretrained : callable
            Returns ids, ndarray of int64, shape (n,), and their vectors, ndarray of float, shape
            (n, embedding_dim).
        """
        ids, vectors = pretrained()
        with torch.no_grad():
            self.labels.weight *= float(vectors.std()) / self.scale
            self.labels.weight[torch.from_numpy(ids)] = torch.from_numpy(vectors).to(self.labels.weight)

    def forward(self, batch: TreeBatch | SequenceBatch, nodes: Tensor | None = None) -> Tensor:
        """Embed the tokens or nodes of a batch.

        Parameters
        ----------
        batch : TreeBatch or SequenceBatch
            Trees or sequences of tokens.
        nodes : Tensor of int64, shape (n,), default=None
            Positions of the nodes to embed; None for all.

        Returns
        -------
        Tensor of float, shape (n, embedding_dim) for trees, (n, n_steps, embedding_dim) for sequences
        """
        assert batch.labels is not None
        labels = self._replace_unknown(_select(batch.labels, nodes), batch.vectors)
        values = None
        if self.values is not None and batch.values is not None:
            known = self._rows(labels, batch.vectors)  # of the labels before dropout
            values = self.standardize(_select(batch.values, nodes), known)
        labels = self._drop_words(labels)
        x = self._embed_labels(labels, batch, nodes)
        if self.values is not None and values is not None:
            x = x + values.to(x.dtype).unsqueeze(-1) * self.values(self._rows(labels, batch.vectors))
        return self.dropout(x)

    def _embed_labels(self, labels: Tensor, batch: TreeBatch | SequenceBatch, nodes: Tensor | None) -> Tensor:
        return self._look_up(labels, batch.vectors)

    def _look_up(self, labels: Tensor, vectors: Tensor | None) -> Tensor:
        """Return the vectors of labels: those of the table, then ``vectors``."""
        if vectors is None:
            return self.labels(labels)
        x, rows = self.labels(self._rows(labels, vectors)), labels - self.labels.num_embeddings
        return torch.where((rows >= 0).unsqueeze(-1), vectors.to(x)[rows.clamp(min=0)], x)

    def _rows(self, labels: Tensor, vectors: Tensor | None) -> Tensor:
        """Return the rows of labels in the table; labels that have a row of ``vectors`` are unknown."""
        return labels if vectors is None else _replace_unknown(labels, self.labels)

    def _replace_unknown(self, labels: Tensor, vectors: Tensor | None) -> Tensor:
        if vectors is None:
            return _replace_unknown(labels, self.labels)
        return labels.masked_fill(labels >= self.labels.num_embeddings + len(vectors), UNKNOWN_ID)

    def words(self, batch: SequenceBatch) -> tuple[Tensor, Tensor] | None:
        """Embed the distinct words of texts, if equal words of a batch have equal vectors.

        Parameters
        ----------
        batch : SequenceBatch
            Sequences of tokens in main memory.

        Returns
        -------
        tuple of Tensor, or None
            Vectors of the distinct words, float, shape (n_words, embedding_dim), and the row of each token's
            vector, int64, shape (n, n_steps). None if dropout is active or the tokens have values.
        """
        if batch.labels is None or self.values is not None:
            return None
        if self.training and self.dropout.p:
            return None
        ids = self._drop_words(self._replace_unknown(batch.labels, batch.vectors)).numpy()
        n_new = 0 if batch.vectors is None else len(batch.vectors)
        occurs = np.zeros(self.labels.num_embeddings + n_new, dtype=bool)
        occurs[ids] = True
        distinct = np.flatnonzero(occurs)
        rows = np.empty(len(occurs), dtype=np.int64)
        rows[distinct] = np.arange(len(distinct))
        return self._look_up(torch.from_numpy(distinct), batch.vectors), torch.from_numpy(rows[ids])

    def _drop_words(self, labels: Tensor) -> Tensor:
        if not (self.training and self.word_dropout):
            return labels
        drop = torch.rand(labels.shape, generator=generator_for(labels.device), device=labels.device)
        drop = drop < self.word_dropout
        return labels.masked_fill(drop & (labels != PAD_ID), UNKNOWN_ID)


class NodeEmbedding(Embedding):
    r"""Embed nodes as :math:`x = E_{label} + R_{edge} + z \cdot V_{label}`.

    Parameters
    ----------
    n_labels, embedding_dim : int
        See :class:`Embedding`.
    n_edge_labels : int, default=0
        Number of edge ids; 0 for trees without edge labels.
    value_shift, value_scale : sequence of float, length n_labels, default=None
        See :class:`Embedding`.
    dropout, word_dropout, scale : float
        See :class:`Embedding`.

    Examples
    --------
    >>> from sklearn_tree import TreeVectorizer
    >>> from sklearn_tree.nn import NodeEmbedding, TreeBatch
    >>> batch = TreeBatch.from_array(TreeVectorizer().fit_transform(["(S (NP it) (VP works))"]))
    >>> NodeEmbedding(n_labels=7, embedding_dim=8)(batch).shape
    torch.Size([5, 8])
    """

    edges: nn.Embedding | None

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
        super().__init__(n_labels, embedding_dim, dropout=dropout, word_dropout=word_dropout, scale=scale)
        self.edges = _make_table(n_edge_labels, embedding_dim) if n_edge_labels else None
        if value_shift is not None:  # drawn last: the order of the draws fixes the weights of seeded nets
            self._add_values(n_labels, embedding_dim, value_shift, value_scale)

    def _embed_labels(self, labels: Tensor, batch: TreeBatch | SequenceBatch, nodes: Tensor | None) -> Tensor:
        assert isinstance(batch, TreeBatch)
        x = self._look_up(labels, batch.vectors)
        if self.edges is None or batch.edges is None:
            return x
        return x + self.edges(_replace_unknown(_select(batch.edges, nodes), self.edges))


def make_step_embedding(
    n_labels: int,
    embedding_dim: int,
    *,
    value_shift: Sequence[float] | None,
    value_scale: Sequence[float] | None,
    dropout: float,
    word_dropout: float,
) -> Embedding | StepValues:
    """Make the input layer of sequences and images.

    Parameters
    ----------
    n_labels : int
        Number of token ids; 0 for series and images.
    embedding_dim : int
        Size of a token's vector.
    value_shift, value_scale : sequence of float, or None
        Mean and standard deviation of each channel, or of each id for tokens with values.
    dropout, word_dropout : float
        See :class:`Embedding`.

    Returns
    -------
    Embedding or StepValues
    """
    if not n_labels:
        return StepValues(value_shift or [], value_scale or [], dropout)
    return Embedding(
        n_labels,
        embedding_dim,
        value_shift=value_shift,
        value_scale=value_scale,
        dropout=dropout,
        word_dropout=word_dropout,
        scale=0.1,  # more accurate than 1 on short texts, less accurate on trees
    )


def _make_table(n: int, size: int, scale: float = 1.0) -> nn.Embedding:
    table = nn.Embedding(max(n, UNKNOWN_ID + 1), size, padding_idx=PAD_ID)
    with torch.no_grad():
        table.weight *= scale
        table.weight[UNKNOWN_ID] = 0.0
    return table


def _select(column: Tensor, nodes: Tensor | None) -> Tensor:
    return column if nodes is None else column.index_select(0, nodes)


def _replace_unknown(ids: Tensor, table: nn.Embedding) -> Tensor:
    return ids.masked_fill(ids >= table.num_embeddings, UNKNOWN_ID)
