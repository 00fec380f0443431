"""View of trees."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.containers import to_numpy
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.inputs import Inputs
from sklearn_tree.explain.pieces import Pieces
from sklearn_tree.explain.tree_inputs import TreeInputs
from sklearn_tree.explain.tree_pieces import find_tree_pieces
from sklearn_tree.explain.views.base import View
from sklearn_tree.explain.views.words import WordsView
from sklearn_tree.nn import TreeBatch
from sklearn_tree.plot.outline import draw_outline
from sklearn_tree.plot.text import write_tree
from sklearn_tree.trees import Tree, TreeArray
from sklearn_tree.trees.flat import PAD_ID
from sklearn_tree.trees.formats import FlatTree
from sklearn_tree.trees.reduction import reduce_subtrees
from sklearn_tree.trees.svg import draw_tree

_MARK = "\u25b6"  # a triangle that points at the label
InputsT = TypeVar("InputsT", bound=TreeInputs)


class TreesView(WordsView):
    """View of trees: a position is a node, and its attribution is that of its whole subtree."""

    has_subtrees: bool = True

    def ids(self, encoded: TreeArray) -> np.ndarray:
        """Return the label ids of all nodes."""
        return to_numpy(encoded.labels)

    def inputs(
        self, net: ExplainedNet, encoded: TreeArray, rows: np.ndarray, baseline: Tensor | str
    ) -> TreeInputs:
        """Build the inputs of the net for some trees, see :meth:`View.inputs`."""
        return build_tree_inputs(TreeInputs, self, net, encoded[rows], baseline)

    def removable(self, batch: Any, x: Tensor) -> Tensor:
        """Return the mask of the nodes that have a label or a value, bool, shape (n_nodes,)."""
        return (batch.labels != PAD_ID) | has_value(batch)

    def accumulate(self, inputs: Inputs, own: list[np.ndarray]) -> list[np.ndarray]:
        """Sum the attributions of each subtree."""
        assert isinstance(inputs, TreeInputs)
        totals = reduce_subtrees(np.concatenate(own), inputs.array.depths)
        return np.split(totals, inputs.bounds)

    def locate(
        self, samples: TreeArray, attributions: list[np.ndarray], names: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return the columns node, parent, position, token, value, edge and is_leaf."""
        starts = np.repeat(samples.offsets[:-1], samples.sizes)
        is_leaf = samples.arities == 0
        n_leaves_before = np.concatenate([[0], np.cumsum(is_leaf)])
        columns = {
            "node": np.arange(samples.n_nodes) - starts,
            "parent": samples.parents,
            "position": np.where(is_leaf, n_leaves_before[:-1] - n_leaves_before[starts], -1),
            "token": _take(samples.vocabulary, samples.labels),
        }
        if samples.values is not None:
            columns["value"] = samples.values
        if samples.edges is not None and samples.edge_vocabulary is not None:
            columns["edge"] = samples.edge_vocabulary[samples.edges]
        return {**columns, "is_leaf": is_leaf}

    def scaled(self, samples: TreeArray, attributions: list[np.ndarray]) -> np.ndarray:
        """Return all attributions but those of roots, which exceed the others, see :meth:`View.scaled`."""
        return super().scaled(samples, [part[1:] if len(part) > 1 else part for part in attributions])

    def pieces(
        self, samples: TreeArray, attributions: list[np.ndarray], own: list[np.ndarray], names: np.ndarray
    ) -> list[Pieces]:
        """Return the words, labels, phrases, productions and edges, see :meth:`View.pieces`."""
        return find_tree_pieces(samples, attributions, own)

    def annotate(self, sample: Tree, text: None, node: int | None) -> Tree:
        """Return the tree with a mark before the label of the explained node."""
        if node is None:
            return sample
        labels = list(map(str, sample.labels))
        labels[node] = f"{_MARK} {labels[node]}".rstrip()
        return Tree.from_flat(FlatTree(labels, sample.parents, sample.depths, sample.values, sample.edges))

    def write(self, sample: Tree, attributions: np.ndarray, names: np.ndarray) -> str:
        """Write a tree, one line per node."""
        return write_tree(sample, attributions)

    def draw(self, sample: Tree, attributions: np.ndarray, names: np.ndarray, limit: float) -> str:
        """Draw a tree with the sentence on one line, and an outline that folds its subtrees."""
        drawing = super().draw(sample, attributions, names, limit)
        if sample.n_nodes == 1:
            return drawing
        outline = draw_outline(sample, attributions, limit=limit)
        return f"{drawing}<details><summary><small>as outline</small></summary>{outline}</details>"

    def draw_svg(self, sample: Tree, attributions: np.ndarray, names: np.ndarray, limit: float) -> str:
        """Draw a tree with the sentence on one line."""
        return draw_tree(sample, attributions.tolist(), limit=limit)


def build_tree_inputs(
    cls: type[InputsT], view: View, net: ExplainedNet, array: TreeArray, baseline: Tensor | str
) -> InputsT:
    """Build the inputs of the net for trees.

    Parameters
    ----------
    cls : type of TreeInputs
        Class to build.
    view : View
        View of the kind, which chooses removable nodes and baselines.
    net : ExplainedNet
        The net.
    array : TreeArray
        Encoded trees.
    baseline : Tensor or str
        See :meth:`View.inputs`.
    """
    batch: Any = TreeBatch.from_array(array).to(net.device)
    with torch.no_grad():
        x = net.embed(batch)
        return cls(
            net=net,
            array=array,
            batch=batch,
            x=x,
            x0=view.baselines(net, batch, x, baseline),
            removable=view.removable(batch, x),
        )


def has_value(batch: Any) -> Tensor:
    """Return the mask of the nodes of a batch that have a value, bool, shape (n_nodes,)."""
    if batch.values is None:
        return torch.zeros_like(batch.labels, dtype=torch.bool)
    return ~batch.values.isnan()


def _take(vocabulary: np.ndarray | None, codes: np.ndarray) -> np.ndarray:
    assert vocabulary is not None, "shown trees have labels"
    return vocabulary[codes]
