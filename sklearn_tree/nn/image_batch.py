"""``ImageBatch``: images of one size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.nn.batch import as_tensor, moved


@dataclass(frozen=True)
class ImageBatch:
    """The images of a minibatch.

    Attributes
    ----------
    values : Tensor of uint8 or float, shape (n, height, width, n_channels)
        The pixels.
    sample_weight : Tensor of float, shape (n,), or None
        Weight of each image in the loss.
    """

    values: Tensor
    sample_weight: Tensor | None = None

    @classmethod
    def from_array(cls, array: np.ndarray | Tensor) -> ImageBatch:
        """Take images over.

        Parameters
        ----------
        array : ndarray or Tensor of uint8 or float, shape (n, height, width, n_channels)
            The pixels.

        Returns
        -------
        ImageBatch
        """
        return cls(as_tensor(array))

    def __len__(self) -> int:
        return len(self.values)

    def to(self, device: torch.device | str) -> ImageBatch:
        """Return the batch on another device (itself if it is there already)."""
        return moved(self, device)
