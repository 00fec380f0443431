"""Graphs of whole nets, from the inputs to the logits."""

from __future__ import annotations

from typing import Any

from sklearn_tree.export.convolutional import ConvolutionalWriter
from sklearn_tree.export.errors import NotExportableError
from sklearn_tree.export.graph import Graph
from sklearn_tree.export.recurrent import write_recurrent
from sklearn_tree.export.recursive import RecursiveWriter
from sklearn_tree.export.sequences import SequenceInputs, write_linear_path
from sklearn_tree.nn import ConvolutionalNet, PairNet, RecurrentNet, RecursiveNet


def write_net(module: Any) -> Graph:
    """Return the graph of a net.

    Recursive nets in double precision stay in double precision. ONNX Runtime has no recurrent layers and
    convolutions in double precision, so those of other nets become single precision; inputs are standardized
    in double precision in both.

    Parameters
    ----------
    module : RecursiveNet, RecurrentNet, ConvolutionalNet or PairNet
        Net.

    Returns
    -------
    Graph
        Its output ``logits`` has the shape (n, n_outputs).

    Raises
    ------
    NotExportableError
        If the net is of another class, or its cell cannot be exported.
    """
    net = module.net if type(module) is PairNet else module
    is_recursive = type(net) is RecursiveNet
    is_double = is_recursive and "float64" in str(net.head.weight.dtype)
    graph = Graph("float64" if is_double else "float32")
    vectors, linear = _write_encoder(graph, net)
    if type(module) is PairNet:
        logits = _write_comparison(graph, module, vectors)
    else:
        logits = graph.linear(vectors, net.head)
        logits = graph.add("Add", logits, linear) if linear else logits
    graph.output(logits, ["n_samples", net.head.out_features], "logits")
    return graph


def _write_encoder(graph: Graph, net: Any) -> tuple[str, str]:
    """Add the encoder; return the vectors of samples and the logits of the linear model, "" without one."""
    linear = net.active_linear
    if type(net) is RecursiveNet:
        writer = RecursiveWriter(graph, net)
        return writer.encode(), "" if linear is None else writer.linear_logits()
    is_image = type(net) is ConvolutionalNet and net.encoder.is_image
    inputs = None if is_image else SequenceInputs(graph, net.embedding)
    if type(net) is ConvolutionalNet:
        vectors = ConvolutionalWriter(graph, net, inputs).encode()
    elif type(net) is RecurrentNet:
        assert inputs is not None
        vectors = write_recurrent(graph, net, inputs)
    else:
        raise NotExportableError(f"the net must be of this package, got {type(net).__name__}")
    return vectors, "" if linear is None or inputs is None else write_linear_path(graph, linear, inputs)


def _write_comparison(graph: Graph, module: Any, vectors: str) -> str:
    """Add the comparison of the samples of pairs; return the logits."""
    size = module.net.head.in_features // 4
    pairs = graph.add("Reshape", vectors, graph.ints(-1, 2 * size))
    a, b = graph.split(pairs, [size, size])
    difference = graph.add("Abs", graph.add("Sub", a, b))
    compared = graph.concat([a, b, difference, graph.add("Mul", a, b)])
    hidden = graph.add("Tanh", graph.linear(compared, module.hidden[0]))
    return graph.add("Add", graph.linear(compared, module.net.head), graph.linear(hidden, module.hidden[2]))
