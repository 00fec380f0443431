"""Standardized values as net inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_tree.nn.dropout import Dropout
from sklearn_tree.nn.image_batch import ImageBatch
from sklearn_tree.nn.sequence_batch import SequenceBatch


class Standardize(nn.Module):
    """Subtract a mean and divide by a standard deviation, in double precision.

    Values may be large compared with their spread (time stamps, for example), so neither the statistics
    nor the difference may be rounded to single precision: ``to(dtype)`` does not change the statistics.

    Parameters
    ----------
    shift, scale : sequence of float
        Mean and standard deviation of each label or channel; an infinite scale maps all values to 0.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, shift: Sequence[float], scale: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("shift", torch.tensor(shift, dtype=torch.float64))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float64))

    def _apply(self, fn: Any, recurse: bool = True) -> Standardize:
        device = fn(torch.zeros(1, device=self.shift.device)).device
        dtype = torch.float32 if device.type == "mps" else torch.float64  # mps does not support float64
        for name, buffer in self.named_buffers():
            setattr(self, name, buffer.to(device, dtype))
        return self

    def forward(self, values: Tensor, labels: Tensor | None = None) -> Tensor:
        """Standardize values.

        Parameters
        ----------
        values : Tensor of float, shape (..., n_channels), or any shape with ``labels``
            Values, NaN where missing.
        labels : Tensor of int64, shape of ``values``, default=None
            Label of each value, which selects the statistics; None selects them by the last axis.

        Returns
        -------
        Tensor of float64, shape of ``values``
            Standardized values, 0 where missing.
        """
        shift, scale = self.shift, self.scale
        if labels is not None:
            shift, scale = shift[labels], scale[labels]
        return ((values.to(shift.dtype) - shift) / scale).nan_to_num(0.0)


class StepValues(nn.Module):
    """Input layer of series and images: their standardized channels.

    Parameters
    ----------
    value_shift, value_scale : sequence of float, length n_channels
        Mean and standard deviation of each channel.
    dropout : float, default=0.0
        Fraction of features set to zero in training.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tree.nn import SequenceBatch, StepValues
    >>> series = np.array([[[10.0], [12.0], [np.nan]]])  # one series of three steps and one channel
    >>> layer = StepValues(value_shift=[10.0], value_scale=[2.0])
    >>> layer(SequenceBatch.from_array(series)).tolist()  # a missing value becomes the mean
    [[[0.0], [1.0], [0.0]]]
    """

    def __init__(
        self, value_shift: Sequence[float], value_scale: Sequence[float], dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.dropout = Dropout(dropout)
        self.standardize = Standardize(value_shift, value_scale)

    def forward(self, batch: SequenceBatch | ImageBatch) -> Tensor:
        """Standardize the values of a batch.

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
