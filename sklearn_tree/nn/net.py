"""Base class of the nets."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from sklearn_tree.nn.dropout import Dropout
from sklearn_tree.nn.embedding import Pretrained


class Net(nn.Module):
    """Net that maps a batch to logits: embedding, encoder with pooling, dropout and a linear head.

    A subclass calls the constructor, adds ``head`` and defines :meth:`encode_embedded`.

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
        return self.compute_logits(self.encode(batch))

    def forward_embedded(self, x: Tensor, batch: Any) -> Tensor:
        """Compute the logits of a batch from its embedded inputs.

        Parameters
        ----------
        x : Tensor of float
            Outputs of ``embedding``.
        batch : TreeBatch, SequenceBatch or ImageBatch
            Samples.

        Returns
        -------
        Tensor of float, shape (n, n_outputs)
        """
        return self.compute_logits(self.encode_embedded(x, batch))

    def encode(self, batch: Any) -> Tensor:
        """Compute one vector per sample, Tensor of float, shape (n, size)."""
        return self.encode_embedded(self.embedding(batch).to(self.head.weight.dtype), batch)

    def encode_embedded(self, x: Tensor, batch: Any) -> Tensor:
        """Compute one vector per sample from embedded inputs, Tensor of float, shape (n, size)."""
        raise NotImplementedError

    def compute_logits(self, vectors: Tensor) -> Tensor:
        """Map the vectors of samples to logits, Tensor of float, shape (n, n_outputs)."""
        return self.head(self.dropout(vectors))

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
