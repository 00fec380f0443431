"""States of the nodes of trees in bidirectional nets, and recomputation of trees with a changed node."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.explain.ancestors import NodeStates, States, make_shapes
from sklearn_tree.explain.tree_inputs import TreeInputs
from sklearn_tree.nn import TreeBatch
from sklearn_tree.trees import TreeArray


def make_states(inputs: TreeInputs) -> NodeStates:
    """Return the states of all nodes of some trees, for nets with one or both walks."""
    is_bidirectional = inputs.module.encoder.downward is not None
    return BidirectionalStates(inputs) if is_bidirectional else NodeStates(inputs)


class BidirectionalStates(NodeStates):
    """States of all nodes in a net whose second walk leads from the roots down.

    If the state of a node changes, its ancestors are recomputed, and then the second walk of the whole tree,
    since all nodes depend on the root. The cost of all subtrees of a tree thus grows with the square of its
    number of nodes.
    """

    @cached_property
    def node_vectors(self) -> Tensor:
        """Vectors of all nodes in the order of the ``TreeArray``, Tensor of float, shape (n_nodes, size)."""
        batch = self.inputs.batch
        return self._to_vectors(self.states[0], batch).index_select(0, batch.order)

    def _to_vectors(self, up: Tensor, batch: TreeBatch) -> Tensor:
        """Return the vectors of nodes in batch order, given upward states in the order of the array."""
        up = super()._to_vectors(up, batch)
        return torch.cat([up, self.module.encoder.downward(up, batch)], dim=1)

    def n_rows_per_change(self) -> np.ndarray:
        """Return how many rows :meth:`vectors` computes at once for a change of each node, (n_nodes,)."""
        return np.repeat(self.inputs.array.sizes, self.inputs.array.sizes)

    def pool_descendants(self, states: States) -> Tensor:
        """Return the upward states of all nodes, from which :meth:`vectors` takes those of descendants."""
        return states[0]

    def vectors(self, nodes: Tensor, states: States, descendants: Tensor | None = None) -> Tensor:
        """Compute the vector of each tree after the state of one of its nodes has changed.

        Parameters
        ----------
        nodes : Tensor of int64, shape (n,)
            Changed nodes, numbered through all trees.
        states : tuple of Tensor, each of shape (n, hidden_size)
            New upward states of the nodes.
        descendants : Tensor of float, shape (n_nodes, hidden_size), default=None
            Upward states of the descendants of the changed nodes. None if the changed nodes and their
            descendants are excluded from the second walk and from the pooling.

        Returns
        -------
        Tensor of float, shape (n, size)
            Zero for a tree whose root, or whose explained node, is excluded.
        """
        copies = _Copies(self.inputs.array, nodes.cpu().numpy(), is_pruned=descendants is None)
        up = self.states[0].index_select(0, _to_tensor(copies.sources, nodes))
        if descendants is not None:
            below = _to_tensor(copies.below, nodes)
            up[below] = descendants.index_select(0, _to_tensor(copies.sources[copies.below], nodes))
        starts = _to_tensor(copies.starts - copies.first, nodes)
        for step, (rows, at, new, _) in enumerate(self.iterate_ancestors(nodes, states)):
            if step or descendants is not None:
                up[starts[rows] + at] = new[0]
        result = up.new_zeros(len(nodes), 2 * up.shape[1])
        if len(up):
            batch = TreeBatch.from_array(copies.to_array()).to(up.device)
            h, explained = self._to_vectors(up, batch), self.inputs.explained
            roots = self.inputs.array.offsets[:-1] if explained is None else explained.cpu().numpy()
            places = _to_tensor(copies.find(roots), nodes)
            is_kept = places >= 0
            result[is_kept] = self.inputs.pool(h, batch, None if explained is None else places[is_kept])
        return result


class _Copies:
    """Copies of trees, one for each changed node, with or without the subtree of the node.

    Parameters
    ----------
    array : TreeArray
        Trees.
    nodes : ndarray of int64, shape (n,)
        Changed nodes, numbered through all trees.
    is_pruned : bool
        Whether the copies lack the subtrees of the changed nodes.

    Attributes
    ----------
    first, sizes, starts : ndarray of int64, shape (n,)
        First node of the tree, number of nodes of the copy, and position of its first node among those of
        all copies.
    sources : ndarray of int64, shape (n_copied,)
        Node of each node of the copies.
    below : ndarray of int64, shape (n_below,)
        Positions of the descendants of the changed nodes.
    """

    def __init__(self, array: TreeArray, nodes: np.ndarray, *, is_pruned: bool) -> None:
        self.array = array
        trees = np.searchsorted(array.offsets, nodes, side="right") - 1
        ends = array.subtree_ends[nodes]
        self.trees, self.removed, self.ends = trees, nodes, ends if is_pruned else nodes
        self.first = array.offsets[trees]
        self.sizes = array.sizes[trees] - is_pruned * (ends - nodes)
        self.starts = np.cumsum(self.sizes) - self.sizes
        owners = np.repeat(np.arange(len(nodes)), self.sizes)
        self.sources = np.arange(len(owners)) - (self.starts - self.first)[owners]
        if is_pruned:
            self.sources += (self.sources >= nodes[owners]) * (ends - nodes)[owners]
        is_below = (self.sources > nodes[owners]) & (self.sources < ends[owners])
        self.below = np.flatnonzero(is_below)

    def find(self, nodes: np.ndarray) -> np.ndarray:
        """Return the position of a node of each tree in each copy, int64, shape (n,); -1 if it is removed."""
        nodes = nodes[self.trees]
        is_after = nodes >= self.ends
        places = self.starts + nodes - self.first - is_after * (self.ends - self.removed)
        return np.where(is_after | (nodes < self.removed), places, -1)

    def to_array(self) -> TreeArray:
        """Return the copies that have a node, without labels."""
        return make_shapes(self.array.depths[self.sources], self.sizes)


def _to_tensor(array: np.ndarray, like: Tensor) -> Tensor:
    return torch.from_numpy(array).to(like.device)
