"""Subtrees of samples, whose predictions are explained in place of those of the whole trees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.explanations import Explanations
from sklearn_tree.explain.views import Samples, TreesView, find_view
from sklearn_tree.trees import TreeArray


def check_nodes(net: ExplainedNet, samples: Samples, node: Any) -> np.ndarray:
    """Return the explained node of each tree, ndarray of int64, shape (n_samples,).

    Parameters
    ----------
    net : ExplainedNet
        The net.
    samples : Samples
        The samples.
    node : int or array-like of int, shape (n_samples,)
        Node in preorder, the same for all trees or one for each.

    Raises
    ------
    ValueError
        If the samples are not single trees, the net reads the context of a node, or a tree has no such node.
    """
    name = type(net.estimator).__name__
    if not isinstance(find_view(net.kind), TreesView):
        raise ValueError(f"node must be None for samples of the kind {net.kind.name!r}, got {node!r:.60}")
    if net.module.encoder.downward is not None:
        raise ValueError(
            f"node must be None for a {name} with bidirectional=True, got {node!r:.60}: the vector of a node "
            "depends on the whole tree"
        )
    sizes = samples.encoded.sizes
    nodes = np.asarray(node)
    if nodes.dtype.kind not in "iu" or nodes.shape not in ((), (len(sizes),)):
        raise ValueError(
            f"node must be an int or an array of {len(sizes)} int, one for each sample, got {node!r:.60}"
        )
    nodes = np.broadcast_to(nodes, len(sizes)).astype(np.int64)
    for i in np.flatnonzero((nodes < 0) | (nodes >= sizes))[:1]:
        raise ValueError(f"node of X[{i}] must be an int in [0, {sizes[i] - 1}], got {nodes[i]}")
    return nodes


def take_subtrees(net: ExplainedNet, samples: Samples, nodes: np.ndarray) -> Samples:
    """Return the subtrees of some nodes, one of each tree, as samples."""
    encoded = _take(net.kind.to_host(samples.encoded), nodes)
    return replace(samples, encoded=encoded, shown=_take(samples.shown, nodes))


def place_in_trees(explanations: Explanations, samples: Samples, nodes: np.ndarray) -> Explanations:
    """Return the explanations of subtrees as explanations of nodes of the whole trees.

    The nodes outside the subtrees, which do not change the predictions, get 0.
    """
    rows = explanations.sample_index
    nodes, sizes = nodes[rows], samples.encoded.sizes[rows]

    def place(parts: list[np.ndarray]) -> list[np.ndarray]:
        triples = zip(parts, nodes, sizes, strict=True)
        return [np.pad(part, (node, size - node - len(part))) for part, node, size in triples]

    return replace(
        explanations,
        samples=samples.shown[rows],
        attributions=place(explanations.attributions),
        own=place(explanations.own),
        nodes=nodes,
    )


def _take(trees: TreeArray, nodes: np.ndarray) -> TreeArray:
    starts = trees.offsets[:-1] + nodes
    sizes = trees.subtree_ends[starts] - starts
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    rows = np.repeat(starts - offsets[:-1], sizes) + np.arange(offsets[-1])
    depths = trees.depths[rows] - np.repeat(trees.depths[starts], sizes)
    return TreeArray(
        trees.labels[rows],
        depths,
        offsets,
        values=None if trees.values is None else trees.values[rows],
        edges=None if trees.edges is None else trees.edges[rows],
        vocabulary=trees.vocabulary,
        n_labels=trees.n_labels,
        edge_vocabulary=trees.edge_vocabulary,
        n_edge_labels=trees.n_edge_labels,
        vectors=trees.vectors,
        validate=False,
    )
