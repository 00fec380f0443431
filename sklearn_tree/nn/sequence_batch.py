"""``SequenceBatch``: sequences of unequal length, padded at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.nn.batch import as_tensor, moved, picked
from sklearn_tree.trees import RaggedArray


@dataclass(frozen=True)
class SequenceBatch:
    """The sequences of a minibatch, padded to the longest.

    Attributes
    ----------
    lengths : Tensor of int64, shape (n,)
        Number of steps of each sequence; it may be 0.
    labels : Tensor of int64, shape (n, n_steps), or None
        Token ids, 0 behind the end.
    values : Tensor of float, shape (n, n_steps, n_channels) or (n, n_steps), or None
        Numbers, 0 behind the end. Beside labels there is one number per step.
    sample_weight : Tensor of float, shape (n,), or None
        Weight of each sequence in the loss.
    is_full : bool
        Whether all sequences are known to have ``n_steps`` steps.
    """

    lengths: Tensor
    labels: Tensor | None = None
    values: Tensor | None = None
    sample_weight: Tensor | None = None
    is_full: bool = False
    edges: Tensor | None = None  # what an embedding asks of trees; sequences have none

    @classmethod
    def from_array(
        cls, array: RaggedArray | np.ndarray | Tensor, rows: np.ndarray | None = None
    ) -> SequenceBatch:
        """Pad some sequences.

        Parameters
        ----------
        array : RaggedArray; or ndarray or Tensor of float, shape (n, n_steps, n_channels) or (n, n_columns)
            Sequences. A table's columns become tokens that carry a number each.
        rows : ndarray of int, shape (n_rows,), default=None
            Which of them; None for all.

        Returns
        -------
        SequenceBatch
        """
        if isinstance(array, RaggedArray):
            return cls._from_ragged(array, slice(None) if rows is None else rows)
        values = as_tensor(array if rows is None else picked(array, rows))
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
        behind = steps >= sizes[:, None]
        index = start[:, None] + steps
        is_full = not behind.any()
        if not is_full:
            index[behind] = 0
        values: Any = array.values
        if not len(values):  # nothing but empty sequences
            values = as_tensor(values).new_zeros(1, *values.shape[1:])
        padded = as_tensor(picked(values, index.ravel())).view(*index.shape, *values.shape[1:])
        if not is_full:
            shape = behind.shape + (1,) * (padded.ndim - 2)
            padded.masked_fill_(as_tensor(behind).to(padded.device).view(shape), 0)
        lengths = as_tensor(sizes)
        if array.is_tokens:
            return cls(lengths, padded.long(), is_full=is_full)
        return cls(lengths, None, padded, is_full=is_full)

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def n_steps(self) -> int:
        """Number of steps that the sequences are padded to."""
        column = self.labels if self.labels is not None else self.values
        return column.shape[1]  # type: ignore[union-attr]

    @property
    def ends(self) -> Tensor | None:
        """The lengths; None where no sequence ends before ``n_steps``."""
        return None if self.is_full else self.lengths

    def to(self, device: torch.device | str) -> SequenceBatch:
        """Return the batch on another device (itself if it is there already)."""
        return moved(self, device)


def step_mask(lengths: Tensor, n_steps: int) -> Tensor:
    """Say which of ``n_steps`` steps are inside their sequence; bool, shape (n, n_steps)."""
    return torch.arange(n_steps, device=lengths.device) < lengths.unsqueeze(1)
