"""Convolutional nets as graphs of ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_tree.export.embedding import write_standardize
from sklearn_tree.export.graph import Graph, Shape
from sklearn_tree.export.sequences import SequenceInputs, make_mask, write_norm, write_pooling
from sklearn_tree.nn import ResidualEncoder
from sklearn_tree.trees.flat import PAD_ID


class ConvolutionalWriter:
    """Writer of a :class:`~sklearn_tree.nn.ConvolutionalNet`.

    Feature maps have the shape (n, channels, n_steps) or (n, channels, height, width).

    Parameters
    ----------
    graph : Graph
        Graph of the net.
    net : ConvolutionalNet
        Net.
    inputs : SequenceInputs or None
        Inputs; None for images.
    """

    def __init__(self, graph: Graph, net: Any, inputs: SequenceInputs | None) -> None:
        self.graph = graph
        self.net = net
        self.inputs = inputs
        self.n_axes = 2 if inputs is None else 1
        self.lengths = "" if inputs is None else inputs.lengths
        self.is_step = "" if inputs is None else inputs.is_step
        self._masks: dict[str, str] = {}  # 1 for steps and 0 for padding, by the mask

    def encode(self) -> str:
        """Add the encoder, the pooling and the hidden layer; return one vector per sample."""
        graph, net = self.graph, self.net
        x = self._channels_first(self._embed_image() if self.inputs is None else self.inputs.x)
        x = x if self._has_zero_padding() else self._fill_padding(x)
        is_residual = isinstance(net.encoder, ResidualEncoder)
        maps = [self._write_residual(x)] if is_residual else self._write_blocks(x)
        pooled = self._pool_max(maps) if net.pool.how == "max" else self._pool(graph.concat(maps, axis=1))
        if net.norm is None:
            return pooled
        return graph.add("Relu", graph.linear(write_norm(graph, net.norm, pooled), net.hidden))

    def _pool_max(self, maps: list[str]) -> str:
        """Pool parts of the feature maps; maximum and relu commute."""
        graph, axes = self.graph, self.graph.ints(*range(2, self.n_axes + 2))
        if self.is_step:
            lowest = graph.add("Where", self.is_step, graph.constant(0.0), graph.constant(-np.inf))
            lowest = graph.add("Unsqueeze", lowest, graph.ints(1))
            maps = [graph.add("Add", part, lowest) for part in maps]
        pooled = graph.concat([graph.add("ReduceMax", part, axes, keepdims=0) for part in maps])
        pooled = graph.add("Relu", pooled)  # the maximum of an empty sequence, -inf, becomes 0
        return pooled

    def _pool(self, maps: str) -> str:
        graph = self.graph
        h = graph.add("Relu", self._channels_last(maps))
        if self.inputs is None:
            h = graph.add("Reshape", h, graph.ints(0, -1, self.net.encoder.output_size))
        return write_pooling(graph, self.net.pool, h, self.lengths, self.is_step)

    def _has_zero_padding(self) -> bool:
        """Return whether the embedding of the padding is 0."""
        embedding = self.net.embedding
        return getattr(embedding, "values", self) is None and not embedding.labels.weight[PAD_ID].any()

    def _embed_image(self) -> str:
        standardize = self.net.embedding.standardize
        shape: Shape = ["n", "height", "width", len(standardize.shift)]
        values = self.graph.input("values", "float64", shape)
        return self.graph.cast(write_standardize(self.graph, standardize, values))

    def _channels_first(self, x: str) -> str:
        return self.graph.add("Transpose", x, perm=[0, self.n_axes + 1, *range(1, self.n_axes + 1)])

    def _channels_last(self, x: str) -> str:
        return self.graph.add("Transpose", x, perm=[0, *range(2, self.n_axes + 2), 1])

    def _fill_padding(self, x: str) -> str:
        """Set the padding of sequences to 0."""
        if not self.is_step:
            return x
        if self.is_step not in self._masks:
            mask = self.graph.add("Unsqueeze", self.graph.cast(self.is_step), self.graph.ints(1))
            self._masks[self.is_step] = mask
        return self.graph.add("Mul", x, self._masks[self.is_step])

    def _convolve(self, x: str, module: Any) -> list[str]:
        """Add convolutions of several widths; return the feature maps of each."""
        outputs = []
        for conv, shape in zip(module.convolutions, module.kernel_shapes, strict=True):
            weight, sizes = conv.weight.detach().cpu().numpy(), list(shape)
            if self.n_axes == 1:
                weight, sizes = weight[:, :, 0], sizes[1:]
            inputs = [x, self.graph.constant(weight)]
            if conv.bias is not None:
                inputs.append(self.graph.weight(conv.bias))
            pads = [(size - 1) // 2 for size in sizes] + [size // 2 for size in sizes]
            outputs.append(self.graph.add("Conv", *inputs, kernel_shape=sizes, pads=pads))
        return outputs

    def _max_pool(self, x: str, size: int) -> str:
        shape = [size] * self.n_axes
        return self.graph.add("MaxPool", x, kernel_shape=shape, strides=shape, ceil_mode=1)

    # Encoders.

    def _write_blocks(self, x: str) -> list[str]:
        graph, encoder = self.graph, self.net.encoder
        maps = self._convolve(x, encoder.convolutions[0])
        blocks = zip(encoder.convolutions[1:], encoder.norms, encoder.narrow, strict=True)
        for convolution, norm, narrow in blocks:
            h = graph.concat(maps, axis=1)
            if encoder.is_image:
                h = self._max_pool(h, 2)
            steps = graph.add("Relu", write_norm(graph, norm, self._channels_last(h)))
            narrowed = self._fill_padding(self._channels_first(graph.linear(steps, narrow)))
            maps = [graph.add("Add", h, graph.concat(self._convolve(narrowed, convolution), axis=1))]
        return maps

    def _write_residual(self, x: str) -> str:
        encoder = self.net.encoder
        h = self._convolve_normalized(x, encoder.convolution, encoder.norm)
        for i, block in enumerate(encoder.blocks):
            h = self._fill_padding(self.graph.add("Relu", h))
            h = self._write_residual_block(self._downsample(h, 2 if i else encoder.pool_size), block)
        return h

    def _write_residual_block(self, x: str, block: Any) -> str:
        h = x
        for i, (convolution, norm) in enumerate(zip(block.convolutions, block.norms, strict=True)):
            h = self._fill_padding(self.graph.add("Relu", h) if i else h)
            h = self._convolve_normalized(h, convolution, norm)
        if block.shortcut is not None:
            x = self._convolve_normalized(x, block.shortcut, block.shortcut_norm)
        return self.graph.add("Add", h, x)

    def _convolve_normalized(self, x: str, convolution: Any, norm: Any) -> str:
        return self._normalize(self.graph.concat(self._convolve(x, convolution), axis=1), norm)

    def _normalize(self, x: str, norm: Any) -> str:
        weights = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
        names = [self.graph.weight(weight) for weight in weights]
        return self.graph.add("BatchNormalization", x, *names, epsilon=1e-5)

    def _downsample(self, h: str, size: int) -> str:
        """Downsample feature maps by max pooling, and the mask with them."""
        if size == 1:
            return h
        h = self._max_pool(h, size)
        if self.lengths:
            self.lengths = self._divide_lengths(size)
            self.is_step = make_mask(self.graph, self.lengths, self.graph.add("Shape", h, start=2, end=3))
        return h

    def _divide_lengths(self, size: int) -> str:
        graph = self.graph
        total = graph.add("Add", self.lengths, graph.constant(np.array(size - 1)))
        return graph.add("Div", total, graph.constant(np.array(size)))
