"""Batches of pairs, and the net that encodes both samples of a pair and compares their vectors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_tree.nn.net import Net
from sklearn_tree.nn.tensors import move_to


@dataclass(frozen=True)
class PairBatch:
    """Pairs of a minibatch.

    Attributes
    ----------
    items : TreeBatch, SequenceBatch or ImageBatch
        The samples of all pairs: both of the first pair, both of the second, and so on.
    sample_weight : Tensor of float, shape (n,), or None
        Weight of each pair in the loss.

    Examples
    --------
    >>> from sklearn_tree import SequenceVectorizer
    >>> from sklearn_tree.nn import PairBatch, SequenceBatch
    >>> texts = ["a good film", "a fine film", "a good film", "a bad film"]  # two pairs, one after the other
    >>> batch = PairBatch(SequenceBatch.from_array(SequenceVectorizer().fit_transform(texts)))
    >>> len(batch), len(batch.items)
    (2, 4)
    """

    items: Any
    sample_weight: Tensor | None = None

    def __len__(self) -> int:
        return len(self.items) // 2

    @property
    def weighted_items(self) -> Any:
        """The items, with the weights of their pairs."""
        if self.sample_weight is None:
            return self.items
        return replace(self.items, sample_weight=self.sample_weight.repeat_interleave(2))

    def to(self, device: torch.device | str) -> PairBatch:
        """Return the batch on a device; the batch itself if it is on the device already."""
        return move_to(self, device)


def compare(a: Tensor, b: Tensor) -> Tensor:
    r"""Compare the vectors of two samples: :math:`[a, b, |a - b|, a \odot b]`.

    The absolute difference and the product follow [1]_; both vectors are kept as in [2]_, for relations that
    are not symmetric.

    Parameters
    ----------
    a, b : Tensor of float, shape (n, size)
        Vectors of the first and of the second samples.

    Returns
    -------
    Tensor of float, shape (n, 4 * size)

    References
    ----------
    .. [1] K. Tai, R. Socher, C. Manning (2015). Improved Semantic Representations From Tree-Structured Long
       Short-Term Memory Networks. ACL.
    .. [2] S. Bowman, C. Potts, C. Manning (2015). Recursive Neural Networks Can Learn Logical Semantics.
       CVSC.
    """
    return torch.cat([a, b, (a - b).abs(), a * b], dim=1)


class PairNet(nn.Module):
    """Net for pairs: one net encodes both samples, and its head reads the comparison of their vectors.

    All samples of a batch are encoded together. The logits are the sum of those of the head, which is linear,
    and of a hidden layer of as many units as a vector has numbers [1]_.

    Parameters
    ----------
    item_net : type of Net
        Class of the net for single samples.
    n_outputs : int
        Number of logits per pair.
    **params : dict
        Further parameters of ``item_net``.

    Attributes
    ----------
    net : Net
        The net for single samples. Its head has four inputs for each number in the vector of a sample.
    hidden : nn.Sequential
        Hidden layer between the comparison and the logits.

    References
    ----------
    .. [1] K. Tai, R. Socher, C. Manning (2015). Improved Semantic Representations From Tree-Structured Long
       Short-Term Memory Networks. ACL.

    Examples
    --------
    >>> from sklearn_tree import SequenceVectorizer
    >>> from sklearn_tree.nn import PairBatch, PairNet, RecurrentNet, SequenceBatch
    >>> texts = ["a good film", "a fine film", "a good film", "a bad film"]  # two pairs, one after the other
    >>> batch = PairBatch(SequenceBatch.from_array(SequenceVectorizer().fit_transform(texts)))
    >>> PairNet(RecurrentNet, n_outputs=2, n_labels=7)(batch).shape
    torch.Size([2, 2])
    """

    net: Net
    hidden: nn.Sequential

    linear: None = None  # a linear path reads single samples only
    active_linear: None = None

    def __init__(self, item_net: type[Net], n_outputs: int, **params: Any) -> None:
        super().__init__()
        self.net = item_net(n_outputs=n_outputs, **params)  # type: ignore[call-arg]
        size, dtype = self.net.head.in_features, self.net.head.weight.dtype
        self.net.head = nn.Linear(4 * size, n_outputs, dtype=dtype)
        self.hidden = nn.Sequential(
            nn.Linear(4 * size, size, dtype=dtype), nn.Tanh(), nn.Linear(size, n_outputs, dtype=dtype)
        )

    def forward(self, batch: PairBatch) -> Tensor:
        """Compute the logits of a batch.

        Parameters
        ----------
        batch : PairBatch
            Pairs.

        Returns
        -------
        Tensor of float, shape (n, n_outputs)
        """
        return self.compute_logits(self.net.encode(batch.weighted_items))

    def encode(self, batch: PairBatch) -> Tensor:
        """Compute the inputs of the head, Tensor of float, shape (n, 4 * size), see :func:`compare`."""
        return compare_items(self.net.encode(batch.weighted_items))

    def forward_embedded(self, x: Tensor, items: Any, *args: Any) -> Tensor:
        """Compute the logits of pairs from the embedded inputs of their samples.

        Parameters
        ----------
        x : Tensor of float
            Outputs of ``embedding``.
        items : TreeBatch, SequenceBatch or ImageBatch
            Samples of all pairs, see :class:`PairBatch`.
        *args : Tensor
            Further arguments of ``encode_embedded`` of the net for single samples.

        Returns
        -------
        Tensor of float, shape (n, n_outputs)
        """
        return self.compute_logits(self.net.encode_embedded(x, items, *args))

    def compute_logits(self, vectors: Tensor) -> Tensor:
        """Map the vectors of the samples of all pairs, shape (2 * n, size), to logits (n, n_outputs)."""
        compared = self.net.dropout(compare_items(vectors))
        return self.net.head(compared) + self.hidden(compared)

    @property
    def features(self) -> Any:
        """Method that computes the feature maps of single samples; only of convolutional nets."""
        return self.net.features

    def decide(self, features: Tensor, items: Any) -> Tensor:
        """Compute the logits of pairs from the feature maps of their samples, shape (n, n_outputs)."""
        net: Any = self.net
        return self.compute_logits(net.encode_features(features, items))

    def set_dropout(self, dropout: float, word_dropout: float) -> None:
        """Change the dropout, see :meth:`Net.set_dropout`."""
        self.net.set_dropout(dropout, word_dropout)

    def embed(self, batch: Any) -> Tensor:
        """Return the embedded inputs of single samples, see :meth:`Net.embed`."""
        return self.net.embed(batch)

    def split_embedded(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Split embedded inputs, see :meth:`Net.split_embedded`."""
        return self.net.split_embedded(x)

    def label_table(self) -> Tensor:
        """Return the embedded input of each label, see :meth:`Net.label_table`."""
        return self.net.label_table()

    @property
    def embedding(self) -> nn.Module:
        """Input layer for single samples."""
        return self.net.embedding

    @property
    def encoder(self) -> nn.Module:
        """Encoder of single samples."""
        return self.net.encoder

    @property
    def pool(self) -> nn.Module | None:
        """Pooling of single samples."""
        return self.net.pool

    @property
    def head(self) -> nn.Linear:
        """Linear layer that maps comparisons to logits."""
        return self.net.head


def compare_items(vectors: Tensor) -> Tensor:
    """Compare the vectors of the samples of all pairs, shape (2 * n, size) to (n, 4 * size)."""
    return compare(vectors[0::2], vectors[1::2])
