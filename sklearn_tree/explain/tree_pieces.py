"""Words, phrases, productions and edges of trees."""

from __future__ import annotations

import numpy as np

from sklearn_tree.explain.pieces import Pieces
from sklearn_tree.trees import TreeArray

_MAX_LEAVES = 6  # of a phrase
_MAX_CHILDREN = 5  # of a production


def find_tree_pieces(
    samples: TreeArray, attributions: list[np.ndarray], own: list[np.ndarray]
) -> list[Pieces]:
    """Return the words, inner labels, phrases, productions and edges of trees.

    Parameters
    ----------
    samples : TreeArray
        Trees with labels.
    attributions, own : list of ndarray of float
        Attributions of the subtrees, and of the labels without the children.

    Returns
    -------
    list of Pieces
        "word", the leaves; "label", the other labels; "phrase", subtrees of two to six leaves; "production",
        nodes with the labels of their children and what the combination adds to the sum of the children;
        "edge", the labels of edges with the attributions of the subtrees below.
    """
    assert samples.vocabulary is not None, "shown trees have labels"
    labels = samples.vocabulary[samples.labels]
    rows = np.repeat(np.arange(len(samples)), samples.sizes)
    totals, single = np.concatenate([*attributions, np.zeros(0)]), np.concatenate([*own, np.zeros(0)])
    is_leaf, has_label = samples.arities == 0, labels != ""

    def make(feature: str, nodes: np.ndarray, names: np.ndarray, values: np.ndarray) -> Pieces:
        return Pieces(feature=feature, names=names, samples=rows[nodes], values=values[nodes])

    words = np.flatnonzero(is_leaf & has_label)
    inner = np.flatnonzero(~is_leaf & has_label)
    pieces = [make("word", words, labels[words], single), make("label", inner, labels[inner], single)]
    phrases, names = _name_phrases(samples, labels, is_leaf)
    pieces.append(make("phrase", phrases, names, totals))
    productions, names, gains = _name_productions(samples, labels, totals)
    pieces.append(make("production", productions, names, gains))
    if samples.edges is not None and samples.edge_vocabulary is not None:
        edges = samples.edge_vocabulary[samples.edges]
        nodes = np.flatnonzero((samples.depths > 0) & (edges != ""))
        pieces.append(make("edge", nodes, edges[nodes], totals))
    return pieces


def _name_phrases(
    samples: TreeArray, labels: np.ndarray, is_leaf: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the nodes with two to six leaves, and the labels of these leaves."""
    ends = samples.subtree_ends
    n_before = np.concatenate([[0], np.cumsum(is_leaf)])
    n_leaves = n_before[ends] - n_before[:-1]
    nodes = np.flatnonzero((n_leaves > 1) & (n_leaves <= _MAX_LEAVES))
    leaves = labels[is_leaf]
    starts = n_before[nodes]
    names = [
        " ".join(leaves[i : i + n]) for i, n in zip(starts.tolist(), n_leaves[nodes].tolist(), strict=True)
    ]
    return nodes, np.array([*names, None], dtype=object)[:-1]


def _name_productions(
    samples: TreeArray, labels: np.ndarray, totals: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the nodes with two to five children and labels at all of them, their rules, and all gains."""
    parents = samples.absolute_parents
    children = np.flatnonzero(parents >= 0)
    gains = totals.copy()
    np.subtract.at(gains, parents[children], totals[children])
    n_named = np.bincount(parents[children], labels[children] != "", minlength=len(labels))
    arities = samples.arities
    is_rule = (labels != "") & (n_named == arities) & (arities > 1) & (arities <= _MAX_CHILDREN)
    nodes = np.flatnonzero(is_rule)
    kept = children[is_rule[parents[children]]]
    order = np.argsort(parents[kept], kind="stable")
    parts = np.split(labels[kept[order]], np.cumsum(arities[nodes])[:-1]) if len(nodes) else []
    names = [f"{labels[node]} \u2192 {' '.join(part)}" for node, part in zip(nodes, parts, strict=True)]
    return nodes, np.array([*names, None], dtype=object)[:-1], gains
