"""Residual convolutional encoder for series and images."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from sklearn_tree.nn.batch_norm import BatchNorm
from sklearn_tree.nn.convolution import Convolution, fill_padding
from sklearn_tree.nn.dropout import Dropout

_WIDTHS = {False: (1, 2, 2), True: (1, 2, 4)}  # of the blocks, relative to the first; by is_image
_KERNEL_SIZES = {False: (9, 5, 3), True: (3, 3)}  # of the convolutions of each block


class ResidualBlock(nn.Module):
    """Residual block: normalized convolutions, whose output is added to the input.

    A convolution of width 1 maps the input to another number of channels.

    Parameters
    ----------
    input_size, output_size : int
        Number of channels of the input and of the output.
    is_image : bool
        Whether the grids are images.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree.nn import ResidualBlock
    >>> block = ResidualBlock(input_size=1, output_size=16, is_image=True)
    >>> block(torch.randn(8, 28, 28, 1), mask=None).shape
    torch.Size([8, 28, 28, 16])
    """

    def __init__(self, input_size: int, output_size: int, *, is_image: bool) -> None:
        super().__init__()
        kernel_sizes = _KERNEL_SIZES[is_image]
        sizes = [input_size] + [output_size] * (len(kernel_sizes) - 1)
        self.convolutions = nn.ModuleList(
            Convolution([kernel], size, output_size, is_image=is_image, bias=False)
            for kernel, size in zip(kernel_sizes, sizes, strict=True)
        )
        self.norms = nn.ModuleList(BatchNorm(output_size) for _ in sizes)
        self.shortcut = self.shortcut_norm = None
        if input_size != output_size:
            self.shortcut = Convolution([1], input_size, output_size, is_image=is_image, bias=False)
            self.shortcut_norm = BatchNorm(output_size)

    def forward(self, x: Tensor, mask: Tensor | None, sample_weight: Tensor | None = None) -> Tensor:
        """Run the block.

        Parameters
        ----------
        x : Tensor of float, shape (n, height, width, input_size)
            Grids.
        mask : Tensor of bool, shape (n, height, width, 1), or None
            Mask of the positions that are not padding; None if nothing is padded.
        sample_weight : Tensor of float, shape (n,), default=None
            See :class:`BatchNorm`.

        Returns
        -------
        Tensor of float, shape (n, height, width, output_size)
            Feature maps before activation, arbitrary in the padding.
        """
        h = x
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            h = norm(convolution(fill_padding(h.relu() if i else h, mask)), mask, sample_weight)
        if self.shortcut is None or self.shortcut_norm is None:
            return h + x
        return h + self.shortcut_norm(self.shortcut(x), mask, sample_weight)


class ResidualEncoder(nn.Module):
    """Encoder with a first layer of several widths and three residual blocks.

    The blocks are those of Wang et al. [1]_ for series and of He et al. [2]_ for images. Max pooling halves
    the feature maps between the blocks, and shortens long series after the first layer.

    NOTE[DIFF]: The nets of [1]_ keep the length of the series.

    Parameters
    ----------
    kernel_sizes : sequence of int
        Widths of the kernels of the first layer.
    input_size : int
        Number of channels of the input.
    n_filters : int
        Number of filters of the first layer and of the first block; later blocks have two or four times as
        many.
    is_image : bool, default=False
        Whether inputs are images instead of series.
    pool_size : int, default=1
        Factor by which the first layer downsamples its feature maps.
    dropout : float, default=0.0
        Fraction of features set to zero in training, between blocks.

    Attributes
    ----------
    output_size : int
        Number of channels of the feature maps.
    stride : int
        Number of steps or of pixels in a row for each position of the feature maps.

    References
    ----------
    .. [1] Z. Wang, W. Yan, T. Oates (2017). Time Series Classification from Scratch with Deep Neural
       Networks: A Strong Baseline. IJCNN.
    .. [2] K. He et al. (2016). Deep Residual Learning for Image Recognition. CVPR.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree.nn import ResidualEncoder
    >>> encoder = ResidualEncoder([8], input_size=3, n_filters=16)
    >>> series = torch.randn(4, 1, 100, 3)  # four series of 100 steps and three channels
    >>> encoder.stride, encoder(series).shape
    (4, torch.Size([4, 1, 25, 32]))
    """

    def __init__(
        self,
        kernel_sizes: Sequence[int],
        input_size: int,
        n_filters: int,
        *,
        is_image: bool = False,
        pool_size: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.is_image, self.pool_size = is_image, pool_size
        self.dropout = Dropout(dropout)
        n_per_width = -(-n_filters // len(kernel_sizes))
        self.convolution = Convolution(kernel_sizes, input_size, n_per_width, is_image=is_image, bias=False)
        sizes = [n_per_width * len(kernel_sizes), *(width * n_filters for width in _WIDTHS[is_image])]
        self.norm = BatchNorm(sizes[0])
        self.blocks = nn.ModuleList(
            ResidualBlock(size, next_size, is_image=is_image) for size, next_size in pairwise(sizes)
        )
        self.output_size, self.stride = sizes[-1], pool_size * 2 ** (len(self.blocks) - 1)

    def forward(self, x: Tensor, mask: Tensor | None = None, sample_weight: Tensor | None = None) -> Tensor:
        """Run all blocks.

        Parameters
        ----------
        x : Tensor of float, shape (n, height, width, input_size)
            Grids.
        mask : Tensor of bool, shape (n, height, width, 1), default=None
            Mask of the steps that are not padding; None if nothing is padded.
        sample_weight : Tensor of float, shape (n,), default=None
            See :class:`BatchNorm`.

        Returns
        -------
        Tensor of float, shape (n, ceil(height / stride), ceil(width / stride), output_size)
            Feature maps before activation, arbitrary in the padding. Series keep the height 1.
        """
        h = self.norm(self.convolution(fill_padding(x, mask)), mask, sample_weight)
        for i, block in enumerate(self.blocks):
            h, mask = self._downsample(fill_padding(h.relu(), mask), mask, 2 if i else self.pool_size)
            h = block(self.dropout(h), mask, sample_weight)
        return h

    def _downsample(self, h: Tensor, mask: Tensor | None, size: int) -> tuple[Tensor, Tensor | None]:
        """Downsample non-negative feature maps, which are 0 in the padding, and the mask."""
        if size == 1:
            return h, mask
        shape = (size if self.is_image else 1, size)
        h = F.max_pool2d(h.permute(0, 3, 1, 2), shape, ceil_mode=True).permute(0, 2, 3, 1)
        return h, None if mask is None else mask[:, :, ::size]
