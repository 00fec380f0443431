"""Convolutional nets as graphs of ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_tree.export.embedding import write_standardize
from sklearn_tree.export.graph import Graph, Shape
from sklearn_tree.export.sequences import SequenceInputs, make_mask, write_norm, write_pooling
from sklearn_tree.nn import ResidualEncoder


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

    def encode(self) -> str:
        """Add the encoder, the pooling and the hidden layer; return one vector per sample."""
        graph, net = self.graph, self.net
        x = self._channels_first(self._embed_image() if self.inputs is None else self.inputs.x)
        is_residual = isinstance(net.encoder, ResidualEncoder)
        h = self._write_residual(x) if is_residual else self._write_blocks(x)
        h = graph.add("Relu", self._channels_last(h))
        if self.inputs is None:
            h = graph.add("Reshape", h, graph.ints(0, -1, net.encoder.output_size))
        pooled = write_pooling(graph, net.pool, h, self.lengths, self.is_step)
        if net.norm is None:
            return pooled
        return graph.add("Relu", graph.linear(write_norm(graph, net.norm, pooled), net.hidden))

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
        graph = self.graph
        mask = graph.add("Unsqueeze", self.is_step, graph.ints(1))
        return graph.add("Where", mask, x, graph.constant(0.0))

    def _convolve(self, x: str, module: Any) -> str:
        """Add convolutions of several widths."""
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
        return self.graph.concat(outputs, axis=1)

    def _max_pool(self, x: str, size: int) -> str:
        shape = [size] * self.n_axes
        return self.graph.add("MaxPool", x, kernel_shape=shape, strides=shape, ceil_mode=1)

    # Encoders.

    def _write_blocks(self, x: str) -> str:
        graph, encoder = self.graph, self.net.encoder
        h = self._convolve(self._fill_padding(x), encoder.convolutions[0])
        blocks = zip(encoder.convolutions[1:], encoder.norms, encoder.narrow, strict=True)
        for convolution, norm, narrow in blocks:
            if encoder.is_image:
                h = self._max_pool(h, 2)
            steps = graph.add("Relu", write_norm(graph, norm, self._channels_last(h)))
            narrowed = self._channels_first(graph.linear(steps, narrow))
            h = graph.add("Add", h, self._convolve(self._fill_padding(narrowed), convolution))
        return h

    def _write_residual(self, x: str) -> str:
        graph, encoder = self.graph, self.net.encoder
        h = self._normalize(self._convolve(self._fill_padding(x), encoder.convolution), encoder.norm)
        for i, block in enumerate(encoder.blocks):
            h = self._downsample(self._fill_padding(graph.add("Relu", h)), 2 if i else encoder.pool_size)
            h = self._write_residual_block(h, block)
        return h

    def _write_residual_block(self, x: str, block: Any) -> str:
        h = x
        for i, (convolution, norm) in enumerate(zip(block.convolutions, block.norms, strict=True)):
            h = self._fill_padding(self.graph.add("Relu", h) if i else h)
            h = self._normalize(self._convolve(h, convolution), norm)
        if block.shortcut is not None:
            x = self._normalize(self._convolve(x, block.shortcut), block.shortcut_norm)
        return self.graph.add("Add", h, x)

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
