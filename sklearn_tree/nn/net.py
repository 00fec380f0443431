"""Base class of the nets."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sklearn_tree.nn.dropout import Dropout
from sklearn_tree.nn.embedding import Pretrained
from sklearn_tree.nn.linear_path import LinearPath


class Net(nn.Module):
    """Net that maps a batch to logits: embedding, encoder with pooling, dropout and a linear head.

    A linear model over the labels may add its logits. A subclass calls the constructor, adds ``head`` and
    defines :meth:`encode_embedded`.

    Parameters
    ----------
    embedding : Module
        Maps a batch to the inputs of its nodes, steps or pixels.
    encoder : Module
        Maps the inputs to vectors of nodes, steps or pixels.
    pool : Module or None
        Pools the vectors of a sample; None if the encoder pools them itself.
    dropout : float
        Fraction of features set to zero before the head, in training.

    Attributes
    ----------
    head : Linear
        Maps the vectors of samples to logits.
    linear : LinearPath or None
        Linear model whose logits are added.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree import SequenceVectorizer
    >>> from sklearn_tree.nn import Embedding, Net, SequenceBatch, SequencePooling
    >>> class BagOfWords(Net):
    ...     def __init__(self, n_labels, n_outputs, size=16):
    ...         pool = SequencePooling("mean", size)
    ...         super().__init__(Embedding(n_labels, size), torch.nn.Identity(), pool, dropout=0.0)
    ...         self.head = torch.nn.Linear(size, n_outputs)
    ...
    ...     def encode_embedded(self, x, batch):
    ...         return self.pool(x, batch.ends)
    >>> batch = SequenceBatch.from_array(SequenceVectorizer().fit_transform(["a good film", "a film"]))
    >>> BagOfWords(n_labels=5, n_outputs=2)(batch).shape
    torch.Size([2, 2])
    """

    embedding: Any
    head: nn.Linear

    def __init__(
        self, embedding: nn.Module, encoder: nn.Module, pool: nn.Module | None, dropout: float
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.encoder = encoder
        self.pool = pool
        self.dropout = Dropout(dropout)
        self.linear: LinearPath | None = None

    def forward(self, batch: Any) -> Tensor:
        """Compute the logits of a batch.

        Parameters
        ----------
        batch : TreeBatch, SequenceBatch or ImageBatch
            Samples.

        Returns
        -------
        Tensor of float, shape (n, n_outputs)
        """
        logits = self.compute_logits(self.encode(batch))
        return logits if self.active_linear is None else logits + self.active_linear(batch)

    @property
    def active_linear(self) -> LinearPath | None:
        """The linear model if it has been fitted."""
        return self.linear if self.linear is not None and self.linear.is_fitted else None

    def embed(self, batch: Any) -> Tensor:
        """Return everything that :meth:`forward_embedded` reads of the labels or values of a batch.

        Parameters
        ----------
        batch : TreeBatch, SequenceBatch or ImageBatch
            Samples.

        Returns
        -------
        Tensor of float, shape (..., size)
            Outputs of ``embedding``, followed by the columns of a fitted linear model, see
            :meth:`LinearPath.score_labels`.
        """
        x = self.embedding(batch).to(self.head.weight.dtype)
        return x if self.active_linear is None else torch.cat([x, self.active_linear.score_labels(batch)], -1)

    def forward_embedded(self, x: Tensor, batch: Any, inverse: Tensor | None = None) -> Tensor:
        """Compute the logits of a batch from its embedded inputs.

        Parameters
        ----------
        x : Tensor of float, shape (..., size)
            Inputs, see :meth:`embed`.
        batch : TreeBatch, SequenceBatch or ImageBatch
            Samples.
        inverse : Tensor of int64, shape (n_nodes,), default=None
            Row of ``x`` for each node of trees; None if ``x`` has one row per position.

        Returns
        -------
        Tensor of float, shape (n, n_outputs)
        """
        encode: Any = self.encode_embedded
        x, scores = self.split_embedded(x)
        logits = self.compute_logits(encode(x, batch) if inverse is None else encode(x, batch, inverse))
        if self.active_linear is None:
            return logits
        return logits + self.active_linear.pool(scores if inverse is None else scores[inverse], batch)

    def split_embedded(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Split the return value of :meth:`embed` into the inputs of the encoder and linear columns."""
        size = x.shape[-1] - (0 if self.active_linear is None else self.active_linear.n_columns)
        return x[..., :size], x[..., size:]

    def label_table(self) -> Tensor:
        """Return the row of :meth:`embed` for each label without a value, shape (n_labels, size)."""
        table = self.embedding.labels.weight
        return (
            table if self.active_linear is None else torch.cat([table, self.active_linear.label_columns], 1)
        )

    def encode(self, batch: Any) -> Tensor:
        """Compute one vector per sample, Tensor of float, shape (n, size)."""
        return self.encode_embedded(self.embedding(batch).to(self.head.weight.dtype), batch)

    def encode_embedded(self, x: Tensor, batch: Any) -> Tensor:
        """Compute one vector per sample from embedded inputs, Tensor of float, shape (n, size)."""
        raise NotImplementedError

    def compute_logits(self, vectors: Tensor) -> Tensor:
        """Map the vectors of samples to logits, Tensor of float, shape (n, n_outputs)."""
        return self.head(self.dropout(vectors))

    def _add_linear_path(self, n_labels: int) -> None:
        self.linear = LinearPath(n_labels, self.head.out_features)

    def _load_vectors(self, pretrained: Pretrained | None, freeze: bool) -> None:
        if pretrained is not None:
            self.embedding.load(pretrained)
            self.embedding.labels.requires_grad_(not freeze)

    def set_dropout(self, dropout: float, word_dropout: float) -> None:
        """Change the fractions of features and of labels or tokens that training drops.

        Parameters
        ----------
        dropout, word_dropout : float
            Fractions in [0, 1).
        """
        for module in (self, self.embedding, self.encoder):
            layer = getattr(module, "dropout", None)
            if isinstance(layer, nn.Dropout):
                layer.p = dropout
        embedding: Any = self.embedding
        if hasattr(embedding, "word_dropout"):
            embedding.word_dropout = word_dropout
