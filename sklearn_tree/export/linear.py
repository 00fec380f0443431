"""Linear models over labels as nodes of ONNX."""

from __future__ import annotations

from typing import Any

from sklearn_tree.export.embedding import replace_unknown
from sklearn_tree.export.graph import Graph


def write_label_scores(graph: Graph, linear: Any, labels: str) -> str:
    """Return the weights of labels, shape (..., n_outputs)."""
    ids = replace_unknown(graph, labels, len(linear.weight))
    return graph.add("Gather", graph.weight(linear.weight), ids, axis=0)


def write_scaled_sums(graph: Graph, linear: Any, sums: str, n: str) -> str:
    """Return the logits of a linear model.

    Parameters
    ----------
    graph : Graph
        Graph of the net.
    linear : LinearPath
        Linear model.
    sums : str
        Sums of the weights of the labels, shape (n_samples, n_outputs).
    n : str
        Number of labels of each sample, shape (n_samples, 1).
    """
    return graph.add("Add", graph.add("Div", sums, graph.add("Sqrt", n)), graph.weight(linear.bias))
