"""Convolutions of several widths over grids of steps or pixels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Convolution(nn.Module):
    """Convolutions of several widths over the same grid, concatenated.

    Sequences and images are grids of shape (n, height, width, channels); a sequence has height 1. Grids are
    padded with zeros, so the output has the size of the grid.

    Parameters
    ----------
    kernel_sizes : sequence of int
        Widths of the kernels; kernels for images are square.
    input_size : int
        Number of channels of the input.
    n_filters : int
        Number of filters of each width.
    is_image : bool
        Whether the grids are images.
    bias : bool, default=True
        Whether the convolutions add a bias. A normalization subtracts it again.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree.nn import Convolution
    >>> average = Convolution([3], input_size=1, n_filters=1, is_image=False, bias=False)
    >>> for weight in average.parameters():
    ...     _ = torch.nn.init.constant_(weight, 1 / 3)
    >>> series = torch.tensor([0.0, 3.0, 6.0, 3.0, 0.0]).view(1, 1, 5, 1)
    >>> average(series).flatten().tolist()
    [1.0, 3.0, 4.0, 3.0, 1.0]
    """

    def __init__(
        self,
        kernel_sizes: Sequence[int],
        input_size: int,
        n_filters: int,
        *,
        is_image: bool,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_shapes = [(size if is_image else 1, size) for size in kernel_sizes]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(input_size, n_filters, shape, padding=(shape[0] // 2, shape[1] // 2), bias=bias)
            for shape in self.kernel_shapes
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve grids.

        Parameters
        ----------
        x : Tensor of float, shape (n, height, width, input_size)
            Grids.

        Returns
        -------
        Tensor of float, shape (n, height, width, len(kernel_sizes) * n_filters)
        """
        x = x.permute(0, 3, 1, 2)  # in torch's terms, the memory format is channels_last
        outputs = []
        for conv, (height, width) in zip(self.convolutions, self.kernel_shapes, strict=True):
            outputs.append(conv(x)[:, :, 1 - height % 2 :, 1 - width % 2 :])  # even kernels add one output
        return torch.cat(outputs, dim=1).permute(0, 2, 3, 1)


def fill_padding(x: Tensor, mask: Tensor | None) -> Tensor:
    """Set the padding of grids to zero; ``mask`` is None if nothing is padded."""
    return x if mask is None else x.masked_fill(~mask, 0.0)
