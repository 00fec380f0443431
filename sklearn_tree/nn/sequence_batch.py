"""``SequenceBatch``: sequences of unequal length, padded at the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.nn.batch import as_tensor, moved
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
    """

    lengths: Tensor
    labels: Tensor | None = None
    values: Tensor | None = None
    sample_weight: Tensor | None = None
    edges: Tensor | None = None  # what an embedding asks of trees; sequences have none

    @classmethod
    def from_array(cls, array: RaggedArray | np.ndarray | Tensor) -> SequenceBatch:
        """Pad some sequences.

        Parameters
        ----------
        array : RaggedArray; or ndarray or Tensor of float, shape (n, n_steps, n_channels) or (n, n_columns)
            Sequences. A table's columns become tokens that carry a number each.

        Returns
        -------
        SequenceBatch
        """
        if isinstance(array, RaggedArray):
            return cls._from_ragged(array)
        n, n_steps = array.shape[:2]
        labels = None
        if array.ndim == 2:
            labels = torch.arange(2, 2 + n_steps).expand(n, n_steps)
        lengths = torch.full((n,), n_steps)
        return cls(lengths, labels, as_tensor(array))

    @classmethod
    def _from_ragged(cls, array: RaggedArray) -> SequenceBatch:
        sizes, values = array.sizes, as_tensor(array.values)
        n_steps = max(int(sizes.max(initial=0)), 1)
        lengths = torch.from_numpy(sizes)
        mask = step_mask(lengths, n_steps).to(values.device)
        padded = values.new_zeros(len(array), n_steps, *values.shape[1:])
        padded[mask] = values
        return cls(lengths, padded.long()) if array.is_tokens else cls(lengths, None, padded)

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def n_steps(self) -> int:
        """Number of steps that the sequences are padded to."""
        column = self.labels if self.labels is not None else self.values
        return column.shape[1]  # type: ignore[union-attr]

    @property
    def mask(self) -> Tensor:
        """Whether a step is inside its sequence; bool, shape (n, n_steps)."""
        return step_mask(self.lengths, self.n_steps)

    def to(self, device: torch.device | str) -> SequenceBatch:
        """Return the batch on another device (itself if it is there already)."""
        return moved(self, device)


def step_mask(lengths: Tensor, n_steps: int) -> Tensor:
    """Say which of ``n_steps`` steps are inside their sequence; bool, shape (n, n_steps)."""
    return torch.arange(n_steps, device=lengths.device) < lengths.unsqueeze(1)
