"""Convolutional encoder and net for texts, series and images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from sklearn_tree.nn.convolution import Convolution, fill_padding
from sklearn_tree.nn.dropout import Dropout
from sklearn_tree.nn.embedding import Embedding, Pretrained, make_step_embedding
from sklearn_tree.nn.gemm import Linear
from sklearn_tree.nn.image_batch import ImageBatch
from sklearn_tree.nn.net import Net
from sklearn_tree.nn.pooling import SequencePooling, layer_norm
from sklearn_tree.nn.residual import ResidualEncoder
from sklearn_tree.nn.sequence_batch import SequenceBatch
from sklearn_tree.nn.walkable import is_hooked
from sklearn_tree.nn.word_table import convolve_words


class ConvolutionalEncoder(nn.Module):
    """Encoder with blocks of convolutions; all blocks except the first are residual.

    One block is the net of Kim [1]_. Further blocks normalize each step separately, activate and convolve
    [2]_; images are halved by max pooling between blocks. The samples of a batch do not interact, and the
    padding of sequences is set to zero in each block.

    Parameters
    ----------
    kernel_sizes : sequence of int
        Widths of the kernels of each block.
    input_size : int
        Number of channels of the input.
    n_filters : int
        Number of filters of each width.
    n_blocks : int, default=1
        Number of blocks.
    is_image : bool, default=False
        Whether inputs are images instead of sequences.
    dropout : float, default=0.0
        Fraction of features set to zero in training, between blocks.

    References
    ----------
    .. [1] Y. Kim (2014). Convolutional Neural Networks for Sentence Classification. EMNLP.
    .. [2] K. He et al. (2016). Identity Mappings in Deep Residual Networks. ECCV.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree.nn import ConvolutionalEncoder
    >>> images = torch.randn(2, 28, 28, 1)
    >>> for n_blocks in (1, 3):
    ...     encoder = ConvolutionalEncoder([3, 5], 1, n_filters=8, n_blocks=n_blocks, is_image=True)
    ...     print(n_blocks, tuple(encoder(images).shape))
    1 (2, 28, 28, 16)
    3 (2, 7, 7, 16)
    """

    stride = 1  # number of steps for each position of the feature maps of sequences

    def __init__(
        self,
        kernel_sizes: Sequence[int],
        input_size: int,
        n_filters: int,
        *,
        n_blocks: int = 1,
        is_image: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.output_size = len(kernel_sizes) * n_filters
        self.is_image = is_image
        self.dropout = Dropout(dropout)
        sizes = [input_size] + [n_filters] * (n_blocks - 1)
        self.convolutions = nn.ModuleList(
            Convolution(kernel_sizes, size, n_filters, is_image=is_image) for size in sizes
        )
        self.norms = nn.ModuleList(layer_norm(self.output_size) for _ in sizes[1:])
        self.narrow = nn.ModuleList(Linear(self.output_size, n_filters) for _ in sizes[1:])

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Run all blocks.

        Parameters
        ----------
        x : Tensor of float, shape (n, height, width, input_size)
            Grids.
        mask : Tensor of bool, shape (n, height, width, 1), default=None
            Mask of the steps that are not padding; None if nothing is padded.

        Returns
        -------
        Tensor of float, shape (n, height, width, output_size)
            Feature maps before activation, arbitrary in the padding. Those of images are smaller with
            several blocks.
        """
        return self.refine(self.convolutions[0](fill_padding(x, mask)), mask)

    def refine(self, h: Tensor, mask: Tensor | None = None) -> Tensor:
        """Run the residual blocks on the output of the first block.

        Parameters
        ----------
        h : Tensor of float, shape (n, height, width, output_size)
            Output of the first block.
        mask : Tensor of bool, shape (n, height, width, 1), default=None
            Mask of the steps that are not padding; None if nothing is padded.

        Returns
        -------
        Tensor of float, shape (n, height, width, output_size)
            See :meth:`forward`.
        """
        for convolution, norm, narrow in zip(self.convolutions[1:], self.norms, self.narrow, strict=True):
            if self.is_image:
                h = halve_images(h)
            h = h + convolution(fill_padding(self.dropout(narrow(norm(h).relu())), mask))
        return h


