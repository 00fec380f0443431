"""Batches of images of one size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.nn.tensors import as_tensor, move_to


@dataclass(frozen=True)
class ImageBatch:
    """Images of a minibatch.

    The batch has the attributes of a :class:`SequenceBatch` whose steps are the pixels in row-major order;
    nothing is padded.

    Attributes
    ----------
    values : Tensor of uint8 or float, shape (n, height, width, n_channels)
        Pixels.
    sample_weight : Tensor of float, shape (n,), or None
        Weight of each image in the loss.
    labels, vectors, ends, mask, grid_mask : None
        Images have no tokens and no padding.
    is_full : bool
        True.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_tree.nn import ImageBatch
    >>> batch = ImageBatch.from_array(load_digits().images[:16, :, :, None])
    >>> len(batch), batch.n_steps, batch.values.shape
    (16, 64, torch.Size([16, 8, 8, 1]))
    """

    values: Tensor
    sample_weight: Tensor | None = None
    labels: ClassVar[None] = None
    vectors: ClassVar[None] = None
    ends: ClassVar[None] = None
    mask: ClassVar[None] = None
    grid_mask: ClassVar[None] = None
    is_full: ClassVar[bool] = True

    @classmethod
    def from_array(cls, array: np.ndarray | Tensor) -> ImageBatch:
        """Make a batch of all images of an array.

        Parameters
        ----------
        array : ndarray or Tensor of uint8 or float, shape (n, height, width, n_channels)
            Pixels.

        Returns
        -------
        ImageBatch
        """
        return cls(as_tensor(array))

    def __len__(self) -> int:
        return len(self.values)

    @property
    def n_steps(self) -> int:
        """Number of pixels of each image."""
        return math.prod(self.values.shape[1:3])

    @property
    def lengths(self) -> Tensor:
        """Number of pixels of each image, Tensor of int64, shape (n,)."""
        return torch.full((len(self),), self.n_steps, device=self.values.device)

    def to_grid(self, x: Tensor) -> Tensor:
        """Return vectors of pixels, shape (n, height, width, size), unchanged."""
        return x

    def to(self, device: torch.device | str) -> ImageBatch:
        """Return the batch on a device; the batch itself if it is on the device already."""
        return move_to(self, device)
