"""Explanations of the outputs of single nodes of trees."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from sklearn_tree.drawing import cut
from sklearn_tree.estimators.targets import check_length
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.inputs import Inputs
from sklearn_tree.explain.methods import Method
from sklearn_tree.explain.request import Attributions, Request
from sklearn_tree.explain.runtime import run
from sklearn_tree.explain.tree_inputs import TreeInputs
from sklearn_tree.explain.views import find_view
from sklearn_tree.trees.subtrees import take_subtrees
from sklearn_tree.trees.svg import list_leaves

_LONGEST, _N_NODES = 40, 200  # characters of a name, and nodes of a subtree whose leaves it lists


def check_nodes(node: Any, net: ExplainedNet, encoded: Any) -> np.ndarray:
    """Return the explained node of each tree, ndarray of int64, shape (n_trees,).

    Parameters
    ----------
    node : int or array-like of int, shape (n_trees,)
        The node of all trees, or of each tree, numbered in preorder.
    net : ExplainedNet
        The net.
    encoded : TreeArray
        The trees.

    Raises
    ------
    ValueError
        If the net does not read single trees, or a tree lacks the node.
    """
    if net.kind.item_kind is not None or not find_view(net.kind).has_subtrees:
        raise ValueError(f"node must be None for a net that does not read single trees, got {node!r:.60}")
    nodes = np.asarray(node)
    if nodes.dtype.kind not in "iu" or nodes.ndim > 1:
        raise ValueError(f"node must be an int or hold one int per tree, got {node!r:.60}")
    if nodes.ndim:
        check_length(nodes, encoded, names=("node", "X"))
    nodes = np.broadcast_to(nodes, len(encoded)).astype(np.int64)
    for row in np.flatnonzero((nodes < 0) | (nodes >= encoded.sizes))[:1]:
        raise ValueError(f"node must be in [0, {encoded.sizes[row] - 1}] for X[{row}], got {nodes[row]}")
    return nodes


def explain_nodes(method: Method, request: Request, nodes: np.ndarray, verbose: int) -> Attributions:
    """Explain the output of one node of each tree of a request.

    The output of a node depends on its subtree only, which is explained as a separate tree. In a
    bidirectional net, it depends on the whole tree.

    Parameters
    ----------
    method : Method
        Method of attribution.
    request : Request
        The trees and the settings.
    nodes : ndarray of int, shape (n_trees,)
        Node of each tree.
    verbose : int
        1 shows a progress bar.

    Returns
    -------
    Attributions
        Attributions of all nodes of the trees.

    Raises
    ------
    ValueError
        If the method does not explain nodes.
    """
    if method.refuse_nodes is not None:
        raise ValueError(f"node must be None for method={method.name!r}: {method.refuse_nodes}")
    if request.net.module.encoder.downward is not None:
        settings = {field.name: getattr(request, field.name) for field in fields(Request)}
        return run(method, _NodeRequest(**settings, nodes=nodes), verbose)
    found = run(method, replace(request, encoded=take_subtrees(request.encoded, nodes)), verbose)
    sizes = request.encoded.sizes
    return replace(
        found,
        attributions=_pad(found.attributions, nodes, sizes),
        own=_pad(found.own, nodes, sizes),
    )


def name_nodes(samples: Any, nodes: np.ndarray) -> list[str]:
    """Return the number of each explained node with the leaves below it: "Node 7 'not good'"."""
    names = []
    for tree, node in zip(samples, nodes.tolist(), strict=True):
        text = " ".join(list_leaves(tree, node, _N_NODES)) or str(tree.labels[node])
        names.append(f"Node {node} {cut(text, _LONGEST)!r}" if text.strip() else f"Node {node}")
    return names


def select_below(parts: list[np.ndarray], samples: Any, nodes: np.ndarray) -> list[np.ndarray]:
    """Return the numbers of the nodes of each explained subtree, given those of all nodes."""
    starts = samples.offsets[:-1] + nodes
    ends = nodes + samples.subtree_ends[starts] - starts
    return [part[i:j] for part, i, j in zip(parts, nodes, ends, strict=True)]


@dataclass(frozen=True, kw_only=True)
class _NodeRequest(Request):
    """Request to explain the outputs of nodes of a bidirectional net.

    Attributes
    ----------
    nodes : ndarray of int, shape (n_trees,)
        Node of each tree.
    """

    nodes: np.ndarray

    def inputs(self, rows: np.ndarray) -> Inputs:
        """Build the inputs of the net, which computes the outputs of the nodes."""
        inputs = super().inputs(rows)
        assert isinstance(inputs, TreeInputs)
        return inputs.at_nodes(self.nodes[rows])


def _pad(parts: list[np.ndarray], nodes: np.ndarray, sizes: np.ndarray) -> list[np.ndarray]:
    """Return the numbers of all nodes of trees, 0 outside the subtrees, given those of the subtrees."""
    padded = [np.zeros(size) for size in sizes.tolist()]
    for whole, part, node in zip(padded, parts, nodes.tolist(), strict=True):
        whole[node : node + len(part)] = part
    return padded
