"""Convolutional nets: filters of several widths over texts, series and images."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from sklearn_tree.nn.embedding import NodeEmbedding, step_inputs
from sklearn_tree.nn.gemm import Linear
from sklearn_tree.nn.image_batch import ImageBatch
from sklearn_tree.nn.pooling import SequencePooling, layer_norm
from sklearn_tree.nn.sequence_batch import SequenceBatch, step_mask
from sklearn_tree.nn.walkable import is_hooked
from sklearn_tree.nn.word_table import answers


class Convolution(nn.Module):
    """Convolutions of several widths side by side, over sequences or images.

    Both are grids of shape (n, height, width, channels); a sequence has height 1. Outside a grid
    there are zeros, so the output has the grid's size.

    Parameters
    ----------
    kernel_sizes : sequence of int
        Widths of the kernels; over images they are square.
    input_size : int
        Number of channels of the input.
    n_filters : int
        Number of filters of each width.
    is_image : bool
        Whether the kernels reach over rows too.
    """

    def __init__(
        self, kernel_sizes: Sequence[int], input_size: int, n_filters: int, *, is_image: bool
    ) -> None:
        super().__init__()
        widths = [(size if is_image else 1, size) for size in kernel_sizes]
        self.convolutions = (
            nn.ModuleList(  # even ones reach further to the right: one answer too many, cut off
                nn.Conv2d(input_size, n_filters, width, padding=(width[0] // 2, width[1] // 2))
                for width in widths
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve.

        Parameters
        ----------
        x : Tensor of float, shape (n, height, width, input_size)
            Grids.

        Returns
        -------
        Tensor of float, shape (n, height, width, len(kernel_sizes) * n_filters)
        """
        x = x.permute(0, 3, 1, 2)  # in torch's words: channels_last
        outputs = []
        for filters in self.convolutions:
            height, width = filters.kernel_size  # type: ignore[misc]
            outputs.append(filters(x)[:, :, 1 - height % 2 :, 1 - width % 2 :])
        return torch.cat(outputs, dim=1).permute(0, 2, 3, 1)


