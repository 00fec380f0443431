"""Batch normalization of grids, whose statistics leave out the padding."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

_MOMENTUM, _EPSILON = 0.1, 1e-5  # torch's defaults


class BatchNorm(nn.Module):
    """Batch normalization [1]_ over the valid positions of grids.

    In training, the mean and the variance are those of the valid positions of the batch; otherwise they are
    running averages over the training batches, so predictions do not depend on the rest of the batch. A batch
    with a single valid position, whose variance is not known, leaves the running averages unchanged.

    Parameters
    ----------
    size : int
        Number of channels.

    References
    ----------
    .. [1] S. Ioffe, C. Szegedy (2015). Batch Normalization: Accelerating Deep Network Training by Reducing
       Internal Covariate Shift. ICML.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.bias = nn.Parameter(torch.zeros(size))
        self.register_buffer("running_mean", torch.zeros(size))
        self.register_buffer("running_var", torch.ones(size))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Normalize grids.

        Parameters
        ----------
        x : Tensor of float, shape (n, height, width, size)
            Grids.
        mask : Tensor of bool, shape (n, height, width, 1), default=None
            Mask of the positions that are not padding; None if nothing is padded.

        Returns
        -------
        Tensor of float, shape of ``x``
            Arbitrary in the padding.
        """
        n_positions = x[..., 0].numel()
        if self.training and (mask is not None or n_positions < 2):
            return self._normalize_valid(x, x.new_ones(()).bool() if mask is None else mask)
        x = x.permute(0, 3, 1, 2)  # in torch's terms, the memory format is channels_last
        averages = self.running_mean, self.running_var
        x = F.batch_norm(x, *averages, self.weight, self.bias, self.training, _MOMENTUM, _EPSILON)
        return x.permute(0, 2, 3, 1)

    def _normalize_valid(self, x: Tensor, mask: Tensor) -> Tensor:
        dtype, x = x.dtype, x.to(self.weight.dtype)  # bfloat16 is too coarse for sums
        mask = mask.expand(*x.shape[:3], 1)
        n = mask.sum()
        mean = x.masked_fill(~mask, 0.0).sum((0, 1, 2)) / n.clamp(min=1)
        centred = x - mean
        variance = centred.masked_fill(~mask, 0.0).square().sum((0, 1, 2)) / n.clamp(min=1)
        with torch.no_grad():
            momentum = (_MOMENTUM * (n > 1)).to(self.running_mean)
            unbiased = variance * n / (n - 1).clamp(min=1)
            self.running_mean.lerp_(mean.to(self.running_mean), momentum)
            self.running_var.lerp_(unbiased.to(self.running_var), momentum)
        return (centred * (variance + _EPSILON).rsqrt() * self.weight + self.bias).to(dtype)
