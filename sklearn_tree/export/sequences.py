"""Inputs, pooling and linear models of nets for sequences as nodes of ONNX."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from sklearn_tree.export.embedding import replace_unknown, write_embedding, write_standardize
from sklearn_tree.export.graph import Graph
from sklearn_tree.export.linear import write_label_scores, write_scaled_sums
from sklearn_tree.nn import Embedding
from sklearn_tree.trees.flat import N_RESERVED_IDS, UNKNOWN_ID


class SequenceInputs:
    """Inputs of a batch of sequences: ids or values of the steps, and the lengths.

    Parameters
    ----------
    graph : Graph
        Graph of the net.
    embedding : Embedding or StepValues
        Input layer.
    """

    def __init__(self, graph: Graph, embedding: Any) -> None:
        self.graph = graph
        self.embedding = embedding
        self.lengths = graph.input("lengths", "int64", ["n"])

    @cached_property
    def labels(self) -> str:
        """Ids, int64, shape (n, n_steps); those of the columns for tables."""
        if self.embedding.values is None:
            return self.graph.input("labels", "int64", ["n", "n_steps"])
        ids = np.arange(N_RESERVED_IDS, self.embedding.labels.num_embeddings)
        return self.graph.add("Expand", self.graph.constant(ids), self.graph.add("Shape", self._table))

    @property
    def _table(self) -> str:
        n_columns = self.embedding.labels.num_embeddings - N_RESERVED_IDS
        return self.graph.input("values", "float64", ["n", n_columns])

    @cached_property
    def x(self) -> str:
        """Inputs of the encoder, shape (n, n_steps, size)."""
        graph = self.graph
        if isinstance(self.embedding, Embedding):
            values = "" if self.embedding.values is None else self._table
            return write_embedding(graph, self.embedding, self.labels, values)
        n_channels = len(self.embedding.standardize.shift)
        values = graph.input("values", "float64", ["n", "n_steps", n_channels])
        return graph.cast(write_standardize(graph, self.embedding.standardize, values))

    @cached_property
    def n_steps(self) -> str:
        """Number of steps, padding included, int64, shape (1,)."""
        return self.graph.add("Shape", self.x, start=1, end=2)

    @cached_property
    def is_step(self) -> str:
        """Mask of the steps that are not padding, shape (n, n_steps)."""
        return make_mask(self.graph, self.lengths, self.n_steps)


def make_mask(graph: Graph, lengths: str, n_steps: str) -> str:
    """Return the mask of the steps that are not padding, bool, shape (n, n_steps)."""
    zero, one = graph.constant(np.array(0)), graph.constant(np.array(1))
    steps = graph.add("Range", zero, graph.add("Squeeze", n_steps), one)
    return graph.add("Less", steps, graph.add("Unsqueeze", lengths, graph.ints(1)))


def write_pooling(graph: Graph, pool: Any, h: str, lengths: str = "", is_step: str = "") -> str:
    """Add the pooling of step vectors.

    Parameters
    ----------
    graph : Graph
        Graph of the net.
    pool : SequencePooling
        Pooling.
    h : str
        Vectors, shape (n, n_steps, size).
    lengths, is_step : str, default=""
        Number of steps of each sequence, shape (n,), and mask, shape (n, n_steps); "" if nothing is padded.

    Returns
    -------
    str
        Vectors of the samples, shape (n, size).
    """
    axis, last = graph.ints(1), graph.ints(-1)
    mask = graph.add("Unsqueeze", is_step, last) if is_step else ""
    if pool.how == "max":
        if not mask:
            return graph.add("ReduceMax", h, axis, keepdims=0)
        largest = graph.add("ReduceMax", mask_values(graph, h, mask, -np.inf), axis, keepdims=0)
        return mask_empty(graph, largest, lengths)
    h = mask_values(graph, h, mask, 0.0) if mask else h
    if pool.how == "mean":
        if not mask:
            return graph.add("ReduceMean", h, axis, keepdims=0)
        n = graph.cast(graph.add("Max", lengths, graph.constant(np.array(1))))
        total = graph.add("ReduceSum", h, axis, keepdims=0)
        return graph.add("Div", total, graph.add("Unsqueeze", n, last))
    scores = graph.linear(h, pool.score)
    if mask:
        scores = mask_values(graph, scores, mask, float(np.finfo(graph.dtype).min))
    weighted = graph.add("Mul", graph.add("Softmax", scores, axis=1), h)
    return graph.add("ReduceSum", weighted, axis, keepdims=0)


def mask_values(graph: Graph, x: str, mask: str, number: float) -> str:
    """Replace the values outside a mask by a number."""
    return graph.add("Where", mask, x, graph.constant(number))


def mask_empty(graph: Graph, vectors: str, lengths: str) -> str:
    """Set the vectors of empty sequences to 0."""
    is_filled = graph.add("Greater", lengths, graph.constant(np.array(0)))
    return mask_values(graph, vectors, graph.add("Unsqueeze", is_filled, graph.ints(1)), 0.0)


def write_norm(graph: Graph, norm: Any, x: str) -> str:
    """Add a layer normalization of the last axis, or nothing for the identity."""
    if not hasattr(norm, "normalized_shape"):
        return x
    weights = (graph.weight(norm.weight), graph.weight(norm.bias))
    return graph.add("LayerNormalization", x, *weights, axis=-1, epsilon=norm.eps)


def write_linear_path(graph: Graph, linear: Any, inputs: SequenceInputs) -> str:
    """Add the linear model over tokens and bigrams; return its logits, shape (n, n_outputs)."""
    mask = graph.add("Unsqueeze", inputs.is_step, graph.ints(-1))
    scores = write_label_scores(graph, linear, inputs.labels)
    sums = _sum_in_double(graph, mask_values(graph, scores, mask, 0.0))
    if len(linear.bigrams):
        sums = graph.add("Add", sums, _sum_bigrams(graph, linear, inputs))
    n = graph.cast(graph.add("Max", inputs.lengths, graph.constant(np.array(1))))
    return write_scaled_sums(graph, linear, sums, graph.add("Unsqueeze", n, graph.ints(1)))


def _sum_bigrams(graph: Graph, linear: Any, inputs: SequenceInputs) -> str:
    """Return the sums of the weights of known bigrams, shape (n, n_outputs)."""
    ids = replace_unknown(graph, inputs.labels, len(linear.weight))
    last, end = graph.ints(-1), graph.ints(2**63 - 1)
    first = graph.slice(ids, graph.ints(0), last, axis=1)
    second = graph.slice(ids, graph.ints(1), end, axis=1)
    codes = graph.add("Add", graph.add("Mul", first, graph.constant(np.array(len(linear.weight)))), second)
    bigrams = linear.bigrams.cpu().numpy()
    index = _search_sorted(graph, bigrams, codes)
    weight = linear.bigram_weight.detach().cpu().numpy()
    weight = np.vstack([weight, np.zeros((1, weight.shape[1]))])  # of codes that exceed all bigrams
    found = graph.add("Gather", graph.constant(np.r_[bigrams, -1]), index, axis=0)
    is_known = graph.add("Equal", found, codes)
    for part in (first, second):
        known = graph.add("Greater", part, graph.constant(np.array(UNKNOWN_ID)))
        is_known = graph.add("And", is_known, known)
    is_known = graph.add("And", is_known, graph.slice(inputs.is_step, graph.ints(1), end, axis=1))
    scores = graph.add("Gather", graph.constant(weight), index, axis=0)
    scores = mask_values(graph, scores, graph.add("Unsqueeze", is_known, last), 0.0)
    return _sum_in_double(graph, scores)


def _sum_in_double(graph: Graph, scores: str) -> str:
    """Sum over the second axis in double precision, as long texts need it."""
    sums = graph.add("ReduceSum", graph.cast(scores, "float64"), graph.ints(1), keepdims=0)
    return graph.cast(sums)


def _search_sorted(graph: Graph, table: np.ndarray, codes: str) -> str:
    """Return the number of entries of a sorted table that are smaller than each code.

    ONNX has no such operator; this is a binary search for all codes at once, one bit per step.
    """
    n_bits = len(table).bit_length()
    padded = np.full(2**n_bits, np.iinfo(np.int64).max)
    padded[: len(table)] = table
    names = graph.constant(padded)
    index = graph.add("Mul", codes, graph.constant(np.array(0)))
    for bit in range(n_bits - 1, -1, -1):
        probe = graph.add("Add", index, graph.constant(np.array(2**bit)))
        entry = graph.add("Gather", names, graph.add("Sub", probe, graph.constant(np.array(1))), axis=0)
        index = graph.add("Where", graph.add("Less", entry, codes), probe, index)
    return index