class ConvolutionalEncoder(nn.Module):
    """Blocks of convolutions; all but the first add to what goes in (a residual net).

    One block is Kim's net [1]_. Further blocks normalise each step by itself, activate and
    convolve [2]_; images are halved by max pooling between blocks. Nothing is shared between
    the samples of a batch, and what lies behind the end of a sequence is zero in each block.

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
        Whether inputs are images, not sequences.
    dropout : float, default=0.0
        Share of features dropped between blocks.

    References
    ----------
    .. [1] Y. Kim (2014). Convolutional Neural Networks for Sentence Classification. EMNLP.
    .. [2] K. He et al. (2016). Identity Mappings in Deep Residual Networks. ECCV.
    """

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
        self.dropout = nn.Dropout(dropout)
        sizes = [input_size] + [n_filters] * (n_blocks - 1)
        self.convolutions = nn.ModuleList(
            Convolution(kernel_sizes, size, n_filters, is_image=is_image) for size in sizes
        )
        self.norms = nn.ModuleList(layer_norm(self.output_size) for _ in sizes[1:])
        self.narrow = nn.ModuleList(Linear(self.output_size, n_filters) for _ in sizes[1:])

    @property
    def first_filters(self) -> list[nn.Module]:
        """The filters of the first block, of each width."""
        return list(self.convolutions[0].convolutions)  # type: ignore[arg-type]

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Run all blocks.

        Parameters
        ----------
        x : Tensor of float, shape (n, height, width, input_size)
            Grids.
        mask : Tensor of bool, shape (n, height, width, 1), default=None
            What is inside a sequence; None for all.

        Returns
        -------
        Tensor of float, shape (n, height, width, output_size)
            Arbitrary outside the mask; images come out smaller. Not activated yet.
        """
        return self.refine(self.convolutions[0](_inside(x, mask)), mask)

    def refine(self, h: Tensor, mask: Tensor | None = None) -> Tensor:
        """Run the blocks behind the first on what it has made; as :meth:`forward` otherwise."""
        for convolution, norm, narrow in zip(self.convolutions[1:], self.norms, self.narrow, strict=True):
            if self.is_image:
                h = halved(h)
            h = h + convolution(_inside(self.dropout(narrow(norm(h).relu())), mask))
        return h


def _inside(x: Tensor, mask: Tensor | None) -> Tensor:
    return x if mask is None else x.masked_fill(~mask, 0.0)


def halved(x: Tensor) -> Tensor:
    """Halve images by max pooling; an odd last row or column stays."""
    return F.max_pool2d(x.permute(0, 3, 1, 2), 2, ceil_mode=True).permute(0, 2, 3, 1)


class ConvolutionalNet(nn.Module):
    """Embedding, convolutions, pooling, a hidden layer and a linear head: from samples to logits.

    Parameters
    ----------
    n_outputs : int
        Number of outputs per sample.
    n_labels : int, default=0
        Number of token ids; 0 for numbers.
    n_channels : int, default=0
        Number of channels of series and images; 0 for tokens.
    is_image : bool, default=False
        Whether samples are images, not sequences.
    kernel_sizes : sequence of int, default=(3, 4, 5)
        Widths of the kernels of each block.
    n_filters : int, default=64
        Number of filters of each width.
    n_blocks : int, default=1
        Number of blocks; those after the first are residual.
    pooling : {"max", "mean", "attention"}, default="max"
        How the vectors of all positions become one.
    hidden_size : int, default=64
        Size of the hidden layer.
    embedding_dim : int, default=64
        Size of a token's vector.
    dropout : float, default=0.0
        Share of features dropped at the input, between blocks and before both layers.
    word_dropout : float, default=0.0
        Share of tokens replaced by "unknown" in training.
    value_shift, value_scale : sequence of float, default=None
        Mean and standard deviation of each channel, or of each id for tokens with numbers.
    dtype : torch.dtype, default=torch.float32
        Type of all parameters.
    """

    def __init__(
        self,
        n_outputs: int,
        *,
        n_labels: int = 0,
        n_channels: int = 0,
        is_image: bool = False,
        kernel_sizes: Sequence[int] = (3, 4, 5),
        n_filters: int = 64,
        n_blocks: int = 1,
        pooling: str = "max",
        hidden_size: int = 64,
        embedding_dim: int = 64,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        value_shift: Sequence[float] | None = None,
        value_scale: Sequence[float] | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.embedding = step_inputs(
            n_labels,
            embedding_dim,
            value_shift=value_shift,
            value_scale=value_scale,
            dropout=dropout,
            word_dropout=word_dropout,
        )
        self.encoder = ConvolutionalEncoder(
            kernel_sizes,
            embedding_dim if n_labels else n_channels,
            n_filters,
            n_blocks=n_blocks,
            is_image=is_image,
            dropout=dropout,
        )
        self.pool = SequencePooling(pooling, self.encoder.output_size)
        self.norm = layer_norm(self.encoder.output_size)
        self.hidden = nn.Linear(self.encoder.output_size, hidden_size)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden_size, n_outputs)
        self.to(dtype)

    def forward(self, batch: SequenceBatch | ImageBatch) -> Tensor:
        """Compute the outputs of a batch.

        Parameters
        ----------
        batch : SequenceBatch or ImageBatch
            The samples.

        Returns
        -------
        Tensor of float, shape (n, n_outputs)
        """
        return self.head(self.dropout(self.encode(batch)))

    def forward_embedded(self, x: Tensor, batch: SequenceBatch | ImageBatch) -> Tensor:
        """Compute the outputs from what the embedding makes of a batch.

        Parameters
        ----------
        x : Tensor of float, shape (n, n_steps, size) or (n, height, width, n_channels)
            Inputs of the steps or pixels.
        batch : SequenceBatch or ImageBatch
            The samples.

        Returns
        -------
        Tensor of float, shape (n, n_outputs)
        """
        return self.decide(self.features(x, batch), batch)

    def features(self, x: Tensor, batch: SequenceBatch | ImageBatch) -> Tensor:
        """Compute the filters' answers to inputs, shape (n, height, width, size); sequences have height 1."""
        if isinstance(batch, ImageBatch):
            return self.encoder(x)
        ends = batch.ends
        mask = None if ends is None else step_mask(ends, batch.n_steps)[:, None, :, None]
        return self.encoder(x.unsqueeze(1), mask)

    def decide(self, answers: Tensor, batch: SequenceBatch | ImageBatch) -> Tensor:
        """Compute the outputs from the filters' answers."""
        ends = None if isinstance(batch, ImageBatch) else batch.ends
        pooled = self._activate_and_pool(answers.flatten(1, 2), ends)
        return self.head(self.dropout(self._hidden(pooled)))

    def encode(self, batch: SequenceBatch | ImageBatch) -> Tensor:
        """Return the hidden layer, one vector per sample; float, shape (n, hidden_size)."""
        return self._hidden(self._pooled(batch))

    def _hidden(self, pooled: Tensor) -> Tensor:
        return self.hidden(self.dropout(self.norm(pooled))).relu()

    def _pooled(self, batch: SequenceBatch | ImageBatch) -> Tensor:
        ends = None if isinstance(batch, ImageBatch) else batch.ends
        words = None if isinstance(batch, ImageBatch) else self._words(batch)
        if words is None:
            x = self.embedding(batch).to(self.head.weight.dtype)
            return self._activate_and_pool(self.features(x, batch).flatten(1, 2), ends)
        mask = None if ends is None else step_mask(ends, batch.n_steps)[:, None, :, None]  # type: ignore[union-attr]
        vectors, rows = words
        filters = self.encoder.first_filters
        if self.pool.how == "max" and len(self.encoder.convolutions) == 1:
            largest = answers(filters, vectors, rows, ends, largest=True).relu()
            return largest if ends is None else largest.masked_fill(ends.unsqueeze(1) == 0, 0.0)
        h = self.encoder.refine(answers(filters, vectors, rows, ends, largest=False).unsqueeze(1), mask)
        return self._activate_and_pool(h.squeeze(1), ends)

    def _activate_and_pool(self, h: Tensor, ends: Tensor | None) -> Tensor:
        if self.pool.how == "max":  # the same in either order
            return self.pool(h, ends).relu()
        return self.pool(h.relu(), ends)

    def _words(self, batch: SequenceBatch) -> tuple[Tensor, Tensor] | None:
        """Return the batch's distinct words, if the first block is computed from a table of them."""
        if type(self.embedding) is not NodeEmbedding or batch.lengths.device.type != "cpu":
            return None
        convolution = self.encoder.convolutions[0]
        if type(self.encoder) is not ConvolutionalEncoder or type(convolution) is not Convolution:
            return None
        first = (*self.embedding.modules(), self.encoder, *convolution.modules(), self.pool)
        return None if any(map(is_hooked, first)) else self.embedding.words(batch)