def halve_images(x: Tensor) -> Tensor:
    """Halve images by max pooling, shape (n, ceil(height / 2), ceil(width / 2), channels)."""
    return F.max_pool2d(x.permute(0, 3, 1, 2), 2, ceil_mode=True).permute(0, 2, 3, 1)


class ConvolutionalNet(Net):
    """Net for texts, series and images: embedding, convolutions, pooling, a hidden layer and a linear head.

    Nets with a :class:`ResidualEncoder` have no hidden layer.

    Parameters
    ----------
    n_outputs : int
        Number of outputs per sample.
    n_labels : int, default=0
        Number of token ids; 0 for series and images.
    n_channels : int, default=0
        Number of channels of series and images; 0 for tokens.
    is_image : bool, default=False
        Whether samples are images instead of sequences.
    kernel_sizes : sequence of int, default=(3, 4, 5)
        Widths of the kernels of each block, or of the first layer of a :class:`ResidualEncoder`.
    n_filters : int, default=64
        Number of filters of each width, or of the first block of a :class:`ResidualEncoder`.
    n_blocks : int, default=1
        Number of blocks; all except the first are residual. None builds a :class:`ResidualEncoder`, for
        series and images.
    pool_size : int, default=1
        Factor by which the first layer of a :class:`ResidualEncoder` downsamples its feature maps.
    pooling : {"max", "mean", "attention"}, default="max"
        Pooling of the vectors of all positions.
    hidden_size : int, default=64
        Size of the hidden layer. Ignored with ``n_blocks=None``.
    embedding_dim : int, default=64
        Size of a token's vector.
    dropout : float, default=0.0
        Fraction of features set to zero in training, at the input, between blocks and before both layers.
    word_dropout : float, default=0.0
        Fraction of tokens replaced by "unknown" in training.
    value_shift, value_scale : sequence of float, default=None
        Mean and standard deviation of each channel, or of each id for tokens with values.
    pretrained : callable, default=None
        Returns ids and their initial vectors, see :meth:`Embedding.load`.
    freeze_embeddings : bool, default=False
        Whether training leaves a table with pretrained vectors unchanged.
    linear_path : bool, default=False
        Whether a :class:`LinearPath`, fitted separately, adds its logits; for tokens only.
    dtype : torch.dtype, default=torch.float32
        Dtype of all parameters.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_tree.nn import ConvolutionalNet, ImageBatch
    >>> images = load_digits().images[:16, :, :, None]
    >>> net = ConvolutionalNet(
    ...     n_outputs=10, n_channels=1, is_image=True, kernel_sizes=[3], value_shift=[8.0], value_scale=[6.0]
    ... )
    >>> net(ImageBatch.from_array(images)).shape
    torch.Size([16, 10])
    """

    encoder: ConvolutionalEncoder | ResidualEncoder
    pool: SequencePooling

    def __init__(
        self,
        n_outputs: int,
        *,
        n_labels: int = 0,
        n_channels: int = 0,
        is_image: bool = False,
        kernel_sizes: Sequence[int] = (3, 4, 5),
        n_filters: int = 64,
        n_blocks: int | None = 1,
        pool_size: int = 1,
        pooling: str = "max",
        hidden_size: int = 64,
        embedding_dim: int = 64,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        value_shift: Sequence[float] | None = None,
        value_scale: Sequence[float] | None = None,
        pretrained: Pretrained | None = None,
        freeze_embeddings: bool = False,
        linear_path: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        embedding = make_step_embedding(
            n_labels,
            embedding_dim,
            value_shift=value_shift,
            value_scale=value_scale,
            dropout=dropout,
            word_dropout=word_dropout,
        )
        sizes = (kernel_sizes, embedding_dim if n_labels else n_channels, n_filters)
        options: dict[str, Any] = {"is_image": is_image, "dropout": dropout}
        encoder = (
            ResidualEncoder(*sizes, pool_size=pool_size, **options)
            if n_blocks is None
            else ConvolutionalEncoder(*sizes, n_blocks=n_blocks, **options)
        )
        size = encoder.output_size
        super().__init__(embedding, encoder, SequencePooling(pooling, size), dropout)
        self.norm = self.hidden = None
        if n_blocks is not None:
            self.norm, self.hidden, size = layer_norm(size), nn.Linear(size, hidden_size), hidden_size
        self.head = nn.Linear(size, n_outputs)
        self._load_vectors(pretrained, freeze_embeddings)
        if linear_path:
            self._add_linear_path(n_labels)
        self.to(dtype)

    def encode(self, batch: SequenceBatch | ImageBatch) -> Tensor:
        """Compute the inputs of the head, one vector per sample, Tensor of float, shape (n, size)."""
        words = self._embed_words(batch)
        return super().encode(batch) if words is None else self._encode_words(*words, batch)

    def encode_embedded(self, x: Tensor, batch: SequenceBatch | ImageBatch) -> Tensor:
        """Compute the inputs of the head from embedded inputs, Tensor of float, shape (n, size)."""
        return self.encode_features(self.features(x, batch), batch)

    def features(self, x: Tensor, batch: SequenceBatch | ImageBatch) -> Tensor:
        """Compute the feature maps of the last block.

        Parameters
        ----------
        x : Tensor of float, shape (n, n_steps, size) or (n, height, width, n_channels)
            Inputs of the steps or pixels.
        batch : SequenceBatch or ImageBatch
            Samples.

        Returns
        -------
        Tensor of float, shape (n, height, width, size)
            Feature maps; those of sequences have height 1. They may be smaller than the samples.
        """
        grid = batch.to_grid(x)
        if isinstance(self.encoder, ResidualEncoder):
            return self.encoder(grid, batch.grid_mask, batch.sample_weight)
        return self.encoder(grid, batch.grid_mask)

    def decide(self, features: Tensor, batch: SequenceBatch | ImageBatch) -> Tensor:
        """Compute the logits from the feature maps of the last block, shape (n, n_outputs)."""
        logits = self.compute_logits(self.encode_features(features, batch))
        return logits if self.active_linear is None else logits + self.active_linear(batch)

    def encode_features(self, features: Tensor, batch: SequenceBatch | ImageBatch) -> Tensor:
        """Compute the inputs of the head from the feature maps of the last block, shape (n, size)."""
        return self._encode_pooled(self._pool_activated(features.flatten(1, 2), self._map_ends(batch)))

    def _map_ends(self, batch: SequenceBatch | ImageBatch) -> Tensor | None:
        """Return the number of positions of each sequence in the feature maps; None if nothing is padded."""
        ends, stride = batch.ends, self.encoder.stride
        return ends if ends is None or stride == 1 else (ends + stride - 1) // stride

    def _encode_pooled(self, pooled: Tensor) -> Tensor:
        if self.norm is None or self.hidden is None:
            return pooled
        return self.hidden(self.dropout(self.norm(pooled))).relu()

    def _pool_activated(self, h: Tensor, ends: Tensor | None) -> Tensor:
        if self.pool.how == "max":  # maximum and relu commute
            return self.pool(h, ends).relu()
        return self.pool(h.relu(), ends)

    def _embed_words(self, batch: SequenceBatch | ImageBatch) -> tuple[Tensor, Tensor] | None:
        """Return the distinct words of a batch if the first block can be computed from a table of them."""
        if type(self.embedding) is not Embedding or batch.labels is None or batch.labels.device.type != "cpu":
            return None
        if type(self.encoder) is not ConvolutionalEncoder:
            return None
        convolution = self.encoder.convolutions[0]
        if type(convolution) is not Convolution:
            return None
        first = (*self.embedding.modules(), self.encoder, *convolution.modules(), self.pool)
        return None if any(map(is_hooked, first)) else self.embedding.words(batch)

    def _encode_words(self, vectors: Tensor, rows: Tensor, batch: SequenceBatch | ImageBatch) -> Tensor:
        """Compute the hidden layer from the vectors of the distinct words and the row of each token."""
        assert isinstance(self.encoder, ConvolutionalEncoder)
        convolution, ends = self.encoder.convolutions[0], batch.ends
        assert isinstance(convolution, Convolution)
        filters = list(convolution.convolutions)
        if self.pool.how == "max" and len(self.encoder.convolutions) == 1:
            pooled = convolve_words(filters, vectors, rows, ends, take_max=True).relu()
            if ends is not None:
                pooled = pooled.masked_fill(ends.unsqueeze(1) == 0, 0.0)
            return self._encode_pooled(pooled)
        h = convolve_words(filters, vectors, rows, ends, take_max=False)
        h = self.encoder.refine(h.unsqueeze(1), batch.grid_mask)
        return self._encode_pooled(self._pool_activated(h.squeeze(1), ends))
