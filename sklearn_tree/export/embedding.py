"""Embeddings and standardized values as nodes of ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_tree.export.graph import Graph
from sklearn_tree.trees.flat import UNKNOWN_ID


def write_embedding(graph: Graph, embedding: Any, labels: str, values: str = "", edges: str = "") -> str:
    """Add the embedding of tokens or nodes.

    Parameters
    ----------
    graph : Graph
        Graph of the net.
    embedding : Embedding
        Embedding.
    labels : str
        Ids, int64, any shape.
    values, edges : str, default=""
        Values, float64, and ids of edge labels, int64, of the same shape. Read if the embedding has them.

    Returns
    -------
    str
        Vectors, shape (..., size).
    """
    ids = replace_unknown(graph, labels, embedding.labels.num_embeddings)
    x = graph.add("Gather", graph.weight(embedding.labels.weight), ids, axis=0)
    if getattr(embedding, "edges", None) is not None:
        edge_ids = replace_unknown(graph, edges, embedding.edges.num_embeddings)
        x = graph.add("Add", x, graph.add("Gather", graph.weight(embedding.edges.weight), edge_ids, axis=0))
    if embedding.values is None:
        return x
    z = graph.cast(write_standardize(graph, embedding.standardize, values, ids))
    directions = graph.add("Gather", graph.weight(embedding.values.weight), ids, axis=0)
    return graph.add("Add", x, graph.add("Mul", graph.add("Unsqueeze", z, graph.ints(-1)), directions))


def write_node_embedding(graph: Graph, embedding: Any, labels: str, size: str) -> str:
    """Add the embedding of nodes, and the inputs for their edge labels and values if it reads them.

    Parameters
    ----------
    graph : Graph
        Graph of the net.
    embedding : NodeEmbedding
        Embedding.
    labels : str
        Ids, int64, shape (n,).
    size : str
        Name of the number of nodes.

    Returns
    -------
    str
        Vectors, shape (n, embedding_dim).
    """
    edges = "" if embedding.edges is None else graph.input("edges", "int64", [size])
    values = "" if embedding.values is None else graph.input("values", "float64", [size])
    return write_embedding(graph, embedding, labels, values, edges)


def write_standardize(graph: Graph, standardize: Any, values: str, ids: str = "") -> str:
    """Add the standardization of values, float64, by their ids or by their last axis."""
    shift, scale = (
        graph.constant(buffer.cpu().numpy(), "float64") for buffer in (standardize.shift, standardize.scale)
    )
    if ids:
        shift, scale = (graph.add("Gather", table, ids, axis=0) for table in (shift, scale))
    z = graph.add("Div", graph.add("Sub", values, shift), scale)
    return graph.add("Where", graph.add("IsNaN", z), graph.constant(0.0, "float64"), z)


def replace_unknown(graph: Graph, ids: str, n: int) -> str:
    """Replace ids that are at least ``n`` by that of unknown labels."""
    is_unknown = graph.add("GreaterOrEqual", ids, graph.constant(np.array(n)))
    return graph.add("Where", is_unknown, graph.constant(np.array(UNKNOWN_ID)), ids)
