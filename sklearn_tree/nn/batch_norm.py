"""Batch normalization of grids, whose statistics leave out the padding and weight the samples."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

_MOMENTUM, _EPSILON = 0.1, 1e-5  # torch's defaults


class BatchNorm(nn.Module):
    """Batch normalization [1]_ over the valid positions of grids.

    In training, the mean and the variance are those of the valid positions of the batch, weighted by sample:
    a sample of weight 2 counts as two samples. In evaluation mode, they are running averages over the
    training batches, so predictions do not depend on the rest of the batch. A batch with a single valid
    position, whose variance is not known, leaves the running averages unchanged.

    NOTE[DIFF]: The variances in the running average of torch are divided by n - 1. These are divided by n, so
    that weights equal repetitions.

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

    def forward(self, x: Tensor, mask: Tensor | None = None, sample_weight: Tensor | None = None) -> Tensor:
        """Normalize grids.

        Parameters
        ----------
        x : Tensor of float, shape (n, height, width, size)
            Grids.
        mask : Tensor of bool, shape (n, height, width, 1), default=None
            Mask of the positions that are not padding; None if nothing is padded.
        sample_weight : Tensor of float, shape (n,), default=None
            Weights of the samples in the statistics of the batch; None for equal weights.

        Returns
        -------
        Tensor of float, shape of ``x``
            Arbitrary in the padding.
        """
        if not self.training:
            return self._normalize(x, self.running_var)
        n_positions = x[..., 0].numel()
        if mask is None and sample_weight is None and n_positions > 1:
            variance = self.running_var.clone()
            x = self._normalize(x, variance)
            previous = (1 - _MOMENTUM) * self.running_var
            self.running_var.copy_(variance.lerp(previous, 1 / n_positions))  # divide by n, not n - 1
            return x
        weight = x.new_ones(x.shape[:3], dtype=self.weight.dtype).unsqueeze(3)
        if mask is not None:
            weight = weight * mask
        if sample_weight is not None:
            weight = weight * sample_weight.to(weight).view(-1, 1, 1, 1)
        return self._normalize_weighted(x, weight)

    def _normalize(self, x: Tensor, running_var: Tensor) -> Tensor:
        """Normalize as torch, which updates the running averages in training."""
        x = x.permute(0, 3, 1, 2)  # in torch's terms, the memory format is channels_last
        averages = self.running_mean, running_var
        x = F.batch_norm(x, *averages, self.weight, self.bias, self.training, _MOMENTUM, _EPSILON)
        return x.permute(0, 2, 3, 1)

    def _normalize_weighted(self, x: Tensor, weight: Tensor) -> Tensor:
        """Normalize by the statistics of positions with the given weights, shape (n, height, width, 1)."""
        dtype, x = x.dtype, x.to(weight.dtype)  # bfloat16 is too coarse for sums
        share = weight / weight.sum().clamp(min=torch.finfo(weight.dtype).tiny)
        mean = (x * share).sum((0, 1, 2))
        centred = x - mean
        variance = (centred.square() * share).sum((0, 1, 2))
        with torch.no_grad():
            momentum = _MOMENTUM * ((weight > 0).sum() > 1).to(weight.dtype)
            self.running_mean.lerp_(mean, momentum)
            self.running_var.lerp_(variance, momentum)
        return (centred * (variance + _EPSILON).rsqrt() * self.weight + self.bias).to(dtype)
