"""Vectors that enter a recursive net, for nodes of trees."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.inputs import Inputs
from sklearn_tree.nn import TreeBatch
from sklearn_tree.trees import TreeArray


class TreeInputs(Inputs):
    """Vectors that enter a recursive net, one row per removable node.

    Rows are in the order of the ``TreeArray``. The other nodes have few distinct inputs, which are computed
    once: the inner nodes of parse trees, for example, have no input but the labels of their edges.

    Parameters
    ----------
    net : ExplainedNet
        The net.
    array : TreeArray
        The trees.
    batch : TreeBatch
        The batch of the trees.
    x, x0 : Tensor of float, shape (n_nodes, embedding_dim)
        Inputs of all nodes and their baselines, in batch order.
    removable : Tensor of bool, shape (n_nodes,)
        Nodes that have a label or a value of their own, in batch order.

    Attributes
    ----------
    nodes : Tensor of int64, shape (n_rows,)
        Node of each row, numbered through all trees.
    fixed : Tensor of float, shape (n_fixed, embedding_dim)
        Distinct inputs of the other nodes.
    rows_of_nodes : Tensor of int64, shape (n_nodes,)
        Position of each node's input in the concatenation of ``fixed`` and ``x``.
    explained : Tensor of int64, shape (n_trees,), or None
        Nodes whose outputs are computed, numbered through all trees; None for the outputs of whole trees.
    """

    def __init__(
        self, *, net: ExplainedNet, array: TreeArray, batch: Any, x: Tensor, x0: Tensor, removable: Tensor
    ) -> None:
        self._size = 1  # trees per sample
        self.explained: Tensor | None = None
        order = batch.order
        removable, x, x0 = removable[order], x[order], x0[order]
        self.array, self.nodes = array, removable.nonzero().squeeze(1)
        super().__init__(
            net=net,
            batch=batch,
            x=x[self.nodes],
            x0=x0[self.nodes],
            removable=torch.ones_like(self.nodes, dtype=torch.bool),
            is_embedded=True,
        )
        edges = torch.zeros_like(batch.labels) if batch.edges is None else batch.edges[order]
        rest = (~removable).nonzero().squeeze(1)
        distinct, inverse = edges[rest].unique(return_inverse=True)
        examples = rest.new_zeros(len(distinct)).scatter(0, inverse, rest)
        self.fixed = x[examples]
        self.rows_of_nodes = torch.empty_like(batch.labels)
        self.rows_of_nodes[rest] = inverse
        self.rows_of_nodes[self.nodes] = len(distinct) + torch.arange(len(self.nodes), device=x.device)

    def __len__(self) -> int:
        return len(self.array) // self._size

    def pair_up(self) -> TreeInputs:
        """Make samples of two trees each, and return the inputs."""
        self._size = 2
        return self

    def at_nodes(self, nodes: np.ndarray) -> TreeInputs:
        """Compute the outputs of one node of each tree instead of its root, and return the inputs.

        Parameters
        ----------
        nodes : ndarray of int, shape (n_trees,)
            The nodes, numbered in preorder through their trees.
        """
        self.explained = torch.from_numpy(self.array.offsets[:-1] + nodes).to(self.x.device)
        return self

    def pool(self, h: Tensor, batch: TreeBatch, nodes: Tensor | None) -> Tensor:
        """Pool the vectors of nodes into those of trees, or of subtrees.

        Parameters
        ----------
        h : Tensor of float, shape (n_nodes, size)
            Vectors of the nodes of a batch, in batch order.
        batch : TreeBatch
            The batch.
        nodes : Tensor of int64, shape (n,), or None
            Roots of the subtrees, numbered through the trees of the batch; None for the trees.
        """
        if nodes is None:
            return self.module.pool(h, batch)
        return self.module.pool.pool_subtrees(h, batch).index_select(0, batch.order[nodes])

    @cached_property
    def is_below_explained(self) -> Tensor:
        """Whether each node is in the explained subtree of its tree, Tensor of bool, shape (n_nodes,)."""
        if self.explained is None:
            return torch.ones_like(self.trees_of_nodes, dtype=torch.bool)
        nodes = torch.arange(self.array.n_nodes, device=self.x.device)
        first = self.explained[self.trees_of_nodes]
        ends = torch.from_numpy(self.array.subtree_ends).to(self.x.device)
        return (nodes >= first) & (nodes < ends[first])

    @property
    def n_positions(self) -> int:
        """Number of nodes."""
        return self.array.n_nodes

    @cached_property
    def trees_of_nodes(self) -> Tensor:
        """Tree of each node, Tensor of int64, shape (n_nodes,)."""
        trees = np.repeat(np.arange(len(self.array)), self.array.sizes)
        return torch.from_numpy(trees).to(self.x.device)

    @property
    def samples(self) -> Tensor:
        """Sample of each row, Tensor of int64, shape (n_rows,)."""
        return self.samples_of(self.trees_of_nodes[self.nodes])

    def samples_of(self, trees: Tensor) -> Tensor:
        """Return the sample of each tree: the tree itself, or its pair."""
        return trees // self._size

    @property
    def bounds(self) -> np.ndarray:
        """First node of each sample but the first, ndarray of int64, shape (n - 1,)."""
        return self.array.offsets[self._size : -1 : self._size]

    def replace_vectors(self, vectors: Tensor, known: Tensor, trees: Tensor) -> Tensor:
        """Return the vectors of the trees of some samples in each of which one tree has another vector.

        Parameters
        ----------
        vectors : Tensor of float, shape (n, hidden_size)
            New vectors.
        known : Tensor of float, shape (n_trees, hidden_size)
            Vectors of all trees.
        trees : Tensor of int64, shape (n,)
            Trees that have the new vectors.

        Returns
        -------
        Tensor of float, shape (n, hidden_size), for pairs (2 * n, hidden_size)
        """
        if self._size == 1:
            return vectors
        others, is_second = known.index_select(0, trees ^ 1), (trees % 2 > 0).unsqueeze(1)
        sides = torch.where(is_second, others, vectors), torch.where(is_second, vectors, others)
        return torch.stack(sides, dim=1).flatten(0, 1)

    @cached_property
    def is_leaf(self) -> Tensor:
        """Whether each node is a leaf, Tensor of bool, shape (n_nodes,)."""
        return torch.from_numpy(self.array.arities == 0).to(self.x.device)

    def mix(self, is_present: Tensor) -> Tensor:
        """Return copies of a single sample in which some nodes have their baselines, see :class:`Inputs`."""
        return torch.where(is_present.unsqueeze(-1), self.x, self.x0).flatten(0, 1)

    def split(self, rows: Tensor) -> list[np.ndarray]:
        """Split numbers, one per row or one per node, into trees; nodes without a row get 0."""
        if len(rows) != self.array.n_nodes:
            rows = rows.new_zeros(self.array.n_nodes).index_copy(0, self.nodes, rows)
        return np.split(rows.detach().double().cpu().numpy(), self.bounds)

    def number_positions(self) -> Tensor:
        """Number the rows of a single tree, int64, shape (n_rows,)."""
        return torch.arange(self.n_rows, device=self.x.device)

    def spread(self, groups: Tensor, numbers: Tensor) -> Tensor:
        """Return the number of each row of a single tree, Tensor of float, shape (n_rows,)."""
        return numbers[groups]

    def _unsplit(self, attributions: np.ndarray) -> np.ndarray:
        return attributions[self.nodes.cpu().numpy()]

    def _count_copies(self, x: Tensor) -> int:
        return super()._count_copies(x) if self.n_rows else 1

    def _repeat(self, k: int) -> tuple[Any, Tensor, Tensor, Tensor]:
        """Return a batch of k copies, the rows of inner nodes and of leaves, and the row of each node."""
        batch = self.batch
        if k > 1:
            repeated = self.array[np.tile(np.arange(len(self.array)), k)]
            batch = TreeBatch.from_array(repeated).to(self.x.device)
        n_fixed, n = len(self.fixed), self.n_rows
        is_leaf = self.is_leaf[self.nodes].repeat(k)
        inner, leaves = (~is_leaf).nonzero().squeeze(1), is_leaf.nonzero().squeeze(1)
        # All fixed inputs and those of inner nodes come first, then all fixed inputs and those of leaves.
        positions = torch.empty_like(is_leaf, dtype=torch.int64)
        positions[inner] = n_fixed + torch.arange(len(inner), device=positions.device)
        positions[leaves] = n_fixed + torch.arange(len(leaves), device=positions.device)
        copies = torch.arange(k, device=positions.device)
        copies_of_nodes = copies.repeat_interleave(self.array.n_nodes)
        rows = self.rows_of_nodes.repeat(k)
        is_row = rows >= n_fixed
        rows[is_row] = positions[(rows + n * copies_of_nodes)[is_row] - n_fixed]
        rows += (n_fixed + len(inner)) * self.is_leaf.repeat(k)
        inverse = torch.empty_like(rows)
        inverse[batch.order] = rows
        outputs = None
        if self.explained is not None:
            outputs = batch.order[(self.explained + self.array.n_nodes * copies.unsqueeze(1)).flatten()]
        n_inner = n_fixed + len(inner)
        batch = dataclasses.replace(batch, n_distinct_inner=n_inner, shared=None, output_nodes=outputs)
        return batch, inner, leaves, inverse

    def _forward(self, x: Tensor, copies: Any) -> Tensor:
        batch, inner, leaves, inverse = copies
        parts = (self.fixed, x.index_select(0, inner), self.fixed, x.index_select(0, leaves))
        return self.module.forward_embedded(torch.cat(parts), batch, inverse)


class StarInputs(TreeInputs):
    """Vectors of the columns of a table that a recursive net reads as stars."""

    def split(self, rows: Tensor) -> list[np.ndarray]:
        """Split numbers into rows of the table, without the roots of the stars."""
        return [part[1:] for part in super().split(rows)]

    def _unsplit(self, attributions: np.ndarray) -> np.ndarray:
        return super()._unsplit(np.r_[0.0, attributions])
