"""Batches of sequences, padded at the end to the longest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.nn.tensors import as_tensor, move_tensors, move_to, select_rows
from sklearn_tree.trees import RaggedArray


@dataclass(frozen=True)
class SequenceBatch:
    """Sequences of a minibatch, padded to the longest.

    Attributes
    ----------
    lengths : Tensor of int64, shape (n,)
        Number of steps of each sequence, possibly 0.
    labels : Tensor of int64, shape (n, n_steps), or None
        Token ids, 0 in the padding.
    values : Tensor of float, shape (n, n_steps, n_channels) or (n, n_steps), or None
        Values of the steps, 0 in the padding: all channels of a series, or one value per token.
    sample_weight : Tensor of float, shape (n,), or None
        Weight of each sequence in the loss.
    correction : Tensor of float, shape (n, n_outputs), or None
        Added to the logits in training, see ``fit_linear_path``.
    is_full : bool
        Whether all sequences are known to have ``n_steps`` steps, so that nothing is padded.
    vectors : Tensor of float, shape (n_new, size), or None
        Vectors of the ids from the size of the vocabulary on.

    Examples
    --------
    >>> from sklearn_tree import SequenceVectorizer
    >>> from sklearn_tree.nn import SequenceBatch
    >>> batch = SequenceBatch.from_array(SequenceVectorizer().fit_transform(["a very good film", "a film"]))
    >>> batch.labels.tolist(), batch.lengths.tolist()
    ([[2, 5, 4, 3], [2, 3, 0, 0]], [4, 2])
    """

    lengths: Tensor
    labels: Tensor | None = None
    values: Tensor | None = None
    sample_weight: Tensor | None = None
    correction: Tensor | None = None
    is_full: bool = False
    vectors: Tensor | None = None

    @classmethod
    def from_array(
        cls, array: RaggedArray | np.ndarray | Tensor, rows: np.ndarray | None = None
    ) -> SequenceBatch:
        """Select sequences of an array and pad them.

        Parameters
        ----------
        array : RaggedArray; or ndarray or Tensor of float, shape (n, n_steps, n_channels) or (n, n_columns)
            Sequences. Each column of a table becomes a token with a value.
        rows : ndarray of int, shape (n_rows,), default=None
            Indices of the sequences to select; None for all.

        Returns
        -------
        SequenceBatch
        """
        if isinstance(array, RaggedArray):
            return cls._from_ragged(array, slice(None) if rows is None else rows)
        values = as_tensor(array if rows is None else select_rows(array, rows))
        n, n_steps = values.shape[:2]
        labels = None
        if array.ndim == 2:
            labels = torch.arange(2, 2 + n_steps).expand(n, n_steps)
        return cls(torch.full((n,), n_steps), labels, values, is_full=True)

    @classmethod
    def _from_ragged(cls, array: RaggedArray, rows: Any) -> SequenceBatch:
        start = array.offsets[:-1][rows]
        sizes = array.offsets[1:][rows] - start
        steps = np.arange(max(int(sizes.max(initial=0)), 1))
        is_padding = steps >= sizes[:, None]
        is_full = not is_padding.any()
        index = start[:, None] + steps
        if not is_full:
            index[is_padding] = 0
        padded = _gather_steps(array.values, index)
        if not is_full:
            shape = is_padding.shape + (1,) * (padded.ndim - 2)
            (mask,) = move_tensors([as_tensor(is_padding).view(shape)], padded.device)
            padded.masked_fill_(mask, 0)
        lengths = as_tensor(sizes)
        if array.is_tokens:
            vectors = None if array.vectors is None else as_tensor(array.vectors)
            return cls(lengths, padded.long(), is_full=is_full, vectors=vectors)
        return cls(lengths, None, padded, is_full=is_full)

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def n_steps(self) -> int:
        """Number of steps of each sequence, padding included."""
        if self.labels is not None:
            return self.labels.shape[1]
        assert self.values is not None
        return self.values.shape[1]

    @property
    def ends(self) -> Tensor | None:
        """The lengths, Tensor of int64, shape (n,); None if nothing is padded."""
        return None if self.is_full else self.lengths

    @property
    def mask(self) -> Tensor | None:
        """Mask of the steps that are not padding, bool, shape (n, n_steps); None if nothing is padded."""
        return None if self.is_full else step_mask(self.lengths, self.n_steps)

    @property
    def grid_mask(self) -> Tensor | None:
        """The mask as a grid, Tensor of bool, shape (n, 1, n_steps, 1); None if nothing is padded."""
        mask = self.mask
        return None if mask is None else mask[:, None, :, None]

    def to_grid(self, x: Tensor) -> Tensor:
        """Add the axis of height 1 to vectors of steps; shape (n, 1, n_steps, size)."""
        return x.unsqueeze(1)

    def sum_positions(self, x: Tensor) -> Tensor:
        """Sum vectors of steps without the padding, shape (n, n_steps, size) to (n, size)."""
        mask = self.mask
        return (x if mask is None else x.masked_fill(~mask.unsqueeze(2), 0.0)).sum(1)

    def to(self, device: torch.device | str) -> SequenceBatch:
        """Return the batch on a device; the batch itself if it is on the device already."""
        return move_to(self, device)


def _gather_steps(values: Any, index: np.ndarray) -> Tensor:
    """Gather rows of flat values, Tensor, shape (n, n_steps, ...)."""
    if not len(values):  # all sequences are empty
        values = as_tensor(values).new_zeros(1, *values.shape[1:])
    return as_tensor(select_rows(values, index.ravel())).view(*index.shape, *values.shape[1:])


def step_mask(lengths: Tensor, n_steps: int) -> Tensor:
    """Return the mask of the steps that are not padding.

    Parameters
    ----------
    lengths : Tensor of int64, shape (n,)
        Number of steps of each sequence.
    n_steps : int
        Number of steps of each sequence, padding included.

    Returns
    -------
    Tensor of bool, shape (n, n_steps)
    """
    return torch.arange(n_steps, device=lengths.device) < lengths.unsqueeze(1)
