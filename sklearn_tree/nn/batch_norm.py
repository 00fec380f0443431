"""Batch normalization of grids, whose statistics leave out the padding and weight the samples."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

_MOMENTUM, _EPSILON = 0.1, 1e-5  # torch's defaults; the first is a lower bound


class BatchNorm(nn.Module):
    """Batch normalization [1]_ over the valid positions of grids.

    In training, the mean and the variance are those of the valid positions of the batch, weighted by sample:
    a sample of weight 2 counts as two samples. In evaluation mode, they are running averages over the
    training batches, so predictions do not depend on the rest of the batch. A batch with a single valid
    position, whose variance is not known, leaves the running averages unchanged.

    NOTE[DIFF]: The running averages of torch start at 0 and 1 with a momentum of 0.1. Here the first ten
    batches have equal weights, so that predictions after a few batches are sound. Torch also divides the
    variances in the running average by n - 1. These are divided by n, so that weights equal repetitions.

    Parameters
    ----------
    size : int
        Number of channels.

    References
    ----------
    .. [1] S. Ioffe, C. Szegedy (2015). Batch Normalization: Accelerating Deep Network Training by Reducing
       Internal Covariate Shift. ICML.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree.nn import BatchNorm
    >>> series = torch.tensor([[1.0, 3.0, 0.0], [5.0, 7.0, 9.0]]).view(2, 1, 3, 1)
    >>> is_valid = torch.tensor([[True, True, False], [True, True, True]]).view(2, 1, 3, 1)
    >>> normalized = BatchNorm(1)(series, is_valid)
    >>> abs(normalized[is_valid].mean().item()) < 1e-6  # the padding does not count
    True
    """

    running_mean: Tensor
    running_var: Tensor
    n_batches: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.bias = nn.Parameter(torch.zeros(size))
        self.register_buffer("running_mean", torch.zeros(size))
        self.register_buffer("running_var", torch.ones(size))
        self.register_buffer("n_batches", torch.zeros((), dtype=torch.int64))

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
            Arbitrary in the padding, and in training for samples of weight 0.
        """
        if not self.training:
            return self._normalize(x, self.running_mean, self.running_var)
        n_positions = x[..., 0].numel()
        if mask is None and sample_weight is None and n_positions > 1:
            mean, variance = torch.zeros_like(self.running_mean), torch.zeros_like(self.running_var)
            x = self._normalize(x, mean, variance)
            self._update_averages(mean, variance * (1 - 1 / n_positions), True)  # divide by n, not n - 1
            return x
        weight = x.new_ones(x.shape[:3], dtype=self.weight.dtype).unsqueeze(3)
        if mask is not None:
            weight = weight * mask
        if sample_weight is not None:
            weight = weight * sample_weight.to(weight).view(-1, 1, 1, 1)
        return self._normalize_weighted(x, weight)

    def _normalize(self, x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        """Normalize as torch. In training, the mean and variance are replaced by those of the batch."""
        x = x.permute(0, 3, 1, 2)  # in torch's terms, the memory format is channels_last
        x = F.batch_norm(x, mean, variance, self.weight, self.bias, self.training, 1.0, _EPSILON)
        return x.permute(0, 2, 3, 1)

    def _normalize_weighted(self, x: Tensor, weight: Tensor) -> Tensor:
        """Normalize by the statistics of positions with the given weights, shape (n, height, width, 1)."""
        dtype, x = x.dtype, x.to(weight.dtype)  # bfloat16 is too coarse for sums
        share = weight / weight.sum().clamp(min=torch.finfo(weight.dtype).tiny)
        mean = (x * share).sum((0, 1, 2))
        centred = x - mean
        variance = (centred.square() * share).sum((0, 1, 2))
        self._update_averages(mean, variance, (weight > 0).sum() > 1)
        x = centred * (variance + _EPSILON).rsqrt() * self.weight + self.bias
        return x.masked_fill(weight == 0, 0.0).to(dtype)  # would be huge if the others are constant

    @torch.no_grad()
    def _update_averages(self, mean: Tensor, variance: Tensor, is_counted: Tensor | bool) -> None:
        self.n_batches += is_counted
        momentum = (1 / self.n_batches.clamp(min=1)).clamp(min=_MOMENTUM) * is_counted
        self.running_mean.lerp_(mean, momentum.to(mean.dtype))
        self.running_var.lerp_(variance, momentum.to(variance.dtype))
